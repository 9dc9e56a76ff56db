"""Gates held at a value, what is lost without them, and their gradients."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM, convert, record_gates
from keras_gatelstm.inspect.ablation import ablate_gates, ablate_units
from keras_gatelstm.inspect.gradients import gradient_norms, weight_gradients
from keras_gatelstm.inspect.interventions import clamp_gates
from tests.backends import array
from tests.families import (
    LSTM,
    RNN,
    TIME,
    UNITS,
    randomize,
    some_events,
    three_families,
)


def model_of(layer):
    model = keras.Sequential([keras.Input((TIME, 3)), layer])
    model.compile(loss="mse")
    return model


def output_of(layer, events):
    return array(layer(events))


@pytest.mark.parametrize(
    ("family", "quantity"),
    [
        (LSTM, "ignore_factor"),
        (LSTM, "use_factor"),
        (LSTM, "useful_memory"),
        (LSTM, "learned"),
        (LSTM, "long_term_memory"),
        (RNN, "memory"),
    ],
)
def test_held_at_zero_it_and_what_follows_are_zero(family, quantity, events):
    for layer in family.pair(events, return_sequences=True):
        before = output_of(layer, events)
        with clamp_gates(layer, {quantity: 0}):
            assert not record_gates(layer, events)[quantity].any()
            np.testing.assert_allclose(output_of(layer, events), 0)
        np.testing.assert_array_equal(output_of(layer, events), before)


def test_without_forgetting_memories_are_the_sum_of_what_was_learned(events):
    lesson = GateLSTM(UNITS)
    lesson.build(events.shape)
    for layer in (*LSTM.pair(events), lesson):
        with clamp_gates(layer, {"forget_factor": 1.0}):
            trace = record_gates(layer, events)
        np.testing.assert_allclose(
            trace["long_term_memory"],
            trace["learned"].cumsum(axis=1),
            atol=1e-6,
        )


@three_families
def test_keras_layers_are_held_like_ours(family, events):
    ours, theirs = family.pair(events, return_sequences=True)
    name = "memory" if family is RNN else family.networks[0].split("/")[-1]
    values = np.array([0.3, np.nan, 0.9, np.nan, np.nan], "float32")
    free = record_gates(theirs, events)[name]
    outputs = []
    for layer in (ours, theirs):
        with clamp_gates(layer, {name: values}):
            outputs.append(output_of(layer, events))
            held = record_gates(layer, events)[name]
        np.testing.assert_allclose(held[..., 0], 0.3)
        np.testing.assert_allclose(held[:, 0, 1], free[:, 0, 1], atol=1e-6)
    np.testing.assert_allclose(*outputs, atol=1e-6)


def test_predict_sees_the_clamp_and_forgets_it(events):
    model = model_of(layers.LSTM(UNITS, name="lstm"))
    before = model.predict_on_batch(events)
    with clamp_gates(model, {"lstm/use_factor": {2: 0.0}}):
        held = model.predict_on_batch(events)
        with clamp_gates(model, {"lstm/use_factor": {3: 0.0}}):
            both = model.predict_on_batch(events)
        np.testing.assert_array_equal(model.predict_on_batch(events), held)
    assert not held[:, 2].any()
    assert held[:, 3].any()
    assert not both[:, 2:4].any()
    np.testing.assert_array_equal(model.predict_on_batch(events), before)


def test_after_an_error_all_is_as_it_was(events):
    layer = GateLSTM(UNITS)
    before = output_of(layer, events)
    with (
        pytest.raises(RuntimeError),
        clamp_gates(layer, {"kept": 0, "use_factor": 0}),
    ):
        raise RuntimeError
    np.testing.assert_array_equal(output_of(layer, events), before)


def test_what_is_not_there_is_refused_with_what_is(events):
    layer = GateLSTM(3, name="lstm")

    def clamp(values):
        with clamp_gates(layer, values):
            pass

    with pytest.raises(ValueError, match="no weights yet"):
        clamp({"use_factor": 0})
    layer.build(events.shape)
    with pytest.raises(ValueError, match=r"mean 'lstm'. Available: lstm"):
        clamp({"lst/use_factor": 0})
    with pytest.raises(ValueError, match="Available: new_information, ignore_"):
        clamp({"lstm/update_factor": 0})
    with pytest.raises(ValueError, match=r"from 0 to 2. Received: 3"):
        clamp({"use_factor": {3: 0}})
    with pytest.raises(ValueError, match="one for each of its 3 units"):
        clamp({"use_factor": [0, 1]})


def test_ablation_gives_the_loss_without_each_part(events):
    model = model_of(GateLSTM(UNITS, name="lstm"))
    randomize(model)
    targets = some_events()[:, 0, :1] * np.ones(UNITS, "float32")
    whole = float(np.mean((model.predict_on_batch(events) - targets) ** 2))
    gates = {it.quantity: it for it in ablate_gates(model, events, targets)}
    assert len(gates) == 3
    with clamp_gates(model, {"forget_factor": 1}):
        outputs = model.predict_on_batch(events)
    expected = np.mean((outputs - targets) ** 2)
    np.testing.assert_allclose(gates["forget_factor"].loss, expected, rtol=1e-5)
    units = ablate_units(model, events, targets, units=[4, 1])
    assert {it.unit for it in units} == {1, 4}
    assert units[0].change >= units[1].change
    for it in units:
        np.testing.assert_allclose(it.loss - it.change, whole, rtol=1e-5)
    with pytest.raises(ValueError, match=r"has no loss: call model.compile"):
        ablate_gates(keras.Sequential([model.layers[0]]), events, targets)


def test_gradient_norms_are_those_of_each_gates_weights(events):
    targets = np.ones((4, UNITS), "float32")
    for family in (LSTM, RNN):
        ours, theirs = (model_of(it) for it in family.pair(events))
        gates = gradient_norms(ours, events, targets)
        fused = gradient_norms(theirs, events, targets)
        assert [it.split("/")[1] for it in gates] != []
        for (one, norm), (other, its_norm) in zip(
            sorted(gates.items()), sorted(fused.items()), strict=True
        ):
            assert one.split("/")[1] == other.split("/")[1]
            np.testing.assert_allclose(norm, its_norm, rtol=1e-4)
        every = weight_gradients(ours, events, targets)
        np.testing.assert_allclose(
            sum(norm**2 for norm in gates.values()),
            sum(float(np.sum(it**2)) for it in every),
            rtol=1e-5,
        )


def test_weight_gradients_are_the_slope_of_the_loss(events):
    model = model_of(GateLSTM(2))
    randomize(model)
    targets = np.ones((4, 2), "float32")
    gradient = weight_gradients(model, events, targets)[0]
    weight = model.trainable_variables[0]
    before = array(weight).copy()
    losses = []
    for step in (1e-2, -1e-2):
        moved = before.copy()
        moved[0, 0] += step
        weight.assign(moved)
        losses.append(np.mean((model.predict_on_batch(events) - targets) ** 2))
    slope = (losses[0] - losses[1]) / 2e-2
    np.testing.assert_allclose(gradient[0, 0], slope, rtol=1e-2)


def test_a_converted_model_is_held_like_the_one_it_was(events):
    inside = layers.Bidirectional(
        layers.GRU(3, return_sequences=True, name="gru"), name="both"
    )
    model = model_of(inside)
    converted = convert.from_keras(model)
    values = {"both/backward_gru/reset_factor": 0.5}
    outputs = []
    for it in (model, converted):
        with clamp_gates(it, values):
            outputs.append(it.predict_on_batch(events))
    np.testing.assert_allclose(*outputs, atol=1e-6)
