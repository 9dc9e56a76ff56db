"""Series of numbers over time."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recipes.console import UsageError


class Series(NamedTuple):
    """Numbers over time.

    Args:
        columns: The names of the columns of numbers.
        times: What the first column says of each row, or the row's number.
        values: `(time, columns)`, float32.
    """

    columns: list[str]
    times: list[str]
    values: np.ndarray


def read_csv(path: Path) -> Series:
    """Reads a CSV file: a line of names, and a line for each step.

    The first column may be timestamps; all others are numbers.

    Raises:
        UsageError: if it is not one; the row and the column are named.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            names, *rows = list(csv.reader(file)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no CSV file in UTF-8: {error}") from error
    if not rows or not rows[0]:
        raise UsageError(f"{path} has no rows under its line of names")
    first = 0 if _is_number(rows[0][0]) else 1
    values = np.empty((len(rows), len(names) - first), np.float32)
    for number, row in enumerate(rows):
        # The line of names is line 1.
        values[number] = _numbers(
            row, names, first, f"{path}, row {number + 2}"
        )
    times = [row[0] if first else str(step) for step, row in enumerate(rows)]
    return Series(names[first:], times, values)


def _numbers(
    row: list[str], names: list[str], first: int, where: str
) -> list[float]:
    if len(row) != len(names):
        raise UsageError(
            f"{where}: {len(row)} columns, where the first line has "
            f"{len(names)}"
        )
    for name, text in zip(names[first:], row[first:], strict=True):
        if not _is_number(text):
            raise UsageError(
                f"{where}, column {name}: {text!r} is no number; fill in what "
                "is missing first"
            )
    return [float(text) for text in row[first:]]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
