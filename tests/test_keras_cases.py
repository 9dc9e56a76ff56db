"""What Keras's own tests of its recurrent layers try, on ours beside theirs.

They are those of keras/src/layers/rnn: simple_rnn, gru, lstm, rnn,
stacked_rnn_cells, bidirectional and time_distributed. Where Keras pins
numbers made with uniform weights, its own layer is asked, with random ones.
"""

import keras
import numpy as np
import pytest

from tests.backends import array, arrays
from tests.families import (
    BATCH,
    FEATURES,
    LSTM,
    TIME,
    UNITS,
    assert_alike,
    randomize,
    some_events,
    three_families,
)
from tests.keras_checks import LayerChecks

pytestmark = three_families

MASK = np.array(
    [
        [1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1],
        [1, 1, 0, 0, 1, 1],
        [0, 0, 0, 0, 0, 0],
    ],
    bool,
)


# Keras's own checks train on a generator and leave shuffling on.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
@pytest.mark.parametrize(
    ("options", "seeds"),
    [
        ({"dropout": 0.5}, 1),
        ({"dropout": 0.5, "recurrent_dropout": 0.5}, 1),
        (
            {
                "return_sequences": True,
                "bias_regularizer": "l1",
                "kernel_regularizer": "l2",
                "recurrent_regularizer": "l2",
            },
            1,
        ),
    ],
    ids=["dropout", "recurrent_dropout", "regularizers"],
)
def test_basics(family, options, seeds):
    networks = len(family.networks)
    LayerChecks().run_layer_test(
        family.layer,
        init_kwargs={"units": 3, **family.options, **family.shared, **options},
        input_shape=(3, 2, 4),
        call_kwargs={"training": True},
        expected_output_shape=(
            (3, 2, 3) if options.get("return_sequences") else (3, 3)
        ),
        expected_num_losses=(
            3 * networks if "bias_regularizer" in options else 0
        ),
        expected_num_trainable_weights=3 * networks,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=seeds,
        supports_masking=True,
    )


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_output_shapes_are_known_before(family, return_sequences, return_state):
    options = {
        "return_sequences": return_sequences,
        "return_state": return_state,
    }
    shape = (None, None, FEATURES)
    ours = family.ours(**options).compute_output_shape(shape)
    assert ours == family.theirs(**options).compute_output_shape(shape)


def test_sequences_of_any_size(family, events):
    ours, theirs = family.pair(events, return_sequences=True)
    for batch, time in ((1, TIME), (BATCH, 1), (2, 3)):
        assert_alike(ours, theirs, events[:batch, :time])
    for layer in (ours, theirs):
        symbol = layer(keras.Input((None, FEATURES)))
        assert symbol.shape == (None, None, UNITS)


def test_stateful_layers_carry_on_until_they_are_reset(family, events):
    ours, theirs = family.pair(events, stateful=True)
    for _ in range(3):
        assert_alike(ours, theirs, events)
    ours.reset_state()
    theirs.reset_state()
    assert_alike(ours, theirs, events)


def test_a_stateful_layer_refuses_another_batch_size(family, events):
    layer = family.ours(stateful=True)
    layer(events)
    with pytest.raises(ValueError, match="batch size"):
        layer(events[:2])


def test_a_stateful_layer_wants_a_batch_size(family):
    with pytest.raises(ValueError, match="batch size must be static"):
        family.ours(stateful=True)(keras.Input((TIME, FEATURES)))


def test_memories_come_from_another_layer(family, events):
    """An encoder's last memories are where the decoder starts."""
    inputs = keras.Input((TIME, FEATURES))
    encoders = family.pair(events, return_state=True)
    decoders = family.pair(events, return_sequences=True)
    models = []
    for encoder, decoder in zip(encoders, decoders, strict=True):
        _, *memories = encoder(inputs)
        outputs = decoder(inputs, initial_state=memories)
        models.append(keras.Model(inputs, outputs))
    assert_alike(*models, events)


