"""Train a forecaster on a time series, and export it.

    python -m recipes.time_series
    python -m recipes.time_series --dataset ett/h1 --horizon 96
    python -m recipes.time_series --dataset load.csv --target north south \\
        --horizon 48
    python -m recipes.time_series --resume

The model reads `--lookback` steps and forecasts the next `--horizon` steps, in
the series' own units:

    forecast = a * linear + (1 - a) * recurrent

of a linear map fitted in closed form and a recurrent model trained by itself,
with the `a` that is best on validation. Model and parts are evaluated on every
window of the test part, beside naive forecasts. The program writes

    saved_models/time_series/
        model.keras                  for Keras
        series.json                  columns, steps, widths of its intervals
        metrics.json                 errors, a, coverage, settings, versions
        training.png                 its losses while it trained
        forecasts.png                forecasts beside what came
        errors.png                   errors by the step of the horizon
        gates.png                    its gates while it reads a window
        serving/<version>/           for TensorFlow Serving
        litert/time_series.tflite    for LiteRT

`recipes.forecast` forecasts with it. During training, `unfinished/` holds
checkpoints: `--resume` continues a training that was stopped or killed.

A file is CSV or Parquet. How a CSV file is written is found out, where it can
be told apart, or said by `--separator`, `--decimal`, `--time-format` and
`--time-zone`. Columns of text are left out. Columns beside `--target` help to
forecast it, by their past or, with `--known` and `--calendar`, as known ahead;
`--series-column` takes many series in one file.

A missing value is filled with the one before it; so is a missing row, such as
the hour that daylight saving skips in local times. Repeated, unsorted or
irregular times are refused, and so are constant columns.
"""

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from recipes import console, options, output_folder
from recipes.data.frames import Frame, load
from recipes.data.scaling import Scaling
from recipes.data.windows import Features, Windows, one_window
from recipes.forecasting.settings import Settings, parse

if TYPE_CHECKING:
    import keras

    from recipes.finishing import Exported, Result
    from recipes.forecasting.training import Forecaster
    from recipes.training import Budget

WRITTEN = [
    "model.keras",
    "series.json",
    "metrics.json",
    "training.png",
    "forecasts.png",
    "errors.png",
    "gates.png",
    "litert/time_series.tflite",
]
# The inverse of a smaller deviation overflows float32.
SMALLEST = 1e-36
COVERAGE = 0.9
PICTURED = 3
LOSSES = {"mae": "mean absolute error", "mse": "mean squared error"}


