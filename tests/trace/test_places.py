"""Layers are found, recorded and named wherever in a model they are."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateGRUCell, GateLSTM, record_gates
from tests.backends import array
from tests.families import TIME, UNITS, some_events
from tests.trace.told import (
    EXACT,
    assert_recombines,
    memory_of,
    predicted,
    sequence,
)

WAYS = ("forward", "backward")


def test_paths_in_nested_stacked_and_bidirectional_models(events):
    cells = [layers.LSTMCell(2, name="lower"), GateGRUCell(4, name="upper")]
    inner = keras.Sequential(
        [
            keras.Input((TIME, 6)),
            layers.RNN(cells, return_sequences=True, name="rnn"),
        ],
        name="inner",
    )
    both_ways = layers.Bidirectional(
        layers.LSTM(3, return_sequences=True, name="lstm"), name="both"
    )
    model = sequence(
        GateLSTM(UNITS, return_sequences=True, name="first"), both_ways, inner
    )
    trace = record_gates(model, events)
    assert list(trace) == [
        "first",
        "both/forward_lstm",
        "both/backward_lstm",
        "inner/rnn/lower",
        "inner/rnn/upper",
    ]
    np.testing.assert_allclose(
        memory_of(trace, "inner/rnn/upper"),
        model.predict_on_batch(events),
        atol=EXACT,
    )
    for layer in trace.values():
        assert_recombines_forwards(layer)
    assert list(record_gates(model, events, layers="rnn/lower")) == [
        "inner/rnn/lower"
    ]
    joined = [memory_of(trace, f"both/{way}_lstm") for way in WAYS]
    expected = both_ways(memory_of(trace, "first"))
    np.testing.assert_allclose(
        np.concatenate(joined, -1), array(expected), atol=1e-6
    )


def assert_recombines_forwards(layer):
    if "backward" not in layer.path:
        assert_recombines(layer)
        return
    turned = {name: value[:, ::-1] for name, value in layer.items()}
    assert_recombines(turned)


def test_a_layer_used_twice_is_recorded_twice(events):
    layer = GateLSTM(3, return_sequences=True, name="shared")
    given = keras.Input((TIME, 3))
    model = keras.Model(given, layer(layer(given)))
    trace = record_gates(model, events)
    assert list(trace) == ["shared", "shared:2"]
    np.testing.assert_allclose(
        memory_of(trace, "shared:2"),
        array(layer(memory_of(trace, "shared"))),
        atol=1e-6,
    )


def test_columns_that_are_folded_into_rows_are_told_one_after_the_other():
    """A layer that has more rows than the model, whatever the batches."""
    layer = GateLSTM(4, name="lstm")
    given = keras.Input((TIME, 3))
    folded = keras.ops.transpose(given, (0, 2, 1))
    model = keras.Model(given, layer(keras.ops.reshape(folded, (-1, TIME, 1))))
    events = some_events(batch=5)
    expected = events.transpose(0, 2, 1).reshape(15, TIME, 1)
    whole = record_gates(layer, expected)
    for batch_size in (2, 5):
        trace = record_gates(model, events, batch_size=batch_size)
        for name, value in whole.only_layer().items():
            np.testing.assert_allclose(trace[name], value, atol=1e-6)


def test_reading_backwards_is_told_in_the_order_of_the_input(events):
    layer = layers.LSTM(3, go_backwards=True, return_sequences=True)
    trace = record_gates(layer, events)
    np.testing.assert_allclose(
        memory_of(trace)[:, ::-1], predicted(layer, events), atol=EXACT
    )


def test_what_cannot_be_recorded_is_refused_with_what_there_is(events):
    model = sequence(GateLSTM(2, name="lower"))
    with pytest.raises(TypeError, match="must be a Keras model or layer"):
        record_gates(lambda it: it, events)
    with pytest.raises(ValueError, match=r"has no gates to record.*none"):
        record_gates(sequence(layers.Dense(2)), events)
    with pytest.raises(ValueError, match=r"mean 'lower'. Available: lower"):
        record_gates(model, events, layers="lowe")
    for rows in (events[:0], 3.0, [events, events[:2]]):
        with pytest.raises(ValueError, match="as many rows each"):
            record_gates(model, rows)
    with pytest.raises(ValueError, match="batch_size must be a positive"):
        record_gates(model, events, batch_size=0)
    with pytest.raises(ValueError, match="mask must have 4 rows"):
        record_gates(model, events, mask=np.ones((3, TIME), bool))
    with pytest.raises(ValueError, match=r"tokens must be one for each of 6"):
        record_gates(model, events, tokens="abc")
    with pytest.raises(ValueError, match=r"must have the shapes \[\(4, 2\)"):
        record_gates(model, events, initial_state=[np.ones((4, 3))] * 2)
    with pytest.raises(ValueError, match="no layer 'other'"):
        record_gates(model, events, initial_state={"other": []})


def test_a_layer_in_another_layers_loop():
    model = sequence(
        layers.TimeDistributed(GateLSTM(2, name="lstm")), shape=(4, TIME, 3)
    )
    sequences = some_events(batch=8).reshape(2, 4, TIME, 3)
    trace = record_gates(model, sequences)
    last = [memory_of(trace, path)[:, -1] for path in trace]
    np.testing.assert_allclose(
        np.stack(last, 1), array(model(sequences)), atol=1e-6
    )


class Compiled(layers.Layer):
    """A layer whose inside is compiled apart."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def build(self, shape):
        self.layer.build(shape)

    def call(self, inputs):
        if keras.backend.backend() == "jax":
            import jax

            return jax.jit(self.layer)(inputs)
        import tensorflow as tf

        return tf.function(self.layer)(inputs)


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="PyTorch compiles nothing here"
)
def test_a_layer_in_a_compiled_function_is_refused(events):
    model = sequence(Compiled(GateLSTM(2, name="lstm")))
    with pytest.raises(ValueError, match="lstm cannot be recorded: it runs"):
        record_gates(model, events)
