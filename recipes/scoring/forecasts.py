"""Forecasts of many series, and their errors on what is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from keras_gatelstm.inspect.gate_sums import GateSums
from recipes import saved_model
from recipes.console import UsageError, one_line
from recipes.data.windows import Inputs, by_name
from recipes.forecasting import deployed
from recipes.forecasting.deployed import Series
from recipes.forecasting.description import Description
from recipes.scoring import gates
from recipes.scoring.folder import ERRORS, FORECASTS, Folder, Scored
from recipes.scoring.gates import LayerSums
from recipes.scoring.parts import Part
from recipes.scoring.series import Fleet
from recipes.scoring.task import Summary

# Windows that are forecast at once.
BATCH = 256
# Series that are printed.
SHOWN = 10

_FORECASTS = pa.schema(
    {
        "series": pa.string(),
        "time": pa.timestamp("us"),
        "column": pa.string(),
        "forecast": pa.float64(),
        "lower": pa.float64(),
        "upper": pa.float64(),
    }
)
_ERRORS = pa.schema(
    {
        "series": pa.string(),
        "column": pa.string(),
        "rows": pa.int64(),
        "filled": pa.int64(),
        "windows": pa.int64(),
        "mse": pa.float64(),
        "mae": pa.float64(),
        "mae_of_last_value": pa.float64(),
        "coverage": pa.float64(),
        "problem": pa.string(),
    }
)


class ErrorRow(NamedTuple):
    """Errors of the forecasts of a column, in its own units.

    Args:
        series: Name of the series.
        column: The column; `None` if the series was refused.
        rows: Number of rows of the series.
        filled: Number of missing values that were filled.
        windows: Number of windows that were forecast.
        mse: Mean squared error; `None` without windows, as what follows.
        mae: Mean absolute error.
        mae_of_last_value: The same, of repeating the last value.
        coverage: Share of values inside the intervals.
        problem: Why it was refused, or not forecast; `None` if it was.
    """

    series: str
    column: str | None = None
    rows: int | None = None
    filled: int | None = None
    windows: int | None = None
    mse: float | None = None
    mae: float | None = None
    mae_of_last_value: float | None = None
    coverage: float | None = None
    problem: str | None = None


@dataclass(frozen=True)
class SeriesTask:
    """Forecasts of many series, and their errors.

    Args:
        model: Folder of the SavedModel.
        description: The description of its series.
        fleet: The series.
        every: Rows from one window to the next, of those that errors are of.
        gates: Whether to sum up the gates' statistics, too.
    """

    model: Path
    description: Description
    fleet: Fleet
    every: int
    gates: bool
    rows: str = FORECASTS

    def parts(self) -> list[Part]:
        return self.fleet.parts()

    def scorer(self) -> "SeriesScorer":
        return SeriesScorer(self)

    def summarize(self, folder: Folder, parts: int, stage: Path) -> Summary:
        errors = pa.concat_tables(
            pq.read_table(folder.summary_rows_of(it)) for it in range(parts)
        )
        pq.write_table(errors, stage / ERRORS)
        return _summary(errors.to_pandas())


class SeriesScorer:
    """Loaded forecaster.

    Args:
        task: The task.

    Raises:
        UsageError: if it cannot be loaded.
    """

    def __init__(self, task: SeriesTask) -> None:
        self.task = task
        loaded = saved_model.load(task.model)
        self.forecaster = deployed.forecaster_of(loaded, task.model)
        if task.gates:
            self.signature = gates.signature_of(loaded, task.model)

    def __call__(self, part: Part) -> Scored:
        found = [
            self._score(name, series)
            for piece in part
            for name, series in self.task.fleet.read(
                piece, self.task.description
            )
        ]
        sums: LayerSums | None = {} if self.task.gates else None
        for one in found:
            if sums is not None:
                sums = gates.add(sums, one.sums)
        return Scored(
            pa.concat_tables(
                [_FORECASTS.empty_table(), *(it.forecast for it in found)]
            ),
            sums,
            pa.Table.from_pylist(
                [row._asdict() for it in found for row in it.errors], _ERRORS
            ),
        )

    def _score(self, name: str, series: Series | str) -> "_ScoredSeries":
        """Forecast a series, unless it was refused."""
        ahead = _FORECASTS.empty_table()
        if isinstance(series, str):
            refused = ErrorRow(name, problem=series)
            return _ScoredSeries(ahead, [refused], {})
        problem = _problem_ahead(series)
        firsts = self._windows(series)
        rows = firsts if problem else [*firsts, len(series.values)]
        found, sums = [self._nothing()], LayerSums()
        for start in range(0, len(rows), BATCH):
            inputs = series.inputs(rows[start : start + BATCH])
            found.append(
                deployed.forecast_windows(
                    self.forecaster,
                    inputs,
                    self.task.description,
                    self.task.model,
                )
            )
            if self.task.gates:
                sums = gates.add(sums, self._sums(inputs))
        forecasts = np.concatenate(found)
        if not np.isfinite(forecasts).all():
            problem = (
                "the model forecasts numbers that are not finite: the series "
                "is too far from what it was trained on"
            )
        errors = self._error_rows(
            series, name, firsts, forecasts[: len(firsts)], problem
        )
        if problem is None:
            ahead = self._forecast_table(series, name, forecasts[-1])
        return _ScoredSeries(ahead, errors, sums)

    def _windows(self, series: Series) -> list[int]:
        """Return the first rows to forecast of the windows to measure."""
        description = self.task.description
        last = len(series.values) - description.horizon
        return list(range(description.lookback, last + 1, self.task.every))

    def _nothing(self) -> np.ndarray:
        description = self.task.description
        return np.empty((0, description.horizon, len(description.columns)))

    def _sums(self, inputs: Inputs) -> LayerSums:
        """Return the sums of the gates of some windows."""
        outputs = saved_model.call(self.signature, by_name(inputs))
        return {
            layer.path: GateSums.of(layer) for layer in gates.traces(outputs)
        }

    def _forecast_table(
        self, series: Series, name: str, forecast: np.ndarray
    ) -> pa.Table:
        """Return rows of what comes after the last row of a series."""
        description = self.task.description
        columns = description.columns
        times = series.times_ahead
        if times.tz is not None:
            times = times.tz_convert("UTC").tz_localize(None)
        lower, upper = (
            forecast + sign * description.half_widths for sign in (-1, 1)
        )
        return pa.table(
            {
                "series": [name] * forecast.size,
                "time": np.repeat(times.as_unit("us").to_numpy(), len(columns)),
                "column": columns * len(times),
                "forecast": forecast.ravel(),
                "lower": lower.ravel(),
                "upper": upper.ravel(),
            },
            _FORECASTS,
        )

    def _error_rows(
        self,
        series: Series,
        name: str,
        firsts: list[int],
        forecasts: np.ndarray,
        problem: str | None,
    ) -> list[ErrorRow]:
        """Return a row of errors for each column, in own units."""
        values = series.values.to_numpy()
        horizon = self.task.description.horizon
        found = [
            ErrorRow(
                series=name,
                column=column,
                rows=len(values),
                filled=series.filled,
                windows=len(firsts),
                problem=problem,
            )
            for column in self.task.description.columns
        ]
        if not firsts:
            return found
        truth = np.stack([values[it : it + horizon] for it in firsts])
        last = np.stack([values[it - 1 : it] for it in firsts])
        away = np.abs(forecasts - truth)
        inside = away <= self.task.description.half_widths

        def mean(values: np.ndarray, number: int) -> float:
            return float(values[..., number].mean())

        return [
            row._replace(
                mse=mean(away**2, number),
                mae=mean(away, number),
                mae_of_last_value=mean(np.abs(last - truth), number),
                coverage=mean(inside, number),
            )
            for number, row in enumerate(found)
        ]


class _ScoredSeries(NamedTuple):
    """Results of a series.

    Args:
        forecast: Rows of what comes after it; none if there is a problem.
        errors: Rows of its errors.
        sums: Sums of its gates.
    """

    forecast: pa.Table
    errors: list[ErrorRow]
    sums: LayerSums


def _problem_ahead(series: Series) -> str | None:
    """Return why what comes after a series cannot be forecast, if so."""
    try:
        series.check_ahead()
    except UsageError as error:
        return one_line(error)
    return None


def _summary(errors: pd.DataFrame) -> Summary:
    """Return entries of the summary, and the text to print."""
    refused = errors[errors["column"].isna()]
    problems = errors[errors["problem"].notna()].drop_duplicates("series")
    measured = errors[errors["mae"].notna()].astype({"windows": int})
    ratios = measured["mae"] / measured["mae_of_last_value"]
    windows = measured.drop_duplicates("series")["windows"].sum()
    entries = {
        "series": errors["series"].nunique(),
        "refused": len(refused),
        "not_forecast": len(problems),
        "windows": int(windows),
        "median_mae_over_last_value": _number(ratios.median()),
        "coverage": _number(measured["coverage"].mean()),
    }
    lines = [
        f"series: {entries['series']:,}, of which refused: {len(refused):,}, "
        f"not forecast: {len(problems):,}"
    ]
    if len(measured):
        lines += [
            "mean absolute error, divided by that of repeating the last value: "
            f"{ratios.median():.3f} in the median; below 1 for "
            f"{(ratios < 1).mean():.1%} of the series and columns",
            f"inside the intervals: {measured['coverage'].mean():.1%}",
            "",
            _worst(measured.assign(ratio=ratios)),
        ]
    lines += [
        f"{one_line(it.series)}: {it.problem}"
        for it in problems[:SHOWN].itertuples()
    ]
    if len(problems) > SHOWN:
        lines.append(f"... and {len(problems) - SHOWN:,} more, in {ERRORS}")
    return entries, "\n".join(lines)


def _worst(measured: pd.DataFrame) -> str:
    """Tabulate the series with the largest errors, beside the last value's."""
    worst = measured.sort_values("ratio", ascending=False, kind="stable")
    rows = [
        [
            one_line(it.series),
            one_line(it.column),
            f"{it.windows:,}",
            f"{it.mae:.4g}",
            f"{it.ratio:.3f}",
            f"{it.coverage:.1%}",
        ]
        for it in worst[:SHOWN].itertuples()
    ]
    heads = [
        "worst series",
        "column",
        "windows",
        "MAE",
        "of last value's",
        "inside",
    ]
    aligned = ("left", "left", "right", "right", "right", "right")
    return tabulate(rows, heads, disable_numparse=True, colalign=aligned)


def _number(value: float) -> float | None:
    """Return a number as JSON can hold it."""
    return float(value) if np.isfinite(value) else None
