"""Files for microcontrollers, run by their interpreter alone."""

import sys

import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import ExportError, LiteRTFile, export_litert
from tests.export.models import array, examples, sequential, some_events

TIME = 5


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.tflite"


@pytest.fixture
def runtime():
    micro = pytest.importorskip("tflite_micro", reason="no tflite-micro")
    return micro.runtime


def run_micro(runtime, path, *calls):
    """The one output of each call, of the file's one input."""
    interpreter = runtime.Interpreter.from_file(str(path))
    [given] = LiteRTFile(path).inputs.values()
    scale, zero = given["quantization"]
    found = []
    for events in calls:
        if scale:
            steps = np.round(events / scale) + zero
            events = np.clip(steps, -128, 127).astype("int8")
        interpreter.set_input(events, 0)
        interpreter.invoke()
        output = interpreter.get_output(0)
        if scale:
            [detail] = LiteRTFile(path).outputs.values()
            scale_out, zero_out = detail["quantization"]
            output = (output.astype("float32") - zero_out) * scale_out
        found.append(np.array(output))
    return found


@pytest.mark.parametrize(
    ("layer", "quantize", "form", "atol"),
    [
        (lambda: layers.LSTM(4), None, "fused", 1e-5),
        (lambda: layers.LSTM(4), "int8", "fused", 0.1),
        (lambda: GateLSTM(4), None, "unrolled", 1e-5),
        (lambda: GateLSTM(4), "int8", "unrolled", 0.1),
        (lambda: layers.GRU(4), None, "unrolled", 1e-5),
    ],
    ids=["keras", "keras int8", "lesson", "lesson int8", "gru"],
)
def test_its_interpreter_gives_what_keras_gives(
    path, runtime, layer, quantize, form, atol
):
    model = sequential(layer(), layers.Dense(2))
    report = export_litert(
        model,
        path,
        quantize=quantize,
        time_steps=TIME,
        representative_data=examples(TIME),
        target="micro",
        carry_state=(form, quantize) == ("fused", "int8"),
    )
    assert (report.form, report.micro) == (form, True)
    assert "microcontrollers" in str(report)
    events = some_events(1, TIME)
    [found] = run_micro(runtime, path, events)
    np.testing.assert_allclose(found, array(model(events)), atol=atol)


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_memories_inside_go_on_from_step_to_step(path, runtime, quantize):
    model = sequential(GateLSTM(4, variant="standard"))
    export_litert(
        model,
        path,
        "streaming",
        quantize,
        representative_data=examples(TIME),
        target="micro",
    )
    events = some_events(1, TIME)
    steps = (np.ascontiguousarray(it) for it in np.split(events, TIME, axis=1))
    *_, found = run_micro(runtime, path, *steps)
    atol = 0.1 if quantize else 1e-5
    np.testing.assert_allclose(found, array(model(events)), atol=atol)


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_memories_that_the_caller_carries(path, runtime, quantize):
    report = export_litert(
        sequential(GateLSTM(4, name="lstm"), layers.Dense(2)),
        path,
        "streaming",
        quantize,
        representative_data=examples(TIME),
        target="micro",
    )
    assert "lstm_long_term_memory" in report.outputs
    assert report.micro


def test_a_file_that_it_cannot_run_is_no_file(path, runtime):
    with pytest.raises(ExportError, match="Microcontrollers does not take it"):
        export_litert(
            sequential(layers.SimpleRNN(4)),
            path,
            "looped",
            time_steps=TIME,
            target="micro",
        )
    assert list(path.parent.iterdir()) == []


def test_where_it_is_not_installed_the_error_says_how(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    model = sequential(layers.LSTM(4))
    with pytest.raises(ImportError, match="pip install tflite-micro"):
        export_litert(model, path, time_steps=TIME, target="micro")
    assert list(path.parent.iterdir()) == []


def test_it_needs_a_number_of_steps(path, runtime):
    with pytest.raises(ValueError, match="time_steps"):
        export_litert(sequential(layers.LSTM(4)), path, target="micro")
