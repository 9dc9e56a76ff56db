"""Measure what several workers cost, beside one.

    python -m benchmarks.scale training --text TEXT

Trains a character model by one worker and by two, in turns, each worker with
one thread, and prints the CPU seconds of each worker per batch: these do not
depend on how busy the machine is. The losses must be equal. The rows are
appended to `benchmarks/results/scale.csv`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tabulate import tabulate

from benchmarks.records import add_row
from benchmarks.timing import machine
from recipes.characters import training
from recipes.characters.settings import PRESETS, Settings
from recipes.data.numbers import Numbers, encode, vocabulary_of
from recipes.data.text import Text
from recipes.data.vocabulary import Vocabulary
from recipes.data.windows import Batch
from recipes.training import on_ray
from recipes.training.budget import Clock, History
from recipes.training.strategy import StepResult, Strategy

RESULTS = Path(__file__).with_name("results") / "scale.csv"

UNITS, ROWS, STEPS = 192, 64, 64
BATCHES = 200
# Batches before the clock starts.
WARM = 20
WORKERS = (1, 2)
# CPU seconds of two workers per batch, as a part of one's: their mean, and
# the larger.
ASKED_MEAN, ASKED_EACH = 0.70, 0.76
# Largest difference of a loss.
ASKED_LOSS = 1e-5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__
    )
    parser.add_argument("what", choices=["training"])
    parser.add_argument("--text", type=Path, required=True, metavar="TEXT")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    args = parser.parse_args(arguments)
    print(machine("keras", "jax", "ray"))
    measure_training(args.text, args.rounds)


def measure_training(path: Path, rounds: int) -> None:
    """Train by one and two workers in turns."""
    settings = Settings(
        **PRESETS["quick"]
        | {"units": UNITS, "batch_size": ROWS, "steps": STEPS}
        | {"minutes": None, "epochs": 1}
    )
    with path.open("rb") as file:
        # One batch of an epoch is left out.
        text = Text(file.read((BATCHES + 1) * ROWS * STEPS + 1))
    seconds: dict[int, list[list[float]]] = {count: [] for count in WORKERS}
    losses: dict[int, list[float]] = {}
    walls: dict[int, list[float]] = {count: [] for count in WORKERS}
    for _ in range(rounds):
        for count in WORKERS:
            settings.workers = count
            with tempfile.TemporaryDirectory() as scratch:
                found, history = train(text, settings, Path(scratch))
            seconds[count].append(found)
            losses[count] = history.losses
            walls[count].append(history.seconds / len(history.losses))
    # The worker that works most comes last.
    spent = {it: np.median(np.sort(seconds[it]), axis=0) for it in WORKERS}
    (alone,) = spent[1]
    parts = spent[2] / alone
    difference = np.abs(np.subtract(losses[1], losses[2])).max()
    print(
        tabulate(
            [
                [
                    f"{count} workers",
                    f"{np.median(walls[count]):.4f}",
                    *(f"{it:.4f}" for it in spent[count]),
                ]
                for count in WORKERS
            ],
            ["seconds per batch", "of the clock", "of a CPU", "of the other"],
        )
    )
    print(
        f"each of two, beside one: {parts[0]:.2f} and {parts[1]:.2f} (asked "
        f"{ASKED_EACH}), mean {parts.mean():.2f} (asked {ASKED_MEAN}); losses "
        f"of {len(losses[1])} batches differ by {difference:.1e} (asked "
        f"{ASKED_LOSS:.0e})"
    )
    add_row(
        RESULTS,
        {
            "what": "training",
            "rounds": rounds,
            "one": f"{alone:.4f}",
            "two": " ".join(f"{it:.4f}" for it in spent[2]),
            "clock": " ".join(f"{np.median(walls[it]):.4f}" for it in WORKERS),
            "ratio": f"{parts.mean():.3f}",
            "largest": f"{parts.max():.3f}",
            "difference": f"{difference:.1e}",
        },
    )


def train(
    text: Text, settings: Settings, folder: Path
) -> tuple[list[float], History]:
    """Train, and return the CPU seconds per batch of each worker."""
    vocabulary = vocabulary_of(text)
    parts = [encode(text, vocabulary, folder / "train.numbers")] * 2
    train_process = partial(
        train_and_measure, parts, vocabulary, settings, folder
    )
    _, history = on_ray.train(train_process, settings, folder, threads=1)
    found = [
        float(json.loads((folder / f"{rank}.json").read_text()))
        for rank in range(settings.workers or 1)
    ]
    return found, history


def train_and_measure(
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    settings: Settings,
    folder: Path,
    strategy: Strategy,
) -> tuple[Any, History]:
    """Train, and write this worker's CPU seconds per batch to a file."""
    spent: list[float] = []
    strategy.train_on_batch = record_cpu_time(strategy.train_on_batch, spent)
    result = training.train_process(
        parts, vocabulary, settings, folder, strategy
    )
    mean = (spent[-1] - spent[WARM]) / (len(spent) - 1 - WARM)
    (folder / f"{strategy.rank}.json").write_text(json.dumps(mean))
    return result


def record_cpu_time(
    step: Callable[..., StepResult], spent: list[float]
) -> Callable[..., StepResult]:
    """Return a step that notes the CPU time of this process after it."""

    def note(
        model: keras.Model, batch: Batch, clock: Callable[[], Clock]
    ) -> StepResult:
        result = step(model, batch, clock)
        spent.append(time.process_time())
        return result

    return note


if __name__ == "__main__":
    main()
