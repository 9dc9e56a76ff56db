"""Models of several inputs and outputs, of fixed sizes, and their files."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import export_litert, run_litert
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


def events_and(*, first, **inputs):
    """The inputs of a model, by name; the events before or after others."""
    others = [keras.Input(shape, name=name) for name, shape in inputs.items()]
    events = keras.Input((None, FEATURES), name="events")
    return [events, *others] if first else [*others, events]


def with_a_static_input(*, first):
    inputs = events_and(first=first, static=(2,))
    parts = [
        GateLSTM(4)(one) if one.name == "events" else one for one in inputs
    ]
    guess = layers.Dense(2)(layers.Concatenate()(parts))
    return random_weights(keras.Model(inputs, guess))


def test_encoder_and_decoder_hand_memories_on(path):
    source = keras.Input((None, FEATURES), name="source")
    target = keras.Input((None, FEATURES), name="target")
    _, *memories = layers.LSTM(4, return_state=True)(source)
    decoder = GateLSTM(4, variant="standard", return_sequences=True)
    decoded = decoder(target, initial_state=memories)
    model = random_weights(keras.Model([source, target], decoded))
    report = export_litert(model, path)
    assert report.form == "looped"
    for times in ((1, 9), (17, 3)):
        given = (some_events(1, time) for time in times)
        assert_like_keras(model, path, *given)


def test_the_memories_are_outputs_where_the_model_returns_them(path):
    events = keras.Input((None, FEATURES), name="events")
    outputs = GateLSTM(4, return_state=True, name="lstm")(events)
    model = random_weights(keras.Model(events, outputs))
    export_litert(model, path, time_steps=5, batch_size=2)
    given = some_events(2, 5)
    found = run_litert(path, events=given)
    assert list(found) == ["lstm", "lstm_1", "lstm_2"]
    for value, expected in zip(found.values(), model(given), strict=True):
        np.testing.assert_allclose(value, array(expected), atol=1e-5)


def test_no_output_is_dropped_where_names_meet(path):
    events = keras.Input((None, FEATURES), name="events")
    outputs = [
        *layers.SimpleRNN(4, return_state=True, name="rnn")(events),
        layers.SimpleRNN(4, name="rnn_1")(events),
    ]
    model = random_weights(keras.Model(events, outputs))
    report = export_litert(model, path, time_steps=2)
    assert len(report.outputs) == 3


@pytest.mark.parametrize(
    "first",
    [
        True,
        False,
    ],
    ids=["after", "before"],
)
def test_an_input_that_is_no_sequence_beside_one_that_is(path, first):
    model = with_a_static_input(first=first)
    export_litert(model, path, time_steps=6)
    given = [some_events(1, 6), np.ones((1, 2), "float32")]
    assert_like_keras(model, path, *(given if first else given[::-1]))


def test_an_input_that_is_no_sequence_is_given_at_every_step(path):
    report = export_litert(with_a_static_input(first=True), path, "streaming")
    assert report.inputs["static"] == (1, 2)


def test_images_beside_sequences_keep_their_size(path):
    events, image = inputs = events_and(first=True, image=(8, 8, 2))
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    sums = layers.Add()([GateLSTM(4)(events), seen])
    model = random_weights(keras.Model(inputs, sums))
    report = export_litert(model, path, time_steps=4)
    assert report.inputs["image"] == (1, 8, 8, 2)


def test_sequences_of_a_fixed_length_become_free_where_the_layers_allow(path):
    model = sequential(GateLSTM(4), shape=(6, FEATURES), batch_size=2)
    export_litert(model, path)
    same = sequential(GateLSTM(4))
    same.set_weights(model.get_weights())
    for rows, time in ((1, 9), (3, 2)):
        assert_like_keras(same, path, some_events(rows, time))


@pytest.mark.parametrize(
    "time",
    [
        5,
        6,
    ],
)
def test_sequences_stay_of_the_length_that_a_layer_needs(path, time):
    model = sequential(
        layers.LSTM(4, return_sequences=True),
        layers.Flatten(),
        layers.Dense(2),
        shape=(time, FEATURES),
    )
    report = export_litert(model, path)
    assert report.inputs == {"events": (1, time, FEATURES)}
    assert_like_keras(model, path, some_events(1, time))


def test_a_model_of_float64_computes_in_float32(tmp_path):
    series = keras.Input((6, 2), dtype="float64", name="series")
    scaled = keras.layers.Rescaling(0.5, 1.0, dtype="float64")(series)
    last = GateLSTM(3, variant="standard")(scaled)
    model = keras.Model(series, keras.layers.Dense(2, name="forecast")(last))
    path = tmp_path / "model.tflite"
    export_litert(model, path, time_steps=6)
    values = np.random.default_rng(1).normal(size=(1, 6, 2))
    found = run_litert(path, series=values.astype("float32"))["forecast"]
    np.testing.assert_allclose(found, model(values), atol=1e-5)
