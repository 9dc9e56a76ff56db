"""Compare LiteRT files of this library with those of Keras's converter.

    python -m benchmarks.litert

The inputs are sequences of 64 steps of 32 features, with a batch of 1; layers
have 64 units and run on one thread, unless it says two.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tabulate import tabulate

from benchmarks.timing import machine, medians
from keras_gatelstm import GateLSTM
from keras_gatelstm.export import LiteRTFile, Report, export_litert
from recipes.data import text
from recipes.data.numbers import Reading
from recipes.data.vocabulary import Vocabulary

STEPS, FEATURES, UNITS = 64, 32, 64
LONG = 1024
MODELS = {
    "lesson": partial(GateLSTM, UNITS, return_sequences=True),
    "standard": partial(
        GateLSTM, UNITS, variant="standard", return_sequences=True
    ),
    "keras.layers.LSTM": partial(
        keras.layers.LSTM, UNITS, return_sequences=True
    ),
}
FORMS = ("fused", "unrolled", "looped", "streaming")
QUANTIZATIONS = (None, "dynamic", "float16", "int8")

Cell = tuple[str, str, str | None]


def model_of(*layers: keras.layers.Layer) -> keras.Sequential:
    """Return a model with random weights and biases."""
    model = keras.Sequential(
        [keras.Input((None, FEATURES), name="events"), *layers]
    )
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.2)
    return model


def by_keras(model: keras.Sequential, path: Path) -> None:
    """Convert a Keras model with TensorFlow's converter, with a batch of 1."""
    fixed = keras.Sequential(
        [keras.Input((STEPS, FEATURES), batch_size=1), *model.layers]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    # Hides the converter's list of endpoints.
    with contextlib.redirect_stdout(io.StringIO()):
        content = converter.convert()
    path.write_bytes(content)


def invoke(path: Path, steps: int, threads: int = 1) -> Callable[[], object]:
    """Return a function that runs a file on a sequence of so many steps."""
    interpreter = Interpreter(str(path), num_threads=threads)
    for detail in interpreter.get_input_details():
        shape = detail["shape"].copy()
        if len(shape) == 3:
            shape[1] = steps
        interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        numbers = np.random.default_rng(2).normal(size=detail["shape"])
        numbers = numbers.astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], numbers)
    return partial(_invoke, interpreter)


def _invoke(interpreter: Interpreter) -> None:
    interpreter.invoke()


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        whole_sequences(Path(folder))
        long_sequences(Path(folder))
        streams(Path(folder))
        two_threads(Path(folder))
        trained(Path(folder))
    print(machine("tensorflow-cpu", "keras", "ai-edge-litert"))


def whole_sequences(folder: Path) -> None:
    """Time every model in every form, beside Keras's own file."""
    by_keras(model_of(MODELS["keras.layers.LSTM"]()), folder / "keras.tflite")
    examples = np.random.default_rng(3).normal(size=(50, STEPS, FEATURES))
    reports: dict[Cell, Report] = {}
    for name, form in product(MODELS, FORMS):
        if (name, form) == ("lesson", "fused"):
            continue
        model = model_of(MODELS[name]())
        for quantize in QUANTIZATIONS:
            if (form, quantize) == ("looped", "int8"):
                continue
            reports[name, form, quantize] = export_litert(
                model,
                folder / f"{len(reports)}.tflite",
                form,
                quantize,
                time_steps=STEPS,
                representative_data=examples,
                carry_state=(form, quantize) == ("fused", "int8"),
            )
    calls = {
        str(cell): invoke(it.path, 1 if it.form == "streaming" else STEPS)
        for cell, it in reports.items()
    }
    seconds = medians(
        {"keras": invoke(folder / "keras.tflite", STEPS), **calls},
        rounds=30,
        calls=20,
    )

    def describe(cell: Cell) -> str:
        if cell not in reports and cell[1] == "looped":
            return "refused: int8 loses too much in a loop"
        if cell not in reports:
            return "refused: LiteRT's operator has no such LSTM"
        taken, it = seconds[str(cell)], reports[cell]
        times = f" ({taken / seconds['keras']:.2f})"
        if it.form == "streaming":
            times = " a step"
        micro = f"{taken * 1e6:.0f} µs{times}"
        return f"{micro}, {it.bytes:,} B, {it.error_in_range:.0e}"

    heads = ["model", "form", *(it or "float32" for it in QUANTIZATIONS)]
    rows = [
        [name, form, *(describe((name, form, it)) for it in QUANTIZATIONS)]
        for name, form in product(MODELS, FORMS)
    ]
    size = (folder / "keras.tflite").stat().st_size
    print(tabulate(rows, heads, tablefmt="github"))
    print(
        f"(as a part of Keras's own file, a loop of a fixed batch: "
        f"{seconds['keras'] * 1e6:.0f} µs, {size:,} B)\n"
    )


