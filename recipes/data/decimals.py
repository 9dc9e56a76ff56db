"""Numbers as files write them."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from recipes.console import UsageError, shown

# Squares of larger numbers overflow float32.
LARGEST = 1e18
# A column of which fewer cells are numbers holds text.
NUMBERS = 0.5
# How people write that a value is missing, beside pandas' own.
MISSING = (
    "",
    "-",
    "--",
    "---",
    "?",
    "\u2013",
    "\u2014",
    "nan",
    "NAN",
    "Null",
    "none",
)
# Marks between thousands, beside a comma or a point: blanks and apostrophes.
BLANKS = " '\u2019\u00a0\u202f"
MINUS = "\u2212"


class Columns(NamedTuple):
    """Columns of a file.

    Args:
        numbers: Columns of numbers, as float64.
        texts: Columns of text, as strings.
        problems: What keeps each column of text from being one of numbers, by
            its name.
    """

    numbers: pd.DataFrame
    texts: pd.DataFrame
    problems: dict[str, str]


def parse_columns(
    cells: pd.DataFrame, decimal: str | None, name: str
) -> Columns:
    """Parse columns of numbers, and set columns of text apart.

    Args:
        cells: The cells, as written, indexed by the rows of the file;
            missing values are NaN.
        decimal: Decimal mark, if it is known.
        name: Name of the file, for error messages.

    Raises:
        UsageError: if a column of numbers has a cell that is none, or if the
            decimal mark cannot be told.
    """
    cells = cells.apply(lambda it: it.str.strip().str.replace(MINUS, "-"))
    cells = cells.mask(cells.isin(MISSING))
    decimal = decimal or _find_decimal(cells, name)
    numbers = cells.apply(_parse_column, decimal=decimal)
    wrong = cells.notna() & ~(numbers.abs() < LARGEST)
    shares = 1 - wrong.sum() / cells.notna().sum().clip(lower=1)
    texts, problems = [], {}
    for column in cells:
        if cells[column].isna().all():
            problems[column] = f"{name}, column {column} is empty"
        elif wrong[column].any():
            row = int(wrong[column].to_numpy().argmax())
            problems[column] = (
                f"{name}, row {cells.index[row]}, column {column}: "
                f"{shown(cells[column].iat[row])} is no number below "
                f"{LARGEST:g}; "
                "leave the cell empty where it is missing"
            )
            if shares[column] >= NUMBERS:
                raise UsageError(problems[column])
        if column in problems:
            texts.append(column)
    return Columns(
        numbers.drop(columns=texts).astype("float64"), cells[texts], problems
    )


def _parse_column(cells: pd.Series, decimal: str) -> pd.Series:
    """Return numbers, NaN where a cell is none."""
    if decimal == ".":
        # Nearly all files, and fast.
        numbers = pd.to_numeric(cells, errors="coerce")
        if numbers.notna().sum() == cells.notna().sum():
            return numbers
    thousands = "," if decimal == "." else "."
    grouped = cells.str.fullmatch(
        _grouped(thousands + BLANKS, decimal), na=False
    )
    plain = cells.str.replace(f"[{thousands}{BLANKS}]", "", regex=True)
    one_mark = cells.mask(grouped, plain)
    if decimal == ",":
        # A point that is no mark of thousands is not a decimal mark either.
        pointed = one_mark.str.contains(".", regex=False, na=False)
        one_mark = one_mark.mask(pointed)
        one_mark = one_mark.str.replace(",", ".")
    return pd.to_numeric(one_mark, errors="coerce")


def _grouped(thousands: str, decimal: str) -> str:
    """Return the pattern of a number with marks between thousands."""
    return rf"[+-]?\d{{1,3}}(?:[{thousands}]\d{{3}})+(?:\{decimal}\d+)?"


def _certain(decimal: str, thousands: str) -> str:
    """Return the pattern of numbers whose mark can only be a decimal mark.

    `1,5`, `0,125` or `1.234,567`, but not `1,234`.
    """
    mark = f"\\{decimal}"
    return (
        rf"[+-]?(?:0?{mark}\d+|\d+{mark}(?:\d{{1,2}}|\d{{4,}})|"
        rf"\d{{4,}}{mark}\d{{3}}|\d+{mark}\d+[eE][+-]?\d+|"
        rf"\d{{1,3}}(?:[{thousands}{BLANKS}]\d{{3}})+{mark}\d+)"
    )


def _find_decimal(cells: pd.DataFrame, name: str) -> str:
    """Return the decimal mark: a comma or a point.

    Raises:
        UsageError: if a file has both, or numbers such as 1,234 only.
    """
    if not _find_cell(cells, ".*,.*"):
        return "."
    comma = _find_cell(cells, _certain(",", "."))
    point = _find_cell(cells, _certain(".", ","))
    unsure = _find_cell(cells, r"[+-]?\d{1,3},\d{3}")
    if comma and point:
        raise UsageError(
            f"{name}: {comma} has a decimal comma, and {point} a point: name "
            "the file's --decimal"
        )
    if unsure and not (comma or point):
        raise UsageError(
            f"{name}: {unsure} is above a thousand, or has a decimal comma: "
            "name the file's --decimal, . or ,"
        )
    return "," if comma else "."


def _find_cell(cells: pd.DataFrame, pattern: str) -> str:
    """Describe the first cell of a pattern; empty if there is none."""
    for column in cells:
        matches = cells[column].str.fullmatch(pattern, na=False)
        found = np.flatnonzero(matches)
        if found.size:
            row = int(found[0])
            cell = cells[column].iat[row]
            place = f"row {cells.index[row]}, column {column}"
            return f"{shown(cell)} ({place})"
    return ""
