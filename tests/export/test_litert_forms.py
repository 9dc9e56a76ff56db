"""Every model in every form and quantisation: works, or says why not."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import export_litert

BENCHMARKS = Path(__file__).parents[2] / "docs/explanation/benchmarks.md"
# Large enough for the converter to quantise the weights.
STEPS, FEATURES, UNITS = 6, 32, 64
ALLOWED = {None: 1e-5, "float16": 2e-3, "dynamic": 0.05, "int8": 0.08}
MODELS = {
    "lesson": lambda: GateLSTM(UNITS, return_sequences=True),
    "standard": lambda: GateLSTM(
        UNITS, variant="standard", return_sequences=True
    ),
    "keras.layers.LSTM": lambda: keras.layers.LSTM(
        UNITS, return_sequences=True
    ),
}
FORMS = ["fused", "unrolled", "looped", "streaming"]


def measured_table():
    """The benchmarks' cells: (model, form, quantise) -> what is said."""
    lines = BENCHMARKS.read_text("utf-8").splitlines()
    rows = [re.split(r" *\| *", line.strip("| ")) for line in lines]
    (head,) = (row for row in rows if row[:2] == ["model", "form"])
    names = [None if name == "float32" else name for name in head[2:]]
    return {
        (row[0], row[1], name): cell
        for row in rows
        if row[0] in MODELS and len(row) == len(head)
        for name, cell in zip(names, row[2:], strict=True)
    }


TABLE = measured_table()


@pytest.fixture(scope="module")
def events():
    random = np.random.default_rng(1)
    return random.normal(size=(30, STEPS, FEATURES)).astype("float32")


def make_model(name):
    model = keras.Sequential(
        [
            keras.Input((None, FEATURES), name="events"),
            MODELS[name](),
            keras.layers.Dense(3, name="guess"),
        ]
    )
    random = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.2)
    return model


def test_the_table_has_every_cell():
    assert set(TABLE) == {
        (model, form, quantize)
        for model in MODELS
        for form in FORMS
        for quantize in ALLOWED
    }


def cells():
    """The table's cells; quantised ones, of the standard variant in each run.

    Loops, which are slow to convert, of the lesson's.
    """
    for cell in TABLE:
        short = {"looped": "lesson"}.get(cell[1], "standard")
        long = cell[2] and cell[0] != short
        marks = [pytest.mark.thorough] if long else []
        yield pytest.param(*cell, marks=marks, id="-".join(map(str, cell)))


@pytest.mark.parametrize(("name", "form", "quantize"), [*cells()])
def test_it_works_as_the_table_says(name, form, quantize, events, tmp_path):
    model, path = make_model(name), tmp_path / "model.tflite"

    def export():
        export_litert(
            model,
            path,
            form,
            quantize,
            time_steps=STEPS,
            representative_data=events if quantize == "int8" else None,
            carry_state=form == "fused" and quantize == "int8",
        )

    if TABLE[name, form, quantize].startswith("refused"):
        with pytest.raises(ValueError, match=f"cannot be {form}"):
            export()
        assert not path.exists()
        return
    export()
    found = outputs_of(path, events[:1], form)
    expected = np.array(model(events[:1]))
    error = np.abs(found - expected).max() / np.ptp(expected)
    assert error <= ALLOWED[quantize]
    if quantize != "float16" and quantize:
        assert path.stat().st_size < 2e5


def outputs_of(path, events, form):
    """What the plain interpreter makes of it, built-in operators only."""
    interpreter = Interpreter(str(path))
    inputs = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    streams = form == "streaming"
    calls = [events]
    if streams:
        calls = [events[:, step : step + 1] for step in range(STEPS)]
    ways = details_of(interpreter)
    index = ways[0]["events"]["index"]
    interpreter.resize_tensor_input(index, calls[0].shape)
    interpreter.allocate_tensors()
    memories = {
        name: np.zeros(detail["shape"], "float32")
        for name, detail in ways[0].items()
        if name != "events"
    }
    assert len(memories) + 1 == len(inputs)
    found = []
    for call in calls:
        for name, value in {"events": call, **memories}.items():
            detail = ways[0][name]
            interpreter.set_tensor(detail["index"], into(value, detail))
        interpreter.invoke()
        values = {
            name: out_of(interpreter.get_tensor(detail["index"]), detail)
            for name, detail in ways[1].items()
        }
        found.append(values["guess"])
        memories = {name: values[name] for name in memories}
    assert len(outputs) == 1 + len(memories)
    return np.concatenate(found, axis=1)


def details_of(interpreter):
    # The runner holds on to tensors, which must not be when they are resized.
    signature = interpreter.get_signature_runner()
    return signature.get_input_details(), signature.get_output_details()


def into(value, detail):
    scale, zero = detail["quantization"]
    if not scale:
        return value.astype(detail["dtype"])
    return np.clip(np.round(value / scale) + zero, -128, 127).astype("int8")


def out_of(value, detail):
    scale, zero = detail["quantization"]
    return (value.astype("float32") - zero) * scale if scale else value
