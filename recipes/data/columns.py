"""Columns of a file: what is forecast, and what helps to forecast it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import pandas as pd

from recipes.console import UsageError
from recipes.data.series_file import Table
from recipes.data.times import check_increasing, localize

# Series that share less of the longest one's time are refused.
SHARED = 0.5


@dataclass(kw_only=True)
class ColumnChoice:
    """Choice of a file's columns.

    Args:
        target: Columns to forecast; `None` for all columns of numbers.
        known: Columns whose values are known ahead, such as holidays.
        calendar: Whether the time of day, week and year is known ahead.
        only_target: Whether the columns that are neither are left out. Else
            their past values help.
        series_column: Column that says which series a row belongs to; `None`
            for one series.
    """

    target: list[str] | None = None
    known: list[str] | None = None
    calendar: bool = False
    only_target: bool = False
    series_column: str | None = None

    def column_choice(self) -> "ColumnChoice":
        """Return a plain choice from one with more fields."""
        names = [field.name for field in fields(ColumnChoice)]
        return ColumnChoice(**{name: getattr(self, name) for name in names})


def add_column_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ColumnChoice` to a command line."""
    add = parser.add_argument
    add(
        "--target",
        nargs="+",
        help="columns to forecast (default: all columns of numbers)",
        metavar="NAME",
    )
    add(
        "--known",
        nargs="+",
        help="columns whose values are known ahead, such as holidays; rows "
        "after the last one of the targets give them to recipes.forecast",
        metavar="NAME",
    )
    add(
        "--calendar",
        action="store_true",
        help="take the time of day, week and year as known ahead",
    )
    add(
        "--only-target",
        action="store_true",
        help="leave out columns that are not forecast; else their past helps",
    )
    add(
        "--series-column",
        help="column that says which series a row belongs to",
        metavar="NAME",
    )


class Covariates(NamedTuple):
    """Columns that help to forecast others.

    Args:
        past: What helps by its past.
        known: What is known ahead.
        past_of: Numbers of the columns of `past` that help to forecast each
            column that is forecast, `(columns, P)`.
        known_of: Likewise of `known`, `(columns, K)`.
    """

    past: pd.DataFrame
    known: pd.DataFrame
    past_of: np.ndarray
    known_of: np.ndarray


class Arranged(NamedTuple):
    """Columns of one or several series, side by side.

    Args:
        values: What is forecast, a column for each series and target.
        covariates: What helps; what is known ahead may reach beyond `values`.
        targets: Names of the columns of the file that are forecast.
        left_out: Names of columns that are not used.
        rows: Rows of the file, by time; `None` for several series.
    """

    values: pd.DataFrame
    covariates: Covariates
    targets: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: pd.Series | None


def arrange(
    table: Table, choice: ColumnChoice, time_zone: str | None, name: str
) -> Arranged:
    """Arrange the columns of a file by what they are for.

    Rows at the end without any target are what is known ahead. Several series
    are cut to the time that they share.

    Args:
        table: The file.
        choice: Choice of columns.
        time_zone: Time zone of times without an offset.
        name: Name of the file, for error messages.

    Raises:
        UsageError: if a column is missing or no number, or if the series
            share too little time.
    """
    numbers, _, problems = table.columns
    targets = _targets(table, choice, name)
    known = choice.known or []
    used = {*targets, *known, choice.series_column}
    others = [it for it in numbers if it not in used]
    past = others if choice.target and not choice.only_target else []
    rows_of = {"": np.arange(len(table.times))}
    if choice.series_column is not None:
        rows_of = _rows_by_series(table, choice.series_column, name)
    series = {
        label: _one_series(
            table.times[rows],
            numbers[[*targets, *past, *known]].iloc[rows],
            time_zone,
            f"{name}, series {label}" if label else name,
        )
        for label, rows in rows_of.items()
    }
    first, last = _shared_time(series, targets, name)
    times, *later = (frame.index for frame in series.values())
    for it in later:
        times = times.union(it)

    def wide(names: Sequence[str], alone: bool = False) -> pd.DataFrame:
        parts = {
            _joined(label, "" if alone and len(names) == 1 else it)
            or it: frame[it]
            for label, frame in series.items()
            for it in names
        }
        return pd.DataFrame(parts, times)

    past_of, known_of = (
        _columns_of(len(series), len(targets), len(it)) for it in (past, known)
    )
    return Arranged(
        wide(targets, alone=True)[first:last],
        Covariates(
            wide(past)[first:last], wide(known)[first:], past_of, known_of
        ),
        tuple(targets),
        tuple(
            it
            for it in [*problems, *(() if past else others)]
            if it != choice.series_column
        ),
        _rows_by_time(table, times)[first:last] if len(series) == 1 else None,
    )


