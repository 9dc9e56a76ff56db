"""Measure memory, time and file sizes of the series recipe by columns.

    python -m benchmarks.columns
    python -m benchmarks.columns --columns 7 100

The series are waves of a day with noise, a year of hours, made for this. The
recipe runs in a process of its own, for `--batches` batches: what is measured
does not depend on their number, but for the seconds. The rows are appended to
`benchmarks/results/columns.csv`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from benchmarks.records import add_row
from benchmarks.timing import machine
from recipes.finishing import versions

RESULTS = Path(__file__).with_name("results") / "columns.csv"
ROWS = 8760
LENGTHS = {"lookback": 720, "horizon": 96}
MEGABYTE = 2**20


def main() -> None:
    """Run the recipe for each number of columns, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.columns",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--columns", default=[7, 100, 862], type=int, nargs="+", metavar="N"
    )
    parser.add_argument("--batches", default=20, type=int, metavar="N")
    args = parser.parse_args()
    print(machine("tensorflow-cpu", "keras"))
    rows = []
    # In ascending order: the peak is that of all processes so far.
    for columns in sorted(args.columns):
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(measured(Path(scratch), columns, args.batches))
        add_row(RESULTS, rows[-1])
    shown = [
        {name: row[name] for name in row if name not in versions()}
        for row in rows
    ]
    print(tabulate(shown, "keys"))


def measured(folder: Path, columns: int, batches: int) -> dict[str, Any]:
    """Run the recipe, and return its row."""
    write_series(folder / "series.parquet", columns)
    output = folder / "out"
    command = [sys.executable, "-m", "recipes.time_series"]
    command += [f"--dataset={folder / 'series.parquet'}"]
    command += [f"--output={output}", f"--batches={batches}"]
    command += [f"--{name}={value}" for name, value in LENGTHS.items()]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    metrics = json.loads((output / "metrics.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    litert = output / "litert" / "time_series.tflite"
    return {
        "columns": columns,
        **LENGTHS,
        "peak memory, MiB": round(peak),
        "model.keras, MiB": megabytes(output / "model.keras"),
        "SavedModel, MiB": sum(
            megabytes(path) for path in (output / "serving").rglob("*")
        ),
        "LiteRT, MiB": megabytes(litert),
        "parameters": metrics["parameters"],
        "batches": batches,
        "seconds": round(seconds),
        **versions(),
    }


def write_series(path: Path, columns: int) -> None:
    """Write waves of a day, with noise."""
    times = pd.date_range("2023-01-01", periods=ROWS, freq="h", name="time")
    random = np.random.default_rng(1)
    shifts = random.uniform(0, 24, columns)
    waves = np.sin((np.arange(ROWS)[:, np.newaxis] + shifts) * np.pi / 12)
    noise = random.normal(scale=0.5, size=(ROWS, columns))
    names = [f"column {number}" for number in range(columns)]
    pd.DataFrame(waves + noise, times, names).to_parquet(path)


def megabytes(path: Path) -> float:
    """Return a file's size in MiB; 0 if there is none."""
    return round(path.stat().st_size / MEGABYTE, 2) if path.is_file() else 0


if __name__ == "__main__":
    main()
