"""Compare three ways of clipping gradients on the adding problem.

    python -m benchmarks.adding

trains Keras's LSTM and both variants of GateLSTM on sums of two marked numbers
out of a hundred (Hochreiter and Schmidhuber 1997): with each variable's
gradient clipped separately, clipped by the global norm, and not clipped. Writes
each seed's error to benchmarks/results/adding.csv.
"""

import argparse
import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import keras
import numpy as np
from tabulate import tabulate

from benchmarks.timing import machine
from keras_gatelstm import GateLSTM
from recipes.comparing.problems import adding

RESULTS = Path(__file__).parent / "results" / "adding.csv"
STEPS, UNITS, ROWS = 100, 48, 64
LEARNING_RATE, CLIP = 5e-3, 1.0
LAYERS = {
    "keras.layers.LSTM": keras.layers.LSTM,
    "standard": partial(GateLSTM, variant="standard"),
    "lesson": GateLSTM,
}
CLIPPING = {
    "clipnorm": {"clipnorm": CLIP},
    "global_clipnorm": {"global_clipnorm": CLIP},
    "none": {},
}


def batches(count: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield training batches of the adding problem."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield adding(ROWS, STEPS, random)


def error(layer: str, clipping: str, count: int, seed: int) -> float:
    """Train a layer, and return its test error; chance is 0.167."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((STEPS, 2)),
            LAYERS[layer](UNITS),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.Adam(LEARNING_RATE, **CLIPPING[clipping])
    model.compile(optimizer, "mse")
    for inputs, targets in batches(count, seed):
        model.train_on_batch(inputs, targets)
    inputs, targets = adding(1000, STEPS, np.random.default_rng(2**32))
    return float(model.evaluate(inputs, targets, verbose=0))


def main() -> None:
    """Train all layers, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=1200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args = parser.parse_args()
    print(machine("tensorflow-cpu", "keras"))
    rows = []
    with RESULTS.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["layer", "clipping", "batches", "seed", "error"])
        for layer in LAYERS:
            for clipping in CLIPPING:
                found = []
                for seed in args.seeds:
                    one = error(layer, clipping, args.batches, seed)
                    found.append(f"{one:.4f}")
                    writer.writerow(
                        [layer, clipping, args.batches, seed, found[-1]]
                    )
                    file.flush()
                rows.append([layer, clipping, *found])
    heads = ["layer", "clipping", *(f"seed {it}" for it in args.seeds)]
    print(tabulate(rows, heads, disable_numparse=True))


if __name__ == "__main__":
    main()
