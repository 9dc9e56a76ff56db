"""Stateful layers: memories that go on from batch to batch."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM
from tests.backends import array, arrays
from tests.families import BATCH, FEATURES, UNITS, every_layer, randomize


@pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="Keras's RNN keeps no state between calls of a model on JAX",
)
def test_a_stateful_model_carries_memories_from_batch_to_batch(events):
    model = keras.Sequential(
        [
            keras.Input((3, FEATURES), BATCH),
            GateLSTM(UNITS, stateful=True, return_sequences=True),
        ]
    )
    halves = [
        model.predict(part, verbose=0, batch_size=BATCH)
        for part in (events[:, :3], events[:, 3:])
    ]
    whole = GateLSTM(UNITS, return_sequences=True)
    whole.build(events.shape)
    whole.set_weights(model.get_weights())
    np.testing.assert_allclose(
        np.concatenate(halves, axis=1), array(whole(events)), atol=1e-6
    )


@every_layer
def test_stateful_batches_continue(events, make):
    whole = make(UNITS, return_sequences=True)
    parts = make(UNITS, return_sequences=True, stateful=True)
    whole.build(events.shape)
    parts.build(events.shape)
    randomize(whole)
    parts.set_weights(whole.get_weights())
    expected = array(whole(events))

    for _ in range(2):
        halves = [array(parts(events[:, :3])), array(parts(events[:, 3:]))]
        np.testing.assert_allclose(
            np.concatenate(halves, axis=1), expected, atol=1e-6
        )
        parts.reset_state()


@pytest.mark.parametrize(
    "samples", [[0, 2], (2, 0), [True, False, True, False]]
)
def test_chosen_rows_of_a_stateful_layer_are_emptied(events, samples):
    layer = GateLSTM(UNITS, stateful=True)
    layer(events)
    before = arrays([memory.value for memory in layer.states])
    layer.reset_state(samples=samples)
    after = arrays([memory.value for memory in layer.states])
    for memory, was in zip(after, before, strict=True):
        np.testing.assert_array_equal(memory[[0, 2]], 0)
        np.testing.assert_array_equal(memory[[1, 3]], was[[1, 3]])


def test_emptying_rows_empties_what_is_not_a_number(events):
    layer = GateLSTM(UNITS, stateful=True)
    events[1] = np.nan
    layer(events)
    layer.reset_state(samples=[1])
    assert not np.isnan(arrays([m.value for m in layer.states])).any()


@pytest.mark.parametrize("samples", [[4], [-1], [True, False], [0.5]])
def test_rows_that_are_not_there_are_refused(events, samples):
    layer = GateLSTM(UNITS, stateful=True)
    layer(events)
    with pytest.raises(ValueError, match=r"samples must be .* batch has 4"):
        layer.reset_state(samples=samples)
