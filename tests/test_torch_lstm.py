"""Whole sequences by PyTorch's own LSTM: when, and with the same results."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM
from tests.backends import array, arrays, gradients
from tests.families import UNITS, randomize

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's operator"
)


@pytest.fixture
def operator_calls(monkeypatch):
    """Counts the calls of PyTorch's operator, which still does its work."""
    calls = []
    operator = torch.lstm

    def counted(*args, **kwargs):
        calls.append(kwargs)
        return operator(*args, **kwargs)

    monkeypatch.setattr(torch, "lstm", counted)
    return calls


def pair(events, **options):
    """The same layer twice: by the operator, and by the loop."""
    layers = [
        GateLSTM(UNITS, variant="standard", use_cudnn=use, **options)
        for use in ("auto", False)
    ]
    for layer in layers:
        layer.build(events.shape)
    randomize(layers[0])
    layers[1].set_weights(layers[0].get_weights())
    return layers


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_bias": False},
        {"return_sequences": True, "return_state": True},
        {"go_backwards": True, "return_sequences": True},
        {"stateful": True, "return_state": True},
        {"dtype": "float64"},
        {"dropout": 0.5, "recurrent_dropout": 0.5},
    ],
    ids=str,
)
def test_the_operator_gives_what_the_loop_gives(
    events, options, operator_calls
):
    fast, slow = pair(events, **options)
    for _ in range(2):  # The second call of a stateful layer goes on.
        ours, theirs = arrays(fast(events)), arrays(slow(events))
        for left, right in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)
    assert len(operator_calls) == 2
    slope = np.linspace(-1, 1, ours[0].size).reshape(ours[0].shape)
    slope = slope.astype(ours[0].dtype)
    # Gradients reach each weight of each gate, and the memories' past.
    for left, right in zip(
        gradients(fast, events, slope),
        gradients(slow, events, slope),
        strict=True,
    ):
        np.testing.assert_allclose(left, right, atol=1e-5)
    assert len(operator_calls) == 3


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"use_cudnn": False}, {}),
        ({"variant": "lesson"}, {}),
        ({"activation": "relu"}, {}),
        ({"recurrent_activation": "hard_sigmoid"}, {}),
        ({"peephole": True}, {}),
        ({"coupled": True}, {}),
        ({"unroll": True}, {}),
        ({"dtype": "mixed_bfloat16"}, {}),
        ({"dropout": 0.5}, {"training": True}),
        ({"recurrent_dropout": 0.5}, {"training": True}),
        ({}, {"mask": True}),
    ],
    ids=str,
)
def test_what_the_operator_has_not_is_left_to_the_loop(
    events, options, call, operator_calls
):
    layer = GateLSTM(UNITS, **{"variant": "standard", **options})
    if "mask" in call:
        call = {"mask": np.ones(events.shape[:2], bool)}
    layer(events, **call)
    assert not operator_calls


def memories(rows, units=UNITS):
    random = np.random.default_rng(1)
    return [
        random.normal(size=(rows, units)).astype("float32") for _ in range(2)
    ]


def test_memories_of_one_row_are_those_of_all_rows(events, operator_calls):
    fast, slow = pair(events)
    given = memories(1)
    np.testing.assert_allclose(
        *(array(it(events, initial_state=given)) for it in (fast, slow)),
        atol=1e-6,
    )
    assert operator_calls


@pytest.mark.parametrize(("rows", "units"), [(2, UNITS), (None, UNITS + 1)])
def test_memories_of_other_shapes_are_refused(events, rows, units):
    rows = rows or len(events)
    with pytest.raises(ValueError, match=r"needs an initial_state of"):
        GateLSTM(UNITS, variant="standard")(
            events, initial_state=memories(rows, units)
        )


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("policy", ["float32", "float64"])
def test_numbers_that_are_no_floats_are_taken(events, dtype, policy):
    given = (events > 0).astype(dtype)
    fast, slow = pair(events, dtype=policy)
    found = array(fast(given))
    np.testing.assert_allclose(found, array(slow(given)), atol=1e-6)
    assert found.dtype == policy


def test_a_model_of_whole_numbers_reads_both_ways(events):
    inputs = keras.Input(events.shape[1:], dtype="int32")
    both = keras.layers.Bidirectional(GateLSTM(UNITS, variant="standard"))
    model = keras.Model(inputs, both(inputs))
    outputs = model.predict((events > 0).astype("int32"), verbose=0)
    assert outputs.shape == (len(events), 2 * UNITS)


# PyTorch warns of its tracer's end and of what Keras does while it traces.
@pytest.mark.filterwarnings("ignore")
def test_a_traced_model_takes_batches_of_any_size(events):
    layer = GateLSTM(UNITS, variant="standard")
    layer.build(events.shape)

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, events):
            return self.layer(events)

    part = torch.tensor(events[:2])
    # Its own check runs without gradients, where the operator keeps less.
    traced = torch.jit.trace(Module(), part, check_trace=False)
    found = array(traced(torch.tensor(events)))
    np.testing.assert_allclose(found, array(layer(events)), atol=1e-6)