def _rows_by_time(table: Table, times: pd.DatetimeIndex) -> pd.Series:
    return pd.Series(table.columns.numbers.index, times)


def _joined(label: str, name: str) -> str:
    return f"{label} {name}".strip()


def _columns_of(series: int, targets: int, each: int) -> np.ndarray:
    """Return the numbers of each series' own columns, for all its targets."""
    own = np.arange(series * each).reshape(series, each)
    return np.repeat(own, targets, axis=0)


def _targets(table: Table, choice: ColumnChoice, name: str) -> list[str]:
    """Return the names of the targets, and check those that were given."""
    numbers, _, problems = table.columns
    taken = {*(choice.known or []), choice.series_column}
    targets = choice.target or [it for it in numbers if it not in taken]
    for it in [*targets, *(choice.known or [])]:
        if it in problems:
            raise UsageError(problems[it])
    asked = {"--target": targets, "--known": choice.known or []}
    for option, names in asked.items():
        missing = [it for it in names if it not in numbers]
        if missing:
            raise UsageError(
                f"{name} has no column {', '.join(missing)}: {option} takes "
                f"some of {', '.join(numbers)}"
            )
    if not targets and problems:
        raise UsageError(next(iter(problems.values())))
    if not targets:
        raise UsageError(f"{name} has no column of numbers to forecast")
    twice = [it for it in targets if targets.count(it) > 1]
    if twice:
        raise UsageError(
            f"{name}: a forecast would have two columns named {twice[0]}: name "
            "each column once in --target"
        )
    both = [it for it in targets if it in taken]
    if both:
        raise UsageError(
            f"{name}: column {both[0]} is in --target, and in --known or "
            "--series-column"
        )
    return targets


def _rows_by_series(
    table: Table, column: str, name: str
) -> dict[str, np.ndarray]:
    """Return the numbers of the rows of each series, by its label."""
    numbers, texts, _ = table.columns
    if column in texts:
        labels = texts[column]
    elif column in numbers:
        labels = numbers[column].map(lambda it: f"{it:g}", na_action="ignore")
    else:
        raise UsageError(
            f"{name} has no column {column}: --series-column takes one of "
            f"{', '.join([*texts, *numbers])}"
        )
    if labels.isna().any():
        row = int(labels.isna().to_numpy().argmax())
        raise UsageError(
            f"{name}, row {labels.index[row]}: column {column} does not say "
            "which series it is of"
        )
    places = np.arange(len(labels))
    return {
        str(label): places[(labels == label).to_numpy()]
        for label in labels.unique()
    }


def _one_series(
    times: pd.DatetimeIndex,
    numbers: pd.DataFrame,
    time_zone: str | None,
    name: str,
) -> pd.DataFrame:
    """Return the rows of one series, by time.

    Raises:
        UsageError: if times are unsorted or repeated.
    """
    index = localize(times, time_zone, name)
    check_increasing(index, numbers.index.to_numpy(), name)
    return numbers.set_axis(index)


def _shared_time(
    series: dict[str, pd.DataFrame], targets: list[str], name: str
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and last time that all series have targets of.

    Raises:
        UsageError: if that is too short a part of the longest series.
    """
    spans = {}
    for label, frame in series.items():
        filled = frame.index[frame[targets].notna().any(axis=1)]
        if not len(filled):
            raise UsageError(f"{name} has no numbers of {label or targets[0]}")
        # Missing values at the start are refused later, with their column.
        start = frame.index[0] if len(series) == 1 else filled[0]
        spans[label] = (start, filled[-1])
    first = max(start for start, _ in spans.values())
    last = min(stop for _, stop in spans.values())
    longest = max(stop - start for start, stop in spans.values())
    if len(series) > 1 and last - first < SHARED * longest:
        shortest = min(spans, key=lambda it: spans[it][1] - spans[it][0])
        start, stop = spans[shortest]
        raise UsageError(
            f"{name}: the series share too little of their time; {shortest} "
            f"is there from {start} to {stop} only: leave its rows out"
        )
    return first, last