def long_sequences(folder: Path) -> None:
    """Time a step of short and of long sequences, in looped form."""
    rows = []
    for variant in ("standard", "lesson"):
        model = model_of(
            GateLSTM(UNITS, variant=variant, return_sequences=True)
        )
        path = folder / f"{variant}.tflite"
        export_litert(model, path, "looped")
        calls = {str(steps): invoke(path, steps) for steps in (STEPS, LONG)}
        seconds = medians(calls, rounds=30)
        short, long = (
            seconds[str(steps)] / steps * 1e6 for steps in (STEPS, LONG)
        )
        rows.append([variant, short, long, long / short])
    heads = ["looped", f"µs a step of {STEPS}", f"of {LONG}", "ratio"]
    print(tabulate(rows, heads, floatfmt=".2f"), "\n")


def streams(folder: Path) -> None:
    """Time two stacked layers in streaming form."""
    rows = []
    for variant in ("standard", "lesson"):
        model = model_of(
            GateLSTM(UNITS, variant=variant, return_sequences=True),
            GateLSTM(UNITS, variant=variant, return_sequences=True),
        )
        report = export_litert(
            model, folder / f"stream_{variant}.tflite", "streaming"
        )
        file = LiteRTFile(report.path)
        seconds = medians(
            {"step": invoke(report.path, 1)}, rounds=30, calls=100
        )
        memories = "as inputs" if len(file.inputs) > 1 else "inside"
        rows.append(
            [
                f"{variant}, memories {memories}",
                f"{seconds['step'] * 1e6:.1f}",
                f"{report.largest_error:.0e}",
            ]
        )
    heads = ["streaming, two layers", "µs a step", "largest error"]
    print(tabulate(rows, heads, disable_numparse=True), "\n")


def two_threads(folder: Path) -> None:
    """Time layers of 64 and 256 units on one thread and on two."""
    rows = []
    for units, name, form in product(
        (UNITS, 4 * UNITS), ("standard", "lesson"), FORMS[:3]
    ):
        if (name, form) == ("lesson", "fused"):
            continue
        layer = GateLSTM(units, variant=name, return_sequences=True)
        path = folder / f"{units} {name} {form}.tflite"
        # New weights: from random ones as large as those above, 256 units make
        # a difference of another rounding grow.
        model = keras.Sequential([keras.Input((None, FEATURES)), layer])
        export_litert(model, path, form, time_steps=STEPS)
        calls = {str(it): invoke(path, STEPS, it) for it in (1, 2)}
        seconds = medians(calls, rounds=30, calls=10)
        one, two = seconds["1"] * 1e6, seconds["2"] * 1e6
        rows.append([f"{name}, {form}", units, one, two, one / two])
    heads = ["", "units", "one thread, µs", "two, µs", "times as fast"]
    print(tabulate(rows, heads, floatfmt=(".0f", ".0f", ".0f", ".0f", ".2f")))
    print()


def trained(folder: Path) -> None:
    """Measure the errors of int8 in trained models, on unseen text."""
    splits = text.load("stdlib")
    vocabulary = Vocabulary.of(splits.train.pieces())
    numbers = vocabulary.encode(str(splits.train))
    batches = list(Reading(numbers, rows=32, steps=STEPS).batches())
    inputs, targets = map(np.concatenate, zip(*batches, strict=True))
    examples = numbers[: 100 * STEPS].reshape(-1, STEPS)
    unseen = vocabulary.encode(str(splits.validation))[None, :STEPS]
    rows = []
    for variant, form in (
        ("standard", "fused"),
        ("standard", "unrolled"),
        ("lesson", "unrolled"),
    ):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((None,), dtype="int32", name="characters"),
                keras.layers.Embedding(len(vocabulary), 32),
                GateLSTM(UNITS, variant=variant, return_sequences=True),
                keras.layers.Dense(len(vocabulary), name="logits"),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(5e-3), loss)
        model.fit(inputs, targets, batch_size=32, shuffle=False, verbose=0)
        report = export_litert(
            model,
            folder / f"trained_{variant}_{form}.tflite",
            form,
            "int8",
            time_steps=STEPS,
            representative_data=examples,
            check_inputs=unseen,
            carry_state=form == "fused",
        )
        title = f"{variant}, {form}, int8"
        rows.append([title, report.largest_error, report.error_in_range])
    heads = ["trained on text", "largest error", "of the outputs' range"]
    print(tabulate(rows, heads, floatfmt=".3f"), "\n")


if __name__ == "__main__":
    main()
