"""Fused weights, and the check whether a cell is the textbook LSTM.

Keras, PyTorch and LiteRT hold the weights of a cell's networks side by side,
in one `kernel`, `(features, networks·units)`, one `recurrent_kernel` and one
`bias`; here, each network has its own.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.network import Network
from keras_gatelstm.core.types import Config, Tensor

_KINDS = ("kernel", "recurrent_kernel", "bias")


def fused_weights(cell: GateCell) -> list[np.ndarray]:
    """Return a cell's weights in the layout of Keras's own cell.

    Args:
        cell: A built cell.

    Returns:
        The kernel, the recurrent kernel and, if there are biases, the bias.
    """
    return [
        np.concatenate([ops.convert_to_numpy(weight) for weight in weights], -1)
        for weights in _weights_by_kind(cell.small_networks())
    ]


def fused_tensors(networks: Sequence[Network]) -> list[Tensor]:
    """Return the fused weights of networks as tensors that carry gradients."""
    return [
        ops.cast(ops.concatenate(weights, axis=-1), networks[0].compute_dtype)
        for weights in _weights_by_kind(networks)
    ]


def set_fused_weights(cell: GateCell, weights: list[np.ndarray]) -> None:
    """Set a built cell's weights from the result of `fused_weights`."""
    networks = cell.small_networks()
    for kind, fused in zip(_KINDS, weights, strict=False):
        parts = np.split(fused, len(networks), axis=-1)
        for network, part in zip(networks, parts, strict=True):
            getattr(network, kind).assign(part.copy())


def lend_fused_weights(keras_cell: keras.layers.Layer, cell: GateCell) -> None:
    """Use slices of a Keras cell's weights in a cell, without copies."""
    networks = cell.small_networks()
    for kind in _KINDS:
        fused = getattr(keras_cell, kind)
        parts = [None] * len(networks)
        if fused is not None:
            fused = ops.cast(fused, keras_cell.compute_dtype)
            parts = ops.split(fused, len(networks), axis=-1)
        for network, part in zip(networks, parts, strict=True):
            setattr(network, kind, part)


def why_not_textbook(cell: keras.layers.Layer) -> str | None:
    """Return why a cell is not the LSTM of the literature, or `None`.

    The LSTM of the literature is `GateLSTMCell(variant="standard")` without
    peepholes or coupled gates, with tanh and sigmoid.

    Returns:
        The reason, to follow "cannot be fused: "; `None` for that LSTM.
    """
    if not hasattr(cell, "variant"):
        return "it is not an LSTM"
    names = ("variant", "peephole", "coupled")
    option = unsupported_option({name: getattr(cell, name) for name in names})
    if option:
        return f"it has {option}"
    if cell.activation is not keras.activations.tanh:
        return "its activation is not tanh"
    if cell.recurrent_activation is not keras.activations.sigmoid:
        return "its recurrent_activation is not sigmoid"
    return None


def unsupported_option(config: Config) -> str | None:
    """Return the used option that Keras and PyTorch do not support.

    Args:
        config: Options of any layer or cell, as its `get_config` returns them.
    """
    if config.get("variant") == "lesson":
        return (
            'variant="lesson", whose use gate has a network of its own, '
            "which only GateLSTM has"
        )
    for name in ("peephole", "coupled"):
        if config.get(name):
            return f"{name}=True, which only GateLSTM has"
    return None


def _weights_by_kind(
    networks: Sequence[Network],
) -> list[list[keras.Variable]]:
    by_kind = [[getattr(it, kind) for it in networks] for kind in _KINDS]
    return [weights for weights in by_kind if weights[0] is not None]
