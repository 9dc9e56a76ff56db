"""Time loops that convert to built-in operators of LiteRT.

Each is a `Loop` that repeats the cell's own step.
"""

import keras
import tensorflow as tf

# The only operator that writes into a tensor in place on LiteRT. TensorFlow
# has no public name for it.
from tensorflow.compiler.tf2xla.ops.gen_xla_ops import (
    xla_dynamic_update_slice as write_at,
)

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.fast_loops.products import (
    event_product,
    memory_product,
)
from keras_gatelstm.core.network import Event, JoinedEvent, ProjectedEvent
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.errors import FormError

# The last output, all outputs, and the last memories.
Result = tuple[Tensor, Tensor, list[Tensor]]

# Steps per round of the loop. Fewer rounds pass memories and outputs on less
# often.
ROUND = 8


def unrolled(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """Run with every step written out, on sequences of one length."""
    return _run_unrolled(layer, sequences, initial_state, mask)


def next_step(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """Run one step of a sequence, from the memories of the step before.

    A masked step repeats the last output, which is the first memory of every
    cell with gates.
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
    if sequences.shape[1] != 1 or not isinstance(layer.cell, GateCell):
        return _run_unrolled(layer, sequences, initial_state, mask, last)
    memory = keras.tree.flatten(initial_state)[0]
    event = _join_row(layer.cell, sequences[:, 0], memory)
    masks = [None if mask is None else tf.cast(mask[:, 0], tf.bool)]
    return _run_steps(layer, [event], masks, initial_state, last)


def _join_row(cell: GateCell, event: Tensor, memory: Tensor) -> JoinedEvent:
    """Join an event with a memory in the way that is fastest for one row.

    The bias is added to the larger product, the memory's: TensorFlow computes
    both at once.
    """
    sums = {
        network.name: event_product(network, event, with_bias=False)
        + memory_product(network, memory, with_bias=True)
        for network in cell.networks_to_join()
    }
    return JoinedEvent(event, memory, sums)


def _run_unrolled(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
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
    return _run_steps(
        layer,
        _unstack(events, time),
        [None] * time if masks is None else tf.unstack(masks, time),
        initial_state,
        last,
    )


def looped(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """Run a loop of `ROUND` steps a round, on sequences of any length.

    The cost of a step does not depend on the length, as outputs are written
    in place.
    """
    events, masks = _in_reading_order(layer, sequences, mask)
    sizes = tf.shape(sequences)
    time = sizes[1]
    if masks is None:
        masks = tf.ones([time, sizes[0]], tf.bool)
    # Padding of the last round is masked, so that memories stay the same.
    events = keras.tree.map_structure(_pad_to_rounds, events)
    masks = _pad_to_rounds(masks)
    memories = keras.tree.flatten(initial_state)
    last = _zero_output(layer, memories)
    outputs = tf.zeros(
        tf.concat([tf.shape(masks)[:1], tf.shape(last)], axis=0), last.dtype
    )

    def one_round(
        step: Tensor, last: Tensor, outputs: Tensor, *memories: Tensor
    ) -> tuple[Tensor, ...]:
        some = keras.tree.map_structure(
            lambda values: values[step : step + ROUND], events
        )
        last, written, after = _run_steps(
            layer,
            _unstack(some, ROUND),
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
    return outputs[time - 1], _swap_batch_and_time(outputs[:time]), after


def _run_steps(
    layer: keras.layers.RNN,
    events: list[Event],
    masks: list[Tensor | None],
    memories: list[Tensor],
    last: Tensor | None = None,
    axis: int = 1,
) -> Result:
    """Run the cell on each step, outputs stacked along an axis."""
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


def _zero_output(layer: keras.layers.RNN, memories: list[Tensor]) -> Tensor:
    """Return zeros in the shape of the cell's output."""
    size = getattr(layer.cell, "output_size", None)
    if size is None:
        return tf.zeros_like(memories[0])
    rows = tf.shape(memories[0])[:1]
    sizes = keras.tree.flatten(size)
    return tf.zeros(tf.concat([rows, sizes], axis=0), memories[0].dtype)


def _where(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Return the rows of `new` where the mask is true, else of `old`."""
    column = tf.reshape(mask, [-1, *[1] * (len(new.shape) - 1)])
    return tf.where(column, new, old)


def _in_reading_order(
    layer: keras.layers.RNN, sequences: Tensor, mask: Tensor | None
) -> tuple[Event, Tensor | None]:
    """Put time first, in reading order; project events if possible."""
    events = _swap_batch_and_time(sequences)
    masks = (
        None if mask is None else _swap_batch_and_time(tf.cast(mask, tf.bool))
    )
    if layer.go_backwards:
        events = tf.reverse(events, [0])
        masks = None if masks is None else tf.reverse(masks, [0])
    if isinstance(layer.cell, GateCell):
        return layer.cell.project(events), masks
    return events, masks


def _unstack(events: Event, steps: int) -> list[Event]:
    """Split events by step."""
    if not isinstance(events, ProjectedEvent):
        return tf.unstack(events, steps)
    parts = {name: tf.unstack(it, steps) for name, it in events.sums.items()}
    return [
        ProjectedEvent({name: parts[name][step] for name in parts})
        for step in range(steps)
    ]


def _swap_batch_and_time(sequences: Tensor) -> Tensor:
    """Swap the first two axes, batch and time."""
    rest = range(2, len(sequences.shape))
    return tf.transpose(sequences, [1, 0, *rest])


def _pad_to_rounds(steps: Tensor) -> Tensor:
    """Pad the first axis with zeros to a multiple of `ROUND`."""
    missing = -tf.shape(steps)[0] % ROUND
    return tf.pad(steps, [[0, missing], *[[0, 0]] * (len(steps.shape) - 1)])
