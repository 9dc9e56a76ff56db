"""Measure what several workers cost, beside one.

    python -m benchmarks.scale training --text TEXT
    python -m benchmarks.scale scoring --text TEXT
    python -m benchmarks.scale kills --text TEXT
    python -m benchmarks.scale costs --text TEXT

`training` trains a character model by one worker and by two, in turns, each
worker with one thread, and prints the CPU seconds of each worker per batch:
these do not depend on how busy the machine is. The losses must be equal.

`scoring` scores a text by one worker and by two, in turns, each with one
thread, and prints the bytes per second once all have started. The scores
must be the same to the last bit. `kills` scores it by two workers, of which one
is killed with -9 every now and then, and once the program, which then goes on
with `--resume`; it counts the chunks. `costs` prints what grows with the data
or the workers: reading, and an all-reduce of the gradients of two workers on
this machine.

The rows are appended to `benchmarks/results/scale.csv`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils
from tabulate import tabulate

from benchmarks.scale_results import UNITS, WORKERS, write_row
from benchmarks.scale_scoring import (
    measure_kills,
    measure_scoring,
    scoring_task,
)
from benchmarks.timing import machine
from recipes.characters import models, training
from recipes.characters.settings import PRESETS, Settings
from recipes.data.numbers import Numbers, encode, vocabulary_of
from recipes.data.text import Text
from recipes.data.vocabulary import Vocabulary
from recipes.data.windows import Batch
from recipes.training import on_ray
from recipes.training.budget import Clock, History
from recipes.training.data_parallel import ROWS as ROWS_AXIS
from recipes.training.data_parallel import DataParallel
from recipes.training.strategy import StepResult, Strategy

ROWS, STEPS = 64, 64
BATCHES = 200
# All-reduces that are timed.
REDUCTIONS = 200
# Batches, or all-reduces, before the clock starts.
WARM = 20
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
    kinds = {
        "training": measure_training,
        "scoring": measure_scoring,
        "kills": measure_kills,
        "costs": measure_costs,
    }
    parser.add_argument("what", choices=kinds)
    parser.add_argument("--text", type=Path, required=True, metavar="TEXT")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    args = parser.parse_args(arguments)
    print(machine("keras", "jax", "ray"))
    kinds[args.what](args.text, args.rounds)


def measure_training(path: Path, rounds: int) -> None:
    """Train by one and two workers in turns."""
    with path.open("rb") as file:
        # One batch of an epoch is left out.
        text = Text(file.read((BATCHES + 1) * ROWS * STEPS + 1))
    seconds: dict[int, list[list[float]]] = {count: [] for count in WORKERS}
    losses: dict[int, list[float]] = {}
    walls: dict[int, list[float]] = {count: [] for count in WORKERS}
    for _ in range(rounds):
        for count in WORKERS:
            settings = training_settings(count)
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
    write_row(
        "training",
        rounds,
        one=f"{alone:.4f}",
        two=" ".join(f"{it:.4f}" for it in spent[2]),
        clock=" ".join(f"{np.median(walls[it]):.4f}" for it in WORKERS),
        ratio=f"{parts.mean():.3f}",
        largest=f"{parts.max():.3f}",
        difference=f"{difference:.1e}",
    )


def measure_costs(path: Path, rounds: int) -> None:
    """Time reading, and an all-reduce of two workers."""
    text = Text(path)
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        task = scoring_task(path, folder / "model")
        vocabulary = task.vocabulary

        def read_windows() -> None:
            for part in task.parts():
                for _ in task.corpus.windows(part):
                    pass

        steps: dict[str, Callable[[], object]] = {
            "count characters": lambda: vocabulary_of(text),
            "encode": lambda: encode(text, vocabulary, folder / "numbers"),
            "read windows to score": read_windows,
        }
        for _ in range(rounds):
            for name, step in steps.items():
                start = time.perf_counter()
                step()
                spent = time.perf_counter() - start
                seconds.setdefault(name, []).append(spent)
        reduced = time_all_reduce(text, folder)
    for name, found in seconds.items():
        rate = text.bytes / np.median(found)
        print(f"{name}: {rate / 1e6:.0f} MB a second")
        write_row(name, rounds, f"{rate:.0f}")
    name = f"all-reduce of {reduced.bytes / 1e6:.2f} MB"
    print(f"{name}: {1e3 * reduced.seconds:.2f} ms")
    write_row(name, REDUCTIONS, f"{reduced.seconds:.5f}")


class Reduction(NamedTuple):
    """All-reduce of two workers.

    Args:
        bytes: Size of the gradients.
        seconds: Median time.
    """

    bytes: int
    seconds: float


def time_all_reduce(text: Text, folder: Path) -> Reduction:
    """Time an all-reduce of the gradients of the model that is trained."""
    settings = training_settings(2)
    vocabulary = vocabulary_of(text)
    few = Text(str(text)[: 4 * ROWS * STEPS].encode())
    parts = [encode(few, vocabulary, folder / "train.numbers")] * 2
    train_process = partial(
        reduce_and_train, parts, vocabulary, settings, folder
    )
    on_ray.train(train_process, settings, folder, threads=1)
    return Reduction(*json.loads((folder / "reduction.json").read_text()))


def reduce_and_train(
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    settings: Settings,
    folder: Path,
    strategy: DataParallel,
) -> tuple[Any, History]:
    """Time all-reduces, write it to a file, and train a little."""
    model = models.build(len(vocabulary), settings)
    size = model.count_params()
    reduce = jax.jit(
        jax.shard_map(
            lambda values: jax.lax.pmean(values, ROWS_AXIS),
            mesh=strategy.mesh,
            in_specs=jax.sharding.PartitionSpec(ROWS_AXIS),
            out_specs=jax.sharding.PartitionSpec(),
        )
    )
    own = np.ones((1, size), np.float32)
    values = multihost_utils.host_local_array_to_global_array(
        own, strategy.mesh, jax.sharding.PartitionSpec(ROWS_AXIS)
    )
    spent = []
    for _ in range(REDUCTIONS):
        start = time.perf_counter()
        jax.block_until_ready(reduce(values))
        spent.append(time.perf_counter() - start)
    if strategy.rank == 0:
        found = [own.nbytes, float(np.median(spent[WARM:]))]
        (folder / "reduction.json").write_text(json.dumps(found))
    return training.train_process(parts, vocabulary, settings, folder, strategy)


def training_settings(workers: int) -> Settings:
    """Return the settings of the measured trainings."""
    return Settings(
        **PRESETS["quick"]
        | {"units": UNITS, "batch_size": ROWS, "steps": STEPS}
        | {"minutes": None, "epochs": 1, "workers": workers}
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
