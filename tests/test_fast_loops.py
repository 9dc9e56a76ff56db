"""Loops of our own give what Keras's loop gives, and are taken where meant."""

from collections import namedtuple

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM, GateLSTMCell, GateSequence, SmallNetwork
from keras_gatelstm.core import fast_loops
from keras_gatelstm.core.loops import override_time_loop, run_by_cell
from tests.backends import array, arrays, gradients
from tests.families import (
    FAMILIES,
    FEATURES,
    LAYERS,
    TIME,
    UNITS,
    randomize,
    some_events,
)
from tests.test_own_cell import MinimalCell

BACKEND = keras.backend.backend()
# TensorFlow's is for a single sequence.
ROWS = 1 if BACKEND == "tensorflow" else 4
MAKERS = {**LAYERS, "reset_before": FAMILIES["gru_reset_before"].ours}
tensorflow_only = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="a loop of TensorFlow's"
)
every_layer = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.fixture
def loops_taken(monkeypatch):
    """Note what `choose_loop` returns at each call."""
    taken = []
    choose = fast_loops.choose_loop

    def noted(*args):
        taken.append(choose(*args))
        return taken[-1]

    monkeypatch.setattr("keras_gatelstm.core.sequence.choose_loop", noted)
    return taken


def pair(make, rows=ROWS, **options):
    """The same layer twice; both draw the same dropout masks."""
    layers = [make(UNITS, seed=7, **options) for _ in range(2)]
    for layer in layers:
        layer.build((rows, None, FEATURES))
        randomize(layer)
    return layers


def by_kerass_loop(layer, events, **call):
    with override_time_loop(layer, run_by_cell):
        return arrays(layer(events, **call))


def assert_the_same(make, events, options, call):
    ours, theirs = pair(make, **options)
    expected = by_kerass_loop(theirs, events, **call)
    # Sums are rounded in another order, and bfloat16 has eight bits.
    narrow = options.get("dtype") == "mixed_bfloat16"
    found = arrays(ours(events, **call))
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_allclose(
            left.astype("float32"),
            right.astype("float32"),
            atol=0.03 if narrow else 1e-6,
        )
    if narrow:
        return
    slope = np.linspace(-1, 1, expected[0].size).reshape(expected[0].shape)
    slope = slope.astype(expected[0].dtype)
    found = gradients(ours, events, slope, **call)
    with override_time_loop(theirs, run_by_cell):
        expected = gradients(theirs, events, slope, **call)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


@every_layer
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_bias": False, "return_sequences": True},
        {"go_backwards": True, "return_sequences": True, "return_state": True},
        {"return_state": True, "dtype": "float64"},
    ],
    ids=str,
)
def test_it_gives_what_kerass_loop_gives(make, options, loops_taken):
    if BACKEND == "jax" and "dtype" in options:
        # JAX has no float64, unless it is told to.
        options = {**options, "dtype": "mixed_bfloat16"}
    events = some_events(ROWS)
    if BACKEND == "torch" and make is LAYERS["standard"]:
        options = {**options, "use_cudnn": False}
    assert_the_same(make, events, options, {})
    assert loops_taken[0] is not None


# Rounds of five steps, and those that are left over.
@tensorflow_only
@pytest.mark.parametrize("time", [1, 3, 4, 5, 7, 10, 13])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("compiled", [True, False])
def test_any_number_of_steps(time, known, compiled, loops_taken):
    import tensorflow as tf

    events = some_events(1, time)
    layer, _ = pair(GateLSTM, return_sequences=True, return_state=True)

    def run(events):
        with tf.GradientTape() as tape:
            outputs = layer(events)
            loss = tf.reduce_sum(outputs[0] ** 2)
        return outputs, tape.gradient(
            loss, weights, unconnected_gradients="zero"
        )

    weights = [weight.value for weight in layer.trainable_variables]
    spec = tf.TensorSpec([1, time if known else None, FEATURES])
    ours = tf.function(run, input_signature=[spec], jit_compile=compiled)
    found = arrays(ours(events))
    assert loops_taken[-1] is not None
    with override_time_loop(layer, run_by_cell):
        expected = arrays(run(events))
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


@tensorflow_only
@pytest.mark.parametrize("one_dnn", [True, False])
@every_layer
def test_the_bias_goes_with_either_product(make, one_dnn, monkeypatch):
    from keras_gatelstm.core.fast_loops import on_tensorflow

    monkeypatch.setattr(on_tensorflow, "one_dnn_is_on", lambda: one_dnn)
    assert_the_same(make, some_events(1), {"return_sequences": True}, {})


@tensorflow_only
@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"dropout": 0.5}, {"training": True}),
        ({}, {"mask": np.array([[True, False, True, True, False, True]])}),
        ({"dtype": "mixed_bfloat16"}, {}),
    ],
    ids=["training", "mask", "bfloat16"],
)
def test_what_tensorflow_leaves_to_keras(options, call, loops_taken):
    assert_the_same(GateLSTM, some_events(1), options, call)
    assert loops_taken[0] is None


