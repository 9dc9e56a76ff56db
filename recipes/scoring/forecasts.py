"""Forecasts of many series, and their errors on what is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from recipes.console import UsageError, one_line
from recipes.data.file_format import FileFormat
from recipes.data.series_file import read_table, table_of
from recipes.data.windows import Inputs, by_name
from recipes.forecasting import deployed
from recipes.forecasting.deployed import Series
from recipes.forecasting.description import Description
from recipes.scoring.folder import Folder, Scored
from recipes.scoring.parts import (
    DataFile,
    Part,
    Piece,
    check_unchanged,
    find_files,
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

    @property
    def root(self) -> Path:
        """Folder of the files."""
        return self.data if self.data.is_dir() else self.data.parent

    def parts(self) -> list[Part]:
        """Share the series out."""
        files = find_files(self.data)
        size = part_bytes(files)
        pieces = (piece for it in files for piece in self._pieces(it))
        return join_pieces(pieces, size)

    def _pieces(self, file: DataFile) -> Iterator[Piece]:
        """Yield a piece for each series of a file.

        Raises:
            UsageError: if the rows of a series do not lie together.
        """
        if self.series_column is None:
            yield Piece(file, 0, 0, file.bytes)
            return
        path = self.root / file.name
        labels = _labels(path, self.series_column, 0, None)
        borders = np.flatnonzero(labels[1:] != labels[:-1]) + 1
        starts = np.array([0, *borders])
        names = pd.Series(labels[starts])
        if names.duplicated().any():
            place = int(names.duplicated().to_numpy().argmax())
            raise UsageError(
                f"{path}, row {starts[place] + 1}: series {names[place]} goes "
                f"on after others: sort the rows by {self.series_column}"
            )
        stops = [*borders, len(labels)]
        for start, stop in zip(starts.tolist(), stops, strict=True):
            share = file.bytes * (stop - start) // len(labels)
            yield Piece(file, start, int(stop), share)

    def name_of(self, piece: Piece) -> str:
        """Return the name of a series."""
        if self.series_column is None:
            return piece.file.name
        path = self.root / piece.file.name
        label = _labels(path, self.series_column, piece.start, piece.start + 1)
        if not self.data.is_dir():
            return str(label[0])
        return f"{piece.file.name}:{label[0]}"

    def read(self, piece: Piece, description: Description) -> Series:
        """Read a series.

        Raises:
            UsageError: if it cannot be read, or does not fit the model.
        """
        path = self.root / piece.file.name
        file_format = self.file_format.or_else(description.file)
        if self.series_column is None:
            table = read_table(path, file_format)
        else:
            rows = read_rows(path, None, piece.start, piece.stop)
            frame = rows.to_pandas().drop(columns=self.series_column)
            table = table_of(frame, file_format, path)
        return deployed.series_of(
            table, file_format, description, self.name_of(piece)
        )


def _labels(
    path: Path, column: str, start: int, stop: int | None
) -> np.ndarray:
    """Return which series rows belong to, as text.

    Raises:
        UsageError: if it is no Parquet file, or has no such column.
    """
    file = open_parquet(path)
    if column not in file.schema_arrow.names:
        raise UsageError(
            f"{path} has no column {column}: --series-column takes one of "
            f"{', '.join(file.schema_arrow.names)}"
        )
    stop = file.metadata.num_rows if stop is None else stop
    labels = read_rows(path, [column], start, stop)[column].to_pandas()
    if labels.isna().any():
        row = start + int(labels.isna().to_numpy().argmax()) + 1
        raise UsageError(
            f"{path}, row {row}: column {column} does not say which series it "
            "is of"
        )
    return labels.astype(str).to_numpy(object)


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
    rows: str = "forecasts"

    def parts(self) -> list[Part]:
        return self.fleet.parts()

    def scorer(self) -> "SeriesScorer":
        return SeriesScorer(self)

    def summarize(self, folder: Folder, parts: int) -> Summary:
        tables = [pq.read_table(folder.more_of(it)) for it in range(parts)]
        errors = pa.concat_tables(tables)
        pq.write_table(errors, folder.output / "errors.parquet")
        return _summary(errors.to_pandas())


class SeriesScorer:
    """Loaded forecaster.

    Args:
        task: The task.

    Raises:
        UsageError: if it is no forecaster of the described series.
    """

    def __init__(self, task: SeriesTask) -> None:
        self.task = task
        self.forecast = deployed.forecaster(task.model)
        if task.gates:
            from recipes.scoring import gates

            self.loaded = load_saved_model(task.model)
            self.signature = gates.signature_of(self.loaded, task.model)

    def __call__(self, part: Part) -> Scored:
        forecasts, errors = [], []
        sums: dict[str, Any] = {}
        for piece in part:
            check_unchanged(piece, self.task.fleet.root)
            name = self.task.fleet.name_of(piece)
            try:
                series = self.task.fleet.read(piece, self.task.description)
            except UsageError as error:
                errors.append({"series": name, "problem": one_line(error)})
                continue
            problem = _problem_ahead(series)
            stops = self._windows(series)
            rows = stops if problem else [*stops, len(series.values)]
            found = []
            for start in range(0, len(rows), BATCH):
                inputs = series.inputs(rows[start : start + BATCH])
                found.append(self._forecast(inputs))
                if self.task.gates:
                    sums = self._add_gates(sums, inputs)
            values = np.concatenate(found) if found else self._nothing()
            if not problem:
                forecasts.append(self._forecast_table(series, name, values[-1]))
            known = values[: len(stops)]
            errors += self._error_rows(series, name, stops, known, problem)
        return Scored(
            pa.concat_tables([_FORECASTS.empty_table(), *forecasts]),
            sums,
            pa.Table.from_pylist(errors, _ERRORS),
        )

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
            found = self.forecast(inputs)
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

    def _add_gates(
        self, sums: dict[str, Any], inputs: Inputs
    ) -> dict[str, Any]:
        """Return sums, with those of the gates of some windows."""
        import tensorflow as tf

        from keras_gatelstm.inspect.gate_sums import GateSums
        from recipes.scoring import gates

        _, specs = self.signature.structured_input_signature
        given = {
            name: tf.cast(it, specs[name].dtype)
            for name, it in by_name(inputs).items()
        }
        more = {
            layer.path: GateSums.of(layer)
            for layer in gates.traces(self.signature(**given))
        }
        return gates.add(sums, more)

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
                "time": np.repeat(times.to_numpy(), len(columns)),
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


def _problem_ahead(series: Series) -> str | None:
    """Return why what comes after a series cannot be forecast, if so."""
    try:
        series.check_ahead()
    except UsageError as error:
        return one_line(error)
    return None


def _summary(errors: pd.DataFrame) -> Summary:
    """Return entries of the summary, and the text to print."""
    names = errors["series"].nunique()
    refused = errors[errors["column"].isna()]
    measured = errors[errors["mae"].notna()].astype({"windows": int})
    ratios = measured["mae"] / measured["mae_of_last_value"]
    entries = {
        "series": names,
        "refused": len(refused),
        "windows": int(measured["windows"].sum()),
        "mean_mae_beside_last_value": _mean(ratios),
        "mean_coverage": _mean(measured["coverage"]),
    }
    lines = [f"series: {names:,}, refused: {len(refused):,}"]
    if len(measured):
        lines += [
            f"mean absolute error beside that of repeating the last value: "
            f"{ratios.median():.3f} in the median, {(ratios < 1).mean():.1%} "
            "of the series and columns below 1",
            f"inside the intervals: {measured['coverage'].mean():.1%}",
            "",
            _worst(measured.assign(ratio=ratios)),
        ]
    lines += [
        f"{it.series}: {it.problem}" for it in refused[:SHOWN].itertuples()
    ]
    if len(refused) > SHOWN:
        lines.append(
            f"... and {len(refused) - SHOWN:,} more, in errors.parquet"
        )
    return entries, "\n".join(lines)


def _worst(measured: pd.DataFrame) -> str:
    """Tabulate the series with the largest errors, beside the last value's."""
    columns = ["series", "column", "windows", "mae", "ratio", "coverage"]
    worst = measured.sort_values("ratio", ascending=False, kind="stable")
    heads = [
        "worst series",
        "column",
        "windows",
        "MAE",
        "beside last",
        "inside",
    ]
    return tabulate(
        worst[columns][:SHOWN].itertuples(index=False),
        heads,
        floatfmt=("", "", "", ".4g", ".3f", ".3f"),
    )


def _mean(values: pd.Series) -> float | None:
    mean = values.replace([np.inf, -np.inf], np.nan).mean()
    return None if np.isnan(mean) else float(mean)
