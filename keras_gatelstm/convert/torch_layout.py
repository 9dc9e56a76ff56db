"""Weight layout of PyTorch's recurrent modules.

Each layer and direction has `weight_ih`, `(networks·units, features)`,
`weight_hh`, `(networks·units, units)`, and two biases, `bias_ih` and
`bias_hh`, `(networks·units,)`: the event's and the memory's. A name ends in
the number of the layer, `_l0`, and in `_reverse` for the layer that reads
backwards.
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
    """A recurrent module of PyTorch, and its equivalent layer here."""

    layer: type[GateSequence]
    options: Config  # Of the layer, to be equivalent.
    order: tuple[int, ...]  # Permutation of the networks; its own inverse.
    two_biases: bool  # Whether the layer has both biases, or their sum.

    def to_ours(
        self, weights: Mapping[str, np.ndarray], place: str
    ) -> list[np.ndarray]:
        """Convert PyTorch's weights at `place`, such as `"l0"`, to Keras's."""
        kernels = [
            self._reorder(weights[f"weight_{kind}_{place}"]).T
            for kind in ("ih", "hh")
        ]
        if f"bias_ih_{place}" not in weights:
            return kernels
        biases = np.stack(
            [
                self._reorder(weights[f"bias_{kind}_{place}"])
                for kind in ("ih", "hh")
            ]
        )
        return [*kernels, biases if self.two_biases else biases.sum(axis=0)]

    def to_theirs(
        self, weights: list[np.ndarray], place: str
    ) -> dict[str, np.ndarray]:
        """Convert weights in Keras's layout to PyTorch's, by name."""
        kernel, recurrent_kernel, *biases = weights
        named = {
            f"weight_ih_{place}": self._reorder(kernel.T),
            f"weight_hh_{place}": self._reorder(recurrent_kernel.T),
        }
        for bias in biases:
            both = bias if self.two_biases else (bias, np.zeros_like(bias))
            for kind, one in zip(("ih", "hh"), both, strict=True):
                named[f"bias_{kind}_{place}"] = self._reorder(one)
        return named

    def _reorder(self, weight: np.ndarray) -> np.ndarray:
        parts = np.split(weight, len(self.order))
        return np.concatenate([parts[network] for network in self.order])


FAMILIES = (
    Family(GateLSTM, {"variant": "standard"}, (0, 1, 2, 3), False),
    Family(GateGRU, {"reset_after": True}, (1, 0, 2), True),
    Family(GateRNN, {}, (0,), False),
)


def family_of_shape(shape: tuple[int, ...]) -> Family:
    """Return the family whose `weight_hh` has this shape."""
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
    """Raise a `ValueError` for the first weight of a wrong shape."""
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
    """Return the layer itself, or both layers of a `Bidirectional`."""
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [layer]
