"""GateLSTM's numbers, against the lesson in NumPy: values and gradients."""

import numpy as np
import pytest

from keras_gatelstm import GateLSTM, GateLSTMCell
from tests import lesson
from tests.backends import array, arrays, gradients
from tests.test_gates import randomize

BATCH, TIME, FEATURES, UNITS = 2, 4, 3, 3

variants = pytest.mark.parametrize("variant", ["lesson", "standard"])
biases = pytest.mark.parametrize("use_bias", [True, False])


@pytest.fixture
def events():
    random = np.random.default_rng(3)
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def random_layer(events, **options):
    layer = GateLSTM(UNITS, return_sequences=True, **options)
    layer.build(events.shape)
    randomize(layer)
    return layer


@variants
@biases
def test_values_equal_the_lesson(events, variant, use_bias):
    layer = random_layer(
        events, variant=variant, use_bias=use_bias, return_state=True
    )
    expected = lesson.sequence(lesson.weights_by_name(layer), events, variant)
    for ours, theirs in zip(arrays(layer(events)), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@variants
@biases
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_equal_the_lesson(events, variant, use_bias, masked):
    layer = random_layer(events, variant=variant, use_bias=use_bias)
    mask = np.array([[1, 0, 1, 1], [1, 1, 1, 0]], bool) if masked else None
    slope = np.random.default_rng(4).normal(size=(BATCH, TIME, UNITS))

    def loss(weights):
        outputs, *_ = lesson.sequence(weights, events, variant, mask=mask)
        return np.sum(outputs * slope)

    weights = lesson.weights_by_name(layer)
    expected = lesson.numeric_gradients(loss, weights)
    found = gradients(layer, events, slope.astype("float32"), mask=mask)
    for name, ours in zip(weights, found, strict=True):
        np.testing.assert_allclose(ours, expected[name], atol=1e-5)


@variants
def test_a_cell_takes_one_step(events, variant):
    cell = GateLSTMCell(UNITS, variant)
    memories = list(
        np.random.default_rng(5)
        .normal(size=(2, BATCH, UNITS))
        .astype("float32")
    )
    cell.build((BATCH, FEATURES))
    randomize(cell)

    output, after = cell(events[:, 0], memories)

    expected = lesson.step(
        lesson.weights_by_name(cell), events[:, 0], *memories, variant
    )
    np.testing.assert_array_equal(array(output), array(after[0]))
    for ours, name in zip(
        after, ["short_term_memory", "long_term_memory"], strict=True
    ):
        np.testing.assert_allclose(array(ours), expected[name], atol=1e-5)


@variants
def test_initial_memories_are_where_it_starts(events, variant):
    layer = random_layer(events, variant=variant, return_state=True)
    memories = list(
        np.random.default_rng(6)
        .normal(size=(2, BATCH, UNITS))
        .astype("float32")
    )
    expected = lesson.sequence(
        lesson.weights_by_name(layer), events, variant, memories
    )
    found = layer(events, initial_state=memories)
    for ours, theirs in zip(arrays(found), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def set_bias(network, value):
    network.bias.assign(np.full(network.bias.shape, value))


@variants
def test_a_forget_factor_of_zero_erases_long_term_memory(events, variant):
    layer = random_layer(events, variant=variant, return_state=True)
    set_bias(layer.cell.forget_gate.forget_factor, -20)
    short = np.zeros((BATCH, UNITS), "float32")
    full, empty = (
        arrays(layer(events, initial_state=[short, np.full_like(short, long)]))
        for long in (100, 0)
    )
    for erased, never_there in zip(full, empty, strict=True):
        np.testing.assert_allclose(erased, never_there, atol=1e-4)


@variants
def test_an_ignore_factor_of_zero_lets_nothing_new_in(events, variant):
    layer = random_layer(events, variant=variant, return_state=True)
    set_bias(layer.cell.learn_gate.ignore_factor, -20)
    *_, long = layer(events)
    np.testing.assert_allclose(array(long), 0, atol=1e-4)


@variants
def test_a_use_factor_of_zero_silences_the_output(events, variant):
    layer = random_layer(events, variant=variant, return_state=True)
    set_bias(layer.cell.use_gate.use_factor, -20)
    outputs, short, long = arrays(layer(events))
    np.testing.assert_allclose(outputs, 0, atol=1e-4)
    np.testing.assert_allclose(short, 0, atol=1e-4)
    assert np.abs(long).max() > 0.01


def test_useful_memory_reads_what_was_kept_not_what_is_remembered(events):
    """The lesson's use gate: with nothing kept, it says the same always."""
    layer = random_layer(events)
    set_bias(layer.cell.forget_gate.forget_factor, -20)
    set_bias(layer.cell.use_gate.use_factor, 20)
    bias = array(layer.cell.use_gate.useful_memory.bias)
    np.testing.assert_allclose(
        array(layer(events)),
        np.broadcast_to(np.tanh(bias), (BATCH, TIME, UNITS)),
        atol=1e-4,
    )