def stacks(family, **options):
    ours, theirs = (
        keras.layers.RNN([make(4), make(UNITS)], **options)
        for make in (family.our_cell, family.their_cell)
    )
    ours.build((BATCH, TIME, FEATURES))
    theirs.build((BATCH, TIME, FEATURES))
    randomize(ours)
    for one, other in zip(ours.cell.cells, theirs.cell.cells, strict=True):
        other.set_weights(family.fuse(one))
    return ours, theirs


@pytest.mark.parametrize(
    "option",
    [
        "return_state",
        "go_backwards",
        *(
            pytest.param(it, marks=pytest.mark.thorough)
            for it in ("return_sequences", "stateful", "unroll")
        ),
    ],
)
def test_cells_stack(family, events, option):
    ours, theirs = stacks(family, **{option: True})
    for _ in range(2):
        assert_alike(ours, theirs, events)
    assert_alike(ours, theirs, events, mask=MASK)


def both_ways(family, **options):
    wrapper = {
        name: options.pop(name) for name in ("merge_mode",) if name in options
    }
    ours, theirs = (
        keras.layers.Bidirectional(make(**options), **wrapper)
        for make in (family.ours, family.theirs)
    )
    ours.build((BATCH, TIME, FEATURES))
    theirs.build((BATCH, TIME, FEATURES))
    randomize(ours)
    for one, other in (
        (ours.forward_layer, theirs.forward_layer),
        (ours.backward_layer, theirs.backward_layer),
    ):
        other.set_weights(family.fuse(one))
    return ours, theirs


@pytest.mark.parametrize("return_sequences", [False, True])
def test_bidirectional_reads_both_ways(family, events, return_sequences):
    # Merging is Keras's own, and the same for all families.
    for merge_mode in ("concat", "sum", None) if family is LSTM else ["ave"]:
        ours, theirs = both_ways(
            family, merge_mode=merge_mode, return_sequences=return_sequences
        )
        assert_alike(ours, theirs, events)
        assert_alike(ours, theirs, events, mask=MASK)


def test_bidirectional_takes_and_gives_memories(family, events):
    ours, theirs = both_ways(family, return_state=True)
    memories = [*family.some_memories(), *family.some_memories()]
    assert_alike(ours, theirs, events, initial_state=memories)
    assert len(ours(events)) == 1 + 2 * family.memories
    shape = (BATCH, TIME, FEATURES)
    assert ours.compute_output_shape(shape) == theirs.compute_output_shape(
        shape
    )


def test_bidirectional_carries_on(family, events):
    ours, theirs = both_ways(family, stateful=True)
    for _ in range(2):
        assert_alike(ours, theirs, events)
    ours.reset_state()
    theirs.reset_state()
    assert_alike(ours, theirs, events)


def test_time_distributed_runs_it_on_each_part(family, events):
    ours, theirs = family.pair(events)
    parts = np.stack([events, 2 * events, -events], axis=1)
    outputs = array(keras.layers.TimeDistributed(ours)(parts))
    for place in range(3):
        np.testing.assert_allclose(
            outputs[:, place], array(theirs(parts[:, place])), atol=1e-5
        )


def test_masks_come_from_an_embedding(family):
    words = np.array([[3, 1, 2, 0, 0], [1, 2, 3, 4, 0]])
    embedding = keras.layers.Embedding(5, FEATURES, mask_zero=True)
    ours, theirs = family.pair(array(embedding(words)), return_sequences=True)
    one, other = (
        keras.Sequential([embedding, layer]) for layer in (ours, theirs)
    )
    assert_alike(one, other, words)


def test_a_cell_with_dropout_has_one_stream_of_random_numbers(family):
    cell = family.our_cell(dropout=0.5, recurrent_dropout=0.5, seed=3)
    layer = keras.layers.RNN(cell)
    layer(some_events(), training=True)
    (state,) = layer.non_trainable_variables
    assert arrays(state)[0][1] > 0
