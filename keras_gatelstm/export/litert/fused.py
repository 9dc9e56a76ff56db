"""LiteRT's fused LSTM operator as a time loop."""

import struct
import uuid
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.core.fused import fused_weights, why_not_textbook
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.errors import FormError
from keras_gatelstm.export.time_loops import Result
from keras_gatelstm.lstm import GateLSTMCell

# The sigmoid of minus this is exactly 0 in float32.
SHUT = 1e3
# The largest number in float16 is 65,504.
LARGEST_FEATURE = 6e4
# Offset of `cell_clip` in the vtable of the operator's options.
CELL_CLIP = 6


def fused(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """Run LiteRT's LSTM operator; memories stay from call to call.

    Sequences are of any length, and can be fed in several calls.
    """
    sequences = _check_and_order(layer, sequences, initial_state, mask)
    last, outputs = _run_operator(sequences, *_operator_weights(layer.cell))
    return last, outputs, initial_state


def fused_from_empty(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """Run LiteRT's LSTM operator, emptied by an extra first event.

    That event is zeros but for an extra feature, which is 0 in all other
    events. It makes the ignore, forget and use factors of its step exactly 0,
    so that the memories of the last call are dropped if they are finite:

    ```
    LTM = N ∘ 0 + LTM ∘ 0 = 0
    STM = tanh(LTM) ∘ 0 = 0
    ```
    """
    sequences = _check_and_order(layer, sequences, initial_state, mask)
    kernel, recurrent_kernel, bias = _operator_weights(layer.cell)
    others = np.abs(recurrent_kernel).sum(axis=0) + np.abs(bias)
    shutting = max(SHUT, 2 * float(others.max()))
    # The feature is large, and its weights no larger than the gate's others,
    # so that weights quantized together keep their precision.
    of_gates = np.abs(np.split(kernel, 4, axis=1)).max(axis=(1, 2), initial=0)
    weights = np.maximum(of_gates, shutting / LARGEST_FEATURE)
    ignore, forget, _, use = weights
    feature = shutting / min(ignore, forget, use)
    shut = np.repeat([-ignore, -forget, 0.0, -use], layer.cell.units)
    kernel = np.concatenate([kernel, shut[np.newaxis]]).astype(kernel.dtype)
    emptying = np.zeros((sequences.shape[0], 1, len(kernel)), kernel.dtype)
    emptying[..., -1] = feature
    sequences = tf.pad(sequences, [[0, 0], [0, 0], [0, 1]])
    sequences = tf.concat([emptying, sequences], axis=1)
    last, outputs = _run_operator(sequences, kernel, recurrent_kernel, bias)
    return last, outputs[:, 1:], initial_state


def _check_and_order(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
    mask: Tensor | None,
) -> Tensor:
    """Check that a layer can be fused; return events in reading order."""
    reason = why_not_fused(layer)
    if reason is None and mask is not None:
        reason = "its input is masked, and the operator knows no masks"
    if reason is None and not _are_constant_zeros(initial_state):
        reason = "it is given its first memories, and the operator's are zeros"
    if reason:
        raise FormError(f"{layer.name} cannot be fused: {reason}")
    return tf.reverse(sequences, [1]) if layer.go_backwards else sequences


def _operator_weights(cell: GateLSTMCell) -> list[np.ndarray]:
    """Return kernel, recurrent kernel and bias, gates in Keras's order."""
    weights = fused_weights(cell)
    if len(weights) == 2:
        weights.append(np.zeros(4 * cell.units, weights[0].dtype))
    return weights


def _run_operator(
    sequences: Tensor,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray,
) -> tuple[Tensor, Tensor]:
    """Run LiteRT's LSTM operator; return the last and all outputs.

    The converter replaces any function of this signature by the operator. The
    body of the function never runs, only its shapes matter. First and last
    memories stay inside the operator.
    """
    units = len(recurrent_kernel)

    def lstm(
        inputs: Tensor,
        h: Tensor,
        c: Tensor,
        kernel: Tensor,
        recurrent_kernel: Tensor,
        bias: Tensor,
    ) -> tuple[Tensor, ...]:
        outputs = inputs @ kernel[:, :units]
        return outputs[:, -1], outputs, h, c, tf.constant(0.0)

    operator = tf.function(
        lstm,
        autograph=False,
        experimental_attributes={
            "api_implements": f"lstm_{uuid.uuid4()}",
            "api_preferred_device": "CPU",
            "time_major": False,
            "go_backwards": False,
        },
    )
    empty = tf.zeros((sequences.shape[0], units))
    weights = map(tf.convert_to_tensor, (kernel, recurrent_kernel, bias))
    last, outputs, *_ = operator(sequences, empty, empty, *weights)
    return last, outputs


def why_not_fused(layer: keras.layers.RNN) -> str | None:
    """Return why LiteRT's operator cannot run a layer, or `None`."""
    reason = why_not_textbook(layer.cell)
    if reason is None and layer.return_state:
        reason = "it returns its memories, which stay inside the operator"
    return reason


def _are_constant_zeros(memories: list[Tensor]) -> bool:
    values = map(tf.get_static_value, keras.tree.flatten(memories))
    return all(value is not None and not value.any() for value in values)


def unclip(path: Path) -> None:
    """Remove the limit of 10 on long-term memories of fused LSTMs.

    The converter always sets the operator's `cell_clip` to 10. This sets its
    four bytes in the file to 0, which disables clipping.
    """
    from ai_edge_litert import schema_py_generated as schema

    content = bytearray(path.read_bytes())
    model = schema.Model.GetRootAs(content, 0)
    graphs = [model.Subgraphs(i) for i in range(model.SubgraphsLength())]
    for graph in graphs:
        for number in range(graph.OperatorsLength()):
            operator = graph.Operators(number)
            kind = schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
            if operator.BuiltinOptionsType() != kind:
                continue
            options = operator.BuiltinOptions()
            place = options.Offset(CELL_CLIP)
            if place:
                struct.pack_into("<f", content, options.Pos + place, 0.0)
    path.write_bytes(content)
