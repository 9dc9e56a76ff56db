"""Trains a forecaster on a series, and leaves it ready to deploy.

    python -m recipes.time_series
    python -m recipes.time_series --dataset ett/h1 --horizon 96 --preset best
    python -m recipes.time_series --dataset load.csv --time-column when \\
        --target north south --horizon 48
    python -m recipes.time_series --resume

The model sees `--lookback` steps and forecasts the `--horizon` steps after
them, in the series' own units. It is tried on every window of the part of the
series that it has not seen, beside forecasts that cost nothing. It writes

    saved_models/time_series/
        model.keras                  for Keras
        series.json                  columns, steps, widths of its intervals
        metrics.json                 errors, coverage, settings, versions
        training.png                 its losses while it trained
        forecasts.png                forecasts beside what came
        errors.png                   errors by the step of the horizon
        gates.png                    its gates while it reads a window
        serving/<version>/           for TensorFlow Serving
        litert/time_series.tflite    for LiteRT

`recipes.forecast` forecasts with it. Until it is done, `unfinished/` holds
checkpoints: `--resume` goes on with a training that was stopped or killed.

A missing value is the one before it; so is a missing time, such as the hour
that daylight saving skips. Times that come twice, are out of order, or off the
step of the others are refused, and so are columns that are constant.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recipes import checkpoints, console, options
from recipes.data.frames import Frame, load
from recipes.data.windows import Windows
from recipes.forecasting import settings

COVERAGE = 0.9
PICTURED = 3
LITERT_TOLERANCE = 1e-4


class Parts(NamedTuple):
    """A series in standard units, in windows to train, validate and test on.

    Args:
        mean: Of each column, on the part to train on.
        deviation: The same.
    """

    train: Windows
    validation: Windows
    test: Windows
    mean: np.ndarray
    deviation: np.ndarray


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, evaluates, draws and exports, as the arguments say."""
    args = settings.parse(arguments, __doc__)
    frame = load(
        args.dataset,
        args.time_column,
        args.target,
        args.data_dir,
        args.manual_dir,
    )
    check_series(frame, args)
    parts = windows_of(frame, args)
    filled = f"; {frame.filled:,} missing values filled" * (frame.filled > 0)
    print(
        f"{args.dataset}: {len(frame.values):,} steps of "
        f"{len(frame.values.columns)} columns{filled}; {len(parts.train):,} "
        f"windows to train on, {len(parts.validation):,} to validate, "
        f"{len(parts.test):,} to test"
    )
    with checkpoints.kept_in(args.output / options.UNFINISHED) as folder:
        # Imported late: TensorFlow takes seconds, mistakes show at once.
        from recipes.forecasting.training import train

        columns = len(frame.values.columns)
        model, budget = train(
            parts.train, parts.validation, columns, args, folder
        )
        finish(model, budget, frame, parts, args)
        if budget.stopped:
            raise KeyboardInterrupt


def check_series(frame: Frame, args: argparse.Namespace) -> None:
    """Refuses to go on with another series than a training began with."""
    checksum = zlib.crc32(frame.values.to_numpy().tobytes())
    if getattr(args, "checksum", checksum) != checksum:
        raise console.UsageError(
            f"{args.dataset} has changed since the training in "
            f"{args.output / options.UNFINISHED} began: bring it back, or "
            "remove that folder to start anew"
        )
    args.checksum = checksum


def windows_of(frame: Frame, args: argparse.Namespace) -> Parts:
    """Cuts a series into windows, scaled by the part to train on.

    Raises:
        UsageError: if a part is too short for a window.
    """
    values = frame.values.to_numpy()
    known = values[: frame.validation]
    mean, deviation = known.mean(0), known.std(0)
    # A part of tensorflow-datasets may be constant too.
    deviation = np.where(deviation == 0, 1.0, deviation)
    scaled = ((values - mean) / deviation).astype(np.float32)
    borders = [0, frame.validation, frame.test, len(values)]
    train, validation, test = (
        Windows(scaled, start, stop, args.lookback, args.horizon)
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
                f"{args.dataset} is too short: the part to {name} has "
                f"{stop - start:,} steps, and a window needs {args.lookback} "
                f"to see and {args.horizon} to forecast; take a longer "
                "series, or a smaller --lookback or --horizon"
            )
    return Parts(train, validation, test, mean, deviation)


