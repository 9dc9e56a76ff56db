"""Malformed files of series, with what is wrong in them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from tests.fuzz.damage import Damaged, other_files

ROWS = 60
NO_NUMBERS = (
    "abc",
    "1.2.3",
    "1e999",
    "--5",
    "12%",
    "0x1F",
    "1 e5",
    "9e18",
    "#",
)
NO_TIMES = (
    "",
    "abc",
    "2024-02-30",
    "25:00",
    "2024-13-01 00:00",
    "0",
    "-",
    "99",
)


class Cells(NamedTuple):
    """A table of cells; the first row has the names."""

    rows: list[list[str]]

    def encoded(self, separator: str = ",") -> bytes:
        """Return the table as a file."""
        return "\n".join(map(separator.join, self.rows)).encode() + b"\n"


def valid() -> Cells:
    """Return a table of hours and two columns."""
    times = np.datetime64("2024-01-01T00") + np.arange(ROWS)
    rows = [["time", "a", "b"]]
    for number, time in enumerate(times.astype(str)):
        wave = np.sin(number / 4)
        rows.append([f"{time}:00", f"{wave:.4f}", f"{wave + number:.3f}"])
    return Cells(rows)


class WrongTable(NamedTuple):
    """A malformed table.

    Args:
        damaged: The file.
        row: Row that the message must name, as an editor counts lines; 0 for
            none.
    """

    damaged: Damaged
    row: int = 0


def wrong_tables(
    count: int, random: np.random.Generator
) -> Iterator[WrongTable]:
    """Yield so many malformed CSV files."""
    found = [*map(WrongTable, other_files()), *_of_bytes()]
    yield from found
    for number in range(count - len(found)):
        yield _WAYS[number % len(_WAYS)](random)


def _wrong(name: str, cells: Cells, row: int = 0) -> WrongTable:
    return WrongTable(Damaged(name, cells.encoded(), certain=True), row)


def _place(random: np.random.Generator) -> int:
    """Return a row that is neither the first nor the last."""
    return int(random.integers(3, ROWS - 1))


def _number(random: np.random.Generator) -> WrongTable:
    cells, row = valid(), _place(random)
    cell = NO_NUMBERS[random.integers(len(NO_NUMBERS))]
    cells.rows[row][random.integers(1, 3)] = cell
    return _wrong(f"a number {cell!r}", cells, row + 1)


def _time(random: np.random.Generator) -> WrongTable:
    cells, row = valid(), _place(random)
    cell = NO_TIMES[random.integers(len(NO_TIMES))]
    cells.rows[row][0] = cell
    return _wrong(f"a time {cell!r}", cells, row + 1)


def _after_blank_lines(
    way: Callable[[np.random.Generator], WrongTable],
) -> Callable[[np.random.Generator], WrongTable]:
    """Put blank lines under the names: rows are counted as an editor does."""

    def blanked(random: np.random.Generator) -> WrongTable:
        (name, content, certain), row = way(random)
        blanks = int(random.integers(1, 4))
        first, rest = content.split(b"\n", 1)
        content = first + b"\n" * (blanks + 1) + rest
        name = f"{name}, after {blanks} blank lines"
        return WrongTable(Damaged(name, content, certain), row + blanks)

    return blanked


def _unsorted(random: np.random.Generator) -> WrongTable:
    cells, row = valid(), _place(random)
    cells.rows[row], cells.rows[row + 1] = cells.rows[row + 1], cells.rows[row]
    return _wrong("unsorted", cells, row + 2)


def _twice(random: np.random.Generator) -> WrongTable:
    cells, row = valid(), _place(random)
    cells.rows.insert(row, cells.rows[row])
    return _wrong("a row twice", cells, row + 2)


def _more_cells(random: np.random.Generator) -> WrongTable:
    cells, row = valid(), _place(random)
    cells.rows[row] = [*cells.rows[row], "1"]
    return _wrong("a cell too many", cells, row + 1)


def _unnamed(random: np.random.Generator) -> WrongTable:
    """A cell more in each row than names, before the others or after."""
    rows = valid().rows
    if random.integers(2):
        cells = [[str(it), *row] for it, row in enumerate(rows[1:])]
    else:
        cells = [[*row, "7"] for row in rows[1:]]
    return _wrong("a column without a name", Cells([rows[0], *cells]))


def _mixed_offsets(random: np.random.Generator) -> WrongTable:
    cells, row = valid(), _place(random)
    mark = ("Z", "+01:00", "+0100", "+01", " +01:00")[random.integers(5)]
    wrong = range(row, ROWS + 1) if random.integers(2) else range(row, row + 1)
    for it in wrong:
        cells.rows[it][0] += mark
    return _wrong(f"some times with {mark}", cells, row + 1)


def _names(random: np.random.Generator) -> WrongTable:
    wrong = (
        ["time", "a", "a"],
        ["time", "", "b"],
        ["", "", ""],
        ["1", "2", "3"],
        ["2024-01-01", "1.5", "2.5"],
        ["time", "x", "y"],
        ["time", '"a', "b"],
    )
    cells = valid()
    cells.rows[0] = list(wrong[random.integers(len(wrong))])
    return _wrong(f"the names {cells.rows[0]}", cells)


def _columns(random: np.random.Generator) -> WrongTable:
    """Columns that the model needs are not there, or hold no numbers."""
    cells = valid()
    column = int(random.integers(1, 3))
    value = ("", "nan", "text", "2024-01-01")[random.integers(4)]
    for row in cells.rows[1:]:
        row[column] = value
    return _wrong(f"column {column} is all {value!r}", cells)


def _rows(random: np.random.Generator) -> WrongTable:
    cells = valid()
    return _wrong("too few rows", Cells(cells.rows[: random.integers(1, 20)]))


def _steps(random: np.random.Generator) -> WrongTable:
    rows, start = valid().rows, int(random.integers(5, 20))
    if random.integers(2):
        kept = [rows[0], *rows[1 : start + 1], *rows[-3:]]
        kept[-1][0] = "2199-01-01T00:00"
        return _wrong("a time far away", Cells(kept))
    every = int(random.integers(2, 4))
    return _wrong(f"every {every} hours", Cells([rows[0], *rows[1::every]]))


def _missing(random: np.random.Generator) -> WrongTable:
    cells = valid()
    column = int(random.integers(1, 3))
    if random.integers(2):
        cells.rows[1][column] = ""
        return _wrong("the first value is missing", cells, 2)
    for row in cells.rows[2:]:
        row[column] = "" if random.random() < 0.9 else row[column]
    return _wrong("most values are missing", cells)


def _of_bytes() -> Iterator[WrongTable]:
    """Yield files that are wrong before they are tables."""
    content = valid().encoded()
    wrong = {
        "names alone": content.split(b"\n")[0],
        "blank lines": b"\n" * 50,
        "Latin-1": content.replace(b"time", "Zeit für".encode("latin-1")),
        "a zero byte": content.replace(b"a", b"\0"),
        "UTF-16 without a mark": content.decode().encode("utf-16-le"),
        "UTF-16 cut off": content.decode().encode("utf-16")[:-101],
        "an open quote": content.replace(b"time", b'"time'),
        "a quote in the middle": content.replace(b"T05", b'"T05'),
        "a million columns": b"," * 10**6 + b"\n" + content,
        "a long line": b"a" * 3_000_000 + b"\n" + content,
        "a workbook": b"PK\x03\x04" + content,
        "only commas": b",,,\n" * 40,
        "no line breaks": content.replace(b"\n", b" "),
        "another separator in some rows": content.replace(b",", b";", 90),
    }
    for name, it in wrong.items():
        yield WrongTable(Damaged(name, it, certain=True))


_WAYS: tuple[Callable[[np.random.Generator], WrongTable], ...] = (
    _number,
    _time,
    _after_blank_lines(_number),
    _after_blank_lines(_time),
    _after_blank_lines(_unsorted),
    _unsorted,
    _twice,
    _more_cells,
    _unnamed,
    _mixed_offsets,
    _names,
    _columns,
    _rows,
    _steps,
    _missing,
)
