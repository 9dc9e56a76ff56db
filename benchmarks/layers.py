"""Time layers in training and inference, beside their peers.

    python -m benchmarks.layers
    python -m benchmarks.layers --backend torch --csv layers.csv

The inputs are batches of 64 sequences, 100 steps of 64 features; layers have
128, 256 and 512 units. Both directions are `keras.layers.Bidirectional` of 256
units each. Latency is measured with a batch of 1, in turns of ten calls: the
first of a turn finds the caches full of other layers' weights. The first step
and the peak memory are measured in a new process for each layer. The backends
use a GPU if there is one. Figures are medians of interleaved calls. The last
row, the matrix products alone, is a lower bound.
"""

import argparse
import csv
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from benchmarks.fresh import in_a_fresh_process
from benchmarks.timing import machine, medians

BACKENDS = {"tensorflow": "tensorflow-cpu", "jax": "jax", "torch": "torch"}
UNITS = (128, 256, 512)
LENGTHS = (100, 500, 2000)
PHASES = ("train", "infer")
CALLS_ALONE = 10


@dataclass(frozen=True)
class Figure:
    """Measured value of a layer."""

    layer: str
    # train, infer, latency, both_train, both_infer, first_step or peak
    phase: str
    units: int
    steps: int
    value: float  # ms; s for first_step; MB for peak


def main() -> None:
    """Print the tables, and write the CSV file and the picture."""
    arguments = parse()
    # Keras reads the variable once, when it is first imported.
    os.environ["KERAS_BACKEND"] = arguments.backend
    from benchmarks import contenders

    names = [
        name
        for name in contenders.CONTENDERS
        # Only TensorFlow runs differently with jit_compile=True.
        if name != contenders.KERAS_JIT or arguments.backend == "tensorflow"
    ]
    figures = list(speed(names, arguments.rounds))
    print(speed_table(figures, names))
    latencies = list(latency(names, arguments.rounds))
    latencies += both_directions(names, arguments.rounds)
    costs = list(costs_of(names[:-1])) if arguments.costs else []
    print(other_table(latencies + costs, names))
    figures += latencies + costs
    packages = ["keras", "torch"]
    if arguments.backend not in packages:
        packages.append(BACKENDS[arguments.backend])
    measured_on = machine(*packages)
    print(f"Keras on {arguments.backend}; {measured_on}")
    if arguments.csv:
        write_csv(arguments.csv, figures, arguments.backend, measured_on)
    if arguments.picture:
        from benchmarks.picture import draw_ratios

        draw_ratios(arguments.picture, ratios(figures, names), measured_on)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=BACKENDS, default="tensorflow")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument(
        "--no-costs",
        dest="costs",
        action="store_false",
        help="leave out the first step and the memory",
    )
    return parser.parse_args()


def speed(names: list[str], rounds: int) -> Iterable[Figure]:
    """Measure a training step and a forward pass of each layer, ms."""
    from benchmarks.contenders import CONTENDERS, Shape

    for units in UNITS:
        shape = Shape(units)
        programs = {name: CONTENDERS[name](shape) for name in names}
        for phase in PHASES:
            calls = {
                name: getattr(program, phase)
                for name, program in programs.items()
            }
            for name, seconds in medians(calls, rounds).items():
                yield Figure(name, phase, units, shape.steps, seconds * 1e3)


def latency(names: list[str], rounds: int) -> Iterable[Figure]:
    """Measure a forward pass of one sequence, ms."""
    from benchmarks.contenders import CONTENDERS, Shape

    shape = Shape(256, batch=1)
    calls = {name: CONTENDERS[name](shape).infer for name in names}
    for name, seconds in medians(calls, rounds, CALLS_ALONE).items():
        yield Figure(name, "latency", shape.units, shape.steps, seconds * 1e3)


def both_directions(names: list[str], rounds: int) -> Iterable[Figure]:
    """Measure layers that read a sequence in both directions, ms."""
    from benchmarks.contenders import BOTH_DIRECTIONS, CONTENDERS, Shape

    shape = Shape(256, both_directions=True)
    programs = {
        name: CONTENDERS[name](shape)
        for name in names
        if name in BOTH_DIRECTIONS
    }
    for phase in PHASES:
        calls = {name: getattr(it, phase) for name, it in programs.items()}
        for name, seconds in medians(calls, rounds).items():
            milliseconds = seconds * 1e3
            yield Figure(
                name, f"both_{phase}", shape.units, shape.steps, milliseconds
            )


def costs_of(names: list[str]) -> Iterable[Figure]:
    """Measure the seconds of the first training step, and the peak MB."""
    every = [(steps, name) for steps in LENGTHS for name in names]
    for steps, name in tqdm(every, "in processes of their own", leave=False):
        costs = in_a_fresh_process(name, 256, steps)
        yield Figure(name, "peak", 256, steps, costs["peak"])
        if steps == LENGTHS[0]:
            yield Figure(name, "first_step", 256, steps, costs["first_step"])


def value_of(figures: list[Figure], *wanted: object) -> float:
    """Return the figure of a layer, phase, units and steps; NaN if missing."""
    for it in figures:
        if (it.layer, it.phase, it.units, it.steps) == wanted:
            return it.value
    return float("nan")


def ratios(
    figures: list[Figure], names: list[str]
) -> dict[str, tuple[float, float]]:
    """Return speeds relative to `keras.layers.LSTM`, in training and inference.

    They are geometric means over the numbers of units.
    """
    from benchmarks.contenders import KERAS

    def ratio(name: str, phase: str) -> float:
        logarithms = [
            np.log(
                value_of(figures, KERAS, phase, units, 100)
                / value_of(figures, name, phase, units, 100)
            )
            for units in UNITS
        ]
        return float(np.exp(np.mean(logarithms)))

    return {
        name: (ratio(name, "train"), ratio(name, "infer")) for name in names
    }


def speed_table(figures: list[Figure], names: list[str]) -> str:
    """Tabulate every layer at every size, and its speed relative to Keras's."""
    means = ratios(figures, names)
    columns = [(units, phase) for units in UNITS for phase in PHASES]
    rows = [
        [
            name,
            *[
                f"{value_of(figures, name, phase, units, 100):.1f}"
                for units, phase in columns
            ],
            *[f"{mean:.2f}" for mean in means[name]],
        ]
        for name in names
    ]
    headers = ["", *[f"{units} {phase}, ms" for units, phase in columns]]
    headers += ["train, times as fast", "infer, times as fast"]
    return tabulate(rows, headers, "github", disable_numparse=True)


def other_table(figures: list[Figure], names: list[str]) -> str:
    """Tabulate latency, both directions, the first step and memory."""
    columns = {
        "batch 1 infer, ms": ("latency", 256, 100),
        "both directions train, ms": ("both_train", 256, 100),
        "both directions infer, ms": ("both_infer", 256, 100),
        "first step, s": ("first_step", 256, 100),
        **{
            f"memory at {steps} steps, MB": ("peak", 256, steps)
            for steps in LENGTHS
        },
    }
    rows = [
        [
            name,
            *[f"{value_of(figures, name, *it):.1f}" for it in columns.values()],
        ]
        for name in names
    ]
    return tabulate(rows, ["", *columns], "github", disable_numparse=True)


def write_csv(
    path: Path, figures: list[Figure], backend: str, measured_on: str
) -> None:
    """Write every figure to a CSV file, one per line."""
    common = {
        "backend": backend,
        "date": date.today().isoformat(),
        "machine": measured_on,
    }
    with open(path, "w", newline="") as file:
        lines = [{**asdict(figure), **common} for figure in figures]
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)


if __name__ == "__main__":
    main()
