"""PyTorch: one wide product for all networks, that of all events at once.

PyTorch runs the loop in Python, where each operator of a step has its price.
"""

from typing import Any

import keras
from keras import ops

from keras_gatelstm.core.fast_loops.products import FusedProducts
from keras_gatelstm.core.loops import Loop
from keras_gatelstm.core.types import Tensor


def choose_loop(
    sequences: Tensor, mask: Tensor | None, training: bool
) -> Loop | None:
    """Return the loop to run a layer by, or `None` for Keras's."""
    return projected_loop if mask is None else None


def projected_loop(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None = None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run a layer step by step, with all events multiplied before."""
    import torch

    cell = layer.cell
    products = FusedProducts(cell)
    of_events = products.of_events(sequences).unbind(1)
    steps = list(zip(sequences.unbind(1), of_events, strict=True))
    memories = [
        ops.cast(memory, layer.compute_dtype)
        for memory in keras.tree.flatten(initial_state)
    ]
    if layer.stateful:
        # The layer overwrites them before the gradient, which needs the old
        # values, is computed.
        memories = [memory.clone() for memory in memories]
    outputs = []
    for event, of_event in reversed(steps) if layer.go_backwards else steps:
        joined = products.at_step(event, of_event, memories[0])
        output, memories = cell.call(joined, memories)
        outputs.append(output)
    if not layer.return_sequences:
        outputs = outputs[-1:]
    return outputs[-1], torch.stack(outputs, 1), memories
