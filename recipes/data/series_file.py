"""Reading of CSV and Parquet files of series."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pandas.api import types

from recipes.console import UsageError
from recipes.data import csv_file
from recipes.data.decimals import LARGEST, Columns, parse_columns
from recipes.data.file_format import FileFormat
from recipes.data.times import parse_times

PARQUET = (".parquet", ".pq")


class Table(NamedTuple):
    """A file of series.

    Args:
        times: Times of the rows: in UTC if they were written with an offset.
        columns: The other columns, indexed by the rows of the file.
    """

    times: pd.DatetimeIndex
    columns: Columns


def read_table(path: Path, file_format: FileFormat) -> Table:
    """Read a file of times and numbers.

    Empty cells are missing values.

    Raises:
        UsageError: if the file is missing or has invalid cells; the message
            names the row and column.
    """
    if not path.exists():
        raise UsageError(
            f"there is no file {path}: --dataset takes co2, ett/h1, ett/h2, "
            "ett/m1, ett/m2, or the path of a CSV or Parquet file"
        )
    if not path.is_file():
        raise UsageError(
            f"{path} is a directory, a pipe or a device: name a CSV or "
            "Parquet file"
        )
    if path.suffix in PARQUET:
        return _read_parquet(path, file_format)
    cells = csv_file.read_cells(path, file_format.separator)
    written = _take_times(cells, file_format, path)
    times = parse_times(written, file_format.time_format, str(path))
    columns = parse_columns(cells, file_format.decimal, str(path))
    return Table(times, columns)


def _take_times(
    cells: pd.DataFrame, file_format: FileFormat, path: Path
) -> pd.Series:
    """Take the columns of times out of the cells, joined by blanks."""
    names = file_format.time_column or [cells.columns[0]]
    for name in names:
        if name not in cells:
            raise UsageError(
                f"{path} has no column {name}: --time-column takes one of "
                f"{', '.join(cells.columns)}"
            )
    first, *others = (cells.pop(name) for name in dict.fromkeys(names))
    if not others:
        return first
    return first.str.cat(others, sep=" ").rename(" ".join(names))


def _read_parquet(path: Path, file_format: FileFormat) -> Table:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise UsageError(f"{path} is no Parquet file: {first}") from error
    return table_of(frame, file_format, path)


def table_of(
    frame: pd.DataFrame,
    file_format: FileFormat,
    path: Path,
    first_row: int = 1,
) -> Table:
    """Return the times and the other columns of a Parquet file.

    Args:
        frame: Its columns, of all rows or some.
        file_format: How times are written, if they are texts.
        path: Its path, for error messages.
        first_row: Number of the first of the rows, likewise.

    Raises:
        UsageError: if a time or number is invalid.
    """
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame.columns = frame.columns.astype(str)
    if not file_format.time_column:
        frame = _times_first(frame)
    frame.index = pd.RangeIndex(first_row, first_row + len(frame))
    written = _take_times(frame, file_format, path)
    if types.is_datetime64_any_dtype(written):
        times = pd.DatetimeIndex(written)
        if times.hasnans:
            row = int(times.isna().argmax())
            raise UsageError(
                f"{path}, row {frame.index[row]}, column {written.name}: the "
                "time is missing"
            )
    else:
        times = parse_times(
            written.astype(str), file_format.time_format, str(path)
        )
    return Table(times, _typed_columns(frame, path))


def _typed_columns(frame: pd.DataFrame, path: Path) -> Columns:
    """Set columns of text apart, of a file that knows its types."""
    numbers, texts, problems = {}, {}, {}
    for name, column in frame.items():
        if types.is_numeric_dtype(column) and not types.is_bool_dtype(column):
            numbers[name] = column.astype("float64")
            _check_size(numbers[name], path)
        else:
            texts[name] = column.astype(str).mask(column.isna())
            problems[name] = (
                f"{path}, column {name} is of type {column.dtype}, not numbers"
            )
    return Columns(
        pd.DataFrame(numbers, frame.index),
        pd.DataFrame(texts, frame.index),
        problems,
    )


def _check_size(numbers: pd.Series, path: Path) -> None:
    wrong = numbers.notna() & ~(numbers.abs() < LARGEST)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise UsageError(
            f"{path}, row {numbers.index[row]}, column {numbers.name}: "
            f"{numbers.iat[row]} is no number below {LARGEST:g}"
        )


def _times_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Move the first column of times to the front, if there is one."""
    for name in frame:
        if types.is_datetime64_any_dtype(frame[name]):
            return frame[[name, *frame.columns.drop(name)]].copy()
    return frame
