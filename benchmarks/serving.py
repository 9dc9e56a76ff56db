"""Compare the speed of a SavedModel with that of Keras in Python.

    python -m benchmarks.serving

A second table compares `serving_default` with that of Keras's own
`model.export`: 100 steps of 64 features, 256 units, batches of 1 and 64.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tabulate import tabulate

from benchmarks.timing import machine, medians
from keras_gatelstm import GateLSTM
from keras_gatelstm.export import export_saved_model

VOCABULARY = ["�", *map(chr, range(32, 96))]
SYMBOLS = len(VOCABULARY)
STEPS = 64
WRITTEN = 400
WRITTEN_BY_KERAS = 20


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for variant in ("standard", "lesson")
            for row in compared(variant, Path(folder) / variant)
        ]
    heads = ["", "SavedModel, ms", "model.predict, ms", "times as fast"]
    print(tabulate(rows, heads, floatfmt=".3g"), "\n")
    print(tabulate(beside_keras(), "keys", floatfmt=".3g"), "\n")
    print(machine("tensorflow-cpu", "keras"))


def compared(variant: str, folder: Path) -> list[list[object]]:
    """Time reading a sequence and generating a character."""
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="characters"),
            keras.layers.Embedding(SYMBOLS, 32),
            GateLSTM(256, variant=variant, return_sequences=True),
            keras.layers.Dense(SYMBOLS, name="logits"),
        ]
    )
    saved = export_saved_model(model, folder, vocabulary=VOCABULARY)
    loaded = tf.saved_model.load(saved.path)
    serve = loaded.signatures["serving_default"]
    generate = loaded.signatures["generate"]
    sequence = np.random.default_rng(0).integers(0, SYMBOLS, (1, STEPS))
    given = tf.constant(sequence, tf.int32)

    def write(length: int) -> None:
        generate(
            text=tf.constant(["A"]),
            length=tf.constant(length),
            temperature=tf.constant(0.8),
            seed=tf.constant(0),
        )

    seconds = medians(
        {
            "serve": lambda: serve(characters=given),
            "predict": lambda: model.predict(sequence, verbose=0),
            "generate": lambda: write(WRITTEN),
            "loop": lambda: write_with_keras(model, WRITTEN_BY_KERAS),
        },
        rounds=15,
    )
    per_character = seconds["generate"] / WRITTEN
    per_character_keras = seconds["loop"] / WRITTEN_BY_KERAS
    return [
        [
            f"{variant}, a sequence of {STEPS}",
            seconds["serve"] * 1e3,
            seconds["predict"] * 1e3,
            seconds["predict"] / seconds["serve"],
        ],
        [
            f"{variant}, a character written",
            per_character * 1e3,
            per_character_keras * 1e3,
            per_character_keras / per_character,
        ],
    ]


def beside_keras() -> list[dict[str, object]]:
    """Time `serving_default` of this library and of `model.export`."""
    layers = {
        "keras.layers.LSTM": partial(keras.layers.LSTM, 256),
        "GateLSTM, standard": partial(GateLSTM, 256, variant="standard"),
        "GateLSTM, lesson": partial(GateLSTM, 256, variant="lesson"),
    }
    served = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, layer in layers.items():
            model = keras.Sequential(
                [
                    keras.Input((None, 64), name="events"),
                    layer(return_sequences=True),
                    keras.layers.Dense(64),
                ]
            )
            saved = export_saved_model(model, Path(folder) / name)
            served[f"{name}, export_saved_model"] = signature_of(saved.path)
            path = Path(folder) / f"{name} by Keras"
            model.export(path, verbose=False)
            served[f"{name}, model.export"] = signature_of(path)
    rows = {name: {"serving_default": name} for name in served}
    random = np.random.default_rng(0)
    for batch, calls in ((1, 10), (64, 1)):
        events = random.normal(size=(batch, 100, 64)).astype("float32")
        given = tf.constant(events)
        seconds = medians(
            {name: partial(call, given) for name, call in served.items()},
            rounds=15,
            calls=calls,
        )
        theirs = seconds["keras.layers.LSTM, model.export"]
        for name, taken in seconds.items():
            rows[name][f"batch {batch}, ms"] = taken * 1e3
            rows[name][f"batch {batch}, times as fast"] = theirs / taken
    return list(rows.values())


def signature_of(path: Path) -> Callable[[tf.Tensor], object]:
    """Return the function from sequences to predictions of a SavedModel."""
    serve = tf.saved_model.load(path).signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]
    return lambda events: serve(**{name: events})


def write_with_keras(model: keras.Model, length: int) -> None:
    """Generate text by rereading its last steps for each character."""
    text = [1]
    random = np.random.default_rng(0)
    for _ in range(length):
        logits = model.predict(np.array([text[-STEPS:]]), verbose=0)[0, -1]
        chances = np.exp((logits - logits.max()) / 0.8)
        text.append(int(random.choice(SYMBOLS, p=chances / chances.sum())))


if __name__ == "__main__":
    main()
