"""PyTorch: one wide product for all networks, that of many events at once.

PyTorch runs the loop in Python, where each operator of a step has its price.
"""

from typing import Any

import keras
from keras import ops

from keras_gatelstm.core.fast_loops.products import FusedProducts
from keras_gatelstm.core.loops import Loop
from keras_gatelstm.core.types import Tensor

# Steps whose events are multiplied at once. More take more memory, and gain
# nothing.
BLOCK = 32


def choose_loop(sequences: Tensor, mask: Tensor | None) -> Loop | None:
    """Return the loop to run a layer by, or `None` for Keras's.

    For a single step, putting the weights side by side takes longer than it
    saves.
    """
    return None if mask is not None or sequences.shape[1] == 1 else block_loop


def block_loop(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None = None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run a layer step by step, the events of a block multiplied at once."""
    import torch

    cell = layer.cell
    products = FusedProducts(cell)
    memories = [
        ops.cast(memory, layer.compute_dtype)
        for memory in keras.tree.flatten(initial_state)
    ]
    if layer.stateful:
        # The layer overwrites them before the gradient, which needs the old
        # values, is computed.
        memories = [memory.clone() for memory in memories]
    if layer.go_backwards:
        sequences = torch.flip(sequences, [1])
    outputs: list[Tensor] = []
    for block in sequences.split(BLOCK, dim=1):
        of_events = products.of_events(block).unbind(1)
        for event, product in zip(block.unbind(1), of_events, strict=True):
            joined = products.join(event, product, memories[0])
            output, memories = cell.call(joined, memories)
            if not layer.return_sequences:
                outputs.clear()
            outputs.append(output)
    return outputs[-1], torch.stack(outputs, 1), memories