def finish(
    model: Any,
    budget: Any,
    frame: Frame,
    parts: Parts,
    args: argparse.Namespace,
) -> None:
    """Evaluates the model, draws, exports, and reports."""
    from keras_gatelstm.files import move_into, stage_in
    from recipes import training
    from recipes.forecasting import baselines, evaluation, models, pictures

    print(f"evaluating on {len(parts.test):,} windows")
    naive = "seasonal naive"
    if frame.season > args.lookback:
        naive = f"last {args.lookback} steps repeated"
    forecasts = {
        f"this model ({args.cell})": model.predict_on_batch,
        "linear": baselines.Linear(parts.train, parts.validation),
        naive: baselines.seasonal_naive(args.horizon, frame.season),
        "last value": baselines.last_value(args.horizon),
    }
    ours = model.predict_on_batch
    errors, by_step = evaluation.errors(forecasts, parts.test, parts.deviation)
    widths = evaluation.half_widths(ours, parts.validation, COVERAGE)
    metrics = {
        "settings": options.kept(args),
        "versions": training.versions(),
        "parameters": model.count_params(),
        "training_seconds": budget.seconds,
        "training_batches": len(budget.losses),
        "validation_mae": min(loss for _, loss in budget.validation),
        "errors": errors,
        "intervals": {
            "asked": COVERAGE,
            "covered": evaluation.covered(ours, parts.test, widths),
        },
    }
    whole = models.in_own_units(model, parts.mean, parts.deviation)
    widths *= parts.deviation
    print("exporting")
    with stage_in(args.output) as stage:
        budget.plot(stage / "training.png", "mean absolute error")
        pictures.draw_errors(by_step, stage / "errors.png")
        draw(whole, frame, widths, args, stage)
        difference, served = export(whole, frame, args, stage)
        metrics["litert_largest_difference"] = difference
        (stage / "series.json").write_text(
            json.dumps(description(frame, widths, args), indent=2)
        )
        (stage / "metrics.json").write_text(json.dumps(metrics, indent=2))
        move_into(stage, args.output)
    report(metrics, served, args)


def description(
    frame: Frame, widths: np.ndarray, args: argparse.Namespace
) -> dict[str, Any]:
    """What `recipes.forecast` needs to know of the series."""
    return {
        "columns": list(frame.values.columns),
        "lookback": args.lookback,
        "horizon": args.horizon,
        "step_seconds": float(
            np.median(np.diff(frame.values.index) / np.timedelta64(1, "s"))
        ),
        "coverage": COVERAGE,
        "half_widths": widths.tolist(),
    }


def draw(
    model: Any,
    frame: Frame,
    widths: np.ndarray,
    args: argparse.Namespace,
    stage: Path,
) -> None:
    """Draws forecasts of a few windows, and the gates in the last of them."""
    from recipes.forecasting import pictures

    values = frame.values.to_numpy(np.float32)
    last = len(values) - args.horizon
    first = max(frame.test, args.lookback)
    starts = np.linspace(min(first, last), last, PICTURED).astype(int)
    seen = np.stack([values[it - args.lookback : it] for it in starts])
    found = model.predict_on_batch(seen)
    forecasts = dict(zip(map(int, starts), found, strict=True))
    pictures.draw_windows(
        frame.values, forecasts, widths, stage / "forecasts.png"
    )
    times = frame.values.index[last - args.lookback : last]
    pictures.draw_gates(model, seen[-1:], times, stage / "gates.png")


def export(
    model: Any, frame: Frame, args: argparse.Namespace, stage: Path
) -> tuple[float, Path]:
    """Writes the model to `stage`: for Keras, LiteRT and TensorFlow Serving.

    Returns:
        The largest difference between the LiteRT file's forecast and
        Keras's, and the folder that the SavedModel will have.
    """
    from keras_gatelstm import export

    model.save(stage / "model.keras")
    example = frame.values.to_numpy(np.float32)[-args.lookback :]
    try:
        litert = export.export_litert(
            model,
            stage / "litert" / "time_series.tflite",
            check_inputs=example[np.newaxis],
            tolerance=LITERT_TOLERANCE,
        )
    except export.ExportError as error:
        raise console.UsageError(f"{error} Nothing was written") from error
    version = export.next_version(args.output / "serving")
    export.export_saved_model(
        model, stage / "serving", version, name="time_series"
    )
    return litert.largest_error, args.output / "serving" / str(version)


def report(
    metrics: dict[str, Any], served: Path, args: argparse.Namespace
) -> None:
    """Prints the errors, the intervals' coverage, and what was written."""
    from recipes.forecasting import evaluation

    intervals = metrics["intervals"]
    print(f"\n{evaluation.table(metrics)}\n")
    print(
        f"intervals: {intervals['covered']:.1%} of the truth is inside, "
        f"{intervals['asked']:.0%} was to be"
    )
    print(f"trained {metrics['training_seconds']:.0f} s; written:")
    names = ["model.keras", "series.json", "metrics.json", "training.png"]
    names += ["forecasts.png", "errors.png", "gates.png"]
    for path in [args.output / name for name in names] + [served]:
        print(f"  {path}")
    print(
        f"  {args.output / 'litert' / 'time_series.tflite'} (differs from "
        f"Keras by {metrics['litert_largest_difference']:.1e})"
    )


if __name__ == "__main__":
    sys.exit(console.run("time_series", main))
