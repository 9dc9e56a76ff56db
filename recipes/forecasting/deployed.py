"""Trained forecasters in any exported form, and their input data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from recipes import console
from recipes.data.calendar import CALENDAR, with_calendar
from recipes.data.columns import Arranged, Covariates, arrange
from recipes.data.file_format import FileFormat
from recipes.data.frames import regular
from recipes.data.series_file import read_table
from recipes.data.windows import Inputs, as_inputs, by_name
from recipes.forecasting.description import Description

Forecaster = Callable[[Inputs], np.ndarray]


class Seen(NamedTuple):
    """A file's series, ready to be forecast.

    Args:
        values: The series, a row for each time.
        inputs: Inputs of the model, of one window.
        filled: Number of missing values that were filled.
    """

    values: pd.DataFrame
    inputs: Inputs
    filled: int

    def times_ahead(self, horizon: int) -> pd.DatetimeIndex:
        """Return the times that are forecast."""
        return _times_ahead(self.values.index, horizon)


def seen(path: Path, given: FileFormat, series: Description) -> Seen:
    """Read a file for a model.

    Args:
        path: The CSV or Parquet file.
        given: How it is written, as far as it was said; else it is read as the
            file of the training was.
        series: The description of the model's series.

    Raises:
        UsageError: if columns, length or step do not fit the model, or if what
            is known ahead is missing.
    """
    file_format = given.or_else(series.file)
    arranged = _arrange(path, file_format, series)
    values, covariates, filled = regular(arranged, str(path))
    _check_steps(values, path, series)
    times = _times_ahead(values.index, series.horizon)
    ahead = arranged.covariates.known.reindex(times)
    _check_ahead(ahead, path)
    covariates = covariates._replace(known=pd.concat([covariates.known, ahead]))
    if series.choice.calendar:
        covariates = with_calendar(
            covariates, covariates.known.index, file_format.time_zone
        )
    length = series.lookback
    inputs = as_inputs(
        values.to_numpy()[np.newaxis, -length:],
        covariates.past.to_numpy()[np.newaxis, -length:],
        covariates.known.to_numpy()[np.newaxis, -length - series.horizon :],
    )
    return Seen(values, inputs, filled)


def _arrange(
    path: Path, file_format: FileFormat, series: Description
) -> Arranged:
    """Read the columns of a model from a file, in its order.

    Raises:
        UsageError: if one is missing, or is no number.
    """
    table = read_table(path, file_format)
    for name in [*(series.choice.target or []), *(series.choice.known or [])]:
        if name not in table.columns.numbers:
            raise console.UsageError(
                table.columns.problems.get(name)
                or f"{path} has no column {name}: the model was trained on "
                f"{', '.join([*series.columns, *series.past, *series.known])}"
            )
    found = arrange(table, series.choice, file_format.time_zone, str(path))
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


def _check_ahead(ahead: pd.DataFrame, path: Path) -> None:
    """Refuse what is known ahead, if a value is missing."""
    missing = np.argwhere(ahead.isna().to_numpy())
    if len(missing):
        row, column = missing[0]
        raise console.UsageError(
            f"{path} does not say {ahead.columns[column]} at "
            f"{ahead.index[row]}: the model takes it as known {len(ahead)} "
            "steps ahead; write rows for them, without the targets"
        )


def _times_ahead(times: pd.DatetimeIndex, horizon: int) -> pd.DatetimeIndex:
    return pd.date_range(times[-1], periods=horizon + 1, freq=times.freq)[1:]


def _check_steps(values: pd.DataFrame, path: Path, series: Description) -> None:
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
    try:
        found = forecaster(path)(inputs)
    # Keras, TensorFlow and LiteRT have no common exception class.
    except Exception as error:
        first, *_ = str(error).strip().splitlines() or ["unreadable"]
        raise console.UsageError(
            f"{path} is no forecaster that recipes.time_series wrote: {first}"
        ) from error
    shape = (series.horizon, len(series.columns))
    if found.shape != (1, *shape):
        raise console.UsageError(
            f"{path} gives {found.shape}, and series.json near it is of a "
            f"model that gives {(1, *shape)}"
        )
    if not np.isfinite(found).all():
        raise console.UsageError(
            f"{path} forecasts numbers that are not finite: what it is given "
            "is too far from what it was trained on"
        )
    return found[0]


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
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    signature = loaded.signatures["serving_default"]
    # Keeps the loaded object alive as long as its function.
    signature.loaded = loaded
    _, expected = signature.structured_input_signature

    def forecast(inputs: Inputs) -> np.ndarray:
        given = {
            name: tf.cast(it, expected[name].dtype)
            for name, it in by_name(inputs).items()
        }
        return _single_output(signature(**given))

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
