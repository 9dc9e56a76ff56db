"""GateLSTM(variant="standard") against keras.layers.LSTM, same weights."""

import inspect

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM, GateLSTMCell
from tests.backends import array, arrays, gradients
from tests.test_gates import randomize

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
GATES = (
    "learn_gate/ignore_factor",
    "forget_gate/forget_factor",
    "learn_gate/new_information",
    "use_gate/use_factor",
)


@pytest.fixture
def events():
    random = np.random.default_rng(3)
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def fuse(layer, values):
    """Numbers per weight of a GateLSTM, laid out as Keras's LSTM has them."""
    named = dict(
        zip(
            ["/".join(w.path.split("/")[-3:]) for w in layer.weights],
            values,
            strict=True,
        )
    )
    kinds = ["kernel", "recurrent_kernel"]
    if layer.get_config()["use_bias"]:
        kinds.append("bias")
    return [
        np.concatenate([named[f"{gate}/{kind}"] for gate in GATES], axis=-1)
        for kind in kinds
    ]


def pair(events, **options):
    """Both layers with one set of random weights."""
    ours = GateLSTM(UNITS, "standard", **options)
    keras_options = {"use_cudnn": False, **options}
    theirs = keras.layers.LSTM(UNITS, **keras_options)
    ours.build(events.shape)
    theirs.build(events.shape)
    randomize(ours)
    theirs.set_weights(fuse(ours, [array(w) for w in ours.weights]))
    return ours, theirs


def assert_alike(ours, theirs, events, **call):
    for one, other in zip(
        arrays(ours(events, **call)),
        arrays(theirs(events, **call)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)


def assert_gradients_alike(ours, theirs, events, **call):
    slope = np.random.default_rng(4).normal(size=(BATCH, UNITS))
    if ours.return_sequences:
        slope = np.stack([slope] * TIME, axis=1)
    slope = slope.astype("float32")
    found = fuse(ours, gradients(ours, events, slope, **call))
    expected = gradients(theirs, events, slope, **call)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "relu"},
        {"activation": None},
        {"recurrent_activation": "hard_sigmoid"},
        {"use_bias": False},
        {"return_sequences": True},
        {"return_state": True},
        {"return_sequences": True, "return_state": True},
        {"go_backwards": True, "return_sequences": True},
        {"unroll": True, "return_sequences": True},
        {"stateful": True, "return_state": True},
    ],
    ids=str,
)
def test_every_argument_gives_what_keras_gives(events, options):
    ours, theirs = pair(events, **options)
    assert_alike(ours, theirs, events)
    assert_gradients_alike(ours, theirs, events)


MASKS = {
    "right": [1, 1, 1, 1, 0, 0],
    "left": [0, 0, 1, 1, 1, 1],
    "middle": [1, 1, 0, 0, 1, 1],
    "all": [0, 0, 0, 0, 0, 0],
}


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("option", ["", "go_backwards", "zero_output_for_mask"])
def test_masks_work_as_in_keras(events, unroll, option):
    if (
        keras.backend.backend() == "torch"
        and unroll
        and option == "go_backwards"
    ):
        pytest.skip("keras.layers.LSTM fails on it too: 3.15 flips a tuple")
    mask = np.array(list(MASKS.values()), bool)
    ours, theirs = pair(
        events,
        unroll=unroll,
        return_sequences=True,
        return_state=True,
        **({option: True} if option else {}),
    )
    assert_alike(ours, theirs, events, mask=mask)
    assert_gradients_alike(ours, theirs, events, mask=mask)


