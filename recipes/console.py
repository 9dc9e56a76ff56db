"""Shared parts of the command-line programs."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from tqdm.auto import tqdm

# Characters of a value that are shown in an error message.
SHOWN = 80
# Characters of an error message.
LONGEST = 2000
# Larger whole numbers do not fit the backends' integers.
LARGEST = 2**31 - 1


class UsageError(Exception):
    """Error that is shown to the user as one line."""


class Parser(argparse.ArgumentParser):
    """Argument parser that raises one-line errors."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        for it in sys.argv[1:] if args is None else args:
            # argparse takes its value for the end of the options.
            if it.startswith("-") and it.endswith("=--"):
                self.error(f"argument {it.removesuffix('=--')}: received '--'")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help lists the arguments)")


def run(
    name: str,
    program: Callable[[Sequence[str] | None], None],
    arguments: Sequence[str] | None = None,
) -> int:
    """Run a program, and return its exit status.

    A `UsageError` or a system error (full disk, out of memory, unreadable
    file) is printed as one line on standard error, with status 2. Ctrl-C and
    SIGTERM give status 130. Context managers of the program are exited in all
    cases.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        _require_tensorflow()
        program(arguments)
    except (UsageError, OSError) as error:
        print(f"{name}: error: {one_line(error)}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{name}: error: not enough memory", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{name}: stopped before its end", file=sys.stderr)
        return 130
    return 0


@contextmanager
def stop_on_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Stop a training after its current batch on SIGINT or SIGTERM.

    A second signal stops it immediately.

    Args:
        stop: Function that asks the training to stop.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        stop()
        tqdm.write("stopping after this batch; once more: at once", sys.stderr)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def one_line(message: object) -> str:
    """Return a message in one line that a terminal can show.

    A name of a file, or the content of one, may have line breaks in it.
    """
    text = str(message).strip()
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}..."
    return "".join(it if it.isprintable() else repr(it)[1:-1] for it in text)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    first, *_ = str(error).strip().splitlines() or ["unreadable"]
    return first


def shown(value: object) -> str:
    """Return a value as it is quoted in an error message, or its beginning."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _require_tensorflow() -> None:
    """Refuse another Keras backend, before Keras fails to import it."""
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise UsageError(
            "the recipes train and export with TensorFlow: unset "
            f"KERAS_BACKEND. Received: KERAS_BACKEND={backend}"
        )


def check_folder(path: Path, option: str) -> None:
    """Refuse a folder to write to, if a file is in its place or above it."""
    for folder in (path, *path.parents):
        if folder.is_dir():
            return
        if folder.exists():
            above = "" if folder == path else f": {folder}"
            raise UsageError(
                f"{option} {path}{above} is a file: name a folder to write to"
            )


def near(model: Path, name: str) -> Path:
    """Return the path of a file near a model.

    The file is searched in the model, if it is a folder, in the folder that
    holds it, and in the two folders above.
    """
    folders = [model.absolute(), *model.absolute().parents][:4]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    return folders[1] / name


def path(text: str) -> Path:
    """Parse a path; for `add_argument(type=...)`."""
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(
            f"expected a path, received {shown(text)}"
        )
    return Path(text)


def whole_number(text: str) -> int:
    """Parse a whole number above zero; for `add_argument(type=...)`."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            f"expected a whole number above zero, received {shown(text)}"
        )
    if number > LARGEST:
        raise argparse.ArgumentTypeError(
            f"expected a whole number up to {LARGEST}, received {shown(text)}"
        )
    return number


def seed(text: str) -> int:
    """Parse a seed for NumPy; for `add_argument(type=...)`."""
    number = int(text) if text.isdecimal() and len(text) <= 10 else -1
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(
            "expected a whole number from 0 to 4294967295, received "
            f"{shown(text)}"
        )
    return number


def positive(text: str) -> float:
    """Parse a finite number above zero; for `add_argument(type=...)`."""
    number = _parse_number(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(
            f"expected a number above zero, received {shown(text)}"
        )
    return number


def rate(text: str) -> float:
    """Parse a number from 0 to below 1; for `add_argument(type=...)`."""
    number = _parse_number(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(
            f"expected a number from 0 to below 1, received {shown(text)}"
        )
    return number


def _parse_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
