"""Keras's models with gates, and back: the same outputs, nothing lost."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM
from keras_gatelstm.convert import from_keras, to_keras
from tests.backends import array, arrays
from tests.convert.models import (
    PLACES,
    inside,
    layers,
    random_weights,
    sequential,
)
from tests.families import (
    BATCH,
    FAMILIES,
    FEATURES,
    GRU_RESET_BEFORE,
    LSTM,
    TIME,
    assert_alike,
    some_events,
    three_families,
)


@three_families
@pytest.mark.parametrize("place", PLACES)
def test_there_and_back_outputs_and_all_weights_are_the_same(family, place):
    theirs = PLACES[place](family)
    if not theirs.built:
        theirs.build((BATCH, TIME, FEATURES))
    random_weights(theirs)
    events = some_events()
    if place == "time_distributed":
        events = np.stack([events, -events], axis=1)

    ours = from_keras(theirs)
    back = to_keras(ours)

    assert_alike(ours, theirs, events, atol=1e-6)
    assert_alike(back, theirs, events, atol=0)
    assert ours.count_params() == theirs.count_params()
    assert ours.name == back.name == theirs.name
    for one, other in zip(back.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(array(one), array(other))
        assert one is not other
    assert any(isinstance(part, OURS) for part in inside(ours))
    assert not any(isinstance(part, OURS) for part in inside(back))


OURS = tuple(
    kind for family in FAMILIES.values() for kind in (family.layer, family.cell)
)


def test_a_gru_that_resets_before_is_the_same_too(events):
    theirs = PLACES["sequential"](GRU_RESET_BEFORE)
    random_weights(theirs)
    ours = from_keras(theirs)
    assert_alike(ours, theirs, events, atol=1e-6)
    assert_alike(to_keras(ours), theirs, events, atol=0)


@three_families
def test_what_is_not_built_stays_so(family):
    ours = from_keras(keras.Sequential([family.theirs(), layers.Dense(1)]))
    assert not ours.built
    assert not ours.layers[0].built
    assert isinstance(ours.layers[0], family.layer)
    assert type(to_keras(family.ours())) is family.keras_layer


@three_families
def test_cells_are_carried_alone(family):
    theirs = family.their_cell()
    theirs.build((BATCH, FEATURES))
    random_weights(theirs)
    ours = from_keras(theirs)
    events, memories = some_events()[:, 0], family.some_memories()
    found, expected = (
        arrays(cell(events, memories)) for cell in (ours, theirs)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert type(to_keras(ours)) is family.keras_cell


@three_families
def test_masks_go_through(family):
    theirs = keras.Sequential(
        [
            layers.Embedding(5, FEATURES, mask_zero=True),
            layers.Bidirectional(family.theirs(return_sequences=True)),
            family.theirs(),
        ]
    )
    words = np.array([[3, 1, 2, 0, 0], [1, 2, 3, 4, 0]])
    theirs(words)
    random_weights(theirs)
    assert_alike(from_keras(theirs), theirs, words, atol=1e-6)


def test_a_converted_model_saves_and_loads(events, tmp_path):
    ours = from_keras(PLACES["bidirectional"](LSTM))
    ours.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_alike(loaded, ours, events, atol=0)


def test_what_has_gates_already_stays_beside_what_gets_them(events):
    theirs = sequential(
        GateLSTM(4, return_sequences=True), layers.LSTM(3, name="theirs")
    )
    random_weights(theirs)
    ours = from_keras(theirs)
    assert [layer.variant for layer in ours.layers] == ["lesson", "standard"]
    assert_alike(ours, theirs, events, atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize(
    ("layer", "clips", "warns"),
    [
        (layers.LSTM, "clipnorm", True),
        (layers.GRU, "clipnorm", True),
        (layers.SimpleRNN, "clipnorm", False),
        (layers.LSTM, "global_clipnorm", False),
    ],
)
def test_clipping_by_variable_is_warned_of(
    layer, clips, warns, policy, recwarn
):
    model = sequential(layer(4, dtype=policy))
    optimizer = keras.optimizers.Adam(**{clips: 1.0})
    if policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, "mse")
    from_keras(model)
    warned = [str(it.message) for it in recwarn if "clips each" in str(it)]
    assert len(warned) == warns
    assert all("Compile it with global_clipnorm" in it for it in warned)
