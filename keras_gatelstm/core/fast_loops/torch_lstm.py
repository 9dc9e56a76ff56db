"""PyTorch's own LSTM for a whole sequence, on the PyTorch backend.

Keras's loop on PyTorch calls the cell from Python at every step. PyTorch has
the standard variant as one operator (oneDNN on a CPU, cuDNN on a GPU), which
gets the gates' own weights. Traces and exports run the gates instead.
"""

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from keras_gatelstm.core.fused import fused_tensors, why_not_textbook
from keras_gatelstm.core.types import Tensor

if TYPE_CHECKING:
    from keras_gatelstm.lstm import GateLSTM


def takes(layer: "GateLSTM", mask: Tensor | None, training: bool) -> bool:
    """Return whether PyTorch's operator computes the same as this layer."""
    cell = layer.cell
    return (
        keras.backend.backend() == "torch"
        and layer.use_cudnn is not False
        and not layer.unroll
        and why_not_textbook(cell) is None
        and layer.compute_dtype in ("float32", "float64")
        and mask is None
        and not (training and (cell.dropout or cell.recurrent_dropout))
    )


def run(
    layer: "GateLSTM", sequences: Tensor, initial_state: Any
) -> tuple[Tensor, Tensor, Any]:
    """Return the same as the layer's `inner_loop`.

    Raises:
        ValueError: if an initial memory does not broadcast to
            `(batch, units)`.
    """
    import torch

    sequences = ops.cast(sequences, layer.compute_dtype)
    if layer.go_backwards:
        sequences = torch.flip(sequences, [1])
    shape = (sequences.shape[0], layer.units)
    memories = [
        _broadcast_memory(layer, it, shape)[None] for it in initial_state
    ]
    outputs, *memories = torch.lstm(
        sequences,
        memories,
        _torch_weights(layer),
        has_biases=layer.cell.use_bias,
        num_layers=1,
        dropout=0.0,
        train=torch.is_grad_enabled(),
        bidirectional=False,
        batch_first=True,
    )
    return outputs[:, -1], outputs, [memory[0] for memory in memories]


def _broadcast_memory(
    layer: "GateLSTM", given: Tensor, shape: tuple[int, int]
) -> Tensor:
    """Broadcast an initial memory: the operator does not check shapes."""
    import torch

    memory = ops.cast(given, layer.compute_dtype)
    try:
        memory = torch.broadcast_to(memory, shape)
    except RuntimeError as error:
        raise ValueError(
            f"initial_state of {layer.name} must have the shape {shape}, "
            f"(batch, units). Received: shape {tuple(memory.shape)}"
        ) from error
    # A stateful layer overwrites its memory before the gradient, which needs
    # the old values, is computed.
    return memory.clone()


def _torch_weights(layer: "GateLSTM") -> list[Tensor]:
    """Return the fused weights in PyTorch's layout and order.

    PyTorch has a second bias, for the memory: zeros. cuDNN takes weights that
    are views of one block of memory, and would copy others at every call.
    """
    import torch

    kernel, recurrent_kernel, *biases = fused_tensors(
        layer.cell.small_networks()
    )
    zeros = [torch.zeros_like(bias) for bias in biases]
    weights = [kernel.T, recurrent_kernel.T, *biases, *zeros]
    block = torch.cat([it.reshape(-1) for it in weights])
    parts = torch.split(block, [it.numel() for it in weights])
    return [
        part.view(it.shape) for part, it in zip(parts, weights, strict=True)
    ]
