"""Trained forecasters in any exported form, and their input data."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from recipes import console, saved_model
from recipes.data.calendar import CALENDAR, with_calendar
from recipes.data.columns import Arranged, Covariates, arrange
from recipes.data.file_format import FileFormat
from recipes.data.frames import regular
from recipes.data.series_file import Table, read_table
from recipes.data.windows import Inputs, by_name, inputs_before
from recipes.forecasting.description import Description
from recipes.memory import raise_memory_error
from recipes.saved_model import SavedModel

Forecaster = Callable[[Inputs], np.ndarray]


class Series(NamedTuple):
    """A series as a model reads it.

    Args:
        values: What is forecast, a row for each time.
        covariates: What helps; what is known ahead goes on for the horizon.
        filled: Number of missing values that were filled.
        description: The description of the model's series.
        name: Name of the file, for error messages.
    """

    values: pd.DataFrame
    covariates: Covariates
    filled: int
    description: Description
    name: str

    @property
    def times_ahead(self) -> pd.DatetimeIndex:
        """The times after the last row that are forecast."""
        return _times_ahead(self.values.index, self.description.horizon)

    def inputs(self, rows: Sequence[int]) -> Inputs:
        """Return inputs of the model.

        Args:
            rows: First row to forecast of each window.
        """
        return inputs_before(
            rows,
            self.values.to_numpy(),
            self.covariates.past.to_numpy(),
            self.covariates.known.to_numpy(),
            self.description.lookback,
            self.description.horizon,
        )

    def check_ahead(self) -> None:
        """Refuse a series that does not say what is known ahead.

        Raises:
            UsageError: if a value after the last row is missing.
        """
        ahead = self.covariates.known.iloc[len(self.values) :]
        missing = np.argwhere(ahead.isna().to_numpy())
        if len(missing):
            row, column = missing[0]
            raise console.UsageError(
                f"{self.name} does not say {ahead.columns[column]} at "
                f"{ahead.index[row]}: the model takes it as known {len(ahead)} "
                "steps ahead; write rows for them, without the targets"
            )


def read_series(
    path: Path, given: FileFormat, description: Description
) -> Series:
    """Read a file for a model.

    Args:
        path: The CSV or Parquet file.
        given: How it is written, as far as it was said; else it is read as the
            file of the training was.
        description: The description of the model's series.

    Raises:
        UsageError: if columns, length or step do not fit the model.
    """
    file_format = given.or_else(description.file)
    return series_of(
        read_table(path, file_format), file_format, description, str(path)
    )


def series_of(
    table: Table, file_format: FileFormat, description: Description, name: str
) -> Series:
    """Return the series of a table, as above."""
    arranged = _arrange(table, file_format, description, name)
    values, covariates, filled = regular(arranged, name)
    _check_steps(values, name, description)
    times = _times_ahead(values.index, description.horizon)
    ahead = arranged.covariates.known.reindex(times)
    covariates = covariates._replace(known=pd.concat([covariates.known, ahead]))
    if description.choice.calendar:
        covariates = with_calendar(
            covariates, covariates.known.index, file_format.time_zone
        )
    return Series(values, covariates, filled, description, name)


def _arrange(
    table: Table, file_format: FileFormat, series: Description, path: str
) -> Arranged:
    """Return the columns of a model, in its order.

    Raises:
        UsageError: if one is missing, or is no number.
    """
    for name in [*(series.choice.target or []), *(series.choice.known or [])]:
        if name not in table.columns.numbers:
            raise console.UsageError(
                table.columns.problems.get(name)
                or f"{path} has no column {name}: the model was trained on "
                f"{', '.join([*series.columns, *series.past, *series.known])}"
            )
    found = arrange(table, series.choice, file_format.time_zone, path)
    past, known, *columns_of = found.covariates
    asked = [it for it in series.known if not it.startswith(CALENDAR)]
    for part, names in (
        (found.values, series.columns),
        (past, series.past),
        (known, asked),
    ):
        missing = [name for name in names if name not in part]
        if missing:
            raise console.UsageError(
                f"{path} has no column or series {', '.join(missing)}: the "
                "model was trained with it"
            )
    return found._replace(
        values=found.values[series.columns],
        covariates=Covariates(past[series.past], known[asked], *columns_of),
    )


def _times_ahead(times: pd.DatetimeIndex, horizon: int) -> pd.DatetimeIndex:
    return pd.date_range(times[-1], periods=horizon + 1, freq=times.freq)[1:]


def _check_steps(values: pd.DataFrame, path: str, series: Description) -> None:
    """Refuse a series that is too short, or has other steps."""
    if len(values) < series.lookback:
        raise console.UsageError(
            f"{path} has {len(values):,} rows: the model sees "
            f"{series.lookback:,} before it forecasts"
        )
    step = np.median(np.diff(values.index) / np.timedelta64(1, "s"))
    # The lengths of months differ.
    if not np.isclose(step, series.step_seconds, rtol=0.1):
        raise console.UsageError(
            f"{path} has a row every {step:g} s: the model was trained "
            f"on one every {series.step_seconds:g} s"
        )


def check_form(path: Path) -> None:
    """Refuse what is neither a `.keras` or `.tflite` file nor a folder.

    Raises:
        UsageError: if it is.
    """
    if not path.is_dir() and path.suffix not in (".tflite", ".keras"):
        raise console.UsageError(
            "MODEL must be a .keras or .tflite file, or the folder of a "
            f"SavedModel. Received: {path}"
        )


def forecast(path: Path, inputs: Inputs, series: Description) -> np.ndarray:
    """Return the forecast of an exported model, `(horizon, columns)`.

    Args:
        path: A `.keras` file, the folder of a SavedModel, or a `.tflite` file.
        inputs: Inputs of the model, of one window.
        series: The description of the model's series.

    Raises:
        UsageError: if the file is unreadable or not a forecaster of this
            series, or if the forecast is not finite.
    """
    with _explain_errors(path):
        loaded = forecaster(path)
    found = forecast_windows(loaded, inputs, series, path)
    if not np.isfinite(found).all():
        raise console.UsageError(
            f"{path} forecasts numbers that are not finite: what it is given "
            "is too far from what it was trained on"
        )
    return found[0]


def forecast_windows(
    forecaster: Forecaster, inputs: Inputs, series: Description, path: Path
) -> np.ndarray:
    """Return forecasts of windows, `(windows, horizon, columns)`.

    Args:
        forecaster: The forecaster.
        inputs: Inputs of the model.
        series: The description of the model's series.
        path: Path of the model, for error messages.

    Raises:
        UsageError: if it is not a forecaster of this series.
        MemoryError: if there is too little memory.
    """
    with _explain_errors(path):
        found = forecaster(inputs)
    windows = len(by_name(inputs)["series"])
    shape = (windows, series.horizon, len(series.columns))
    if found.shape != shape:
        raise console.UsageError(
            f"{path} gives {found.shape}, and series.json near it is of a "
            f"model that gives {shape}"
        )
    return found


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    """Turn the errors of a file that is no forecaster into one."""
    try:
        with raise_memory_error():
            yield
    except MemoryError:
        raise
    # Keras, TensorFlow and LiteRT have no common exception class.
    except Exception as error:
        raise console.UsageError(
            f"{path} is no forecaster that recipes.time_series wrote: "
            f"{console.first_line(error)}"
        ) from error


def forecaster(path: Path) -> Forecaster:
    """Load a forecaster from a `.keras` or `.tflite` file or a SavedModel.

    It accepts float64, and converts to the precision of its form. A SavedModel
    can run code when it is loaded.
    """
    if path.is_dir():
        return _load_saved_model(path)
    return {".tflite": _load_litert, ".keras": _load_keras}[path.suffix](path)


def _load_keras(path: Path) -> Forecaster:
    from keras_gatelstm.core.model_file import load_model

    model = load_model(path)
    return lambda inputs: np.asarray(model.predict_on_batch(inputs))


def _load_saved_model(path: Path) -> Forecaster:
    return forecaster_of(saved_model.load(path), path)


def forecaster_of(loaded: SavedModel, path: Path) -> Forecaster:
    """Return the forecaster of a SavedModel that was loaded from a path.

    Raises:
        UsageError: if it is none.
    """
    signature = saved_model.signature_of(loaded, saved_model.DEFAULT, path)

    def forecast(inputs: Inputs) -> np.ndarray:
        return _single_output(saved_model.call(signature, by_name(inputs)))

    # Keeps the loaded object alive as long as its function.
    forecast.loaded = loaded  # type: ignore[attr-defined]
    return forecast


def _load_litert(path: Path) -> Forecaster:
    from keras_gatelstm.export import LiteRTFile

    file = LiteRTFile(path)

    def forecast(inputs: Inputs) -> np.ndarray:
        given = {
            name: it.astype(np.float32) for name, it in by_name(inputs).items()
        }
        return _single_output(file(**given))

    return forecast


def _single_output(outputs: dict[str, Any]) -> np.ndarray:
    (output,) = outputs.values()
    return np.asarray(output)
