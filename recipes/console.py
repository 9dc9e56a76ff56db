"""What the recipes' command lines share."""

import argparse
import sys
from collections.abc import Callable, Sequence
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

    A `UsageError`, or an error of the operating system (a full disk, a file
    that must not be read), ends as one line on standard error and status 2.
    """
    try:
        program(arguments)
    except (UsageError, OSError) as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{name}: stopped; nothing was written", file=sys.stderr)
        return 130
    return 0


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
