"""Export of a forecaster in every form, checked against the evaluated model."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd

from recipes import finishing
from recipes.console import UsageError
from recipes.data.frames import Frame
from recipes.data.scaling import Scaling
from recipes.data.windows import Inputs, by_name, inputs_before, one_window
from recipes.finishing import Exported
from recipes.forecasting import deployed, models
from recipes.forecasting.settings import Settings

NAME = "time_series"
LITERT = f"litert/{NAME}.tflite"

# Largest allowed difference from the evaluated model, in standard deviations.
TOLERANCE = 1e-3
LITERT_TOLERANCE = 1e-4
# Largest allowed rounding of a series in float32, in standard deviations.
LOST = 2e-4


class CheckWindows(NamedTuple):
    """Windows of a series, and a model's forecasts to check files on.

    Args:
        starts: First forecast row of each window.
        seen: Inputs in own units, of all windows.
        standard: Inputs in standard units.
        forecasts: Forecasts in own units, `(windows, horizon, columns)`.
    """

    starts: list[int]
    seen: Inputs
    standard: Inputs
    forecasts: np.ndarray


def forecast_windows(
    model: keras.Model,
    frame: Frame,
    starts: np.ndarray,
    settings: Settings,
    scalings: dict[str, Scaling],
) -> CheckWindows:
    """Forecast some windows with the evaluated model.

    Args:
        model: The forecaster, in standard units.
        frame: The series, in its own units.
        starts: First forecast row of each window.
        settings: The recipe's settings.
        scalings: Scaling of each input, by its name.
    """
    seen = inputs_before(
        starts,
        frame.values.to_numpy(),
        frame.covariates.past.to_numpy(),
        frame.covariates.known.to_numpy(),
        settings.lookback,
        settings.horizon,
    )
    standard = {
        name: scalings[name].standard(it) for name, it in by_name(seen).items()
    }
    inputs = standard if isinstance(seen, dict) else standard["series"]
    forecasts = scalings["series"].own(model.predict_on_batch(inputs))
    return CheckWindows(starts.tolist(), seen, inputs, forecasts)


def export(
    model: keras.Model,
    series: pd.DataFrame,
    windows: CheckWindows,
    scalings: dict[str, Scaling],
    stage: Path,
    version: int,
) -> Exported:
    """Write a forecaster for Keras, TensorFlow Serving and LiteRT.

    Inputs and outputs are in the series' own units. They are float64, so that
    small changes of large values are not rounded away. LiteRT has no float64:
    its file is written only where float32 is precise enough.

    Args:
        model: The forecaster, in standard units.
        series: The whole series, in its own units.
        windows: Windows to check each file on.
        scalings: Scaling of each input, by its name.
        stage: Folder to write to.
        version: Version number of the SavedModel.

    Raises:
        UsageError: if a file's forecasts differ from the evaluated model's.
    """
    from keras_gatelstm import export

    deviation = scalings["series"].deviation

    def difference(forecast: deployed.Forecaster) -> float:
        # Files for LiteRT take one window at a time.
        found = [
            forecast(one_window(windows.seen, number))
            for number in range(len(windows.starts))
        ]
        apart = np.concatenate(found) - windows.forecasts
        furthest = float(np.abs(apart / deviation).max())
        return furthest if np.isfinite(furthest) else float("inf")

    whole = models.in_own_units(model, scalings)
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
    reason = _float32_problem(series, scalings["series"])
    if not reason:
        single = models.in_own_units(model, scalings, dtype="float32")
        checked = by_name(one_window(windows.seen, 0))
        finishing.export_litert(
            single,
            stage / LITERT,
            check_inputs=[
                checked[it.name].astype(np.float32) for it in single.inputs
            ],
            tolerance=LITERT_TOLERANCE,
        )
        lost = difference(deployed.forecaster(stage / LITERT))
        if lost <= TOLERANCE:
            differences[LITERT] = lost
            return Exported(differences, left_out={})
        (stage / LITERT).unlink()
        reason = f"its forecasts would change by {lost:.1e} standard deviations"
    # Keras's `predict` rounds float64 to float32.
    reason += "; in Keras, call the model: model.predict rounds to float32"
    return Exported(differences, {LITERT: reason})


def _float32_problem(series: pd.DataFrame, scaling: Scaling) -> str:
    """Return why float32 is not enough for a series; empty if it is."""
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
