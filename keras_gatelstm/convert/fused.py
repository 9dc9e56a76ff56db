"""Keras's fused weights, and a cell's weights by network: the same numbers.

Keras holds the weights of a cell's networks side by side, in one `kernel`,
`(features, networks·units)`, one `recurrent_kernel` and one `bias`.
"""

import numpy as np
from keras import ops

from keras_gatelstm.cell import GateCell

_KINDS = ("kernel", "recurrent_kernel", "bias")


def fused_weights(cell: GateCell) -> list[np.ndarray]:
    """The weights as Keras has them: two kernels, and a bias if there is one.

    Args:
        cell: A built cell.
    """
    of_networks = [
        [getattr(network, kind) for network in cell.small_networks()]
        for kind in _KINDS
    ]
    return [
        np.concatenate([ops.convert_to_numpy(weight) for weight in weights], -1)
        for weights in of_networks
        if weights[0] is not None
    ]


def set_fused_weights(cell: GateCell, weights: list[np.ndarray]) -> None:
    """Gives a built cell the weights that `fused_weights` would give back."""
    networks = cell.small_networks()
    for kind, fused in zip(_KINDS, weights, strict=False):
        parts = np.split(fused, len(networks), axis=-1)
        for network, part in zip(networks, parts, strict=True):
            getattr(network, kind).assign(part.copy())
