"""The gradient by each memory, against the lesson in NumPy."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateGRU, GateLSTM, GateLSTMCell, GateRNN
from keras_gatelstm.inspect.gradient_flow import gradient_flow
from tests import lesson
from tests.backends import array
from tests.families import (
    BATCH,
    TIME,
    UNITS,
    families,
    randomize,
)

MASK = np.array([[1] * 6, [1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 1, 1], [0] * 6])
STEPS = {
    "lesson": (GateLSTM, partial(lesson.lstm_step, variant="lesson")),
    "standard": (
        partial(GateLSTM, variant="standard"),
        partial(lesson.lstm_step, variant="standard"),
    ),
    "gru": (GateGRU, lesson.gru_step),
    "rnn": (GateRNN, lesson.rnn_step),
}


def compiled(*parts):
    model = keras.Sequential(parts)
    model.compile(loss="mse")
    return model


def norms_of(step, weights, events, targets, names, mask=None):
    """`(batch, time)` by memory: what the loss moves by, memory by memory."""
    memories = {name: np.zeros((len(events), UNITS)) for name in names}
    found = {name: np.zeros(events.shape[:2]) for name in names}
    for t in range(events.shape[1]):
        _, *after = lesson.sequence(
            step,
            weights,
            events[:, t : t + 1],
            memories,
            None if mask is None else mask[:, t : t + 1],
        )
        memories = dict(zip(names, after, strict=True))

        def loss(moved, t=t):
            if t + 1 == events.shape[1]:
                last = moved[names[0]]
            else:
                _, last, *_ = lesson.sequence(
                    step,
                    weights,
                    events[:, t + 1 :],
                    moved,
                    None if mask is None else mask[:, t + 1 :],
                )
            return np.mean((last - targets) ** 2)

        for name, slope in lesson.numeric_gradients(loss, memories).items():
            found[name][:, t] = np.sqrt(np.sum(slope**2, axis=-1))
            if mask is not None:
                found[name][:, t] *= mask[:, t]
    return found


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("name", STEPS)
def test_norms_are_those_of_the_equations(name, masked, events):
    make, step = STEPS[name]
    layer = make(UNITS, name="layer")
    mask = MASK.astype(bool) if masked else None
    if masked:
        events = events * mask[..., None]
    parts = [layers.Masking()] if masked else []
    model = compiled(keras.Input(events.shape[1:]), *parts, layer)
    randomize(layer)
    targets = np.ones((BATCH, UNITS), "float32")
    found = gradient_flow(model, events, targets)
    names = [path.removeprefix("layer/") for path in found]
    expected = norms_of(
        step, lesson.weights_by_name(layer), events, targets, names, mask
    )
    assert all(path.startswith("layer/") for path in found)
    for memory, norms in expected.items():
        np.testing.assert_allclose(
            found[f"layer/{memory}"], norms, rtol=1e-3, atol=1e-7
        )


@families
def test_keras_layers_have_the_same_flow(family, events):
    targets = np.ones((BATCH, UNITS), "float32")
    pair = family.pair(events)
    ours, theirs = (
        gradient_flow(compiled(layer), events, targets) for layer in pair
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one.split("/")[-1] == other.split("/")[-1]
        np.testing.assert_allclose(ours[one], theirs[other], rtol=1e-4)


def test_steps_read_backwards_are_in_the_order_of_the_input(events):
    layer = GateLSTM(UNITS, name="lstm")
    there = compiled(keras.Input(events.shape[1:]), layer)
    back = compiled(
        keras.Input(events.shape[1:]),
        GateLSTM(UNITS, name="lstm", go_backwards=True),
    )
    back.set_weights(there.get_weights())
    targets = np.ones((BATCH, UNITS), "float32")
    forth = gradient_flow(there, events, targets)
    for memory, norms in gradient_flow(back, events[:, ::-1], targets).items():
        np.testing.assert_allclose(norms[:, ::-1], forth[memory], rtol=1e-5)


def test_every_memory_of_a_model_has_a_name(events):
    both = layers.Bidirectional(
        GateGRU(3, return_sequences=True, name="gru"), name="both"
    )
    cells = [GateLSTMCell(2, name="low"), layers.LSTMCell(4, name="high")]
    stacked = layers.RNN(cells, name="stacked")
    again = GateRNN(3, name="again")
    inputs = keras.Input(events.shape[1:])
    outputs = [stacked(both(inputs)), again(inputs), again(inputs * 2)]
    model = keras.Model(inputs, layers.Concatenate()(outputs))
    model.compile(loss="mse")
    found = gradient_flow(model, events, np.ones((BATCH, 10), "float32"))
    assert sorted(found) == sorted(
        [
            "again/memory",
            "again:2/memory",
            "both/backward_gru/memory",
            "both/forward_gru/memory",
            "stacked/high/long_term_memory",
            "stacked/high/short_term_memory",
            "stacked/low/long_term_memory",
            "stacked/low/short_term_memory",
        ]
    )
    for norms in found.values():
        assert norms.shape == (BATCH, TIME)
        assert (norms > 0).any()


def test_sample_weights_pick_the_last_step(events):
    layer = GateLSTM(UNITS, return_sequences=True, name="lstm")
    model = compiled(keras.Input(events.shape[1:]), layer)
    last = compiled(layer, layers.Lambda(lambda outputs: outputs[:, -1]))
    last.build(events.shape)
    weights = np.zeros((BATCH, TIME), "float32")
    weights[:, -1] = 1
    targets = np.ones((BATCH, TIME, UNITS), "float32")
    picked = gradient_flow(model, events, targets, sample_weight=weights)
    alone = gradient_flow(last, events, targets[:, -1])
    for memory, norms in picked.items():
        # The mean is over a loss for each of all steps.
        np.testing.assert_allclose(norms * TIME, alone[memory], rtol=1e-4)
    everywhere = gradient_flow(model, events, targets)
    assert not np.allclose(
        everywhere["lstm/short_term_memory"], picked["lstm/short_term_memory"]
    )


def test_nothing_in_the_model_changes(events):
    layer = GateLSTM(UNITS, stateful=True)
    model = compiled(keras.Input(batch_shape=events.shape), layer)
    before = [array(it).copy() for it in (*layer.weights, *layer.states)]
    gradient_flow(model, events, np.ones((BATCH, UNITS), "float32"))
    for old, new in zip(before, (*layer.weights, *layer.states), strict=True):
        np.testing.assert_array_equal(array(new), old)
    assert "inner_loop" not in vars(layer)


def test_what_cannot_flow_is_refused(events):
    model = keras.Sequential([GateLSTM(UNITS)])
    with pytest.raises(ValueError, match=r"has no loss: call model.compile"):
        gradient_flow(model, events, events)
    with pytest.raises(ValueError, match="has no layer with gates"):
        gradient_flow(compiled(layers.Dense(3)), events, events)
