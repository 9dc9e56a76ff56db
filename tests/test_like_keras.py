"""Every layer against Keras's own: same weights, values and gradients."""

import inspect

import keras
import numpy as np
import pytest

from tests.backends import array, arrays
from tests.families import (
    BATCH,
    FEATURES,
    LSTM,
    RNN,
    UNITS,
    assert_alike,
    assert_gradients_alike,
    families,
    randomize,
)

pytestmark = families


def rarely(*values):
    """A case that the longer form of the tests has, as another comes close."""
    return pytest.param(*values, marks=pytest.mark.thorough)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "relu"},
        rarely({"activation": None}),
        {"recurrent_activation": "hard_sigmoid"},
        {"use_bias": False},
        rarely({"return_sequences": True}),
        rarely({"return_state": True}),
        {"return_sequences": True, "return_state": True},
        {"go_backwards": True, "return_sequences": True},
        {"unroll": True, "return_sequences": True},
        {"stateful": True, "return_state": True},
    ],
    ids=str,
)
def test_every_argument_gives_what_keras_gives(family, events, options):
    if family is RNN and "recurrent_activation" in options:
        pytest.skip("a plain RNN squishes once")
    ours, theirs = family.pair(events, **options)
    assert_alike(ours, theirs, events)
    assert_gradients_alike(family, ours, theirs, events)


MASKS = {
    "right": [1, 1, 1, 1, 0, 0],
    "left": [0, 0, 1, 1, 1, 1],
    "middle": [1, 1, 0, 0, 1, 1],
    "all": [0, 0, 0, 0, 0, 0],
}


@pytest.mark.parametrize(
    "option", [None, "go_backwards", "zero_output_for_mask", "unroll"]
)
def test_masks_work_as_in_keras(family, events, option):
    mask = np.array(list(MASKS.values()), bool)
    ours, theirs = family.pair(
        events,
        return_sequences=True,
        return_state=True,
        **({option: True} if option else {}),
    )
    assert_alike(ours, theirs, events, mask=mask)
    assert_gradients_alike(family, ours, theirs, events, mask=mask)


@pytest.mark.parametrize("place", MASKS)
def test_masked_steps_change_nothing(family, events, place):
    mask = np.array([MASKS[place]] * BATCH, bool)
    ours, _ = family.pair(events, return_state=True)
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
        rarely({"dropout": 0.4}),
        {"recurrent_dropout": 0.4},
        {"dropout": 0.3, "recurrent_dropout": 0.3},
    ],
    ids=str,
)
def test_the_same_seed_drops_the_same(family, events, rates):
    ours, theirs = family.pair(events, seed=5, return_sequences=True, **rates)
    assert_alike(ours, theirs, events, training=True)
    assert_alike(ours, theirs, events, training=False)
    assert_gradients_alike(family, ours, theirs, events, training=True)


def test_memories_to_start_from_work_as_in_keras(family, events):
    memories = family.some_memories()
    ours, theirs = family.pair(events, return_state=True)
    assert_alike(ours, theirs, events, initial_state=memories)
    assert_gradients_alike(family, ours, theirs, events, initial_state=memories)


def test_a_cell_steps_as_in_keras(family, events):
    ours, theirs = family.our_cell(name="cell"), family.their_cell()
    ours.build((BATCH, FEATURES))
    theirs.build((BATCH, FEATURES))
    randomize(ours)
    theirs.set_weights(family.fuse(ours))
    given = [family.some_memories()]
    if family.memories == 1:
        given.append(given[0][0])  # Not in a list, and handed back so.
    for memories in given:
        found = ours(events[:, 0], memories)
        expected = theirs(events[:, 0], memories)
        keras.tree.assert_same_structure(found, expected)
        for one, other in zip(arrays(found), arrays(expected), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


STARTS = {
    "as it comes": {},
    "seeded": {
        "kernel_initializer": keras.initializers.HeNormal(seed=1),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=2),
    },
    "random_bias": {
        "bias_initializer": keras.initializers.RandomNormal(seed=3)
    },
}


@pytest.mark.parametrize("options", STARTS.values(), ids=STARTS)
def test_it_starts_from_the_numbers_keras_starts_from(family, events, options):
    if family is LSTM and "bias_initializer" in options:
        # With a forget gate's ones between, Keras draws in two parts.
        options = {**options, "unit_forget_bias": False}
    keras.utils.set_random_seed(5)
    ours = family.ours(**options)
    ours.build(events.shape)
    keras.utils.set_random_seed(5)
    theirs = family.theirs(**options)
    theirs.build(events.shape)
    for name, one, other in zip(
        ("kernel", "recurrent", "bias"),
        family.fuse(ours),
        theirs.get_weights(),
        strict=True,
    ):
        if f"{name}_initializer" in options or not options:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("weight", ["kernel", "recurrent", "bias"])
