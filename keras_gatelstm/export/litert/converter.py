"""LiteRT's converter, kept apart: where it crashes, nothing else does."""

import atexit
import io
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import tensorflow as tf

from keras_gatelstm.export.errors import errors_of_system
from keras_gatelstm.export.litert.fused import unclip

PROGRAM = Path(__file__).with_name("converter_worker.py")


class ConversionError(RuntimeError):
    """LiteRT's converter failed, or took its process down."""


def convert(
    function: Any,
    target: Path,
    quantize: str | None,
    samples: Sequence[Mapping[str, np.ndarray]] | None,
    stage: Path,
) -> None:
    """Writes a `.tflite` file of a function.

    Args:
        function: Of TensorFlow, concrete, with named inputs and outputs.
        target: The file.
        quantize: As in `export_litert`.
        samples: Inputs by name, that int8 takes the ranges of numbers from.
        stage: A folder for what is needed in between.

    Raises:
        ConversionError: if there is no file at the end.
        OSError: if it cannot be written.
    """
    saved_model = stage / "saved_model"
    with errors_of_system():
        tf.saved_model.save(tf.Module(), str(saved_model), function)
    arrays: dict[str, Any] = {
        f"{number}/{name}": array
        for number, sample in enumerate(samples or [])
        for name, array in sample.items()
    }
    np.savez(stage / "samples.npz", **arrays)
    _process.ask(
        saved_model=str(saved_model),
        target=str(target),
        quantize=quantize,
        samples=str(stage / "samples.npz"),
    )
    unclip(target)


class _Process:
    """The converter's process: started when needed, and again if it died.

    It stays for the next conversion, since importing TensorFlow takes it
    longer than most conversions.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()
        self.printed: IO[str] = io.StringIO()
        atexit.register(self.stop)

    def ask(self, **request: Any) -> None:
        """Has a request done.

        Raises:
            ConversionError: if it failed.
            OSError: if it could not write.
        """
        with self.lock:
            process = self._running()
            self.printed.truncate(0)  # What the last request made it print.
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                print(json.dumps(request), file=process.stdin, flush=True)
                answer = process.stdout.readline()
            except OSError:
                answer = ""
            except BaseException:  # Its answer would be taken for the next's.
                self.stop()
                raise
            if not answer:
                status = process.wait()
                problem = self._error(f"it crashed, with status {status}")
                self.stop()
                raise problem
            told = json.loads(answer)
            if told["of_system"]:
                raise OSError(told["error"])
            if told["error"]:
                raise self._error(told["error"])

    def _running(self) -> subprocess.Popen[str]:
        if self.process is not None and self.process.poll() is not None:
            self.stop()
        if self.process is None:
            self.printed = tempfile.TemporaryFile("a+")  # noqa: SIM115
            self.process = subprocess.Popen(
                # -P: the modules beside the program are not for it to import.
                [sys.executable, "-P", str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.printed,
                text=True,
            )
        return self.process

    def _error(self, said: str) -> ConversionError:
        """What it said in a line, and what it printed of errors."""
        self.printed.seek(0)
        printed = [line for line in self.printed if "error:" in line]
        return ConversionError(_shortened("\n".join([said, *printed])))

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None
            self.printed.close()


def _shortened(error: str) -> str:
    first, *lines = [line.strip() for line in error.splitlines()] or [""]
    telling = [line for line in lines if "error:" in line]
    return " ".join([first, *dict.fromkeys(telling)])[:500]


_process = _Process()