@pytest.mark.parametrize("place", MASKS)
def test_masked_steps_change_nothing(events, place):
    mask = np.array([MASKS[place]] * BATCH, bool)
    ours, _ = pair(events, return_state=True)
    scrambled = np.where(mask[..., None], events, 1e3).astype("float32")
    for one, other in zip(
        arrays(ours(events, mask=mask)),
        arrays(ours(scrambled, mask=mask)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "rates",
    [
        {"dropout": 0.4},
        {"recurrent_dropout": 0.4},
        {"dropout": 0.3, "recurrent_dropout": 0.3},
    ],
    ids=str,
)
def test_the_same_seed_drops_the_same(events, rates):
    ours, theirs = pair(events, seed=5, return_sequences=True, **rates)
    assert_alike(ours, theirs, events, training=True)
    assert_alike(ours, theirs, events, training=False)
    assert_gradients_alike(ours, theirs, events, training=True)


def test_memories_to_start_from_work_as_in_keras(events):
    memories = list(
        np.random.default_rng(6)
        .normal(size=(2, BATCH, UNITS))
        .astype("float32")
    )
    ours, theirs = pair(events, return_state=True)
    assert_alike(ours, theirs, events, initial_state=memories)
    assert_gradients_alike(ours, theirs, events, initial_state=memories)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "kernel_initializer": keras.initializers.HeNormal(seed=1),
            "recurrent_initializer": keras.initializers.Orthogonal(seed=2),
        },
        {"unit_forget_bias": False},
        {
            "bias_initializer": keras.initializers.RandomNormal(seed=3),
            "unit_forget_bias": False,
        },
    ],
    ids=["defaults", "seeded", "no_forget_bias", "random_bias"],
)
def test_it_starts_from_the_weights_keras_starts_from(events, options):
    ours = GateLSTM(UNITS, "standard", **options)
    keras.utils.set_random_seed(7)
    theirs = keras.layers.LSTM(UNITS, **options)
    ours.build(events.shape)
    theirs.build(events.shape)
    for one, other in zip(
        fuse(ours, [array(w) for w in ours.weights]),
        theirs.get_weights(),
        strict=True,
    ):
        if options:
            np.testing.assert_array_equal(one, other)
        else:
            assert one.std() == pytest.approx(other.std(), rel=0.3)


@pytest.mark.parametrize("weight", ["kernel", "recurrent", "bias"])
def test_regularizers_add_what_they_add_in_keras(events, weight):
    ours, theirs = pair(events, **{f"{weight}_regularizer": "l1l2"})
    assert len(ours.losses) == len(GATES)
    np.testing.assert_allclose(
        sum(map(array, ours.losses)), array(theirs.losses[0]), rtol=1e-5
    )


def test_activity_is_regularized(events):
    ours, theirs = pair(events, activity_regularizer="l2")
    ours(events), theirs(events)
    np.testing.assert_allclose(
        array(ours.losses[0]), array(theirs.losses[0]), rtol=1e-5
    )


@pytest.mark.parametrize("weight", ["kernel", "recurrent", "bias"])
def test_constraints_hold_as_in_keras_when_training(events, weight):
    ours, theirs = pair(events, **{f"{weight}_constraint": "non_neg"})
    targets = np.ones((BATCH, UNITS))
    for layer in (ours, theirs):
        model = keras.Sequential([layer])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch(events, targets)
    found = fuse(ours, [array(w) for w in ours.weights])
    for one, other in zip(found, theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    place = ["kernel", "recurrent", "bias"].index(weight)
    assert found[place].min() == 0


def test_it_takes_every_argument_of_keras_with_its_default():
    theirs = inspect.signature(keras.layers.LSTM).parameters
    ours = inspect.signature(GateLSTM).parameters
    assert set(theirs) <= set(ours)
    assert {name: ours[name].default for name in theirs} == {
        name: theirs[name].default for name in theirs
    }


def test_its_cell_takes_every_argument_of_keras_with_its_default():
    theirs = inspect.signature(keras.layers.LSTMCell).parameters
    ours = inspect.signature(GateLSTMCell).parameters
    assert {name: ours[name].default for name in theirs} == {
        name: theirs[name].default for name in theirs
    }


@pytest.mark.parametrize("unroll", [False, True])
def test_the_cell_works_in_keras_rnn_and_in_stacks(events, unroll):
    ours = keras.layers.RNN(
        [GateLSTMCell(4, "standard"), GateLSTMCell(UNITS, "standard")],
        return_sequences=True,
        unroll=unroll,
    )
    first = GateLSTM(4, "standard", return_sequences=True)
    second = GateLSTM(UNITS, "standard", return_sequences=True)
    ours.build(events.shape)
    second.build(first(events).shape)
    first.set_weights(ours.cell.cells[0].get_weights())
    second.set_weights(ours.cell.cells[1].get_weights())
    np.testing.assert_allclose(
        array(ours(events)), array(second(first(events))), atol=1e-6
    )


def test_bidirectional_reads_both_ways(events):
    both = keras.layers.Bidirectional(
        GateLSTM(UNITS, "standard", return_sequences=True)
    )
    theirs = keras.layers.Bidirectional(
        keras.layers.LSTM(UNITS, return_sequences=True, use_cudnn=False)
    )
    both.build(events.shape)
    theirs.build(events.shape)
    randomize(both)
    for one, other in (
        (both.forward_layer, theirs.forward_layer),
        (both.backward_layer, theirs.backward_layer),
    ):
        other.set_weights(fuse(one, [array(w) for w in one.weights]))
    mask = np.array(list(MASKS.values()), bool)
    assert_alike(both, theirs, events)
    assert_alike(both, theirs, events, mask=mask)
