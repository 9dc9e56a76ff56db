"""Loops over time that compute the same as Keras's, and take less time.

Keras's loop multiplies in each step, for each network, the event and the
memory by the network's weights. Which other order of these products is faster
depends on the backend:

- TensorFlow, a single sequence: the events of all steps at once, and several
  steps in each round of the loop.
- JAX: all networks in one wide product.
- PyTorch: both, or its own LSTM as one operator.

What a cell does with the sums is written in the cell, and only there.
"""

from importlib import import_module

import keras

from keras_gatelstm.core.loops import Loop
from keras_gatelstm.core.types import Tensor

_MODULES = {
    "tensorflow": "keras_gatelstm.core.fast_loops.on_tensorflow",
    "jax": "keras_gatelstm.core.fast_loops.on_jax",
    "torch": "keras_gatelstm.core.fast_loops.on_torch",
}


def choose_loop(
    layer: keras.layers.RNN,
    sequences: Tensor,
    mask: Tensor | None,
    training: bool,
) -> Loop | None:
    """Return the loop to run a layer by, or `None` for Keras's.

    Args:
        layer: The layer.
        sequences: `(batch, time, features)`.
        mask: `None`, or booleans `(batch, time)`.
        training: Whether dropout is applied.
    """
    backend = keras.backend.backend()
    different_memories = training and layer.cell.recurrent_dropout
    if (
        backend not in _MODULES
        or layer.unroll
        or different_memories
        or not layer.cell.joined_networks
    ):
        return None
    chosen: Loop | None = import_module(_MODULES[backend]).choose_loop(
        sequences, mask, training
    )
    return chosen
