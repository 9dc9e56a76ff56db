"""What the recipes' command lines share."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn


class UsageError(Exception):
    """What was asked for cannot be done: one line that says why."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help lists the arguments)")


def run(
    name: str,
    program: Callable[[Sequence[str] | None], None],
    arguments: Sequence[str] | None = None,
) -> int:
    """Runs a program; gives its exit status.

    A `UsageError`, or an error of the machine (a full disk, no memory, a file
    that must not be read), ends as one line on standard error and status 2;
    Ctrl-C or a request to terminate, with status 130. Either way the program
    leaves by its own clean-up.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        _require_tensorflow()
        program(arguments)
    except (UsageError, OSError) as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{name}: error: not enough memory", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{name}: stopped before its end", file=sys.stderr)
        return 130
    return 0


def _require_tensorflow() -> None:
    """Looks before Keras does, which may not find the backend it is told."""
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise UsageError(
            "the recipes train and export with TensorFlow: unset "
            f"KERAS_BACKEND. Received: KERAS_BACKEND={backend}"
        )


def near(model: Path, name: str) -> Path:
    """A file of this name in a model's folder, or in one of two above it.

    Of a model that is a folder, in that too.
    """
    folders = [model.absolute(), *model.absolute().parents][:4]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    return folders[1] / name


def whole_number(text: str) -> int:
    """A whole number above zero, as an argument's type."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            f"expected a whole number above zero, received {text!r}"
        )
    return number


def seed(text: str) -> int:
    """A whole number that can seed NumPy, as an argument's type."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 0 to 4294967295, received {text!r}"
        )
    return int(text)


def positive(text: str) -> float:
    """A finite number above zero, as an argument's type."""
    number = _number(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(
            f"expected a number above zero, received {text!r}"
        )
    return number


def rate(text: str) -> float:
    """A number from zero to below one, as an argument's type."""
    number = _number(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(
            f"expected a number from 0 to below 1, received {text!r}"
        )
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