class Parts(NamedTuple):
    """Windows of a scaled series to train, validate and test on.

    Args:
        train: Windows to train on.
        validation: Windows to validate on.
        test: Windows to test on.
        scalings: Scaling of each input, `series`, `past` and `known`, fitted
            to the training part.
    """

    train: Windows
    validation: Windows
    test: Windows
    scalings: dict[str, Scaling]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, evaluate, draw and export."""
    settings = parse(arguments, __doc__)
    output_folder.refuse_replacing(
        Path(settings.dataset),
        settings.output,
        [*WRITTEN, output_folder.UNFINISHED],
    )
    frame = load(
        settings.dataset,
        file_format=settings,
        choice=settings,
        data_dir=settings.data_dir,
        manual_dir=settings.manual_dir,
    )
    settings.complete(frame.season)
    check_series(frame, settings, settings.dataset)
    parts = windows_of(frame, settings)
    filled = f"; {frame.filled:,} missing values filled" * (frame.filled > 0)
    if frame.left_out:
        print(f"left out: {', '.join(frame.left_out)}")
    helping = [*frame.covariates.past, *frame.covariates.known]
    if helping:
        print(f"these help the recurrent part: {', '.join(helping)}")
    print(
        f"{settings.dataset}: {len(frame.values):,} steps of "
        f"{len(frame.values.columns)} columns{filled}; {len(parts.train):,} "
        f"windows to train on, {len(parts.validation):,} to validate, "
        f"{len(parts.test):,} to test"
    )
    with output_folder.lock_folder(settings.output, settings.resume) as folder:
        # Imported late, so that usage errors do not wait for TensorFlow.
        from recipes.finishing import finish
        from recipes.forecasting.training import train

        forecaster, budget = train(
            parts.train, parts.validation, settings, folder
        )
        result = evaluate(forecaster, budget, frame, parts, settings)
        finish(forecaster.model, budget, settings, WRITTEN, result)
        if budget.stopped:
            raise KeyboardInterrupt


def check_series(frame: Frame, settings: options.Settings, name: str) -> None:
    """Refuse to resume a training with a different series."""
    values = frame.values
    data = [values.index.asi8.tobytes()]
    for it in (values, frame.covariates.past, frame.covariates.known):
        data += [
            "\n".join(it.columns).encode("utf-8", "surrogatepass"),
            it.to_numpy().tobytes(),
        ]
    options.check_same_data(settings, data, name)


def windows_of(frame: Frame, settings: Settings) -> Parts:
    """Scale a series by its training part, and cut it into windows.

    Raises:
        UsageError: if a part is too short for a window, or a column does not
            fit float32.
    """
    past, known, *columns_of = frame.covariates
    scalings = {
        "series": Scaling.of(_to_train(frame.values, frame)),
        "past": Scaling.of(_to_train(past, frame)),
        "known": Scaling.of(_to_train(known, frame)),
    }
    values, past, known = (
        _scaled(part, scaling, settings.dataset)
        for part, scaling in zip(
            (frame.values, past, known), scalings.values(), strict=True
        )
    )
    features = None
    if past.size or known.size:
        features = Features(past, known, *columns_of)
    borders = [0, frame.validation, frame.test, len(values)]
    lengths = settings.lookback, settings.horizon
    train, validation, test = (
        Windows(values, start, stop, *lengths, features)
        for start, stop in pairwise(borders)
    )
    for name, part, (start, stop) in zip(
        ("train on", "validate on", "test on"),
        (train, validation, test),
        pairwise(borders),
        strict=True,
    ):
        if not len(part):
            raise console.UsageError(
                f"{settings.dataset} is too short: the part to {name} has "
                f"{stop - start:,} steps, and a window needs "
                f"{settings.lookback} to see and {settings.horizon} to "
                "forecast; take a longer series, or a smaller --lookback or "
                "--horizon"
            )
    return Parts(train, validation, test, scalings)


def _to_train(part: pd.DataFrame, frame: Frame) -> np.ndarray:
    return part.to_numpy()[: frame.validation]


def _scaled(part: pd.DataFrame, scaling: Scaling, name: str) -> np.ndarray:
    """Return columns in standard units, float32.

    Raises:
        UsageError: if a column does not fit float32.
    """
    small = scaling.deviation < SMALLEST
    if small.any():
        raise console.UsageError(
            f"{name}: column {part.columns[small.argmax()]} varies by less "
            f"than {SMALLEST:g}, too little for float32: write it in smaller "
            "units"
        )
    values = part.to_numpy()
    with np.errstate(over="ignore"):
        scaled = scaling.standard(values)
    if not np.isfinite(scaled).all():
        row, place = np.argwhere(~np.isfinite(scaled))[0]
        raise console.UsageError(
            f"{name}: {values[row, place]:g} at {part.index[row]}, column "
            f"{part.columns[place]}, is too far from the part to train on for "
            "float32"
        )
    return scaled


def evaluate(
    forecaster: "Forecaster",
    budget: "Budget",
    frame: Frame,
    parts: Parts,
    settings: Settings,
) -> "Result":
    """Evaluate the model, its parts, its intervals and naive forecasts."""
    from recipes.finishing import Result
    from recipes.forecasting import baselines, evaluation
    from recipes.forecasting.models import forecast_of

    print(f"evaluating on {len(parts.test):,} windows")
    naive = "seasonal naive"
    if settings.period > settings.lookback:
        naive = f"last {settings.lookback} steps repeated"
    ours = forecast_of(forecaster.model)
    forecasts = {f"this model ({settings.cell})": ours}
    summary = ""
    if settings.form == "averaged":
        weight = forecaster.linear_weight
        forecasts = {
            "this model": ours,
            f"{settings.cell} alone": forecast_of(forecaster.recurrent),
        }
        summary = (
            f"this model = {weight:.1f} * linear + {1 - weight:.1f} * "
            f"{settings.cell}, chosen on validation\n\n"
        )
    forecasts |= {
        "linear": forecaster.linear,
        naive: baselines.seasonal_naive(settings.horizon, settings.period),
        "last value": baselines.last_value(settings.horizon),
    }
    errors, by_step = evaluation.errors(
        forecasts, parts.test, parts.scalings["series"].deviation
    )
    widths = evaluation.half_widths(ours, parts.validation, COVERAGE)
    covered = evaluation.coverage(ours, parts.test, widths)
    better = evaluation.better_than(errors)
    mae_by_column = {
        column: {name: error.mean(0)[number] for name, error in by_step.items()}
        for number, column in enumerate(frame.values)
    }
    table = evaluation.table(errors, better, settings)
    if len(mae_by_column) > 1:
        table += f"\n\n{evaluation.column_table(mae_by_column)}"
    metrics = {
        "validation_loss": min(loss for _, loss in budget.validation),
        "validation_mse": forecaster.validation_mse,
        "linear_weight": forecaster.linear_weight,
        "errors": errors,
        "mae_by_column": mae_by_column,
        "intervals": {"asked": COVERAGE, "covered": covered},
        "loses_to": better,
    }
    warning = "this model is worse than " + ", ".join(
        f"{name} ({', '.join(errors).upper()})"
        for name, errors in better.items()
    )
    widths = widths * parts.scalings["series"].deviation

    def write(stage: Path, version: int) -> "Exported":
        (stage / "series.json").write_text(
            json.dumps(description(frame, widths, settings), indent=2)
        )
        return draw_and_export(
            forecaster.model,
            frame,
            parts,
            by_step,
            widths,
            settings,
            stage,
            version,
        )

    return Result(
        metrics,
        summary=f"{table}\n\n{summary}"
        f"intervals: {covered:.1%} of the truth is inside, {COVERAGE:.0%} was "
        "to be",
        loss=LOSSES[settings.loss],
        difference="differs from what was evaluated by {:.1e} standard "
        "deviations",
        warning=warning if better else "",
        write=write,
    )


def draw_and_export(
    model: "keras.Model",
    frame: Frame,
    parts: Parts,
    by_step: dict[str, np.ndarray],
    widths: np.ndarray,
    settings: Settings,
    stage: Path,
    version: int,
) -> "Exported":
    """Plot forecasts of some test windows, and check each file on them."""
    from recipes.forecasting import exporting, gate_pictures, pictures
    from recipes.forecasting.reading import in_zone

    lookback = settings.lookback
    last = len(frame.values) - settings.horizon
    first = min(max(frame.test, lookback), last)
    windows = exporting.forecast_windows(
        model,
        frame,
        np.linspace(first, last, PICTURED).astype(int),
        settings,
        parts.scalings,
    )
    shown = frame.values.set_axis(
        in_zone(frame.values.index, settings.time_zone)
    )
    pictures.draw_errors(by_step, list(shown), stage / "errors.png")
    pictures.draw_windows(
        shown,
        dict(zip(windows.starts, windows.forecasts, strict=True)),
        widths,
        COVERAGE,
        stage / "forecasts.png",
    )
    gate_pictures.draw_gates(
        model,
        one_window(windows.standard, -1),
        shown.iloc[last - lookback : last, -1],
        settings.horizon,
        stage / "gates.png",
    )
    return exporting.export(
        model, frame.values, windows, parts.scalings, stage, version
    )


def description(
    frame: Frame, widths: np.ndarray, settings: Settings
) -> dict[str, Any]:
    """Describe the series for `recipes.forecast`."""
    return {
        "columns": list(frame.values.columns),
        "past": list(frame.covariates.past.columns),
        "known": list(frame.covariates.known.columns),
        "lookback": settings.lookback,
        "horizon": settings.horizon,
        "step_seconds": float(
            np.median(np.diff(frame.values.index) / np.timedelta64(1, "s"))
        ),
        "coverage": COVERAGE,
        "half_widths": widths.tolist(),
        "file": vars(settings.file_format()),
        "choice": vars(settings.column_choice())
        | {"target": list(frame.targets)},
    }


if __name__ == "__main__":
    sys.exit(console.run("time_series", main))
