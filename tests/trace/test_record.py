"""What is recorded is what the layers do."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_gatelstm import GateLSTM, GateTrace, convert, record_gates
from keras_gatelstm.core.loops import override_time_loop
from keras_gatelstm.inspect.recorder import forget_compiled
from keras_gatelstm.inspect.recording import recording
from tests.backends import array
from tests.families import (
    LSTM,
    TIME,
    UNITS,
    families,
    randomize,
    some_events,
)
from tests.trace.told import (
    EXACT,
    assert_recombines,
    memory_of,
    predicted,
    sequence,
)


@families
def test_the_memory_recorded_is_the_output_of_ours_and_of_keras(family, events):
    pair = family.pair(events, return_sequences=True)
    traces = [record_gates(layer, events) for layer in pair]
    for layer, trace in zip(pair, traces, strict=True):
        np.testing.assert_allclose(
            memory_of(trace), predicted(layer, events), atol=EXACT
        )
        assert_recombines(trace.only_layer())
    ours, theirs = (trace.only_layer() for trace in traces)
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], atol=1e-5)


def test_lesson_recombines_and_reads_what_was_kept(events):
    layer = GateLSTM(UNITS)
    trace = record_gates(layer, events)
    assert_recombines(trace.only_layer())
    dense = layer.cell.use_gate.useful_memory
    np.testing.assert_allclose(
        trace["useful_memory"], array(dense(trace["kept"])), atol=1e-6
    )


@pytest.mark.parametrize(
    "dropout", [{"dropout": 0.4}, {"recurrent_dropout": 0.4}]
)
@families
def test_dropout_is_that_of_the_layer(family, events, dropout):
    for layer in family.pair(events, seed=3, **dropout):
        trace = record_gates(layer, events, training=True)
        assert_recombines(trace.only_layer())
        plain = record_gates(layer, events)
        assert not np.allclose(memory_of(trace), memory_of(plain))
        # And the recording draws nothing that the layer would have drawn.
        again = record_gates(layer, events, training=True)
        np.testing.assert_array_equal(memory_of(trace), memory_of(again))


@pytest.mark.parametrize(
    ("unroll", "go_backwards"),
    [
        (False, False),
        pytest.param(False, True, marks=pytest.mark.thorough),
        pytest.param(True, False, marks=pytest.mark.thorough),
        (True, True),
    ],
)
@pytest.mark.parametrize("make", [GateLSTM, layers.LSTM])
def test_zeros_for_masked_steps_are_the_outputs_alone(
    events, make, go_backwards, unroll
):
    if keras.backend.backend() == "torch" and go_backwards and unroll:
        pytest.skip("Keras itself fails there")
    events[1, 3:] = 0
    events[2, 2] = 0
    options = {"return_sequences": True, "go_backwards": go_backwards}
    first = make(UNITS, unroll=unroll, **options)
    parts = [layers.Masking(), first, layers.Dense(2)]
    model = sequence(*parts)
    repeating = record_gates(model, events).only_layer()
    first.zero_output_for_mask = True
    outputs = array(model(events))
    forget_compiled(model)
    told = record_gates(model, events).only_layer()
    for name, value in told.items():
        np.testing.assert_allclose(value, repeating[name], atol=1e-6)
    # And what comes after the layer is given its zeros.
    with override_time_loop(model, recording(lambda *_: None)):
        np.testing.assert_allclose(array(model(events)), outputs, atol=1e-6)


@pytest.mark.parametrize("tokens", [None, "abcdef"])
def test_a_call_that_failed_changes_nothing(events, tokens):
    model = sequence(layers.LSTM(UNITS))
    before = record_gates(model, events, tokens=tokens)
    with pytest.raises(ValueError, match="shape"):
        record_gates(model, events[0])
    after = record_gates(model, events, tokens=tokens)
    assert list(after.only_layer()) == list(before.only_layer())


def test_masked_steps_are_marked_and_repeat_the_step_before(events):
    events[1, 3:] = 0
    events[2, 2] = 0
    layer = GateLSTM(UNITS, variant="standard", return_sequences=True)
    model = sequence(layers.Masking(), layer)
    trace = record_gates(model, events)
    told = trace.only_layer()
    np.testing.assert_array_equal(told.mask, events.any(axis=-1))
    np.testing.assert_allclose(
        memory_of(trace), model.predict_on_batch(events), atol=EXACT
    )
    for value in told.values():
        np.testing.assert_array_equal(value[1, 3:], value[1, [2, 2, 2]])
        np.testing.assert_array_equal(value[2, 2], value[2, 1])
    assert len(told.unmasked("kept")) == told.mask.sum()
    alone = record_gates(layer, events, mask=events.any(axis=-1))
    np.testing.assert_array_equal(alone["kept"], trace["kept"])


class LosesMasks(layers.Layer):
    supports_masking = True

    def call(self, inputs):
        return inputs + 0

    def compute_mask(self, inputs, mask=None):
        return None


def test_a_mask_that_reaches_no_layer_is_refused(events):
    model = sequence(LosesMasks(), GateLSTM(2))
    model.supports_masking = True
    with pytest.raises(ValueError, match="mask reaches no recurrent layer"):
        record_gates(model, events, mask=np.ones((4, TIME), bool))


def test_stateful_layers_keep_the_memories_they_had(events):
    model = keras.Sequential(
        [
            keras.Input(batch_shape=events.shape),
            GateLSTM(UNITS, stateful=True, return_sequences=True),
            layers.LSTM(2, stateful=True),
        ]
    )
    model(events)
    before = [array(it) for layer in model.layers for it in layer.states]
    traces = [record_gates(model, events) for _ in range(2)]
    after = [array(it) for layer in model.layers for it in layer.states]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(
        *(trace["gate_lstm/kept"] for trace in named(traces))
    )
    np.testing.assert_allclose(
        traces[0][list(traces[0])[-1]]["short_term_memory"][:, -1],
        model.predict_on_batch(events),
        atol=EXACT,
    )


def named(traces):
    """The traces with their first layer called as it would be alone."""
    return [
        GateTrace({"gate_lstm": trace[next(iter(trace))]}) for trace in traces
    ]


def test_it_starts_with_the_memories_it_is_given(events):
    memories = LSTM.some_memories()
    ours, theirs = LSTM.pair(events, return_sequences=True)
    for layer in (ours, theirs):
        trace = record_gates(layer, events, initial_state=memories)
        np.testing.assert_allclose(
            trace["kept"][:, 0],
            memories[1] * trace["forget_factor"][:, 0],
            atol=1e-6,
        )
        expected = layer(
            events, initial_state=[ops.convert_to_tensor(it) for it in memories]
        )
        np.testing.assert_allclose(memory_of(trace), array(expected), atol=1e-6)
    model = sequence(ours)
    by_path = record_gates(model, events, initial_state={ours.name: memories})
    np.testing.assert_allclose(by_path["kept"], trace["kept"], atol=1e-5)


def test_many_rows_go_batch_by_batch_and_to_the_disk(tmp_path):
    events = some_events(batch=7)
    layer = GateLSTM(4)
    whole = record_gates(layer, events)
    kept = record_gates(layer, events, batch_size=3, directory=tmp_path / "a")
    spilled = record_gates(layer, events, batch_size=3, memory_limit=1000)
    for trace in (kept, spilled):
        assert isinstance(trace["kept"], np.memmap)
        for name, value in whole.only_layer().items():
            np.testing.assert_allclose(value, trace[name], atol=1e-6)
    assert len(list((tmp_path / "a").glob("*.npy"))) == 9
    folder = _folder_of(spilled["learned"])
    assert folder.is_dir()
    del spilled, trace, value
    assert not folder.exists()


def _folder_of(array):
    return Path(array.filename).parent


def test_half_precision(events):
    for layer in (
        GateLSTM(3, return_sequences=True, dtype="mixed_bfloat16"),
        layers.LSTM(3, return_sequences=True, dtype="mixed_bfloat16"),
    ):
        trace = record_gates(layer, events)
        np.testing.assert_allclose(
            memory_of(trace).astype("float32"),
            predicted(layer, events).astype("float32"),
            atol=EXACT and 0.02,
        )


def test_a_trained_layer_is_told_with_its_new_weights(events):
    layer = layers.LSTM(3)
    record_gates(layer, events)
    randomize(layer)
    ours = convert.from_keras(layer)
    np.testing.assert_allclose(
        record_gates(layer, events)["use_factor"],
        record_gates(ours, events)["use_factor"],
        atol=1e-6,
    )


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has no float64 by default"
)
def test_inputs_of_float64_reach_a_model_that_takes_them():
    events = keras.Input((4, 2), dtype="float64")
    near_zero = layers.Rescaling(1.0, -1e7, dtype="float64")(events)
    lstm = GateLSTM(3, name="lstm")
    model = keras.Model(events, lstm(near_zero))
    values = np.random.default_rng(1).normal(size=(2, 4, 2))
    found = record_gates(model, values + 1e7)["lstm/short_term_memory"]
    expected = record_gates(lstm, values)["lstm/short_term_memory"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
