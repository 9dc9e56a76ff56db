"""Time the recording of all gates, beside the plain forward pass.

    python -m benchmarks.trace
    python -m benchmarks.trace --backend torch

The inputs are 32 sequences of 200 steps and 64 features; layers have 256 units.
Every quantity of every step is recorded. Figures are medians of interleaved
calls.
"""

import argparse
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from tabulate import tabulate

from benchmarks.timing import machine, medians

if TYPE_CHECKING:
    import keras

BATCH, STEPS, FEATURES, UNITS = 32, 200, 64, 256


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--backend",
        choices=["tensorflow", "jax", "torch"],
        default="tensorflow",
    )
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    # Keras reads the variable once, when it is first imported.
    os.environ["KERAS_BACKEND"] = arguments.backend
    rows = [measured(name, arguments.rounds) for name in layers()]
    heads = ["layer", "called, ms", "predict, ms", "recorded, ms"]
    heads += ["recorded / called", "recorded / predict"]
    print(tabulate(rows, heads, "github", floatfmt=("", *[".1f"] * 3, ".2f")))
    print(f"Keras on {arguments.backend}; {machine('keras', 'numpy')}")


def layers() -> dict[str, Callable[[], "keras.layers.Layer"]]:
    """Return functions that create the layers to record."""
    import keras

    from keras_gatelstm import GateGRU, GateLSTM

    return {
        "GateLSTM, lesson": lambda: GateLSTM(UNITS),
        "GateLSTM, standard": lambda: GateLSTM(UNITS, variant="standard"),
        "GateGRU": lambda: GateGRU(UNITS),
        "keras.layers.LSTM": lambda: keras.layers.LSTM(UNITS),
    }


def measured(name: str, rounds: int) -> list[str | float]:
    """Measure a layer, and return its row of the table."""
    import keras
    import numpy as np

    from keras_gatelstm import record_gates

    model = keras.Sequential([keras.Input((STEPS, FEATURES)), layers()[name]()])
    random = np.random.default_rng(0)
    events = random.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    seconds = medians(
        {
            "called": lambda: keras.ops.convert_to_numpy(model(events)),
            "predict": lambda: model.predict_on_batch(events),
            "recorded": lambda: record_gates(model, events),
        },
        rounds,
    )
    called, predict, recorded = seconds.values()
    times = [1e3 * it for it in (called, predict, recorded)]
    return [name, *times, recorded / called, recorded / predict]


if __name__ == "__main__":
    main()
