"""How PyTorch lays out the weights of its recurrent modules.

For each layer and direction there are `weight_ih` and `weight_hh`, of
`(networks·units, features)` and `(networks·units, units)`, and two biases,
`bias_ih` and `bias_hh`, of `(networks·units,)`: the event's and the memory's.
A name ends in the number of the layer, `_l0`, and in `_reverse` for the layer
that reads backwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import keras
import numpy as np

from keras_gatelstm.core.sequence import GateSequence
from keras_gatelstm.core.types import Config
from keras_gatelstm.gru import GateGRU
from keras_gatelstm.lstm import GateLSTM
from keras_gatelstm.rnn import GateRNN

DIRECTIONS = ("", "_reverse")


@dataclass(frozen=True)
class Family:
    """A module of PyTorch's, and the layer of ours that equals it."""

    layer: type[GateSequence]
    options: Config  # That the layer needs to equal it.
    order: tuple[int, ...]  # Of the networks; its own inverse.
    two_biases: bool  # In our layer, as in PyTorch; else their sum.

    def to_ours(
        self, weights: Mapping[str, np.ndarray], place: str
    ) -> list[np.ndarray]:
        """PyTorch's weights at a place, such as `"l0"`, in Keras's layout."""
        kernels = [
            self._reordered(weights[f"weight_{kind}_{place}"]).T
            for kind in ("ih", "hh")
        ]
        if f"bias_ih_{place}" not in weights:
            return kernels
        biases = np.stack(
            [
                self._reordered(weights[f"bias_{kind}_{place}"])
                for kind in ("ih", "hh")
            ]
        )
        return [*kernels, biases if self.two_biases else biases.sum(axis=0)]

    def to_theirs(
        self, weights: list[np.ndarray], place: str
    ) -> dict[str, np.ndarray]:
        """Weights in Keras's layout as PyTorch's, by their names there."""
        kernel, recurrent_kernel, *biases = weights
        named = {
            f"weight_ih_{place}": self._reordered(kernel.T),
            f"weight_hh_{place}": self._reordered(recurrent_kernel.T),
        }
        for bias in biases:
            both = bias if self.two_biases else (bias, np.zeros_like(bias))
            for kind, one in zip(("ih", "hh"), both, strict=True):
                named[f"bias_{kind}_{place}"] = self._reordered(one)
        return named

    def _reordered(self, weight: np.ndarray) -> np.ndarray:
        parts = np.split(weight, len(self.order))
        return np.concatenate([parts[network] for network in self.order])


FAMILIES = (
    Family(GateLSTM, {"variant": "standard"}, (0, 1, 2, 3), False),
    Family(GateGRU, {"reset_after": True}, (1, 0, 2), True),
    Family(GateRNN, {}, (0,), False),
)


def family_of_shape(shape: tuple[int, ...]) -> Family:
    """The family whose `weight_hh` is of this shape."""
    for family in FAMILIES:
        if len(shape) == 2 and shape[0] == shape[1] * len(family.order):
            return family
    raise ValueError(
        "weight_hh_l0 must be of shape (4·units, units), (3·units, units) or "
        "(units, units), of an nn.LSTM, nn.GRU or nn.RNN. "
        f"Received: shape {shape}"
    )


def check_shapes(
    family: Family,
    weights: Mapping[str, np.ndarray],
    layers: int,
    directions: tuple[str, ...],
) -> None:
    """Raises a `ValueError` for the first weight of another shape."""
    units = weights["weight_hh_l0"].shape[1]
    rows = units * len(family.order)
    features = weights["weight_ih_l0"].shape[-1]
    for number in range(layers):
        expected = {
            "weight_ih": (rows, features),
            "weight_hh": (rows, units),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for kind, direction in product(expected, directions):
            name = f"{kind}_l{number}{direction}"
            shape = weights[name].shape if name in weights else expected[kind]
            if shape != expected[kind]:
                raise ValueError(
                    f"{name} must be of shape {expected[kind]}, as "
                    f"weight_hh_l0 is {weights['weight_hh_l0'].shape}. "
                    f"Received: shape {shape}"
                )
        features = units * len(directions)


def one_way_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layer that reads forwards and, if there is one, backwards."""
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [layer]
