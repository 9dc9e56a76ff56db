"""Train the series recipe on ETTh1, and compare with published results.

    python -m benchmarks.series --manual-dir FOLDER
    python -m benchmarks.series --manual-dir FOLDER --horizons 96 --seeds 1 \\
        --cells gru

For each look-back and horizon, the recipe is trained with each cell, and the
cell of the least squared error on validation is chosen for the table; at
horizon 96, all cells are trained with three seeds. The errors are over all
windows of the test part and all seven columns, in standard units. The rows are
appended to `benchmarks/results/series.csv` as they come.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tabulate import tabulate

from benchmarks.records import add_row
from benchmarks.timing import machine
from recipes import time_series
from recipes.data.frames import load
from recipes.finishing import versions
from recipes.forecasting.evaluation import REPORTED
from recipes.forecasting.parts import windows_of
from recipes.forecasting.settings import Settings
from recipes.forecasting.training import train

RESULTS = Path(__file__).with_name("results") / "series.csv"
LOOKBACKS, HORIZONS = (720, 96), (96, 192, 336, 720)
CELLS = ("lesson", "standard", "gru")
# Seeds at horizon 96; elsewhere, the first alone.
SEEDS = (1, 2, 3)

SETTINGS = ("form", "units", "batches", "batch_size", "learning_rate")
SETTINGS += ("dropout", "loss", "level")

Row = dict[str, Any]


def main() -> None:
    """Train all models, and print a table for each look-back and horizon."""
    args = parse()
    print(machine("tensorflow-cpu", "keras"))
    start = time.perf_counter()
    runs = {
        (lookback, horizon): [
            Settings(
                dataset=args.dataset,
                manual_dir=args.manual_dir,
                lookback=lookback,
                horizon=horizon,
                cell=cell,
                seed=seed,
                form=args.form,
            )
            for cell in args.cells
            for seed in seeds_of(horizon, args.seeds)
        ]
        for lookback in args.lookbacks
        for horizon in args.horizons
    }
    # A process for each core, and a thread in each.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.processes, spawn, use_one_thread) as pool:
        futures = {
            key: [pool.submit(trained, settings) for settings in several]
            for key, several in runs.items()
        }
        for of_key in futures.values():
            rows = []
            for future in of_key:
                rows.append(future.result())
                add_row(RESULTS, rows[-1])
            print(table(rows, args.dataset), flush=True)
    print(f"\n{(time.perf_counter() - start) / 60:.0f} minutes")


def seeds_of(horizon: int, seeds: Sequence[int]) -> Sequence[int]:
    """Return the seeds of a horizon: all at the first, else one."""
    return seeds if horizon == min(HORIZONS) else seeds[:1]


def use_one_thread() -> None:
    """Limit TensorFlow to one thread, in a new process."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.series",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    several: Row = {"nargs": "+"}
    whole: Row = {"type": int, "metavar": "N", **several}
    parser.add_argument("--manual-dir", required=True, metavar="FOLDER")
    parser.add_argument("--dataset", default="ett/h1")
    parser.add_argument("--lookbacks", default=LOOKBACKS, **whole)
    parser.add_argument("--horizons", default=HORIZONS, **whole)
    parser.add_argument("--cells", default=CELLS, **several)
    parser.add_argument("--seeds", default=SEEDS, **whole)
    parser.add_argument("--form", default="averaged")
    parser.add_argument(
        "--processes", default=os.cpu_count(), type=int, metavar="N"
    )
    return parser.parse_args()


def trained(settings: Settings) -> Row:
    """Train and evaluate a model, and return its row."""
    keras.utils.clear_session()
    frame = load(settings.dataset, manual_dir=settings.manual_dir)
    start = time.perf_counter()
    settings.complete(frame.season)
    parts = windows_of(frame, settings)
    with tempfile.TemporaryDirectory() as folder:
        forecaster, budget = train(
            parts.train, parts.validation, settings, Path(folder)
        )
    seconds = time.perf_counter() - start
    result = time_series.evaluate(forecaster, budget, frame, parts, settings)
    errors = result.metrics["errors"]
    [ours, *_] = errors.values()
    alone = errors.get(f"{settings.cell} alone", ours)
    return {
        "dataset": settings.dataset,
        "lookback": settings.lookback,
        "horizon": settings.horizon,
        "cell": settings.cell,
        "seed": settings.seed,
        "validation mse": round(forecaster.validation_mse, 4),
        "linear weight": forecaster.linear_weight,
        "mse": round(ours["mse"], 4),
        "mae": round(ours["mae"], 4),
        "recurrent alone mse": round(alone["mse"], 4),
        "linear alone mse": round(errors["linear"]["mse"], 4),
        "seasonal naive mse": round(errors["seasonal naive"]["mse"], 4),
        "covered": round(result.metrics["intervals"]["covered"], 3),
        "seconds": round(seconds),
        "parameters": forecaster.recurrent.count_params(),
        **{name: getattr(settings, name) for name in SETTINGS},
        **versions(),
    }


def table(rows: Sequence[Row], dataset: str) -> str:
    """Tabulate a look-back and horizon: each cell, and what was reported."""
    lookback, horizon = rows[0]["lookback"], rows[0]["horizon"]
    by_cell = {
        cell: [row for row in rows if row["cell"] == cell]
        for cell in dict.fromkeys(row["cell"] for row in rows)
    }
    chosen = min(
        by_cell, key=lambda cell: mean(by_cell[cell], "validation mse")
    )
    lines = [
        [
            f"averaged, {cell}" + " (chosen on validation)" * (cell == chosen),
            mean(of_cell, "validation mse"),
            mean(of_cell, "mse"),
            spread(of_cell),
            mean(of_cell, "recurrent alone mse"),
            mean(of_cell, "linear weight"),
            mean(of_cell, "seconds"),
        ]
        for cell, of_cell in by_cell.items()
    ]
    for name in ("linear alone", "seasonal naive"):
        lines.append([name, None, rows[0][f"{name} mse"]])
    for name, found in REPORTED.get(dataset, {}).items():
        if horizon in found:
            lines.append([f"{name}, reported", None, found[horizon][0]])
    heads = ["MSE", "validation", "test", "±", "recurrent alone", "a", "s"]
    title = f"\n{dataset}, look-back {lookback}, horizon {horizon}\n"
    return title + tabulate(lines, heads, floatfmt=".4g")


def mean(rows: Sequence[Row], name: str) -> float:
    """Return the mean of a column."""
    return float(np.mean([row[name] for row in rows]))


def spread(rows: Sequence[Row]) -> float | None:
    """Return half the range of the test errors of several seeds."""
    errors = [row["mse"] for row in rows]
    return (max(errors) - min(errors)) / 2 if len(rows) > 1 else None


if __name__ == "__main__":
    main()
