"""Loops over time that compute the same as Keras's, and take less time.

In each step, Keras's loop multiplies the event and the memory by the weights of
each network. Which other order of these products is faster depends on the
backend:

- TensorFlow, a single sequence: the events of several steps at once.
- JAX: all networks in one wide product.
- PyTorch: both, or its own LSTM as one operator.

What a cell does with the sums is written in the cell, and only there.
"""

import keras

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.loops import Loop
from keras_gatelstm.core.types import Tensor


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
    cell = layer.cell
    if layer.unroll or not isinstance(cell, GateCell):
        return None
    drops_memories = training and cell.recurrent_dropout
    dtypes = {
        keras.backend.standardize_dtype(sequences.dtype),
        layer.compute_dtype,
        cell.compute_dtype,
    }
    if drops_memories or len(dtypes) > 1 or not cell.networks_to_join():
        return None
    # Imported here: each needs its backend.
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from keras_gatelstm.core.fast_loops import on_tensorflow

        return on_tensorflow.choose_loop(sequences, mask, training)
    if backend == "jax":
        from keras_gatelstm.core.fast_loops import on_jax

        return on_jax.choose_loop(sequences)
    if backend == "torch":
        from keras_gatelstm.core.fast_loops import on_torch

        return on_torch.choose_loop(sequences, mask)
    return None
