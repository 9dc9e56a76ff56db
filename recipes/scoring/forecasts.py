"""Forecasts of many series, and their errors on what is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from keras_gatelstm.inspect.gate_sums import GateSums
from recipes.console import UsageError, one_line
from recipes.data.file_format import FileFormat
from recipes.data.series_file import read_table, table_of
from recipes.data.windows import Inputs, by_name
from recipes.forecasting import deployed
from recipes.forecasting.deployed import Series
from recipes.forecasting.description import Description
from recipes.memory import raise_memory_error
from recipes.scoring import gates
from recipes.scoring.folder import ERRORS, FORECASTS, Folder, Scored
from recipes.scoring.gates import LayerSums
from recipes.scoring.parts import (
    DataFile,
    Part,
    Piece,
    check_unchanged,
    find_files,
    folder_of,
    join_pieces,
    open_parquet,
    part_bytes,
    read_rows,
)
from recipes.scoring.task import Summary, load_saved_model

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


class Fleet(NamedTuple):
    """Series that are forecast.

    Args:
        data: The file, or the folder of all files.
        file_format: How they are written.
        series_column: Column of Parquet files that says which series a row
            belongs to; the rows of a series lie together. `None` if each file
            is a series.
    """

    data: Path
    file_format: FileFormat
    series_column: str | None = None

    def parts(self) -> list[Part]:
        """Share the series out.

        Raises:
            UsageError: if there is none.
        """
        files = find_files(self.data)
        size = part_bytes(files)
        pieces = (piece for it in files for piece in self._pieces(it, size))
        parts = join_pieces(pieces, size)
        if not parts:
            raise UsageError(f"there is no series in {self.data}")
        return parts

    def _pieces(self, file: DataFile, size: int) -> Iterator[Piece]:
        """Yield pieces of a file, of whole series.

        Raises:
            UsageError: if there is no such column, or the rows of a series do
                not lie together.
        """
        if self.series_column is None:
            yield Piece(file, 0, 0, file.bytes)
            return
        path = folder_of(self.data) / file.name
        parquet = open_parquet(path)
        names = parquet.schema_arrow.names
        if names.count(self.series_column) != 1:
            raise UsageError(
                f"{path} has no column {self.series_column}: --series-column "
                f"takes one of {', '.join(names)}"
            )
        rows = parquet.metadata.num_rows
        table = read_rows(path, [self.series_column], 0, rows)
        labels = _labels(path, table, self.series_column, 0)
        series = _runs(labels)
        again = pd.Series([labels[start] for start, _ in series]).duplicated()
        if again.any():
            start, _ = series[int(again.to_numpy().argmax())]
            raise UsageError(
                f"{path}, row {start + 1}: series {labels[start]} "
                f"goes on after others: sort the rows by {self.series_column}"
            )
        # About as many bytes as the part of the file.
        each = max(1, rows * size // max(file.bytes, 1))
        first = 0
        for _, stop in series:
            if stop - first >= each or stop == rows:
                share = file.bytes * (stop - first) // rows
                yield Piece(file, first, stop, share)
                first = stop

    def read(
        self, piece: Piece, description: Description
    ) -> Iterator[tuple[str, Series | str]]:
        """Yield names of series, each with the series, or why it is refused."""
        for rows in self._rows(piece):
            yield rows.name, self._series(piece, rows, description)

    def _rows(self, piece: Piece) -> Iterator["_Rows"]:
        """Yield the rows of each series of a piece."""
        if self.series_column is None:
            yield _Rows(piece.file.name)
            return
        path = check_unchanged(piece, folder_of(self.data))
        table = read_rows(path, None, piece.start, piece.stop)
        labels = _labels(path, table, self.series_column, piece.start)
        frame = table.to_pandas()
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index()
        frame = frame.drop(columns=self.series_column)
        before = f"{piece.file.name}:" if self.data.is_dir() else ""
        for start, stop in _runs(labels):
            name = f"{before}{labels[start]}"
            first = piece.start + start + 1
            yield _Rows(name, frame[start:stop].copy(), first)

    def _series(
        self, piece: Piece, rows: "_Rows", description: Description
    ) -> Series | str:
        """Return a series, or why it is refused.

        One series must not stop the others, whatever is in its file.
        """
        file_format = self.file_format.or_else(description.file)
        try:
            path = check_unchanged(piece, folder_of(self.data))
            if rows.frame is None:
                table = read_table(path, file_format)
            else:
                table = table_of(rows.frame, file_format, path, rows.first)
            return deployed.series_of(
                table, file_format, description, rows.name
            )
        except (UsageError, OSError) as error:
            return one_line(error)
        except (ValueError, LookupError, TypeError) as error:
            return f"it cannot be read: {one_line(error)}"


class _Rows(NamedTuple):
    """Rows of a series.

    Args:
        name: Its name.
        frame: Its rows; `None` for those of the whole file.
        first: Number of the first of them in the file.
    """

    name: str
    frame: pd.DataFrame | None = None
    first: int = 1


def _labels(path: Path, rows: pa.Table, column: str, first: int) -> np.ndarray:
    """Return which series rows belong to, as text.

    Raises:
        UsageError: if a row does not say it.
    """
    labels = rows[column]
    if labels.null_count:
        row = first + labels.is_null().to_pylist().index(True) + 1
        raise UsageError(
            f"{path}, row {row}: column {column} does not say which series it "
            "is of"
        )
    return labels.to_pandas().astype(str).to_numpy(object)


def _runs(labels: np.ndarray) -> list[tuple[int, int]]:
    """Return first row and row after the last of labels that are the same."""
    borders = [0, *(np.flatnonzero(labels[1:] != labels[:-1]) + 1).tolist()]
    if not len(labels):
        return []
    return list(pairwise([*borders, len(labels)]))


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
        loaded = load_saved_model(task.model)
        self.forecast = deployed.forecaster_of(loaded)
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
                [row for it in found for row in it.errors], _ERRORS
            ),
        )

    def _score(self, name: str, series: Series | str) -> "_ScoredSeries":
        """Forecast a series, unless it was refused."""
        ahead = _FORECASTS.empty_table()
        if isinstance(series, str):
            refused = {"series": name, "problem": series}
            return _ScoredSeries(ahead, [refused], {})
        problem = _problem_ahead(series)
        stops = self._windows(series)
        rows = stops if problem else [*stops, len(series.values)]
        found, sums = [self._nothing()], LayerSums()
        for start in range(0, len(rows), BATCH):
            inputs = series.inputs(rows[start : start + BATCH])
            found.append(self._forecast(inputs))
            if self.task.gates:
                sums = gates.add(sums, self._sums(inputs))
        forecasts = np.concatenate(found)
        if not np.isfinite(forecasts).all():
            problem = (
                "the model forecasts numbers that are not finite: the series "
                "is too far from what it was trained on"
            )
        errors = self._error_rows(
            series, name, stops, forecasts[: len(stops)], problem
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

    def _forecast(self, inputs: Inputs) -> np.ndarray:
        """Return forecasts, `(windows, horizon, columns)`.

        Raises:
            UsageError: if the model does not give them.
        """
        description = self.task.description
        try:
            with raise_memory_error():
                found = self.forecast(inputs)
        except MemoryError:
            raise
        # TensorFlow's errors have no common class.
        except Exception as error:
            first, *_ = str(error).strip().splitlines() or ["unreadable"]
            raise UsageError(
                f"{self.task.model} is no forecaster of the series in the "
                f"series.json near it: {first}"
            ) from error
        shape = (description.horizon, len(description.columns))
        if found.shape[1:] != shape:
            raise UsageError(
                f"{self.task.model} gives {found.shape[1:]}, and the "
                f"series.json near it is of a model that gives {shape}"
            )
        return found

    def _sums(self, inputs: Inputs) -> LayerSums:
        """Return the sums of the gates of some windows."""
        import tensorflow as tf

        _, specs = self.signature.structured_input_signature
        given = {
            name: tf.cast(it, specs[name].dtype)
            for name, it in by_name(inputs).items()
        }
        return {
            layer.path: GateSums.of(layer)
            for layer in gates.traces(self.signature(**given))
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
        stops: list[int],
        forecasts: np.ndarray,
        problem: str | None,
    ) -> list[dict[str, Any]]:
        """Return a row of errors for each column, in own units."""
        values = series.values.to_numpy()
        horizon = self.task.description.horizon
        truth, last = np.empty_like(forecasts), forecasts[:, :1]
        if stops:
            truth = np.stack([values[it : it + horizon] for it in stops])
            last = np.stack([values[it - 1 : it] for it in stops])
        away = np.abs(forecasts - truth)
        inside = away <= self.task.description.half_widths
        means = {
            "mse": away**2,
            "mae": away,
            "mae_of_last_value": np.abs(last - truth),
            "coverage": inside,
        }
        return [
            {
                "series": name,
                "column": column,
                "rows": len(values),
                "filled": series.filled,
                "windows": len(stops),
                "problem": problem,
            }
            | {
                key: float(it[..., number].mean()) if stops else None
                for key, it in means.items()
            }
            for number, column in enumerate(self.task.description.columns)
        ]


class _ScoredSeries(NamedTuple):
    """Results of a series.

    Args:
        forecast: Rows of what comes after it; none if there is a problem.
        errors: Rows of its errors.
        sums: Sums of its gates.
    """

    forecast: pa.Table
    errors: list[dict[str, Any]]
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
