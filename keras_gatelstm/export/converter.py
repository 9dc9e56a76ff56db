"""LiteRT's converter, kept apart: where it crashes, nothing else does."""

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

PROGRAM = Path(__file__).with_name("_convert.py")


class ConversionError(RuntimeError):
    """LiteRT's converter failed, or took its process down."""


def convert(
    function: Any,
    target: Path,
    quantize: str | None,
    samples: Sequence[Mapping[str, np.ndarray]] | None,
    stage: Path,
) -> None:
    """Writes a `.tflite` file of a `tf.function`.

    Args:
        function: With an input signature and named outputs.
        target: The file.
        quantize: As in `export_litert`.
        samples: Inputs by name, that int8 takes the ranges of numbers from.
        stage: A folder for what is needed in between.

    Raises:
        ConversionError: if there is no file at the end.
    """
    saved_model = stage / "saved_model"
    tf.saved_model.save(
        tf.Module(), saved_model, signatures={"serving_default": function}
    )
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


class _Process:
    """The converter's process: started when needed, and again if it died.

    It stays for the next conversion, since importing TensorFlow takes it
    longer than most conversions.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()
        atexit.register(self.stop)

    def ask(self, **request: Any) -> None:
        """Has a request done.

        Raises:
            ConversionError: if it failed.
        """
        with self.lock:
            process = self._running()
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
                raise ConversionError(f"it crashed, with status {status}")
            error = json.loads(answer)["error"]
            if error:
                raise ConversionError(_shortened(error))

    def _running(self) -> subprocess.Popen[str]:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                # -P: the modules beside the program are not for it to import.
                [sys.executable, "-P", str(PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self.process

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def _shortened(error: str) -> str:
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line] or lines
    return " ".join(telling)[:500]


_process = _Process()
