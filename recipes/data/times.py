"""Times as files write them."""

import itertools
from datetime import datetime

import numpy as np
import pandas as pd

from recipes.console import UsageError, shown

# Offset from UTC at the end of an ISO time.
OFFSET = r"(?<=\d)\s?(?:[+-]\d\d(?::?\d\d)?|Z)$"
TIME_OF_DAY = r"[T ]\d\d"
# Seconds and milliseconds since 1970.
EPOCHS = {10: "s", 13: "ms"}

# Dates and times of day that are tried if times are not ISO 8601.
DATES = (
    "%d.%m.%Y",
    "%d.%m.%y",
    "%Y.%m.%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y-%m-%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %Y",
    "%B %Y",
    "%b-%Y",
    "%m.%Y",
    "%m/%Y",
)
TIMES_OF_DAY = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    " %H.%M",
    " %H.%M.%S",
    " %H",
    ", %H:%M",
    ", %H:%M:%S",
)
# A day is shorter by an hour when daylight saving begins.
DAY = pd.Timedelta(hours=22)


def parse_times(
    cells: pd.Series, time_format: str | None, name: str
) -> pd.DatetimeIndex:
    """Parse a column of times.

    ISO 8601 is tried first, then seconds or milliseconds since 1970, then
    usual ways to write a date and a time of day. Times with an offset become
    UTC, but for steps of a day and longer.

    Args:
        cells: The times, as written, indexed by the rows of the file.
        time_format: Their format, if it is known.
        name: Name of the file, for error messages.

    Raises:
        UsageError: if a time cannot be parsed, or if several formats fit.
    """
    cells = cells.str.strip()
    missing = cells.isna() | (cells == "")
    if missing.any():
        raise UsageError(
            f"{name}, row {cells.index[_first(missing)]}, column {cells.name}: "
            "the time is missing"
        )
    if time_format is not None:
        return _parse_format(cells, time_format, name)
    iso = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    if iso.notna().all():
        return _without_mixed_offsets(cells, pd.DatetimeIndex(iso), name)
    lengths = set(cells.str.len())
    if len(lengths) == 1 and cells.str.fullmatch(r"\d{10}|\d{13}").all():
        unit = EPOCHS[int(lengths.pop())]
        return pd.DatetimeIndex(
            pd.to_datetime(cells.astype("int64"), unit=unit, utc=True)
        )
    return _find_format(cells, iso, name)


def localize(
    times: pd.DatetimeIndex, time_zone: str | None, name: str
) -> pd.DatetimeIndex:
    """Return local times as UTC, but for steps of a day and longer.

    The hour that comes twice when daylight saving ends is told apart by its
    order.

    Raises:
        UsageError: if the times have offsets, or do not fit the time zone.
    """
    if time_zone is None:
        return times
    if times.tz is not None:
        raise UsageError(
            f"{name}: the times are written with their offset from UTC: leave "
            "out --time-zone"
        )
    if _steps_of_days(times):
        return times
    try:
        local = times.tz_localize(time_zone, ambiguous="infer")
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise UsageError(
            f"{name}: a time is not one of {time_zone}: {first}; write times "
            "with their offset from UTC, or name the zone that the file keeps "
            "all the year, such as Etc/GMT-1"
        ) from error
    return local.tz_convert("UTC")


def check_increasing(
    times: pd.DatetimeIndex, rows: np.ndarray, name: str
) -> None:
    """Refuse times that are unsorted or repeated.

    Args:
        times: The times.
        rows: Their rows in the file.
        name: Name of the file, for error messages.

    Raises:
        UsageError: if a time is not after the one before it.
    """
    steps = np.diff(times.asi8)
    if (steps > 0).all():
        return
    place = int((steps <= 0).argmax()) + 1
    same = "comes twice" if steps[place - 1] == 0 else "is before the last"
    raise UsageError(
        f"{name}, row {rows[place]}: the time {times[place]} {same}; sort the "
        "rows and keep one of each time; for several series, name their "
        "--series-column, for local times their --time-zone"
    )


def _parse_format(
    cells: pd.Series, time_format: str, name: str
) -> pd.DatetimeIndex:
    try:
        times = pd.to_datetime(
            cells, errors="coerce", utc=True, format=time_format
        )
    except ValueError as error:
        raise UsageError(
            f"--time-format {time_format}: {error}: see datetime.strptime"
        ) from error
    if times.isna().any():
        row = _first(times.isna())
        raise UsageError(
            f"{_cell(cells, row, name)} is no time in --time-format "
            f"{time_format}"
        )
    index = pd.DatetimeIndex(times)
    return index if "%z" in time_format else index.tz_localize(None)


def _without_mixed_offsets(
    cells: pd.Series, times: pd.DatetimeIndex, name: str
) -> pd.DatetimeIndex:
    offsets = cells.str.contains(TIME_OF_DAY) & cells.str.contains(OFFSET)
    if offsets.nunique() > 1:
        row = _first(offsets != offsets.iat[0])
        raise UsageError(
            f"{_cell(cells, row, name)} and {shown(cells.iat[0])}: write all "
            "times with their offset from UTC, or none"
        )
    if not offsets.iat[0]:
        return times.tz_localize(None)
    if _steps_of_days(times):
        local = cells.str.replace(OFFSET, "", regex=True)
        return pd.DatetimeIndex(pd.to_datetime(local, format="ISO8601"))
    return times


def _steps_of_days(times: pd.DatetimeIndex) -> bool:
    """Return whether most steps are of a day or longer."""
    return len(times) > 1 and pd.Series(times).diff().median() >= DAY


def _find_format(
    cells: pd.Series, iso: pd.Series, name: str
) -> pd.DatetimeIndex:
    """Parse times in the one format that fits."""
    found: dict[str, pd.Series] = {}
    for parts in itertools.product(DATES, TIMES_OF_DAY):
        time_format = "".join(parts)
        if _fits(cells.iat[0], time_format):
            found[time_format] = pd.to_datetime(
                cells, errors="coerce", format=time_format
            )
    whole = {it: times for it, times in found.items() if times.notna().all()}
    if not whole:
        # The cell that fails in the format that most of the others have.
        best = min([iso, *found.values()], key=lambda it: it.isna().sum())
        row = _first(best.isna())
        raise UsageError(
            f"{_cell(cells, row, name)} is no time such as 2016-07-01 "
            "00:00:00 or 01.07.2016 00:00; name the column with --time-column, "
            "or its --time-format"
        )
    (_, times), *others = whole.items()
    if any(not times.equals(other) for _, other in others):
        row = _first(np.any([times != other for _, other in others], axis=0))
        formats = " or ".join(whole)
        raise UsageError(
            f"{_cell(cells, row, name)} can be read in several ways: name its "
            f"--time-format, {formats}"
        )
    return pd.DatetimeIndex(times)


def _fits(cell: object, time_format: str) -> bool:
    try:
        datetime.strptime(str(cell), time_format)
    except ValueError:
        return False
    return True


def _cell(cells: pd.Series, place: int, name: str) -> str:
    """Return where a cell is, and what it says."""
    row, column = cells.index[place], cells.name
    return f"{name}, row {row}, column {column}: {shown(cells.iat[place])}"


def _first(wrong: pd.Series | np.ndarray) -> int:
    return int(np.asarray(wrong).argmax())
