"""LiteRT files in Python: called by name, refused in words."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm.export import LiteRTFile, export_litert, run_litert
from tests.export.models import (
    array,
    random_weights,
    sequential,
    some_events,
)
from tests.families import FEATURES


@pytest.fixture(scope="module")
def model():
    return sequential(layers.LSTM(4, name="lstm"))


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("litert") / "m.tflite"
    export_litert(model, path, "fused")
    return path


@pytest.fixture(scope="module")
def path_of_two(tmp_path_factory):
    one, two = (keras.Input((None, FEATURES), name=name) for name in "ab")
    model = random_weights(keras.Model([one, two], layers.LSTM(4)(one + two)))
    path = tmp_path_factory.mktemp("litert") / "two.tflite"
    export_litert(model, path, "fused")
    return path


@pytest.mark.parametrize(
    ("inputs", "received"),
    [({"event": 1}, "event"), ({}, "nothing"), ({"events": 1, "a": 2}, "ev")],
)
def test_inputs_go_by_name(path, inputs, received):
    with pytest.raises(
        ValueError, match=rf"m.tflite takes events\. Received: {received}"
    ):
        run_litert(path, **inputs)


@pytest.mark.parametrize("shape", [(2, 5, 3), (1, 5, 4), (5, 3), ()])
def test_inputs_of_other_shapes_are_refused_and_do_no_harm(path, model, shape):
    file = LiteRTFile(path)
    events = some_events(1, 5)
    file(events=events)
    with pytest.raises(
        ValueError, match=r"takes events of shape \(1, -1, 3\) \(-1 is any"
    ):
        file(events=np.ones(shape))
    file.reset()
    np.testing.assert_allclose(
        file(events=events)["lstm"], array(model(events)), atol=1e-5
    )


def test_one_input_of_two_that_is_refused_does_no_harm(path_of_two):
    file, events = LiteRTFile(path_of_two), some_events(1, 5)
    before = file(a=events, b=events)
    with pytest.raises(ValueError, match="takes b of shape"):
        file(a=some_events(1, 6), b=np.ones((1, 6, 4)))
    file.reset()
    after = file(a=events, b=events)
    np.testing.assert_array_equal(list(after.values()), list(before.values()))


def test_another_length_starts_from_empty_memories(path, model):
    file = LiteRTFile(path)
    for time in (5, 3, 5):
        events = some_events(1, time)
        np.testing.assert_allclose(
            file(events=events)["lstm"], array(model(events)), atol=1e-5
        )


def test_reset_before_the_first_call_is_nothing_special(path, model):
    file = LiteRTFile(path, threads=2)
    file.reset()
    events = some_events(1, 5)
    np.testing.assert_allclose(
        file(events=events)["lstm"], array(model(events)), atol=1e-5
    )


def test_what_is_no_file_of_litert_is_refused(tmp_path):
    path = tmp_path / "m.tflite"
    with pytest.raises(ValueError, match=r"m\.tflite"):
        LiteRTFile(path)
    path.write_bytes(b"no model")
    with pytest.raises(ValueError, match="not a valid Flatbuffer"):
        LiteRTFile(path)
