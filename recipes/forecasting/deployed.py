"""Trained forecasters in any exported form, and their input data."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recipes import console
from recipes.data.file_format import FileFormat
from recipes.data.frames import fill_missing, read_columns

Forecaster = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Description:
    """Description of a forecaster's series, of `series.json`.

    Args:
        columns: Names of the columns.
        lookback: Steps that the model sees.
        horizon: Steps that it forecasts.
        step_seconds: Median length of a step.
        coverage: Share of true values that the intervals are to cover.
        half_widths: Half widths of the intervals, `(horizon, columns)`.
        file: How the file of the training was written.
    """

    columns: list[str]
    lookback: int
    horizon: int
    step_seconds: float
    coverage: float
    half_widths: np.ndarray
    file: FileFormat


def description(path: Path) -> Description:
    """Read the description of a model's series.

    Raises:
        UsageError: if the file is missing or invalid.
    """
    if not path.is_file():
        raise console.UsageError(
            f"there is no file {path}: recipes.time_series writes it beside "
            "the model"
        )
    try:
        found = json.loads(path.read_text())
        columns = [str(name) for name in found["columns"]]
        shape = int(found["horizon"]), len(columns)
        return Description(
            columns,
            int(found["lookback"]),
            shape[0],
            float(found["step_seconds"]),
            float(found["coverage"]),
            np.reshape(np.asarray(found["half_widths"], float), shape),
            FileFormat.taken_from(found["file"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise console.UsageError(f"{path} describes no series") from error


def seen(
    path: Path, given: FileFormat, series: Description
) -> tuple[pd.DataFrame, int]:
    """Read a file for a model; also return the number of filled values.

    Args:
        path: The CSV or Parquet file.
        given: How it is written, as far as it was said; else it is read as the
            file of the training was.
        series: The description of the model's series.

    Raises:
        UsageError: if columns, length or step do not fit the model.
    """
    found = read_columns(path, given.or_else(series.file))
    for name in series.columns:
        if name in found.problems:
            raise console.UsageError(found.problems[name])
    missing = [name for name in series.columns if name not in found.numbers]
    if missing:
        raise console.UsageError(
            f"{path} has no column {', '.join(missing)}: the model was "
            f"trained on {', '.join(series.columns)}"
        )
    known, filled = fill_missing(found.numbers[series.columns], str(path))
    if len(known) < series.lookback:
        raise console.UsageError(
            f"{path} has {len(known):,} rows: the model sees "
            f"{series.lookback:,} before it forecasts"
        )
    step = np.median(np.diff(known.index) / np.timedelta64(1, "s"))
    # The lengths of months differ.
    if not np.isclose(step, series.step_seconds, rtol=0.1):
        raise console.UsageError(
            f"{path} has a row every {step:g} s: the model was trained "
            f"on one every {series.step_seconds:g} s"
        )
    return known, filled


def forecast(path: Path, values: np.ndarray, series: Description) -> np.ndarray:
    """Return the forecast of an exported model, `(horizon, columns)`.

    Args:
        path: A `.keras` file, the folder of a SavedModel, or a `.tflite` file.
        values: Input of the model, `(lookback, columns)`.
        series: The `description` of the model's series.

    Raises:
        UsageError: if the file is unreadable or not a forecaster of this
            series, or if the forecast is not finite.
    """
    if not path.is_dir() and path.suffix not in (".tflite", ".keras"):
        raise console.UsageError(
            "MODEL must be a .keras or .tflite file, or the folder of a "
            f"SavedModel. Received: {path}"
        )
    try:
        found = forecaster(path)(values[np.newaxis])
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
    import keras

    import keras_gatelstm  # noqa: F401 - registers the layers.

    model = keras.saving.load_model(path, compile=False)
    return lambda values: np.asarray(model.predict_on_batch(values))


def _load_saved_model(path: Path) -> Forecaster:
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    signature = loaded.signatures["serving_default"]
    # Keeps the loaded object alive as long as its function.
    signature.loaded = loaded
    _, inputs = signature.structured_input_signature
    dtype = inputs["series"].dtype
    return lambda values: _single_output(
        signature(series=tf.cast(values, dtype))
    )


def _load_litert(path: Path) -> Forecaster:
    from keras_gatelstm.export import LiteRTFile

    file = LiteRTFile(path)
    return lambda values: _single_output(file(series=values.astype(np.float32)))


def _single_output(outputs: dict[str, Any]) -> np.ndarray:
    (output,) = outputs.values()
    return np.asarray(output)
