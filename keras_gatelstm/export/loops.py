"""Ways over time that LiteRT's converter takes, in built-in operators.

Each is a `Loop`: the cell's own step, and a way to repeat it.
"""

import uuid
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# The one operator that LiteRT writes into a tensor in place with. It has no
# public name in TensorFlow.
from tensorflow.compiler.tf2xla.ops.gen_xla_ops import (
    xla_dynamic_update_slice as write_at,
)

from keras_gatelstm.cell import GateCell
from keras_gatelstm.convert.fused import fused_weights
from keras_gatelstm.convert.what_is_ours import refinement_of
from keras_gatelstm.lstm import GateLSTMCell

Tensor = Any
Result = tuple[Tensor, Tensor, Any]

# How many steps a round of the loop has. The fewer rounds, the less often
# memories and outputs are handed on from one to the next.
ROUND = 8

# The sigmoid of minus this is exactly 0 in float32.
SHUT = 1e3
# float16 has numbers up to 65,504.
LARGEST_FEATURE = 6e4


class FormError(ValueError):
    """A layer that cannot be run in the way that was asked for."""


def unrolled(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """Every step written out: sequences of one length."""
    return _written_out(layer, sequences, initial_state, mask)


def next_step(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """One step of a sequence, after others.

    Where it is masked, the output of the step before comes again: the first
    memory, in every cell that is known.
    """
    last = None
    if mask is not None and not layer.zero_output_for_mask:
        stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
        cell = layer.cell.cells[-1] if stacked else layer.cell
        if not isinstance(cell, GateCell):
            raise FormError(
                f"the input of {layer.name} is masked, and what a "
                f"{type(cell).__name__} gave last is not known"
            )
        state = initial_state[-1] if stacked else initial_state
        last = keras.tree.flatten(state)[0]
    return _written_out(layer, sequences, initial_state, mask, last)


def _written_out(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    last: Tensor | None = None,
) -> Result:
    time = sequences.shape[1]
    if time is None:
        raise FormError(
            f"{layer.name} cannot be unrolled: how many steps there are is "
            "not known. Say time_steps, or take another form"
        )
    events, masks = _in_reading_order(layer, sequences, mask)
    return _steps(
        layer,
        _unstacked(events, time),
        [None] * time if masks is None else tf.unstack(masks, time),
        initial_state,
        last,
    )


def looped(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """A loop of some steps a round: sequences of any length.

    A step costs the same in a sequence of any length, since outputs are
    written in place.
    """
    events, masks = _in_reading_order(layer, sequences, mask)
    sizes = tf.shape(sequences)
    time = sizes[1]
    if masks is None:
        masks = tf.ones([time, sizes[0]], tf.bool)
    # The steps that fill the last round are masked: memories stay the same.
    events = keras.tree.map_structure(_filled_up, events)
    masks = _filled_up(masks)
    memories = keras.tree.flatten(initial_state)
    last = _no_output(layer, memories)
    outputs = tf.zeros(
        tf.concat([tf.shape(masks)[:1], tf.shape(last)], axis=0), last.dtype
    )

    def one_round(
        step: Tensor, last: Tensor, outputs: Tensor, *memories: Tensor
    ) -> tuple[Tensor, ...]:
        some = keras.tree.map_structure(
            lambda values: values[step : step + ROUND], events
        )
        last, written, after = _steps(
            layer,
            _unstacked(some, ROUND),
            tf.unstack(masks[step : step + ROUND], ROUND),
            keras.tree.pack_sequence_as(initial_state, memories),
            last,
            axis=0,
        )
        begin = tf.stack([step, *[0] * (len(written.shape) - 1)])
        outputs = write_at(outputs, written, begin)
        return step + ROUND, last, outputs, *keras.tree.flatten(after)

    variables = [tf.constant(0), last, outputs, *memories]
    _, _, outputs, *memories = tf.while_loop(
        lambda step, *_: step < time,
        one_round,
        variables,
        [variable.shape for variable in variables],
    )
    after = keras.tree.pack_sequence_as(initial_state, memories)
    return outputs[time - 1], _swapped(outputs[:time]), after


def fused(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """LiteRT's own operator, whose memories stay from call to call.

    For sequences of any length, given in one call or in several.
    """
    sequences = _as_fused(layer, sequences, initial_state, mask)
    last, outputs = _operator(sequences, *_operator_weights(layer.cell))
    return last, outputs, initial_state


def fused_from_empty(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """LiteRT's own operator, emptied by an event before each sequence.

    That event is zeros but for a feature of its own, which is 0 in all other
    events. Through it the ignore, forget and use factors of its step are
    exactly 0, whatever the memories of the last call, as long as they are
    numbers:

    ```
    LTM = N ∘ 0 + LTM ∘ 0 = 0
    STM = tanh(LTM) ∘ 0 = 0
    ```
    """
    sequences = _as_fused(layer, sequences, initial_state, mask)
    kernel, recurrent_kernel, bias = _operator_weights(layer.cell)
    others = np.abs(recurrent_kernel).sum(axis=0) + np.abs(bias)
    shutting = max(SHUT, 2 * float(others.max()))
    # No larger than the gate's other weights are, so that what is quantized
    # with them stays as exact: the feature is large instead.
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
    last, outputs = _operator(sequences, kernel, recurrent_kernel, bias)
    return last, outputs[:, 1:], initial_state


def _as_fused(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
) -> Tensor:
    """The sequences in reading order, if the operator can take them."""
    reason = why_not_fused(layer)
    if reason is None and mask is not None:
        reason = "its input is masked, and the operator knows no masks"
    if reason is None and not _are_zeros(initial_state):
        reason = "it is given its first memories, and the operator's are zeros"
    if reason:
        raise FormError(f"{layer.name} cannot be fused: {reason}")
    return tf.reverse(sequences, [1]) if layer.go_backwards else sequences


def _operator_weights(cell: GateLSTMCell) -> list[np.ndarray]:
    """Kernel, recurrent kernel and bias, the gates in Keras's order."""
    weights = fused_weights(cell)
    if len(weights) == 2:
        weights.append(np.zeros(4 * cell.units, weights[0].dtype))
    return weights


def _operator(
    sequences: Tensor,
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias: np.ndarray,
) -> tuple[Tensor, Tensor]:
    """The last output and all outputs of LiteRT's LSTM operator.

    The converter puts it in the place of a function of this signature. What
    the function does itself is never run; it has the right shapes. The
    memories that it starts with and ends with stay inside the operator.
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
    """What the layer has that LiteRT's operator has not."""
    cell = layer.cell
    if not isinstance(cell, GateLSTMCell):
        return "the operator is an LSTM"
    refinement = refinement_of(cell.get_config())
    if refinement:
        return f"it has {refinement}"
    squishes = cell.activations
    if squishes["activation"] is not keras.activations.tanh:
        return "its activation is not tanh"
    if squishes["recurrent_activation"] is not keras.activations.sigmoid:
        return "its recurrent_activation is not sigmoid"
    if layer.return_state:
        return "it returns its memories, which stay inside the operator"
    return None


def _are_zeros(memories: Any) -> bool:
    values = map(tf.get_static_value, keras.tree.flatten(memories))
    return all(value is not None and not value.any() for value in values)


def _steps(
    layer: keras.layers.RNN,
    events: list[Any],
    masks: list[Tensor | None],
    memories: Any,
    last: Tensor | None = None,
    axis: int = 1,
) -> Result:
    """The last output, all of them along an axis, and the memories after."""
    outputs = []
    for event, mask in zip(events, masks, strict=True):
        output, after = layer.cell(event, memories)
        if mask is not None:
            last = tf.zeros_like(output) if last is None else last
            unchanged = tf.zeros_like(output)
            if not layer.zero_output_for_mask:
                unchanged = last
            output = _where(mask, output, unchanged)
            after = keras.tree.map_structure(
                lambda new, old, mask=mask: _where(mask, new, old),
                list(keras.tree.flatten(after)),
                list(keras.tree.flatten(memories)),
            )
        memories = keras.tree.pack_sequence_as(
            memories, keras.tree.flatten(after)
        )
        last = output
        outputs.append(output)
    return last, tf.stack(outputs, axis=axis), memories


def _no_output(layer: keras.layers.RNN, memories: list[Tensor]) -> Tensor:
    """Zeros, of the shape of the cell's output."""
    size = getattr(layer.cell, "output_size", None)
    if size is None:
        return tf.zeros_like(memories[0])
    rows = tf.shape(memories[0])[:1]
    sizes = keras.tree.flatten(size)
    return tf.zeros(tf.concat([rows, sizes], axis=0), memories[0].dtype)


def _where(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Row by row, the new where the mask is true."""
    column = tf.reshape(mask, [-1, *[1] * (len(new.shape) - 1)])
    return tf.where(column, new, old)


def _in_reading_order(
    layer: keras.layers.RNN, sequences: Tensor, mask: Tensor | None
) -> tuple[Any, Tensor | None]:
    """Time first, from the step that the layer reads first.

    Of a cell of ours, what the events add to each network's sum.
    """
    events = _swapped(sequences)
    masks = None if mask is None else _swapped(tf.cast(mask, tf.bool))
    if layer.go_backwards:
        events = tf.reverse(events, [0])
        masks = None if masks is None else tf.reverse(masks, [0])
    if isinstance(layer.cell, GateCell):
        return layer.cell.project(events), masks
    return events, masks


def _unstacked(events: Any, steps: int) -> list[Any]:
    """The events of each step."""
    if not isinstance(events, dict):
        return tf.unstack(events, steps)
    parts = {name: tf.unstack(it, steps) for name, it in events.items()}
    return [
        {name: parts[name][step] for name in parts} for step in range(steps)
    ]


def _swapped(sequences: Tensor) -> Tensor:
    """Time before batch, or batch before time."""
    rest = range(2, len(sequences.shape))
    return tf.transpose(sequences, [1, 0, *rest])


def _filled_up(steps: Tensor) -> Tensor:
    """With zeros at the end, up to whole rounds."""
    missing = -tf.shape(steps)[0] % ROUND
    return tf.pad(steps, [[0, missing], *[[0, 0]] * (len(steps.shape) - 1)])
