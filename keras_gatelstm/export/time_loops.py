"""Time loops that convert to built-in operators of LiteRT.

Each is a `Loop`: the cell's own step, and a way to repeat it.
"""

from typing import Any

import keras
import tensorflow as tf

# The one operator that LiteRT writes into a tensor in place with. It has no
# public name in TensorFlow.
from tensorflow.compiler.tf2xla.ops.gen_xla_ops import (
    xla_dynamic_update_slice as write_at,
)

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.network import ProjectedEvent
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.errors import FormError

Result = tuple[Tensor, Tensor, Any]
Events = Tensor | ProjectedEvent

# How many steps a round of the loop has. The fewer rounds, the less often
# memories and outputs are handed on from one to the next.
ROUND = 8


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


def _steps(
    layer: keras.layers.RNN,
    events: list[Events],
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
) -> tuple[Events, Tensor | None]:
    """Put time first, in the order of reading; project events if possible."""
    events = _swapped(sequences)
    masks = None if mask is None else _swapped(tf.cast(mask, tf.bool))
    if layer.go_backwards:
        events = tf.reverse(events, [0])
        masks = None if masks is None else tf.reverse(masks, [0])
    if isinstance(layer.cell, GateCell):
        return layer.cell.project(events), masks
    return events, masks


def _unstacked(events: Events, steps: int) -> list[Events]:
    """The events of each step."""
    if not isinstance(events, ProjectedEvent):
        return tf.unstack(events, steps)
    parts = {name: tf.unstack(it, steps) for name, it in events.sums.items()}
    return [
        ProjectedEvent({name: parts[name][step] for name in parts})
        for step in range(steps)
    ]


def _swapped(sequences: Tensor) -> Tensor:
    """Time before batch, or batch before time."""
    rest = range(2, len(sequences.shape))
    return tf.transpose(sequences, [1, 0, *rest])


def _filled_up(steps: Tensor) -> Tensor:
    """With zeros at the end, up to whole rounds."""
    missing = -tf.shape(steps)[0] % ROUND
    return tf.pad(steps, [[0, missing], *[[0, 0]] * (len(steps.shape) - 1)])
