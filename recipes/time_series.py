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

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipes import console, output_folder
from recipes.data.frames import Frame, load
from recipes.data.windows import one_window
from recipes.forecasting.description import Description
from recipes.forecasting.parts import Parts, check_series, windows_of
from recipes.forecasting.settings import Settings, parse

if TYPE_CHECKING:
    import keras

    from recipes.finishing import Exported, Result
    from recipes.forecasting.training import Forecaster
    from recipes.training.budget import History

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
COVERAGE = 0.9
PICTURED = 3
LOSSES = {"mae": "mean absolute error", "mse": "mean squared error"}


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

        forecaster, history = train(
            parts.train, parts.validation, settings, folder
        )
        result = evaluate(forecaster, history, frame, parts, settings)
        finish(forecaster.model, history, settings, WRITTEN, result)
        if history.stopped:
            raise KeyboardInterrupt


def evaluate(
    forecaster: "Forecaster",
    history: "History",
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
        "validation_loss": min(loss for _, loss in history.validation),
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
        describe(frame, widths, settings).save(stage / "series.json")
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


def describe(
    frame: Frame, widths: np.ndarray, settings: Settings
) -> Description:
    """Describe the series for `recipes.forecast`."""
    steps = np.diff(frame.values.index) / np.timedelta64(1, "s")
    choice = replace(settings.column_choice(), target=list(frame.targets))
    return Description(
        columns=list(frame.values.columns),
        past=list(frame.covariates.past.columns),
        known=list(frame.covariates.known.columns),
        lookback=settings.lookback,
        horizon=settings.horizon,
        step_seconds=float(np.median(steps)),
        coverage=COVERAGE,
        half_widths=widths,
        file=settings.file_format(),
        choice=choice,
    )


if __name__ == "__main__":
    sys.exit(console.run("time_series", main))
