"""Reading of CSV files, as cells of text in named columns."""

import csv
import io
import re
from itertools import islice
from pathlib import Path

import pandas as pd

from recipes.console import UsageError

# Limits of the first row: number of columns, and bytes.
MOST_COLUMNS = 10_000
LONGEST_LINE = 2**20
# Separators that are tried, and rows that must agree with the first.
SEPARATORS = ",;\t|"
ROWS = 50


def read_cells(path: Path, separator: str | None = None) -> pd.DataFrame:
    """Read the cells of a CSV file. Blank rows are left out.

    Args:
        path: The file, in UTF-8, or in UTF-16 with a byte order mark.
        separator: Separator of cells, if it is known.

    Returns:
        The cells by column; the index is the number of the row in the file.

    Raises:
        UsageError: if the file is no CSV file, or its first row does not name
            the columns.
    """
    encoding = _encoding(path)
    with path.open("rb") as file:
        start = file.read(LONGEST_LINE).decode(encoding, "replace")
    blank = len(start) - len(start.lstrip("\r\n"))
    names_at = len(start[:blank].splitlines())
    start = start[blank:]
    if separator is None:
        separator = _find_separator(start, path, names_at + 1)
    _check_width(start, separator, path, names_at + 1)
    try:
        cells = pd.read_csv(
            path,
            sep=separator,
            dtype=str,
            encoding=encoding,
            header=None,
            skiprows=names_at,
            skip_blank_lines=False,
        )
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not in UTF-8: save it as CSV UTF-8 ({error})"
        ) from error
    except (ValueError, pd.errors.ParserError) as error:
        raise UsageError(_what_is_wrong(error, path)) from error
    cells.index += names_at + 1
    return _name_columns(cells, path)


def _what_is_wrong(error: Exception, path: Path) -> str:
    """Return what keeps pandas from reading a file."""
    said = str(error).strip() or "it is empty"
    longer = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", said)
    if longer:
        names, row, cells = longer.groups()
        return (
            f"{path}, row {row}: it has {cells} cells, and the first row names "
            f"{names} columns: give each column a name, or look for a quote or "
            "a separator too many"
        )
    return f"{path} is no CSV file in UTF-8: {said.splitlines()[0]}"


def _encoding(path: Path) -> str:
    """Return UTF-16 after its byte order mark, else UTF-8."""
    with path.open("rb") as file:
        mark = file.read(2)
    if mark in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if mark == b"PK":
        raise UsageError(
            f"{path} is a workbook or an archive: save it as CSV UTF-8"
        )
    return "utf-8-sig"


def _find_separator(start: str, path: Path, row: int) -> str:
    """Return the separator that divides the first rows alike.

    Raises:
        UsageError: if several do.
    """
    found = {mark: _row_lengths(start, mark) for mark in SEPARATORS}
    found = {mark: rows for mark, rows in found.items() if rows[:1] > [1]}
    alike = [mark for mark, rows in found.items() if len(set(rows)) == 1]
    if len(alike) > 1:
        names = " and ".join(repr(mark) for mark in alike)
        raise UsageError(
            f"{path}, row {row}: {start.splitlines()[0][:80]!r} can be divided "
            f"at {names}: name the file's --separator"
        )
    return (alike or [*found, ","])[0]


def _row_lengths(start: str, separator: str) -> list[int]:
    """Return the number of cells of the first rows, but for empty ones.

    There are none if the separator divides a quoted cell.
    """
    lines = io.StringIO(start, newline="")
    try:
        found = csv.reader(lines, delimiter=separator)
        # The last of them may be cut off.
        rows = list(islice(found, ROWS + 1))[: -1 if lines.read(1) else None]
    except csv.Error:
        return []
    if any(cell.count('"') % 2 for row in rows for cell in row):
        return []
    return [len(row) for row in rows if row]


def _check_width(start: str, separator: str, path: Path, row: int) -> None:
    """Refuse a file whose first row is so wide that reading takes minutes."""
    lines = io.StringIO(start, newline="")
    try:
        columns = len(next(csv.reader(lines, delimiter=separator), []))
    except csv.Error:
        columns = MOST_COLUMNS + 1
    whole = lines.tell() < len(start) or path.stat().st_size < LONGEST_LINE
    if columns > MOST_COLUMNS or not whole:
        raise UsageError(
            f"{path}, row {row}: too many columns, or too long names: up to "
            f"{MOST_COLUMNS:,} are read, in a first row of up to a megabyte"
        )


def _name_columns(cells: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Take the first row as names, and drop blank rows and columns."""
    cells = cells[cells.notna().any(axis=1)]
    if cells.empty:
        raise UsageError(f"{path} is empty")
    row = cells.index[0]
    names = cells.iloc[0].str.strip().replace("", None)
    empty = names.isna() & cells.iloc[1:].isna().all()
    cells, names = cells.loc[:, ~empty], names[~empty]
    if names.isna().any():
        raise UsageError(
            f"{path}, row {row}: column {int(names.isna().argmax()) + 1} has "
            "no name; the first row names the columns"
        )
    if names.str.fullmatch(r"[\d.,:/\- ]+").all():
        raise UsageError(
            f"{path}, row {row}: {names.iat[0]!r} is no name: put a row above "
            "it that names the columns"
        )
    unprintable = names[~names.map(str.isprintable)]
    if len(unprintable):
        raise UsageError(
            f"{path}, row {row}: the name {unprintable.iat[0]!r:.80} has a "
            "line break, or another character that cannot be shown"
        )
    twice = names[names.duplicated()]
    if len(twice):
        raise UsageError(
            f"{path}, row {row}: two columns are named {twice.iat[0]}"
        )
    cells = cells.iloc[1:].set_axis(list(names), axis=1)
    if cells.empty:
        raise UsageError(f"{path} has no rows under its line of names")
    return cells
