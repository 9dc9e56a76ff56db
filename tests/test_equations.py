"""The layers' numbers, against the lesson in NumPy: values and gradients."""

from functools import partial

import keras
import numpy as np
import pytest

from keras_gatelstm import GateGRU, GateLSTM, GateRNN
from keras_gatelstm.core.anatomy import by_name
from tests import lesson
from tests.backends import array, arrays, gradients
from tests.families import randomize

BATCH, TIME, FEATURES, UNITS = 2, 4, 3, 3

refined = partial(GateLSTM, variant="standard")
standard_step = partial(lesson.lstm_step, variant="standard")

# Name -> the layer, and one step of the lesson.
LAYERS = {
    "lesson": (GateLSTM, partial(lesson.lstm_step, variant="lesson")),
    "standard": (refined, standard_step),
    "peephole": (partial(refined, peephole=True), standard_step),
    "coupled": (
        partial(refined, coupled=True),
        partial(standard_step, coupled=True),
    ),
    "peephole and coupled": (
        partial(refined, peephole=True, coupled=True),
        partial(standard_step, coupled=True),
    ),
    "gru": (GateGRU, lesson.gru_step),
    "gru, reset before": (
        partial(GateGRU, reset_after=False),
        partial(lesson.gru_step, reset_after=False),
    ),
    "rnn": (GateRNN, lesson.rnn_step),
}
every_layer = pytest.mark.parametrize("name", LAYERS)
variants = pytest.mark.parametrize("name", ["lesson", "standard"])
biases = pytest.mark.parametrize("use_bias", [True, False])


@pytest.fixture
def events():
    random = np.random.default_rng(3)
    return random.normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def random_layer(name, events, **options):
    layer = LAYERS[name][0](UNITS, return_sequences=True, **options)
    layer.build(events.shape)
    randomize(layer)
    return layer


def memories_of(layer, filled=False):
    random = np.random.default_rng(5)
    shape = (BATCH, UNITS)
    return {
        name: random.normal(size=shape) if filled else np.zeros(shape)
        for name in layer.cell.anatomy.memories
    }


def activity(cell, events, *memories):
    """What happens in the first step."""
    given = [events[:, 0], *(np.float32(memory) for memory in memories)]
    step = cell.activity(*map(keras.ops.convert_to_tensor, given))
    return {name: array(value) for name, value in by_name(step).items()}


def by_lesson(name, layer, events, memories, mask=None):
    weights = lesson.weights_by_name(layer)
    return lesson.sequence(LAYERS[name][1], weights, events, memories, mask)


