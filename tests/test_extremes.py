"""Inputs at the ends of what float32 holds, and very long sequences."""

from functools import partial

import keras
import numpy as np
import pytest

from tests import lesson
from tests.backends import arrays, gradients
from tests.families import (
    BATCH,
    FEATURES,
    LAYERS,
    TIME,
    UNITS,
    every_layer,
    randomize,
    some_events,
)

SMALLEST = np.finfo("float32").smallest_subnormal


@pytest.mark.parametrize("size", [1e30, -1e30, SMALLEST, 0])
@every_layer
def test_outputs_and_gradients_are_finite(make, size):
    events = np.full((BATCH, TIME, FEATURES), size, "float32")
    events[1, :, 0] *= -1
    layer = make(UNITS)
    layer.build(events.shape)
    randomize(layer)
    slope = np.ones((BATCH, UNITS), "float32")
    found = [layer(events), *gradients(layer, events, slope)]
    for values in arrays(found):
        assert np.isfinite(values).all()


@every_layer
def test_rows_of_masked_steps_alone_are_zeros(make):
    layer = make(UNITS)
    events = some_events()
    layer.build(events.shape)
    randomize(layer)
    mask = np.ones((BATCH, TIME), bool)
    mask[1] = False
    slope = np.ones((BATCH, UNITS), "float32")
    outputs, *others = arrays(
        [layer(events, mask=mask), *gradients(layer, events, slope, mask=mask)]
    )
    np.testing.assert_array_equal(outputs[1], 0)
    for values in (outputs, *others):
        assert np.isfinite(values).all()


@every_layer
def test_a_row_that_is_no_number_leaves_the_others_as_they_are(make):
    layer, events = make(UNITS), some_events()
    layer.build(events.shape)
    randomize(layer)
    (expected,) = arrays(layer(events))
    events[1, 2] = np.nan
    (found,) = arrays(layer(events))
    assert np.isnan(found[1]).all()
    others = [0, 2, 3]
    np.testing.assert_allclose(found[others], expected[others], atol=1e-6)


@pytest.mark.parametrize("variant", ["lesson", "standard"])
def test_ten_thousand_steps_are_those_of_numpy(variant):
    layer = LAYERS[variant](UNITS)
    model = keras.Sequential([keras.Input((None, FEATURES)), layer])
    randomize(layer)
    events = some_events(batch=1, time=10_000)
    step = partial(
        lesson.lstm_step, lesson.weights_by_name(layer), variant=variant
    )
    memories = [np.zeros((1, UNITS))] * 2
    for event in events[0]:
        told = step(event[None], memories)
        memories = [told["short_term_memory"], told["long_term_memory"]]
    found = model.predict(events, verbose=0)
    np.testing.assert_allclose(found, memories[0], atol=1e-5)
