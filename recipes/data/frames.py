"""Series in regular steps, with missing values filled, in three parts."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from recipes.console import UsageError
from recipes.data.calendar import with_calendar
from recipes.data.columns import Arranged, ColumnChoice, Covariates, arrange
from recipes.data.decimals import Columns
from recipes.data.file_format import FileFormat
from recipes.data.series_file import Table, read_table

# Training and validation shares of a series without predefined splits.
TRAIN, VALIDATION = 0.7, 0.1
# Series with a larger share of missing values are refused.
MOST_MISSING = 0.25
# Series that are no files.
NAMED = ("co2", "ett/h1", "ett/h2", "ett/m1", "ett/m2")
# Calendar frequencies that `pd.infer_freq` misses if rows are missing.
CALENDARS = ("B", "MS", "ME", "QS", "QE", "YS", "YE")


class Frame(NamedTuple):
    """Series in regular steps.

    Args:
        values: Values to forecast as float64, a row for each time.
        covariates: Columns that help, with the same times.
        validation: First row of the validation part.
        test: First row of the test part.
        season: Steps in a season.
        filled: Number of missing values that were filled.
        targets: Names of the columns of the file that are forecast.
        left_out: Names of columns that are not used.
    """

    values: pd.DataFrame
    covariates: Covariates
    validation: int
    test: int
    season: int
    filled: int
    targets: tuple[str, ...]
    left_out: tuple[str, ...]


def load(
    dataset: str,
    file_format: FileFormat | None = None,
    choice: ColumnChoice | None = None,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> Frame:
    """Load a series.

    Args:
        dataset: `"co2"`, statsmodels' weekly Mauna Loa carbon dioxide;
            `"ett/h1"` and its siblings; or the path of a CSV or Parquet file.
        file_format: How the file is written; `None` to find out.
        choice: Choice of columns; `None` to forecast all.
        data_dir: Folder of tensorflow-datasets; `None` for its default.
        manual_dir: Folder that holds the data file; `None` to download it.

    Raises:
        UsageError: if the series is missing or cannot be used.
    """
    file_format, choice = file_format or FileFormat(), choice or ColumnChoice()
    borders = None
    if not Path(dataset).is_file():
        _check_no_file(dataset, file_format)
    if dataset == "co2":
        from statsmodels.datasets import co2

        table = _as_table(co2.load_pandas().data)
    elif dataset.startswith("ett/") and not Path(dataset).is_file():
        frame, borders = _load_ett(dataset, data_dir, manual_dir)
        table = _as_table(frame)
    else:
        table = read_table(Path(dataset), file_format)
    arranged = arrange(table, choice, file_format.time_zone, dataset)
    _check_names(list(arranged.values), dataset)
    values, covariates, filled = regular(arranged, dataset)
    if choice.calendar:
        covariates = with_calendar(
            covariates, values.index, file_format.time_zone
        )
    if borders is None:
        borders = (
            int(len(values) * TRAIN),
            int(len(values) * (TRAIN + VALIDATION)),
        )
    _check_constant(values.iloc[: borders[0]], dataset)
    return Frame(
        values,
        covariates,
        *borders,
        season_of(values.index),
        filled,
        arranged.targets,
        arranged.left_out,
    )


def _check_no_file(dataset: str, file_format: FileFormat) -> None:
    """Refuse to be told how a file is written, where there is none."""
    for name in ("time_column", "separator", "decimal", "time_format"):
        if dataset in NAMED and getattr(file_format, name) is not None:
            raise UsageError(
                f"--{name.replace('_', '-')} says how a file is written, and "
                f"--dataset {dataset} is none: leave it out"
            )


def _as_table(frame: pd.DataFrame) -> Table:
    numbers = frame.set_axis(pd.RangeIndex(1, len(frame) + 1))
    return Table(frame.index, Columns(numbers, numbers[[]], {}))


def regular(
    arranged: Arranged, name: str
) -> tuple[pd.DataFrame, Covariates, int]:
    """Make columns regular, and fill missing values.

    Returns:
        What is forecast; what helps, at the same times; and the number of
        filled values.
    """
    values, (past, known, *columns_of), *_ = arranged
    joined = pd.concat([values, past, known.reindex(values.index)], axis=1)
    full, filled = fill_missing(joined, name, arranged.rows)
    ends = np.cumsum([it.shape[1] for it in (values, past, known)])
    values, past, known = (
        full.iloc[:, stop - it.shape[1] : stop]
        for it, stop in zip((values, past, known), ends, strict=True)
    )
    return values, Covariates(past, known, *columns_of), filled


def _check_names(names: Sequence[str], name: str) -> None:
    """Refuse names that a forecast would have twice."""
    # `recipes.forecast` writes these columns; their names must be unique.
    written = ["time"]
    for column in names:
        written += [column, f"{column}_lower", f"{column}_upper"]
    twice = {it for it in written if written.count(it) > 1}
    if twice:
        raise UsageError(
            f"{name}: a forecast would have two columns named "
            f"{min(twice)}, for it has the time and the lower and upper end of "
            "each interval: name each column once in --target, or rename one"
        )


def _check_constant(train: pd.DataFrame, name: str) -> None:
    constant = train.nunique() == 1
    if constant.any():
        raise UsageError(
            f"{name}: column {constant.idxmax()} is the same all along the "
            "part to train on: leave it out of --target"
        )


def fill_missing(
    frame: pd.DataFrame, name: str, rows: pd.Series | None = None
) -> tuple[pd.DataFrame, int]:
    """Make a series regular; also return the number of filled values.

    Missing rows, such as the hour that daylight saving skips in local times,
    are inserted. Missing values are filled with the value before them.

    Args:
        frame: The series; its times increase.
        name: Name of the file, for error messages.
        rows: Rows of the file, by time, if each time has one.

    Raises:
        UsageError: if times are irregular, if the first row has a missing
            value, or if too many values are missing.
    """
    times = frame.index
    if len(times) < 3:
        raise UsageError(f"{name} is too short: it has {len(times)} rows")
    frequency = _infer_frequency(times)
    _check_density(times, frequency, name, rows)
    full = frame.asfreq(frequency)
    strange = ~times.isin(full.index)
    if strange.any():
        row = int(strange.argmax())
        raise UsageError(
            f"{name}{_row_at(rows, row)}: the time {times[row]} is not a whole "
            f"number of steps of {frequency} after the first"
        )
    missing = full.isna()
    if missing.iloc[0].any():
        raise UsageError(
            f"{name}{_row_at(rows, 0)}, column {missing.iloc[0].idxmax()}: the "
            "first value is missing, and there is none before it: leave the "
            "row out"
        )
    if missing.to_numpy().mean() > MOST_MISSING:
        raise UsageError(
            f"{name}: {missing.to_numpy().mean():.0%} of its values are "
            f"missing, at steps of {frequency}"
        )
    return full.ffill(), int(missing.to_numpy().sum())


def _check_density(
    times: pd.DatetimeIndex,
    frequency: str | pd.DateOffset | pd.Timedelta,
    name: str,
    rows: pd.Series | None,
) -> None:
    """Refuse a series with too many missing rows, before inserting them."""
    if isinstance(frequency, pd.Timedelta):
        steps = int((times[-1] - times[0]) / frequency) + 1
    else:
        steps = len(pd.date_range(times[0], times[-1], freq=frequency))
    if steps * (1 - MOST_MISSING) > len(times):
        hole = int(np.diff(times.asi8).argmax())
        step = getattr(frequency, "freqstr", frequency)
        before = "" if rows is None else f"before row {rows.iat[hole + 1]}, "
        raise UsageError(
            f"{name}: at steps of {step}, the most common one, "
            f"{1 - len(times) / steps:.0%} of its rows are missing; the "
            f"longest hole is {before}from {times[hole]} to {times[hole + 1]}"
        )


def _row_at(rows: pd.Series | None, place: int) -> str:
    """Return the row of a time in the file, if there is one for each."""
    return "" if rows is None else f", row {rows.iat[place]}"


def _infer_frequency(
    times: pd.DatetimeIndex,
) -> str | pd.DateOffset | pd.Timedelta:
    """Return a calendar frequency, such as months, or the most common step."""
    with warnings.catch_warnings():
        # pandas warns that the type of the result will change; both work.
        warnings.simplefilter("ignore")
        found = pd.infer_freq(times)
    if found is not None:
        return found
    step = pd.Series(times).diff().mode()[0]
    for calendar in CALENDARS:
        days = pd.date_range(times[0], times[-1], freq=calendar)
        alike = step in pd.Series(days).diff().mode().tolist()
        if alike and times.isin(days).all():
            return calendar
    return step


def season_of(times: pd.DatetimeIndex) -> int:
    """Return the steps in a season: a day, a week or a year."""
    if times.freqstr == "B":
        return 5
    step = pd.Series(times).diff().median()
    for days in (1, 7, 365):
        length = pd.Timedelta(days=days)
        if step < length:
            return round(length / step)
    return 1


def _load_ett(
    dataset: str, data_dir: str | None, manual_dir: str | None
) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Load ETT, and the first rows of its validation and test parts."""
    from recipes.data.downloads import prepare
    from recipes.data.ett import ett_dataset_builder as ett

    configs = {f"ett/{name}" for name in ett.Builder.builder_configs}
    if dataset not in configs:
        raise UsageError(
            f"there is no {dataset}: there are {', '.join(sorted(configs))}"
        )
    file = f"ETT{dataset.removeprefix('ett/')}.csv"
    builder = prepare(dataset, file, data_dir, manual_dir)
    rows = 10**6  # More than any part has, so that each is one batch.
    parts = []
    for split in ("train", "validation", "test"):
        [part] = builder.as_dataset(split=split).batch(rows).as_numpy_iterator()
        index = pd.to_datetime(np.char.decode(part["date"].astype("S")))
        columns = {name: part[name] for name in ett.COLUMNS}
        parts.append(pd.DataFrame(columns, index).astype("float64"))
    validation = len(parts[0])
    return pd.concat(parts), (validation, validation + len(parts[1]))
