"""A forecaster in every form, each held against what was evaluated."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from recipes.console import UsageError
from recipes.data.scaling import Scaling
from recipes.forecasting import deployed, models

NAME = "time_series"
LITERT = f"litert/{NAME}.tflite"

# The largest difference from what was evaluated, in standard deviations.
TOLERANCE = 1e-3
LITERT_TOLERANCE = 1e-4
# By so many standard deviations a series may be rounded in float32.
LOST = 2e-4


class Tried(NamedTuple):
    """Windows of a series, and what a model forecast of them.

    Args:
        starts: The first row forecast in each.
        seen: What is seen, in own units, `(windows, lookback, columns)`.
        standard: The same in standard units.
        forecasts: In own units, `(windows, horizon, columns)`.
    """

    starts: list[int]
    seen: np.ndarray
    standard: np.ndarray
    forecasts: np.ndarray


def tried(
    model: Any,
    series: pd.DataFrame,
    starts: np.ndarray,
    lookback: int,
    scaling: Scaling,
) -> Tried:
    """Forecasts with a model as it was evaluated.

    Args:
        model: The forecaster, in standard units.
        series: In units of its own.
        starts: The rows to forecast from.
        lookback: The rows it sees before them.
        scaling: From the series' own units.
    """
    values = series.to_numpy()
    seen = np.stack([values[it - lookback : it] for it in starts])
    standard = scaling.standard(seen)
    forecasts = scaling.own(model.predict_on_batch(standard))
    return Tried(starts.tolist(), seen, standard, forecasts)


class Exported(NamedTuple):
    """What was written.

    Args:
        differences: How far the forecasts of each file are from what was
            evaluated, in standard deviations, by its name.
        refused: Why there is no file for LiteRT; empty where there is one.
    """

    differences: dict[str, float]
    refused: str


def export(
    model: Any,
    series: pd.DataFrame,
    windows: Tried,
    scaling: Scaling,
    stage: Path,
    version: int,
) -> Exported:
    """Writes a forecaster for Keras, TensorFlow Serving and LiteRT.

    They take and give a series' own units: in float64, that what is small
    beside its distance from zero is not lost; for LiteRT, which has none, in
    float32, where that is enough.

    Args:
        model: The forecaster, in standard units.
        series: All of the series, in units of its own.
        windows: What to hold each file against.
        scaling: From the series' own units.
        stage: The folder to write to.
        version: The number of the SavedModel.

    Raises:
        UsageError: if a file does not forecast what was evaluated.
    """
    from keras_gatelstm import export

    def difference(forecast: deployed.Forecaster) -> float:
        # Files for LiteRT take one window at a time.
        found = [forecast(one[np.newaxis]) for one in windows.seen]
        apart = np.concatenate(found) - windows.forecasts
        furthest = float(np.abs(apart / scaling.deviation).max())
        return furthest if np.isfinite(furthest) else float("inf")

    whole = models.in_own_units(model, scaling)
    whole.save(stage / "model.keras")
    export.export_saved_model(whole, stage / "serving", version, name=NAME)
    written = ["model.keras", f"serving/{version}"]

    differences = {
        name: difference(deployed.forecaster(stage / name)) for name in written
    }
    for name, found in differences.items():
        if found > TOLERANCE:
            raise UsageError(
                f"{name} would forecast otherwise than what was evaluated, by "
                f"{found:.1e} standard deviations. Nothing was written"
            )
    refused = _why_no_float32(series, scaling)
    if not refused:
        try:
            export.export_litert(
                models.in_own_units(model, scaling, dtype="float32"),
                stage / LITERT,
                check_inputs=windows.seen[:1].astype(np.float32),
                tolerance=LITERT_TOLERANCE,
            )
        except export.ExportError as error:
            raise UsageError(f"{error} Nothing was written") from error
        lost = difference(deployed.forecaster(stage / LITERT))
        if lost > TOLERANCE:
            (stage / LITERT).unlink()
            refused = (
                f"its forecasts would change by {lost:.1e} standard deviations"
            )
        else:
            differences[LITERT] = lost
    return Exported(differences, refused)


def _why_no_float32(series: pd.DataFrame, scaling: Scaling) -> str:
    """Why a series in its own units is not for float32; empty if it is."""
    largest = series.abs().max().to_numpy()
    lost = largest * np.finfo(np.float32).epsneg / scaling.deviation
    if lost.max() < LOST:
        return ""
    return (
        "LiteRT computes in float32, which loses what is small beside its "
        f"distance from zero: column {series.columns[lost.argmax()]} would be "
        f"rounded by {lost.max():.1e} standard deviations; take an offset off "
        "the series"
    )