@every_layer
@biases
@pytest.mark.parametrize("filled", [False, True])
def test_values_equal_the_lesson(events, name, use_bias, filled):
    layer = random_layer(name, events, use_bias=use_bias, return_state=True)
    memories = memories_of(layer, filled)
    expected = by_lesson(name, layer, events, memories)
    start = [np.float32(memory) for memory in memories.values()]
    found = layer(events, initial_state=start if filled else None)
    for ours, theirs in zip(arrays(found), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@every_layer
@pytest.mark.parametrize(
    ("use_bias", "masked"), [(True, False), (True, True), (False, False)]
)
def test_gradients_equal_the_lesson(events, name, use_bias, masked):
    layer = random_layer(name, events, use_bias=use_bias)
    mask = np.array([[1, 0, 1, 1], [1, 1, 1, 0]], bool) if masked else None
    slope = np.random.default_rng(4).normal(size=(BATCH, TIME, UNITS))
    memories = memories_of(layer)

    def loss(weights):
        outputs, *_ = lesson.sequence(
            LAYERS[name][1], weights, events, memories, mask
        )
        return np.sum(outputs * slope)

    weights = lesson.weights_by_name(layer)
    expected = lesson.numeric_gradients(loss, weights)
    found = gradients(layer, events, slope.astype("float32"), mask=mask)
    for path, ours in zip(weights, found, strict=True):
        np.testing.assert_allclose(ours, expected[path], atol=1e-5)


@every_layer
def test_a_cell_tells_every_quantity_of_a_step(events, name):
    layer = random_layer(name, events)
    cell = layer.cell
    memories = [np.float32(m) for m in memories_of(layer, True).values()]
    expected = LAYERS[name][1](
        lesson.weights_by_name(cell), events[:, 0], memories
    )

    found = activity(cell, events, *memories)
    output, after = cell(events[:, 0], memories)

    assert found.keys() == expected.keys()
    for quantity, value in expected.items():
        np.testing.assert_allclose(found[quantity], value, atol=1e-5)
    np.testing.assert_array_equal(array(output), array(after[0]))
    for memory, value in zip(cell.anatomy.memories, after, strict=True):
        np.testing.assert_array_equal(array(value), found[memory])


def set_bias(network, value):
    network.bias.assign(np.full(network.bias.shape, value))


@variants
def test_a_forget_factor_of_zero_erases_long_term_memory(events, name):
    layer = random_layer(name, events, return_state=True)
    set_bias(layer.cell.forget_gate.forget_factor, -20)
    short = np.zeros((BATCH, UNITS), "float32")
    full, empty = (
        arrays(layer(events, initial_state=[short, np.full_like(short, long)]))
        for long in (100, 0)
    )
    for erased, never_there in zip(full, empty, strict=True):
        np.testing.assert_allclose(erased, never_there, atol=1e-4)


@variants
def test_an_ignore_factor_of_zero_lets_nothing_new_in(events, name):
    layer = random_layer(name, events, return_state=True)
    set_bias(layer.cell.learn_gate.ignore_factor, -20)
    *_, long = layer(events)
    np.testing.assert_allclose(array(long), 0, atol=1e-4)


@variants
def test_a_use_factor_of_zero_silences_the_output(events, name):
    layer = random_layer(name, events, return_state=True)
    set_bias(layer.cell.use_gate.use_factor, -20)
    outputs, short, long = arrays(layer(events))
    np.testing.assert_allclose(outputs, 0, atol=1e-4)
    np.testing.assert_allclose(short, 0, atol=1e-4)
    assert np.abs(long).max() > 0.01


def test_useful_memory_reads_what_was_kept_not_what_is_remembered(events):
    """The lesson's use gate: with nothing kept, it says the same always."""
    layer = random_layer("lesson", events)
    set_bias(layer.cell.forget_gate.forget_factor, -20)
    set_bias(layer.cell.use_gate.use_factor, 20)
    bias = array(layer.cell.use_gate.useful_memory.bias)
    np.testing.assert_allclose(
        array(layer(events)),
        np.broadcast_to(np.tanh(bias), (BATCH, TIME, UNITS)),
        atol=1e-4,
    )


def test_an_update_factor_of_one_keeps_the_memory_as_it_is(events):
    layer = random_layer("gru", events, return_state=True)
    set_bias(layer.cell.update_gate.update_factor, 20)
    memory = np.full((BATCH, UNITS), 0.5, "float32")
    *_, after = layer(events, initial_state=memory)
    np.testing.assert_allclose(array(after), memory, atol=1e-4)


def test_an_update_factor_of_zero_replaces_the_memory(events):
    cell = random_layer("gru", events).cell
    set_bias(cell.update_gate.update_factor, -20)
    memory = np.full((BATCH, UNITS), 0.5, "float32")
    found = activity(cell, events, memory)
    np.testing.assert_allclose(found["memory"], found["candidate"], atol=1e-4)


@pytest.mark.parametrize("name", ["gru", "gru, reset before"])
def test_a_reset_factor_of_zero_hides_the_memory_from_the_candidate(
    events, name
):
    cell = random_layer(name, events).cell
    set_bias(cell.reset_gate.reset_factor, -20)
    full, empty = (
        activity(cell, events, memory)["candidate"]
        for memory in np.float32([[[1] * UNITS] * BATCH, [[0] * UNITS] * BATCH])
    )
    np.testing.assert_allclose(full, empty, atol=1e-4)


def test_a_peephole_sees_its_own_units_memory(events):
    """A long-term memory of 1 in one unit moves that unit's factor alone."""
    cell = random_layer("peephole", events).cell
    short = np.zeros((BATCH, UNITS), "float32")
    moved = short + np.eye(UNITS, dtype="float32")[1]
    before, after = (
        activity(cell, events, short, long)["forget_factor"]
        for long in (short, moved)
    )
    np.testing.assert_array_equal(before[:, [0, 2]], after[:, [0, 2]])
    assert (np.abs(before - after)[:, 1] > 0.01).all()


def test_regularizers_and_constraints_of_matrices_leave_peepholes_alone(events):
    layer = refined(
        UNITS,
        peephole=True,
        recurrent_regularizer=keras.regularizers.OrthogonalRegularizer(),
        recurrent_constraint=keras.constraints.UnitNorm(axis=1),
    )
    layer.build(events.shape)
    assert len(layer.losses) == 4
    constrained = [it.path for it in layer.weights if it.constraint]
    assert len(constrained) == 4
    assert all("recurrent_kernel" in path for path in constrained)


def test_a_new_peephole_sees_nothing(events):
    layer = refined(UNITS, peephole=True, return_sequences=True)
    layer.build(events.shape)
    step = partial(lesson.lstm_step, variant="standard")
    weights = {
        path: weight
        for path, weight in lesson.weights_by_name(layer).items()
        if "peephole" not in path
    }
    assert len(weights) == 12
    expected, *_ = lesson.sequence(step, weights, events, memories_of(layer))
    np.testing.assert_allclose(array(layer(events)), expected, atol=1e-5)


def test_coupled_gates_learn_just_where_they_forget(events):
    layer = random_layer("coupled", events)
    assert not any("ignore_factor" in weight.path for weight in layer.weights)
    memories = memories_of(layer, True).values()
    found = activity(layer.cell, events, *memories)
    np.testing.assert_allclose(
        found["ignore_factor"] + found["forget_factor"], 1
    )


@pytest.mark.parametrize("refinement", ["peephole", "coupled"])
def test_refinements_are_of_the_standard_variant(refinement):
    with pytest.raises(
        ValueError, match=f'{refinement}=True is for variant="standard" only'
    ):
        GateLSTM(3, **{refinement: True})
    with pytest.raises(ValueError, match=f"{refinement} must be True or False"):
        GateLSTM(3, variant="standard", **{refinement: "yes"})
