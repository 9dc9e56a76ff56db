"""A cell that is not of this package: made of small networks, and described.

The minimal gated unit of Zhou et al., 2016.
"""

from typing import Annotated, Any, NamedTuple

import keras
import numpy as np
import pytest

from keras_gatelstm import (
    Anatomy,
    GateCell,
    GateSequence,
    Quantity,
    WeightConfig,
    record_gates,
)
from keras_gatelstm.inspect.interventions import clamp_gates
from tests.backends import array, gradients
from tests.families import randomize, some_events

UNITS = 4


class MinimalStep(NamedTuple):
    forget_factor: Annotated[Any, Quantity("f", "factor")]
    candidate: Annotated[Any, Quantity("M̃")]
    memory: Annotated[Any, Quantity("M", "memory")]


@keras.saving.register_keras_serializable("tests")
class MinimalCell(GateCell):
    anatomy = Anatomy.of(
        MinimalStep,
        networks=("forget_factor", "candidate"),
        memories=("memory",),
    )

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.forget_factor = self.small_network("forget_factor", "sigmoid")
        self.candidate = self.small_network("candidate", "tanh")

    def activity(self, event, memory, dropout_masks=None):
        factor = self.forget_factor.call(
            event, memory, dropout_masks=dropout_masks
        )
        candidate = self.candidate.call(
            event, factor * memory, dropout_masks=dropout_masks
        )
        after = (1 - factor) * memory + factor * candidate
        return MinimalStep(factor, candidate, after)


def by_numpy(layer, events):
    """Every quantity, from the paper's equations."""
    factor_weights, candidate_weights = (
        [array(it) for it in (net.kernel, net.recurrent_kernel, net.bias)]
        for net in (layer.cell.forget_factor, layer.cell.candidate)
    )

    def total(event, memory, weights):
        kernel, recurrent_kernel, bias = weights
        return event @ kernel + memory @ recurrent_kernel + bias

    memory = np.zeros((len(events), UNITS))
    steps = []
    for event in events.swapaxes(0, 1):
        factor = 1 / (1 + np.exp(-total(event, memory, factor_weights)))
        candidate = np.tanh(total(event, factor * memory, candidate_weights))
        memory = (1 - factor) * memory + factor * candidate
        steps.append((factor, candidate, memory))
    return [np.stack(it, axis=1) for it in zip(*steps, strict=True)]


@pytest.fixture
def events():
    return some_events(2, 6)


@pytest.fixture(params=[keras.layers.RNN, GateSequence])
def model(request, events):
    cell = MinimalCell(UNITS, name="cell")
    layer = request.param(cell, return_sequences=True, name="minimal")
    model = keras.Sequential([keras.Input(events.shape[1:]), layer])
    randomize(model)
    return model


def test_it_computes_its_equations(model, events):
    expected = by_numpy(model.layers[0], events)
    np.testing.assert_allclose(array(model(events)), expected[-1], atol=1e-6)
    trace = record_gates(model, events)
    for name, values in zip(trace["minimal"], expected, strict=True):
        np.testing.assert_allclose(trace[name], values, atol=1e-6)


def test_its_gradients_are_those_of_small_differences(model, events):
    slope = np.ones((2, 6, UNITS), "float32")
    found = gradients(model, events, slope)
    assert len(found) == len(model.trainable_variables) == 6
    for weight, gradient in zip(model.trainable_variables, found, strict=True):
        before = array(weight)
        sums = []
        for change in (1e-2, -1e-2):
            changed = before.copy()
            changed.flat[1] += change
            weight.assign(changed)
            sums.append(by_numpy(model.layers[0], events)[-1].sum())
        weight.assign(before)
        expected = (sums[0] - sums[1]) / 2e-2
        assert gradient.flat[1] == pytest.approx(expected, rel=1e-2, abs=1e-3)


def test_a_gate_is_held(model, events):
    with clamp_gates(model, {"minimal/forget_factor": 0.0}):
        held = model.predict_on_batch(events)
    np.testing.assert_array_equal(array(held), 0)


def test_it_is_loaded_with_its_options(tmp_path, events):
    options = WeightConfig(use_bias=False, kernel_regularizer="l2")
    cell = MinimalCell(UNITS, weight_config=options, dropout=0.5, seed=3)
    layer = keras.layers.RNN(cell, name="minimal")
    model = keras.Sequential([keras.Input(events.shape[1:]), layer])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    loaded = again.layers[0].cell
    assert loaded.weight_config.get_config() == options.get_config()
    assert (loaded.dropout, loaded.seed) == (0.5, 3)
    np.testing.assert_array_equal(array(again(events)), array(model(events)))


def test_dropout_is_that_of_its_networks(events):
    cell = MinimalCell(UNITS, dropout=0.5, recurrent_dropout=0.5, seed=3)
    layer = keras.layers.RNN(cell)
    same, dropped = layer(events), layer(events, training=True)
    assert np.abs(array(same) - array(dropped)).max() > 0
