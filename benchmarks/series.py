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
import csv
import datetime
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tabulate import tabulate

from benchmarks.timing import machine
from recipes import time_series
from recipes.data.frames import Frame, load
from recipes.forecasting.evaluation import REPORTED
from recipes.forecasting.settings import Settings
from recipes.forecasting.training import train
from recipes.training import versions

RESULTS = Path(__file__).with_name("results") / "series.csv"
LOOKBACKS, HORIZONS = (720, 96), (96, 192, 336, 720)
CELLS = ("lesson", "standard", "gru")
# Seeds at horizon 96; elsewhere, the first alone.
SEEDS = (1, 2, 3)

SETTINGS = ("form", "units", "batches", "batch_size", "learning_rate")
SETTINGS += ("dropout", "loss", "level")

Row = dict[str, Any]


def main() -> None:
    """Train all models, and print the table."""
    args = parse()
    print(machine("tensorflow-cpu", "keras"))
    frame = load(args.dataset, manual_dir=args.manual_dir)
    for lookback in args.lookbacks:
        for horizon in args.horizons:
            seeds = args.seeds if horizon == min(HORIZONS) else args.seeds[:1]
            rows = []
            for cell in args.cells:
                for seed in seeds:
                    settings = Settings(
                        dataset=args.dataset,
                        lookback=lookback,
                        horizon=horizon,
                        cell=cell,
                        seed=seed,
                        form=args.form,
                    )
                    rows.append(trained(frame, settings))
                    keep(rows[-1])
                    keras.utils.clear_session()
            print(table(rows, args.dataset), flush=True)


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
    return parser.parse_args()


def trained(frame: Frame, settings: Settings) -> Row:
    """Train and evaluate a model, and return its row."""
    start = time.perf_counter()
    settings.complete(frame.season)
    parts = time_series.windows_of(frame, settings)
    columns = len(frame.values.columns)
    with tempfile.TemporaryDirectory() as folder:
        forecaster, budget = train(
            parts.train, parts.validation, columns, settings, Path(folder)
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
    }


def keep(row: Row) -> None:
    """Append a row to the results file."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    row = {"date": today, **row, **versions()}
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


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
