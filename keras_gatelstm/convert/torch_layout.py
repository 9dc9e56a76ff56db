"""How PyTorch lays out the weights of its recurrent modules.

For each layer and direction there are `weight_ih` and `weight_hh`, of
`(networks·units, features)` and `(networks·units, units)`, and two biases,
`bias_ih` and `bias_hh`, of `(networks·units,)`: the event's and the memory's.
A name ends in the number of the layer, `_l0`, and in `_reverse` for the layer
that reads backwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from keras_gatelstm.gru import GateGRU
from keras_gatelstm.lstm import GateLSTM
from keras_gatelstm.options import Options
from keras_gatelstm.rnn import GateRNN
from keras_gatelstm.sequence import GateSequence

DIRECTIONS = ("", "_reverse")


@dataclass(frozen=True)
class Family:
    """A module of PyTorch's, and the layer of ours that equals it."""

    module: str
    layer: type[GateSequence]
    options: Options  # That the layer needs to equal it.
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
    Family("nn.LSTM", GateLSTM, {"variant": "standard"}, (0, 1, 2, 3), False),
    Family("nn.GRU", GateGRU, {"reset_after": True}, (1, 0, 2), True),
    Family("nn.RNN", GateRNN, {}, (0,), False),
)


def one_way_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layer that reads forwards and, if there is one, backwards."""
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [layer]