@pytest.mark.skipif(BACKEND == "tensorflow", reason="one sequence only")
@every_layer
@pytest.mark.parametrize(
    ("options", "call", "fast"),
    [
        ({"dropout": 0.5}, {"training": True}, True),
        ({"dropout": 1.0}, {"training": True}, True),
        ({"recurrent_dropout": 0.5}, {"training": True}, False),
        ({"recurrent_dropout": 0.5}, {"training": False}, True),
        ({}, {"mask": True}, BACKEND == "jax"),
        ({"zero_output_for_mask": True}, {"mask": True}, BACKEND == "jax"),
    ],
    ids=str,
)
def test_dropout_and_masks(make, options, call, fast, loops_taken):
    events = some_events(ROWS)
    options = {"return_sequences": True, **options}
    if "mask" in call:
        mask = np.ones((ROWS, TIME), bool)
        mask[0, 2] = mask[1, 4:] = False
        call = {"mask": mask}
    if BACKEND == "torch" and make is LAYERS["standard"]:
        options["use_cudnn"] = False
    assert_the_same(make, events, options, call)
    assert (loops_taken[0] is not None) == fast


def test_a_stateful_layer_goes_on(loops_taken):
    events = some_events(ROWS)
    ours, theirs = pair(GateLSTM, stateful=True)
    for _ in range(3):
        found = array(ours(events))
        (expected,) = by_kerass_loop(theirs, events)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [bool(loop) for loop in loops_taken] == [True] * 3


@pytest.mark.parametrize("rows", [1, ROWS])
def test_it_starts_with_the_memories_it_is_given(rows, loops_taken):
    if BACKEND == "jax" and rows == 1:
        pytest.skip("Keras's loop on JAX needs a row for each")
    random = np.random.default_rng(1)
    given = random.normal(size=(2, rows, UNITS)).astype("float32")
    events = some_events(ROWS)
    ours, theirs = pair(GateLSTM, return_state=True)
    for form in (list(given), tuple(given)):
        expected = by_kerass_loop(theirs, events, initial_state=form)
        found = arrays(ours(events, initial_state=form))
        for left, right in zip(found, expected, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)
    assert all(loops_taken)


@pytest.mark.skipif(BACKEND == "torch", reason="any batch without a mask")
def test_what_does_not_pay_is_left_to_keras(loops_taken):
    events = some_events(4 if BACKEND == "tensorflow" else 1)
    GateLSTM(UNITS)(events)
    assert loops_taken[-1] is None


@pytest.mark.parametrize("one_dnn", [True, False])
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_networks_that_read_another_memory_multiply_it_themselves(
    one_dnn, order, loops_taken, monkeypatch
):
    if BACKEND == "tensorflow":
        from keras_gatelstm.core.fast_loops import on_tensorflow

        monkeypatch.setattr(on_tensorflow, "one_dnn_is_on", lambda: one_dnn)

    class Declared(MinimalCell):
        # Wrong of the second, which reads a part of the memory.
        joined_networks = ("forget_factor", "candidate")[order]
        activity = MinimalCell.activity

    def make(units, seed, **options):
        return GateSequence(Declared(units, seed=seed), **options)

    assert_the_same(make, some_events(ROWS), {"return_sequences": True}, {})
    assert loops_taken[0] is not None


class HalfEvents(GateLSTMCell):
    def activity(self, event, *memories, dropout_masks=None):
        return super().activity(
            event * 0.5, *memories, dropout_masks=dropout_masks
        )


class Noisy(GateLSTMCell):
    def call(self, inputs, states, training=False):
        output, states = super().call(inputs, states, training=training)
        return output * (0.5 if training else 1), states


class Doubled(SmallNetwork):
    def from_event(self, event, mask=None):
        return 2 * super().from_event(event, mask)


def with_doubled_network(units):
    cell = GateLSTMCell(units)
    cell.use_gate.use_factor = Doubled(units, name="use_factor")
    return cell


@pytest.mark.parametrize(
    "make",
    [
        MinimalCell,
        HalfEvents,
        Noisy,
        with_doubled_network,
        lambda units: GateLSTMCell(units, dtype="mixed_bfloat16"),
        keras.layers.LSTMCell,
        lambda units: keras.layers.StackedRNNCells(
            [GateLSTMCell(units), GateLSTMCell(units)]
        ),
    ],
    ids=[
        "declares nothing",
        "changes the event",
        "overrides call",
        "another network",
        "another dtype",
        "Keras's",
        "stacked",
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_cells_that_are_run_by_keras(make, training, loops_taken):
    layer = GateSequence(make(UNITS))
    events = some_events(ROWS)
    found = array(layer(events, training=training))
    (expected,) = by_kerass_loop(layer, events, training=training)
    np.testing.assert_array_equal(found, expected)
    assert loops_taken == [None]


def test_a_cell_takes_states_in_any_structure():
    States = namedtuple("States", ["short", "long"])
    cell = GateLSTMCell(UNITS)
    event = some_events()[:, 0]
    zeros = cell.get_initial_state(len(event))
    expected, _ = cell(event, zeros)
    for states in (
        States(*zeros),
        tuple(zeros),
        {"a": zeros[0], "b": zeros[1]},
    ):
        output, after = cell(event, states)
        assert type(after) is type(states)
        np.testing.assert_array_equal(array(output), array(expected))
