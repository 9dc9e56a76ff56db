"""Streaming files that give every quantity, and in which gates can be held."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateGRU, GateLSTM, GateRNN, record_gates
from keras_gatelstm.export import LiteRTFile, export_litert
from keras_gatelstm.export.__main__ import main
from keras_gatelstm.inspect.interventions import clamp_gates
from tests.export.models import (
    array,
    of_symbols,
    sequential,
    some_events,
    some_symbols,
)

TIME = 5


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.tflite"


def streamed(path, sequences, **held):
    """Every output of every step; gates are held by `layer_quantity`."""
    file = LiteRTFile(path)
    values = {}
    for name, detail in file.inputs.items():
        shape = len(sequences), detail["shape_signature"][-1]
        if name.startswith("hold_"):
            values[name] = np.full(shape, np.nan, "float32")
        elif name in file.outputs:
            values[name] = np.zeros(shape, "float32")
    for name, value in held.items():
        values[f"hold_{name}"][:] = value
    (given,) = set(file.inputs) - set(values)
    steps = []
    for step in np.split(sequences, sequences.shape[1], axis=1):
        outputs = file(**{given: step}, **values)
        values |= {name: outputs[name] for name in values if name in outputs}
        steps.append(outputs)
    return {
        name: np.stack([outputs[name] for outputs in steps], axis=1)
        for name in steps[0]
    }


def check_quantities(found, trace):
    for path, layer in trace.items():
        for quantity, values in layer.items():
            np.testing.assert_allclose(
                found[f"{path}_{quantity}"], values, atol=1e-5
            )


@pytest.mark.parametrize(
    "layer",
    [
        GateLSTM(4, return_sequences=True, name="mine"),
        GateLSTM(
            4,
            variant="standard",
            peephole=True,
            coupled=True,
            return_sequences=True,
            name="mine",
        ),
        GateGRU(4, return_sequences=True, name="mine"),
        GateRNN(4, return_sequences=True, name="mine"),
    ],
    ids=["lesson", "refined", "gru", "rnn"],
)
def test_quantities_are_those_recorded_and_held_as_clamped(layer, path):
    model = sequential(layer, layers.Dense(3, name="guess"))
    report = export_litert(model, path, "streaming", gates=True)
    assert report.largest_error < 1e-5
    assert not any(it.startswith("CUSTOM") for it in report.operators)
    events = some_events(1, TIME)
    found = streamed(path, events)
    trace = record_gates(model, events)
    assert set(found) == {"guess", *(f"mine_{it}" for it in trace["mine"])}
    check_quantities(found, trace)
    np.testing.assert_allclose(
        found["guess"][:, :, 0], array(model(events)), atol=1e-5
    )

    holds = [it for it in trace["mine"] if f"hold_mine_{it}" in report.inputs]
    for quantity in {holds[0], holds[-1]}:
        values = np.array([0.25, np.nan, np.nan, -0.5], "float32")
        found = streamed(path, events, **{f"mine_{quantity}": values})
        with clamp_gates(model, {f"mine/{quantity}": values}):
            check_quantities(found, record_gates(model, events))
            np.testing.assert_allclose(
                found["guess"][:, :, 0], array(model(events)), atol=1e-5
            )
        assert (found[f"mine_{quantity}"][..., 0] == 0.25).all()


def test_layers_and_stacked_cells_are_told_apart(path):
    cells = [layers.LSTMCell(4), layers.SimpleRNNCell(3)]
    model = sequential(
        GateGRU(5, return_sequences=True, name="low"),
        layers.RNN(cells, return_sequences=True, name="high"),
    )
    export_litert(model, path, "streaming", gates=True, batch_size=None)
    events = some_events(2, TIME)
    found = streamed(path, events, high_1_memory=[0.5, np.nan, np.nan])
    names = [cell.name for cell in model.get_layer("high").cell.cells]
    with clamp_gates(model, {f"high/{names[1]}/memory": {0: 0.5}}):
        trace = record_gates(model, events)
    check_quantities(found, {"low": trace["low"]})
    for number, name in enumerate(names):
        check_quantities(found, {f"high_{number}": trace[f"high/{name}"]})


def test_at_a_masked_step_the_memories_stay(path):
    model = of_symbols(GateLSTM(4, return_sequences=True, name="mine"))
    symbols = some_symbols(1, TIME)
    symbols[:, 2] = 0
    export_litert(model, path, "streaming", gates=True)
    found = streamed(path, symbols)
    trace = record_gates(model, symbols)["mine"]
    for memory in ("short_term_memory", "long_term_memory"):
        np.testing.assert_allclose(
            found[f"mine_{memory}"], trace[memory], atol=1e-5
        )


def test_gates_of_a_quantized_file_are_held(path):
    model = sequential(GateLSTM(16, return_sequences=True, name="mine"))
    export_litert(model, path, "streaming", "dynamic", gates=True)
    events = some_events(1, TIME)
    values = np.where(np.arange(16) < 8, 0.25, np.nan).astype("float32")
    found = streamed(path, events, mine_forget_factor=values)
    assert (found["mine_forget_factor"][..., :8] == 0.25).all()
    with clamp_gates(model, {"mine/forget_factor": values}):
        expected = record_gates(model, events)["mine/long_term_memory"]
    error = np.abs(found["mine_long_term_memory"] - expected).max()
    assert error < 0.05 * np.ptp(expected)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"form": "looped"}, 'gates=True needs form="streaming", not \'looped'),
        ({"form": "auto"}, 'gates=True needs form="streaming", not \'auto'),
        (
            {
                "form": "streaming",
                "quantize": "int8",
                "representative_data": some_events(9, TIME),
            },
            "in int8 no gate can be held",
        ),
        (
            {"form": "streaming", "target": "micro"},
            "LiteRT for Microcontrollers has no operator that holds a gate",
        ),
    ],
)
def test_what_has_no_gates_is_refused(options, problem, path):
    model = sequential(GateLSTM(4, return_sequences=True))
    with pytest.raises(ValueError, match=problem):
        export_litert(model, path, gates=True, **options)
    assert not path.exists()


def test_the_command_writes_gates(path, capsys):
    model = sequential(GateRNN(4, return_sequences=True, name="mine"))
    model.save(path.with_suffix(".keras"))
    options = ["--litert", str(path), "--form", "streaming", "--gates"]
    assert main([str(path.with_suffix(".keras")), *options]) == 0
    assert "hold_mine_memory" in capsys.readouterr().out


def test_an_output_with_the_name_of_a_quantity_is_refused(path):
    events = keras.Input((None, 3), name="events")
    memories = GateRNN(4, return_sequences=True, name="a")(events)
    outputs = layers.Dense(2, name="a_memory")(memories)
    with pytest.raises(ValueError, match="both called a_memory"):
        export_litert(
            keras.Model(events, outputs), path, "streaming", gates=True
        )
