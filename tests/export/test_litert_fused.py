"""LiteRT's own LSTM operator: where it is put, and what it remembers."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import LiteRTFile, export_litert
from tests.export.models import (
    array,
    assert_like_keras,
    random_weights,
    sequential,
    some_events,
)
from tests.families import FEATURES


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.tflite"


def test_one_operator_for_each_lstm_and_no_other_loop(path):
    model = sequential(
        layers.LSTM(4, return_sequences=True),
        GateLSTM(3, "standard", return_sequences=True),
    )
    report = export_litert(model, path)
    assert report.form == "fused"
    assert report.operators == {"UNIDIRECTIONAL_SEQUENCE_LSTM": 2}
    assert_like_keras(model, path, some_events(1, 5))


def test_a_batch_of_one_size_and_any_length(path):
    model = sequential(layers.LSTM(4))
    report = export_litert(model, path, "fused", batch_size=3)
    assert report.inputs == {"events": (3, -1, FEATURES)}
    for time in (1, 8, 33):
        assert_like_keras(model, path, some_events(3, time))
    with pytest.raises(ValueError, match=r"takes events of shape \(3, -1, 3\)"):
        LiteRTFile(path)(events=some_events(2, 5))


def test_a_layer_used_twice_and_a_model_in_a_model(path):
    one, two = (keras.Input((None, FEATURES), name=name) for name in ("a", "b"))
    inside = keras.Sequential(
        [keras.Input((None, FEATURES)), layers.LSTM(4, return_sequences=True)]
    )
    lstm = layers.LSTM(4)
    total = layers.Add()([lstm(inside(one)), lstm(inside(two))])
    model = random_weights(keras.Model([one, two], total))
    report = export_litert(model, path)
    assert report.operators["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 4
    assert_like_keras(model, path, some_events(1, 5), -some_events(1, 7))


def test_memories_go_on_from_call_to_call_until_they_are_reset(path):
    model = sequential(layers.LSTM(4, return_sequences=True))
    export_litert(model, path, time_steps=4)
    events = some_events(1, 8)
    whole, first = array(model(events)), array(model(events[:, 4:]))
    file = LiteRTFile(path)

    def called(part):
        [found] = file(events=part).values()
        return found

    for _ in range(2):
        halves = called(events[:, :4]), called(events[:, 4:])
        found = np.concatenate(halves, axis=1)
        np.testing.assert_allclose(found, whole, atol=1e-5)
        file.reset()
    np.testing.assert_allclose(called(events[:, 4:]), first, atol=1e-5)


def starting_with_memories():
    events = keras.Input((None, FEATURES), name="events")
    start = keras.Input((4,), name="start")
    lstm = layers.LSTM(4, name="lstm")(events, initial_state=[start, start])
    return random_weights(keras.Model([events, start], lstm))


def test_memories_that_are_given_are_not_dropped(path):
    model = starting_with_memories()
    given = some_events(1, 5), np.full((1, 4), 0.3, "float32")
    # Weights this small stay as they are: dynamic is as exact as float32.
    report = export_litert(model, path, quantize="dynamic", time_steps=5)
    assert_like_keras(model, path, *given)
    assert report.form == "unrolled"


def test_memories_that_are_given_are_taken_where_steps_are_written_out(path):
    model = starting_with_memories()
    export_litert(model, path, "unrolled", time_steps=5)
    start = np.full((1, 4), 0.3, "float32")
    assert_like_keras(model, path, some_events(1, 5), start)


def test_long_term_memories_grow_beyond_ten(path):
    """Where the converter has the operator end them."""
    model = sequential(layers.LSTM(4, return_sequences=True))
    kernel, recurrent_kernel, bias = map(
        np.zeros_like, model.layers[-1].get_weights()
    )
    bias[:8] = 6.0  # Ignore and forget factors are open,
    kernel[:, 8:12] = 2.0  # and new information is of the event's sign.
    model.layers[-1].set_weights([kernel, recurrent_kernel, bias])
    up_and_down = np.repeat([1.0, -1.0], [40, 35])
    events = np.tile(up_and_down[None, :, None], (1, 1, FEATURES))
    export_litert(model, path, "fused", check_inputs=events)
    assert_like_keras(model, path, events.astype("float32"))
