"""JAX: one wide product for all networks.

XLA runs the products of a step one after the other, each on all cores, and a
wide one keeps the cores busier than several narrow ones.
"""

from typing import Any

import keras

from keras_gatelstm.core.fast_loops.products import FusedProducts
from keras_gatelstm.core.keras_internals import run_over_time
from keras_gatelstm.core.loops import Loop
from keras_gatelstm.core.types import Tensor


def choose_loop(sequences: Tensor) -> Loop | None:
    """Return the loop to run a layer by, or `None` for Keras's.

    For a single sequence or step, putting the weights side by side takes
    longer than it saves.
    """
    rows, time, _ = sequences.shape
    return None if rows == 1 or time == 1 else fused_loop


def fused_loop(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run a layer with one product of the event and one of the memory."""
    products = FusedProducts(layer.cell)

    def step(event: Tensor, memories: Any) -> tuple[Tensor, Any]:
        joined = products.join(event, products.of_events(event), memories[0])
        return layer.cell.call(joined, memories)

    return run_over_time(layer, step, sequences, initial_state, mask)
