"""The layers, each beside the layer of Keras's that it equals."""

from dataclasses import dataclass, field
from functools import partial

import keras
import numpy as np
import pytest

from keras_gatelstm import (
    GateGRU,
    GateGRUCell,
    GateLSTM,
    GateLSTMCell,
    GateRNN,
    GateRNNCell,
)
from tests.backends import array, arrays, gradients

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5


@dataclass(frozen=True)
class Family:
    layer: type
    cell: type
    keras_layer: type
    keras_cell: type
    networks: tuple  # In the order in which Keras's fused weights hold them.
    options: dict = field(default_factory=dict)  # Of ours alone.
    shared: dict = field(default_factory=dict)  # Of both.
    memories: int = 1

    def ours(self, units=UNITS, **options):
        return self.layer(units, **self.options, **self.shared, **options)

    def our_cell(self, units=UNITS, **options):
        return self.cell(units, **self.options, **self.shared, **options)

    def theirs(self, units=UNITS, **options):
        if self.keras_layer is not keras.layers.SimpleRNN:
            options = {"use_cudnn": False, **options}
        return self.keras_layer(units, **self.shared, **options)

    def their_cell(self, units=UNITS, **options):
        return self.keras_cell(units, **self.shared, **options)

    def fuse(self, layer, values=None):
        """Numbers per weight of ours, laid out as Keras has them."""
        if values is None:
            values = [array(w) for w in layer.weights]
        pairs = zip(layer.weights, values, strict=True)
        named = {weight.path: value for weight, value in pairs}
        return [
            np.concatenate(parts, axis=-1)
            for kind in ("kernel", "recurrent_kernel", "bias")
            if (parts := self._of_each_network(named, kind))
        ]

    def _of_each_network(self, named, kind):
        return [
            value
            for network in self.networks
            for path, value in named.items()
            if path.endswith(f"{network}/{kind}")
        ]

    def pair(self, events, **options):
        """Both layers with one set of random weights."""
        ours, theirs = self.ours(**options), self.theirs(**options)
        ours.build(events.shape)
        theirs.build(events.shape)
        randomize(ours)
        theirs.set_weights(self.fuse(ours))
        return ours, theirs

    def some_memories(self):
        random = np.random.default_rng(6)
        memories = random.normal(size=(self.memories, BATCH, UNITS))
        return list(memories.astype("float32"))


LSTM = Family(
    GateLSTM,
    GateLSTMCell,
    keras.layers.LSTM,
    keras.layers.LSTMCell,
    (
        "learn_gate/ignore_factor",
        "forget_gate/forget_factor",
        "learn_gate/new_information",
        "use_gate/use_factor",
    ),
    options={"variant": "standard"},
    memories=2,
)
GRU_NETWORKS = (
    "update_gate/update_factor",
    "reset_gate/reset_factor",
    "candidate",
)
GRU = Family(
    GateGRU, GateGRUCell, keras.layers.GRU, keras.layers.GRUCell, GRU_NETWORKS
)
GRU_RESET_BEFORE = Family(
    GateGRU,
    GateGRUCell,
    keras.layers.GRU,
    keras.layers.GRUCell,
    GRU_NETWORKS,
    shared={"reset_after": False},
)
RNN = Family(
    GateRNN,
    GateRNNCell,
    keras.layers.SimpleRNN,
    keras.layers.SimpleRNNCell,
    ("memory",),
)
FAMILIES = {
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRU_RESET_BEFORE,
    "rnn": RNN,
}
families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
# For what has nothing to do with when a GRU resets.
three_families = pytest.mark.parametrize(
    "family", [LSTM, GRU, RNN], ids=["lstm", "gru", "rnn"]
)

variants = pytest.mark.parametrize("variant", ["lesson", "standard"])
LAYERS = {
    "lesson": GateLSTM,
    "standard": partial(GateLSTM, variant="standard"),
    "refined": partial(
        GateLSTM, variant="standard", peephole=True, coupled=True
    ),
    "gru": GateGRU,
    "rnn": GateRNN,
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def some_layers(*names):
    """Every layer: those named in every run, the others in thorough ones."""
    return pytest.mark.parametrize(
        "make",
        [
            pytest.param(
                make,
                id=name,
                marks=[] if name in names else pytest.mark.thorough,
            )
            for name, make in LAYERS.items()
        ],
    )


def some_events(batch=BATCH, time=TIME):
    random = np.random.default_rng(3)
    return random.normal(size=(batch, time, FEATURES)).astype("float32")


def randomize(layer):
    random = np.random.default_rng(2)
    for weight in layer.weights:
        weight.assign(random.normal(size=weight.shape) / 2)


def assert_alike(ours, theirs, events, atol=1e-5, **call):
    for one, other in zip(
        arrays(ours(events, **call)),
        arrays(theirs(events, **call)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=atol)


def assert_gradients_alike(family, ours, theirs, events, **call):
    slope = np.random.default_rng(4).normal(size=(BATCH, UNITS))
    if ours.return_sequences:
        slope = np.stack([slope] * TIME, axis=1)
    slope = slope.astype("float32")
    found = family.fuse(ours, gradients(ours, events, slope, **call))
    expected = gradients(theirs, events, slope, **call)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
