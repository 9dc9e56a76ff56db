"""Format of a file of series: separator, decimal mark, times."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self
from zoneinfo import ZoneInfo

from recipes.data.typed import from_json

DECIMALS = [".", ","]
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


@dataclass(kw_only=True)
class FileFormat:
    """Format of a file of series.

    What is `None` is detected from the file, where that is unambiguous.

    Args:
        time_column: Columns of the times, joined by a blank; `None` for the
            first column.
        separator: Separator of a CSV file's cells.
        decimal: Decimal mark: a point or a comma.
        time_format: Format of the times, as `datetime.strptime` takes it.
        time_zone: Time zone of times without an offset from UTC.
    """

    time_column: list[str] | None = None
    separator: str | None = None
    decimal: str | None = None
    time_format: str | None = None
    time_zone: str | None = None

    @classmethod
    def taken_from(cls, values: Mapping[str, Any]) -> Self:
        """Return the format in a dictionary that may hold more."""
        names = {field.name for field in fields(cls)}
        return cls(**{k: v for k, v in values.items() if k in names})

    def file_format(self) -> "FileFormat":
        """Return a plain format from one with more fields."""
        return FileFormat.taken_from(vars(self))

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Return the format that a JSON file describes.

        Raises:
            ValueError: if a value is not one of the format's.
        """
        found = from_json(cls, values)
        try:
            if found.separator is not None:
                _separator(found.separator)
            if found.time_zone is not None:
                _time_zone(found.time_zone)
        except argparse.ArgumentTypeError as error:
            raise ValueError(str(error)) from error
        if found.decimal not in (None, *DECIMALS):
            raise ValueError(f"decimal must be one of {DECIMALS}")
        return found

    def or_else(self, other: "FileFormat") -> "FileFormat":
        """Return this format, with what it does not say from another."""
        own = vars(self.file_format())
        return FileFormat(
            **vars(other) | {k: v for k, v in own.items() if v is not None}
        )


def add_file_options(parser: argparse._ActionsContainer) -> None:
    """Add the options of `FileFormat` to a command line."""
    add = parser.add_argument
    add(
        "--time-column",
        nargs="+",
        help="a file's times, or its dates and its times of day (default: its "
        "first column)",
        metavar="NAME",
    )
    add(
        "--separator",
        type=_separator,
        help="what separates a CSV file's cells: one character, or "
        f"{', '.join(SEPARATORS)} (default: found from the file)",
        metavar="MARK",
    )
    add(
        "--decimal",
        choices=DECIMALS,
        help="decimal mark of a CSV file (default: found from the file)",
    )
    add(
        "--time-format",
        help="how a file writes times, such as %%d/%%m/%%Y for 31/12/2024 "
        "(default: found from the file)",
        metavar="FORMAT",
    )
    add(
        "--time-zone",
        type=_time_zone,
        help="of times that are written without their offset from UTC, such "
        "as Europe/Berlin (default: none, all days have 24 hours)",
        metavar="ZONE",
    )


def _separator(given: str) -> str:
    mark = SEPARATORS.get(given, given)
    if len(mark) != 1:
        raise argparse.ArgumentTypeError(
            f"expected one character, or {', '.join(SEPARATORS)}"
        )
    return mark


def _time_zone(given: str) -> str:
    try:
        ZoneInfo(given)
    # An unknown zone is a KeyError; what is no file name, another.
    except (KeyError, OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            "expected a time zone such as Europe/Berlin or UTC"
        ) from error
    return given