def test_regularizers_add_what_they_add_in_keras(family, events, weight):
    ours, theirs = family.pair(events, **{f"{weight}_regularizer": "l1l2"})
    assert len(ours.losses) == len(family.networks)
    np.testing.assert_allclose(
        sum(map(array, ours.losses)), array(theirs.losses[0]), rtol=1e-5
    )


def test_activity_is_regularized(family, events):
    ours, _ = family.pair(events, activity_regularizer="l2")
    outputs = array(ours(events))
    # Keras's layers say the same, but for SimpleRNN, which forgets it.
    np.testing.assert_allclose(
        array(ours.losses[0]), 0.01 * np.sum(outputs**2) / BATCH, rtol=1e-5
    )


@pytest.mark.parametrize(
    "weight", [rarely("kernel"), "recurrent", rarely("bias")]
)
def test_constraints_hold_as_in_keras_when_training(family, events, weight):
    ours, theirs = family.pair(events, **{f"{weight}_constraint": "non_neg"})
    targets = np.ones((BATCH, UNITS))
    for layer in (ours, theirs):
        model = keras.Sequential([layer])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch(events, targets)
    found = family.fuse(ours)
    for one, other in zip(found, theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    place = ["kernel", "recurrent", "bias"].index(weight)
    assert found[place].min() == 0


def parameters(class_):
    """Name, kind and default of each argument."""
    signature = inspect.signature(class_.__init__)
    return [
        (it.name, it.kind, it.default) for it in signature.parameters.values()
    ]


@pytest.mark.parametrize("kind", ["layer", "cell"])
def test_its_arguments_are_keras_own_in_their_places(family, kind):
    ours = parameters(getattr(family, kind))
    theirs = parameters(getattr(family, f"keras_{kind}"))
    (*theirs, kwargs), known = theirs, len(theirs) - 1
    assert ours[:known] == theirs
    *more, ours_kwargs = ours[known:]
    assert kwargs == ours_kwargs
    assert {it[1] for it in more} <= {inspect.Parameter.KEYWORD_ONLY}
    ours_alone = {"variant", "peephole", "coupled"}
    taken_by_keras = {"implementation", "zero_output_for_mask"}
    assert {it[0] for it in more} <= ours_alone | taken_by_keras


# Fused weights: ours are the gates' networks'.
FUSED = {"kernel", "recurrent_kernel", "bias"}


@pytest.mark.parametrize("built", [False, True])
def test_its_attributes_are_keras_own(family, events, built):
    given = {
        "activation": "relu",
        "use_bias": False,
        "kernel_initializer": "he_normal",
        "recurrent_regularizer": "l2",
        "bias_constraint": "non_neg",
        "dropout": 0.1,
        "recurrent_dropout": 0.2,
        "seed": 3,
    }
    ours, theirs = family.ours(**given), family.theirs(**given)
    if built:
        ours.build(events.shape)
        theirs.build(events.shape)
    for one, other in ((ours, theirs), (ours.cell, theirs.cell)):
        public = {it for it in dir(other) if not it.startswith("_")} - FUSED
        assert public <= set(dir(one))
        for name in defaults(other).keys() - {"dtype", "use_cudnn"}:
            # Keras's layers keep their seed in their cells.
            expected = getattr(other, name, given.get(name))
            found = getattr(one, name)
            plain = isinstance(expected, int | float | str | None)
            if plain or inspect.isfunction(expected):
                assert found == expected, name
            else:
                assert type(found) is type(expected), name


def test_what_it_was_made_with_is_not_changed_after(family):
    with pytest.raises(
        AttributeError, match=r"dropout of Gate.* is given when"
    ):
        family.ours().dropout = 0.5


def test_its_first_arguments_mean_what_keras_means(family):
    theirs = family.keras_layer(UNITS, "relu")
    ours = family.layer(UNITS, "relu", **family.options)
    assert ours.activation is theirs.activation is keras.activations.relu


def test_weights_of_keras_are_refused_with_the_way_to_carry_them(
    family, events
):
    if family is RNN:
        pytest.skip("its weights are laid out as Keras's")
    ours, theirs = family.ours(), family.theirs()
    ours.build(events.shape)
    theirs.build(events.shape)
    for one, other in ((ours, theirs), (ours.cell, theirs.cell)):
        with pytest.raises(ValueError, match=r"convert\.from_keras\(layer\)"):
            one.set_weights(other.get_weights())


def defaults(layer):
    """Every argument's value where none is given, by its name."""
    config = layer.get_config()
    del config["name"]
    return config


def test_it_takes_every_argument_of_keras_with_its_default(family):
    ours, theirs = defaults(family.ours()), defaults(family.theirs())
    for name, value in theirs.items():
        assert ours[name] == value, name


def test_its_cell_takes_every_argument_of_keras_with_its_default(family):
    ours, theirs = defaults(family.our_cell()), defaults(family.their_cell())
    for name, value in theirs.items():
        assert ours[name] == value, name
