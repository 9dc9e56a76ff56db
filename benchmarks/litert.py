"""LiteRT files of this library beside those that Keras makes by itself.

    python -m benchmarks.litert

Sequences of 64 steps of 32 features, 64 units, batch 1, one thread.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tabulate import tabulate

from benchmarks.timing import machine, medians
from keras_gatelstm import GateLSTM
from keras_gatelstm.export import LiteRTFile, Report, export_litert

STEPS, FEATURES, UNITS = 64, 32, 64
LONG = 1024


def model_of(*layers: keras.layers.Layer) -> keras.Sequential:
    """A model whose weights are random, biases too."""
    model = keras.Sequential(
        [keras.Input((None, FEATURES), name="events"), *layers]
    )
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.2)
    return model


def by_keras(model: keras.Sequential, path: Path) -> None:
    """What TensorFlow's converter makes of a Keras model, batch 1."""
    fixed = keras.Sequential(
        [keras.Input((STEPS, FEATURES), batch_size=1), *model.layers]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    # It tells of every endpoint that it saves on the way.
    with contextlib.redirect_stdout(io.StringIO()):
        content = converter.convert()
    path.write_bytes(content)


def invoke(path: Path, steps: int) -> Callable[[], object]:
    """A call of a file, on a sequence of so many steps."""
    interpreter = Interpreter(str(path), num_threads=1)
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


def _invoke(interpreter: Any) -> None:
    interpreter.invoke()


def main() -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as folder:
        whole_sequences(Path(folder))
        long_sequences(Path(folder))
        streams(Path(folder))
    print(machine("tensorflow-cpu", "keras", "ai-edge-litert"))


def whole_sequences(folder: Path) -> None:
    """Every form and model, beside Keras's own file."""
    models = {
        "keras.layers.LSTM": keras.layers.LSTM(UNITS, return_sequences=True),
        "standard": GateLSTM(UNITS, "standard", return_sequences=True),
        "lesson": GateLSTM(UNITS, return_sequences=True),
    }
    examples = np.random.default_rng(3).normal(size=(50, STEPS, FEATURES))
    by_keras(model_of(models["keras.layers.LSTM"]), folder / "keras.tflite")
    reports: dict[str, Report] = {}
    for name, layer in models.items():
        model = model_of(layer)
        for form in ("fused", "unrolled", "looped"):
            if (name, form) == ("lesson", "fused"):
                continue
            for quantize in (None, "dynamic", "float16", "int8"):
                title = f"{name}, {form}, {quantize or 'float32'}"
                reports[title] = export_litert(
                    model,
                    folder / f"{len(reports)}.tflite",
                    form,
                    quantize,
                    time_steps=STEPS,
                    representative_data=examples,
                )
    calls = {"keras": invoke(folder / "keras.tflite", STEPS)}
    calls |= {name: invoke(it.path, STEPS) for name, it in reports.items()}
    seconds = medians(calls, rounds=30, calls=20)
    rows = [
        [
            "Keras's own file, a loop",
            seconds["keras"] * 1e6,
            1.0,
            (folder / "keras.tflite").stat().st_size,
        ]
    ]
    rows += [
        [
            name,
            seconds[name] * 1e6,
            seconds[name] / seconds["keras"],
            it.bytes,
            f"{it.error_in_range:.0e}",
        ]
        for name, it in reports.items()
    ]
    heads = ["file", "µs a call", "of Keras's", "bytes", "error of range"]
    print(tabulate(rows, heads, floatfmt=("", ".0f", ".2f", ",", "")), "\n")


def long_sequences(folder: Path) -> None:
    """What a step costs of a short and of a long sequence, looped."""
    rows = []
    for variant in ("standard", "lesson"):
        model = model_of(GateLSTM(UNITS, variant, return_sequences=True))
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
    """Two layers, one event a call."""
    rows = []
    for variant in ("standard", "lesson"):
        model = model_of(
            GateLSTM(UNITS, variant, return_sequences=True),
            GateLSTM(UNITS, variant, return_sequences=True),
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
                seconds["step"] * 1e6,
                f"{report.largest_error:.0e}",
            ]
        )
    heads = ["streaming, two layers", "µs a step", "largest error"]
    print(tabulate(rows, heads, floatfmt=".1f"), "\n")


if __name__ == "__main__":
    main()
