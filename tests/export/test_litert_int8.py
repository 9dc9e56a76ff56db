"""int8: the examples it takes, and those that it cannot."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import ExportError, LiteRTFile, export_litert
from tests.export.models import (
    array,
    examples,
    random_weights,
    sequential,
    some_events,
)
from tests.families import FEATURES


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.tflite"


def test_loops_are_refused(path):
    with pytest.raises(ValueError, match="cannot be looped in int8"):
        export_litert(
            sequential(layers.GRU(4)),
            path,
            "looped",
            "int8",
            representative_data=examples(),
        )


def test_longer_examples_are_cut(path):
    export_litert(
        sequential(layers.LSTM(4)),
        path,
        "fused",
        "int8",
        carry_state=True,
        time_steps=4,
        representative_data=examples(time=9),
    )
    assert LiteRTFile(path).inputs["events"]["dtype"] is np.int8


@pytest.mark.parametrize(
    "given",
    [
        np.ones((9, 6, 5)),
        np.ones((9, 5, 3)),
        np.ones((9, 6)),
        np.ones((0, 6, 3)),
        [np.ones((9, 6, 3))] * 2,
        np.ones((2, 6, 3)).tolist(),
        "events",
    ],
    ids=["features", "steps", "axes", "none", "two", "lists", "text"],
)
def test_examples_of_other_shapes_are_refused(path, given):
    problem = (
        "representative_data must hold an array for each input, of at least "
        r"a batch of shape \(1, 6, 3\), and as many rows in each\. Received: \("
    )
    with pytest.raises(ValueError, match=problem):
        export_litert(
            sequential(GateLSTM(4)),
            path,
            "unrolled",
            "int8",
            time_steps=6,
            representative_data=given,
        )
    assert list(path.parent.iterdir()) == []


def test_a_number_of_examples_for_each_input(path):
    one, two = (keras.Input((None, FEATURES), name=name) for name in "ab")
    model = random_weights(keras.Model([one, two], GateLSTM(4)(one + two)))
    with pytest.raises(ValueError, match="representative_data"):
        export_litert(
            model,
            path,
            "unrolled",
            "int8",
            time_steps=2,
            representative_data=[some_events(5, 2), some_events(4, 2)],
        )


def test_examples_that_are_not_finite_are_refused(path):
    given = np.full((5, 6, FEATURES), np.nan)
    with pytest.raises((ValueError, RuntimeError), match="finite"):
        export_litert(
            sequential(layers.LSTM(4)),
            path,
            "fused",
            "int8",
            carry_state=True,
            representative_data=given,
        )


def error_in_range(model, path, sequences):
    """The largest error, of sequences one by one, in Keras's range of them."""
    file, found = LiteRTFile(path), []
    for sequence in sequences:
        file.reset()
        [output] = file(events=sequence[None]).values()
        found.append(output[0])
    expected = array(model(sequences))
    return np.abs(np.array(found) - expected).max() / np.ptp(expected)


def a_guess_from(lstm, size):
    """A model whose outputs are of a range of about this size."""
    model = sequential(lstm, layers.Dense(2))
    dense = model.layers[-1]
    dense.kernel.assign(dense.kernel * size)
    dense.bias.assign(dense.bias * 0)
    return model


@pytest.mark.parametrize(
    "scale",
    [
        1.0,
        0.2,
    ],
)
def test_a_file_is_right_on_what_it_was_made_for(path, scale):
    lstm = layers.LSTM(4)
    model = a_guess_from(lstm, 0.2)
    lstm.set_weights([0.5 * weight for weight in lstm.get_weights()])
    given = scale * examples()
    options = {"representative_data": given, "carry_state": True}
    try:
        export_litert(model, path, "fused", "int8", **options)
    except ExportError:
        assert not path.exists()
        return
    assert error_in_range(model, path, given[:9]) < 0.2


def test_events_that_are_small_numbers(path):
    model = a_guess_from(layers.LSTM(4), 1)
    lstm = model.layers[0]
    kernel, *others = lstm.get_weights()
    lstm.set_weights([20 * kernel, *others])
    given = 0.05 * examples()
    options = {"representative_data": given, "carry_state": True}
    export_litert(model, path, "fused", "int8", **options)
    assert error_in_range(model, path, given[:9]) < 0.2
