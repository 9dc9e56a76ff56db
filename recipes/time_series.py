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
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recipes import console, options, output_folder
from recipes.data.frames import Frame, load
from recipes.data.scaling import Scaling
from recipes.data.windows import Windows
from recipes.forecasting import settings

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
# Of what is smaller, the inverse is no number in float32.
SMALLEST = 1e-36
COVERAGE = 0.9
PICTURED = 3


class Parts(NamedTuple):
    """A series in standard units, in windows to train, validate and test on.

    Args:
        scaling: From its own units, by the part to train on.
    """

    train: Windows
    validation: Windows
    test: Windows
    scaling: Scaling


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, evaluates, draws and exports, as the arguments say."""
    args = settings.parse(arguments, __doc__)
    output_folder.refuse_replacing(
        Path(args.dataset),
        args.output,
        [*WRITTEN, output_folder.UNFINISHED],
    )
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
    with output_folder.held(args.output, args.resume) as folder:
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
    values = frame.values
    data = [
        "\n".join(values.columns).encode("utf-8", "surrogatepass"),
        values.index.asi8.tobytes(),
        values.to_numpy().tobytes(),
    ]
    options.check_same_data(args, data, args.dataset)


def windows_of(frame: Frame, args: argparse.Namespace) -> Parts:
    """Cuts a series into windows, scaled by the part to train on.

    Raises:
        UsageError: if a part is too short for a window.
    """
    values = frame.values.to_numpy()
    scaling = Scaling.of(values[: frame.validation])
    if (scaling.deviation < SMALLEST).any():
        column = frame.values.columns[int(scaling.deviation.argmin())]
        raise console.UsageError(
            f"{args.dataset}: column {column} varies by less than "
            f"{SMALLEST:g}, too little for float32: write it in smaller units"
        )
    with np.errstate(over="ignore"):
        scaled = scaling.standard(values)
    if not np.isfinite(scaled).all():
        row, place = np.argwhere(~np.isfinite(scaled))[0]
        raise console.UsageError(
            f"{args.dataset}: {values[row, place]:g} at "
            f"{frame.values.index[row]}, column {frame.values.columns[place]}, "
            "is too far from the part to train on for float32"
        )
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
    return Parts(train, validation, test, scaling)


def finish(
    model: Any,
    budget: Any,
    frame: Frame,
    parts: Parts,
    args: argparse.Namespace,
) -> None:
    """Evaluates the model, draws, exports, and reports."""
    from keras_gatelstm.core.files import move_into, stage_in
    from keras_gatelstm.export import next_version
    from recipes import training
    from recipes.forecasting import (
        baselines,
        evaluation,
        exporting,
        pictures,
    )

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
    errors, by_step = evaluation.errors(
        forecasts, parts.test, parts.scaling.deviation
    )
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
    metrics["loses_to"] = evaluation.loses_to(errors)
    widths = widths * parts.scaling.deviation
    print("exporting")
    last = len(frame.values) - args.horizon
    first = min(max(frame.test, args.lookback), last)
    windows = exporting.tried(
        model,
        frame.values,
        np.linspace(first, last, PICTURED).astype(int),
        args.lookback,
        parts.scaling,
    )
    version = next_version(args.output / "serving")
    with stage_in(args.output) as stage:
        budget.plot(stage / "training.png", "mean absolute error")
        pictures.draw_errors(by_step, stage / "errors.png")
        pictures.draw_windows(
            frame.values,
            dict(zip(windows.starts, windows.forecasts, strict=True)),
            widths,
            stage / "forecasts.png",
        )
        pictures.draw_gates(
            model,
            windows.standard[-1:],
            frame.values.index[last - args.lookback : last],
            stage / "gates.png",
        )
        exported = exporting.export(
            model, frame.values, windows, parts.scaling, stage, version
        )
        metrics["exports_differ_by"] = exported.differences
        (stage / "series.json").write_text(
            json.dumps(description(frame, widths, args), indent=2)
        )
        (stage / "metrics.json").write_text(json.dumps(metrics, indent=2))
        move_into(stage, args.output)
        if exported.refused:
            # Of a training before, it would be taken for this one's.
            (args.output / exporting.LITERT).unlink(missing_ok=True)
    report(metrics, exported.refused, args.output)


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


def report(metrics: dict[str, Any], refused: str, output: Path) -> None:
    """Prints the errors, the intervals' coverage, and what was written."""
    from recipes.forecasting import evaluation

    intervals = metrics["intervals"]
    print(f"\n{evaluation.table(metrics)}\n")
    print(
        f"intervals: {intervals['covered']:.1%} of the truth is inside, "
        f"{intervals['asked']:.0%} was to be"
    )
    print(f"trained {metrics['training_seconds']:.0f} s; written:")
    differ = metrics["exports_differ_by"]
    for name in dict.fromkeys([*WRITTEN, *differ]):
        if name in differ:
            print(
                f"  {output / name} (differs from what was evaluated by "
                f"{differ[name]:.1e} standard deviations)"
            )
        elif (output / name).exists():
            print(f"  {output / name}")
    if refused:
        print(f"no file for LiteRT: {refused}")
        print("in Keras, call the model: model.predict rounds to float32")
    if metrics["loses_to"]:
        better = ", ".join(
            f"{name} ({', '.join(errors).upper()})"
            for name, errors in metrics["loses_to"].items()
        )
        print(f"this model is worse than a forecast without it: {better}")


if __name__ == "__main__":
    sys.exit(console.run("time_series", main))
