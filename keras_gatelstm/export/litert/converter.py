"""LiteRT's converter in a process of its own, as it may crash."""

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

from keras_gatelstm.export.errors import as_system_errors
from keras_gatelstm.export.litert.fused import unclip

PROGRAM = Path(__file__).with_name("converter_worker.py")


class ConversionError(RuntimeError):
    """A conversion that failed or crashed."""


def convert(
    function: tf.types.experimental.ConcreteFunction,
    target: Path,
    quantize: str | None,
    samples: Sequence[Mapping[str, np.ndarray]] | None,
    stage: Path,
) -> None:
    """Convert a function to a `.tflite` file.

    Args:
        function: The function, with named inputs and outputs.
        target: The file.
        quantize: As in `export_litert`.
        samples: Inputs by name, to calibrate the ranges of int8.
        stage: A folder for temporary files.

    Raises:
        ConversionError: if the conversion fails.
        OSError: if a file cannot be written.
    """
    # Its process may have been started in another working directory.
    stage, target = stage.absolute(), target.absolute()
    saved_model = stage / "saved_model"
    with as_system_errors():
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

    It stays alive for the next conversion, as importing TensorFlow takes
    longer than most conversions.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()
        self.printed: IO[str] = io.StringIO()
        atexit.register(self.stop)

    def ask(self, **request: str | None) -> None:
        """Send a request and wait until it is done.

        Raises:
            ConversionError: if the conversion failed.
            OSError: if a file could not be written.
        """
        with self.lock:
            process = self._ensure_running()
            self.printed.truncate(0)  # Output of the last request.
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                print(json.dumps(request), file=process.stdin, flush=True)
                answer = process.stdout.readline()
            except OSError:
                answer = ""
            except BaseException:  # The next request would read this answer.
                self.stop()
                raise
            if not answer:
                status = process.wait()
                problem = self._error(f"it crashed, with status {status}")
                self.stop()
                raise problem
            result = json.loads(answer)
            if result["of_system"]:
                raise OSError(result["error"])
            if result["error"]:
                raise self._error(result["error"])

    def _ensure_running(self) -> subprocess.Popen[str]:
        if self.process is not None and self.process.poll() is not None:
            self.stop()
        if self.process is None:
            self.printed = tempfile.TemporaryFile("a+")  # noqa: SIM115
            self.process = subprocess.Popen(
                # -P: do not import modules from the program's folder.
                [sys.executable, "-P", str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.printed,
                text=True,
            )
        return self.process

    def _error(self, message: str) -> ConversionError:
        """Return an error of the message and the printed error lines."""
        self.printed.seek(0)
        printed = [line for line in self.printed if "error:" in line]
        return ConversionError(_shorten("\n".join([message, *printed])))

    def stop(self) -> None:
        """Kill the process, if it is running."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None
            self.printed.close()


def _shorten(error: str) -> str:
    first, *lines = [line.strip() for line in error.splitlines()] or [""]
    details = [line for line in lines if "error:" in line]
    return " ".join([first, *dict.fromkeys(details)])[:500]


_process = _Process()
