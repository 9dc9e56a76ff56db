"""Evaluate the series recipe on ETTh1, beside published results.

    python -m benchmarks.series --manual-dir FOLDER
    python -m benchmarks.series --manual-dir FOLDER --horizons 96 --seeds 1 2 3
    python -m benchmarks.series --manual-dir FOLDER --horizons 96 \\
        --lookbacks 96 --form plain --cell gru

The errors are over all windows of the test part and all seven columns, in
standard units. The rows are appended to `benchmarks/results/series.csv`.
"""

import argparse
import csv
import datetime
import json
import tempfile
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks.timing import machine
from recipes import time_series
from recipes.training import versions

RESULTS = Path(__file__).with_name("results") / "series.csv"

# Target errors: SegRNN's mean squared error, by look-back and horizon.
ASKED = {
    720: {96: 0.351, 192: 0.392, 336: 0.423, 720: 0.466},
    96: {96: 0.368, 192: 0.408, 336: 0.444, 720: 0.446},
}


SETTINGS = ("form", "cell", "units", "batches", "batch_size")
SETTINGS += ("learning_rate", "dropout")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.series", description=__doc__
    )
    whole = {"type": int, "nargs": "+", "metavar": "N"}
    parser.add_argument("--manual-dir", required=True, metavar="FOLDER")
    parser.add_argument("--horizons", default=list(ASKED[96]), **whole)
    parser.add_argument("--lookbacks", default=list(ASKED), **whole)
    parser.add_argument("--seeds", default=[1], **whole)
    parser.add_argument("--cell", default="lesson")
    parser.add_argument("--form", default="segments")
    parser.add_argument("--preset", default="quick")
    args = parser.parse_args()
    print(machine("tensorflow-cpu", "keras"))
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for horizon in args.horizons:
            for lookback in args.lookbacks:
                for seed in args.seeds:
                    row = trained(Path(scratch), args, horizon, lookback, seed)
                    keep(row)
                    rows.append(row)
    print(tabulate(rows, "keys"))


def trained(
    folder: Path,
    args: argparse.Namespace,
    horizon: int,
    lookback: int,
    seed: int,
) -> dict[str, Any]:
    """Train a model, and return its row of the table."""
    output = folder / f"{horizon}-{lookback}-{seed}"
    time_series.main(
        [
            "--dataset=ett/h1",
            f"--manual-dir={args.manual_dir}",
            f"--data-dir={folder / 'data'}",
            f"--preset={args.preset}",
            f"--cell={args.cell}",
            f"--form={args.form}",
            f"--horizon={horizon}",
            f"--lookback={lookback}",
            f"--seed={seed}",
            f"--output={output}",
        ]
    )
    metrics = json.loads((output / "metrics.json").read_text())
    settings, errors = metrics["settings"], metrics["errors"]
    [ours, *_] = errors.values()
    return {
        "horizon": horizon,
        "lookback": lookback,
        "seed": seed,
        "mse": round(ours["mse"], 4),
        "asked": ASKED.get(lookback, {}).get(horizon),
        "mae": round(ours["mae"], 4),
        "linear mse": round(errors["linear"]["mse"], 4),
        "seasonal naive mse": round(errors["seasonal naive"]["mse"], 4),
        "covered": round(metrics["intervals"]["covered"], 3),
        "seconds": round(metrics["training_seconds"]),
        "parameters": metrics["parameters"],
        **{name: settings[name] for name in SETTINGS},
    }


def keep(row: dict[str, Any]) -> None:
    """Append a row to the results file."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    row = {"date": today, **row, **versions()}
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
