"""LiteRT's own LSTM operator: where it is put, and what it remembers."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import (
    ExportError,
    LiteRTFile,
    export_litert,
)
from keras_gatelstm.export.litert import fused
from tests.export.models import (
    array,
    assert_like_keras,
    examples,
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
        GateLSTM(3, variant="standard", return_sequences=True),
    )
    report = export_litert(model, path)
    assert report.form == "fused"
    assert report.operators["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 2
    assert "WHILE" not in report.operators
    assert_like_keras(model, path, some_events(1, 5))
    report = export_litert(model, path, carry_state=True)
    assert report.operators == {"UNIDIRECTIONAL_SEQUENCE_LSTM": 2}


STACKS = {
    "one": lambda: [layers.LSTM(4)],
    "an autoencoder": lambda: [
        layers.LSTM(3),
        layers.RepeatVector(5),
        GateLSTM(4, variant="standard", return_sequences=True),
        layers.Dense(FEATURES),
    ],
    "both ways": lambda: [
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.LSTM(4, go_backwards=True, use_bias=False),
    ],
}


@pytest.mark.parametrize(
    "quantize",
    [None, pytest.param("float16", marks=pytest.mark.thorough), "dynamic"],
)
@pytest.mark.parametrize("parts", STACKS.values(), ids=STACKS)
def test_each_call_starts_with_empty_memories(path, parts, quantize):
    model = sequential(*parts(), shape=(5, FEATURES))
    report = export_litert(model, path, "fused", quantize, time_steps=5)
    assert "empty at the start of each call" in str(report)
    file = LiteRTFile(path)
    for scale in (1, 300, -1, 0, 1):  # What 300 leaves in the memories is far.
        events = scale * some_events(1, 5)
        again = LiteRTFile(path)
        [first], [later] = (
            again(events=events).values(),
            file(events=events).values(),
        )
        np.testing.assert_array_equal(first, later)


@pytest.mark.parametrize(
    "size",
    [
        0,
        *(pytest.param(it, marks=pytest.mark.thorough) for it in (1e-4, 0.1)),
        30,
    ],
)
@pytest.mark.parametrize(
    "quantize",
    [None, pytest.param("float16", marks=pytest.mark.thorough), "dynamic"],
)
def test_weights_of_any_size_let_memories_be_emptied(path, size, quantize):
    model = sequential(layers.LSTM(4, return_sequences=True))
    lstm = model.layers[0]
    lstm.set_weights([size * weight for weight in lstm.get_weights()])
    events = some_events(1, 5)
    export_litert(model, path, "fused", quantize, tolerance=0.1)
    file = LiteRTFile(path)
    for _ in range(3):
        [found] = file(events=events).values()
        np.testing.assert_allclose(found, array(model(events)), atol=0.05)


def test_a_file_that_carries_its_memories_unasked_is_refused(path, monkeypatch):
    monkeypatch.setattr(fused, "fused_from_empty", fused.fused)
    with pytest.raises(ExportError, match="differ from Keras's"):
        export_litert(sequential(layers.LSTM(4)), path, "fused")


@pytest.mark.parametrize("form", ["auto", "unrolled", "looped"])
def test_memories_that_cannot_be_carried_are_refused(path, form):
    with pytest.raises(ValueError, match="carry_state=True needs memories"):
        export_litert(
            sequential(GateLSTM(4)), path, form, time_steps=5, carry_state=True
        )


def test_in_int8_memories_stay_or_it_is_refused(path):
    model = sequential(layers.LSTM(4))
    options = {"time_steps": 6, "representative_data": examples()}
    with pytest.raises(ValueError, match="carry_state=True"):
        export_litert(model, path, "fused", "int8", **options)
    report = export_litert(
        model, path, "fused", "int8", carry_state=True, **options
    )
    assert "inside, from call to call" in str(report)


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
    export_litert(model, path, time_steps=4, carry_state=True)
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
