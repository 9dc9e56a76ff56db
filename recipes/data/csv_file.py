"""Reading of CSV files of numbers by time."""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from recipes.console import UsageError

# Squares of larger numbers overflow float32.
LARGEST = 1e18
# Limits of the first row: number of columns, and bytes.
MOST_COLUMNS = 10_000
LONGEST_LINE = 2**20
# Offset from UTC at the end of a time.
OFFSET = r"[T ]\d\d.*(?:[+-]\d\d(?::?\d\d)?|Z)$"


def read_csv(path: Path, time_column: str | None = None) -> pd.DataFrame:
    """Read a CSV file into columns of numbers, indexed by time.

    Empty cells are missing values. Times with an offset are converted to UTC.

    Raises:
        UsageError: if the file is missing or has invalid cells; the message
            names the row and column of non-numeric cells and invalid times.
    """
    if not path.exists():
        raise UsageError(
            f"there is no file {path}: --dataset takes co2, ett/h1, ett/h2, "
            "ett/m1, ett/m2, or the path of a CSV file"
        )
    if not path.is_file():
        raise UsageError(
            f"{path} is a directory, a pipe or a device: name a CSV file"
        )
    _check_width(path)
    cells = _read_cells(path)
    name = time_column or cells.columns[0]
    if name not in cells:
        raise UsageError(
            f"{path} has no column {name}: --time-column takes one of "
            f"{', '.join(cells.columns)}"
        )
    index = _parse_times(cells.pop(name), path)
    numbers = cells.apply(pd.to_numeric, errors="coerce")
    wrong = (cells.notna() & ~(numbers.abs() < LARGEST)).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise UsageError(
            f"{path}, row {row + 2}, column {cells.columns[column]}: "
            f"{cells.iat[row, column]!r} is no number below {LARGEST:g}; leave "
            "the cell empty where it is missing"
        )
    return numbers.astype("float64").set_index(index)


def _check_width(path: Path) -> None:
    """Refuse a file whose first row is so wide that reading takes minutes."""
    with path.open("rb") as file:
        start = file.read(LONGEST_LINE).decode("utf-8-sig", "replace")
    lines = io.StringIO(start, newline="")
    try:
        columns = len(next(csv.reader(lines), []))
    except csv.Error:
        columns = MOST_COLUMNS + 1
    whole = lines.tell() < len(start) or path.stat().st_size < LONGEST_LINE
    if columns > MOST_COLUMNS or not whole:
        raise UsageError(
            f"{path}, row 1: too many columns, or too long names: up to "
            f"{MOST_COLUMNS:,} are read, in a first row of up to a megabyte"
        )


def _read_cells(path: Path) -> pd.DataFrame:
    """Read the cells of a CSV file as strings, in named columns."""
    try:
        cells = pd.read_csv(
            path,
            dtype=str,
            encoding="utf-8-sig",
            header=None,
            skip_blank_lines=False,
        )
    except (ValueError, pd.errors.ParserError) as error:
        first = str(error).strip().splitlines()[0]
        raise UsageError(f"{path} is no CSV file in UTF-8: {first}") from error
    names = cells.iloc[0]
    if names.isna().any():
        raise UsageError(
            f"{path}, row 1: column {int(names.isna().argmax()) + 1} has no "
            "name; the first row names the columns"
        )
    twice = names[names.duplicated()]
    if len(twice):
        raise UsageError(f"{path}, row 1: two columns are named {twice.iat[0]}")
    cells = cells.iloc[1:].reset_index(drop=True).set_axis(list(names), axis=1)
    # Drop empty lines at the end.
    filled = np.flatnonzero(cells.notna().any(axis=1))
    if not filled.size:
        raise UsageError(f"{path} has no rows under its line of names")
    return cells.iloc[: filled[-1] + 1]


def _parse_times(cells: pd.Series, path: Path) -> pd.DatetimeIndex:
    cells = cells.str.strip()
    offsets = cells.str.contains(OFFSET, na=False).to_numpy()
    times = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise UsageError(
            f"{path}, row {row + 2}, column {cells.name}: {cells.iat[row]!r} "
            "is no time such as 2016-07-01 00:00:00"
        )
    if len(set(offsets)) > 1:
        row = int((offsets != offsets[0]).argmax())
        raise UsageError(
            f"{path}, row {row + 2}, column {cells.name}: {cells.iat[row]!r} "
            f"and {cells.iat[0]!r}: write all times with their offset from "
            "UTC, or none"
        )
    index = pd.DatetimeIndex(times)
    return index if offsets[0] else index.tz_localize(None)
