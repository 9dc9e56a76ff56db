"""TensorFlow: a single sequence, whose steps are too small to keep it busy.

With a single row, starting a step's operators takes longer than computing them.
So each round of the loop has several steps, whose events are multiplied at
once.
"""

from typing import Any

import keras
import tensorflow as tf

from keras_gatelstm.core.fast_loops.products import (
    event_product,
    memory_product,
)
from keras_gatelstm.core.loops import Loop
from keras_gatelstm.core.network import JoinedEvent
from keras_gatelstm.core.types import Tensor

# Steps in a round of the loop. More take longer to trace, and gain little.
ROUND = 5


def choose_loop(
    sequences: Tensor, mask: Tensor | None, training: bool
) -> Loop | None:
    """Return the loop to run a layer by, or `None` for Keras's.

    Sums are rounded in another order, which numbers of 16 bits would show.
    """
    single = sequences.shape[0] == 1 and mask is None and not training
    wide = sequences.dtype in (tf.float32, tf.float64)
    return single_sequence if single and wide else None


def single_sequence(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None = None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run a layer over a batch of one sequence, without mask or dropout."""
    events = tf.reverse(sequences, [1]) if layer.go_backwards else sequences
    time = events.shape[1] or tf.shape(events)[1]
    outputs = tf.TensorArray(
        layer.compute_dtype,
        time if layer.return_sequences else 1,
        element_shape=[1, layer.cell.units],
    )
    state = (tf.constant(0), outputs, *keras.tree.flatten(initial_state))
    in_rounds = time - time % ROUND
    state = _run_rounds(layer, events[:, :in_rounds], ROUND, state)
    state = _run_rounds(layer, events[:, in_rounds:], 1, state)
    _, outputs, *memories = state
    stacked = tf.transpose(outputs.stack(), [1, 0, 2])
    return stacked[:, -1], stacked, memories


def _run_rounds(
    layer: keras.layers.RNN,
    events: Tensor,
    steps: int,
    state: tuple[Any, ...],
) -> tuple[Any, ...]:
    """Run rounds of so many steps over events, `(1, time, features)`.

    Args:
        layer: The layer.
        events: The events of whole rounds.
        steps: The number of steps in a round.
        state: The number of steps that were run, the outputs and the memories.
    """
    if events.shape[1] == 0:
        return state
    cell = layer.cell
    networks = cell.networks_to_join()
    with_memory = not one_dnn_is_on()
    rounds = tf.reshape(events, [-1, steps, events.shape[2]])
    count = rounds.shape[0]
    if count is None:
        count = tf.shape(rounds)[0]
        # XLA compiles the first round even if there is none.
        rounds = tf.pad(rounds, [[0, 1], [0, 0], [0, 0]])
    by_round = tf.TensorArray(
        rounds.dtype, tf.shape(rounds)[0], element_shape=rounds.shape[1:]
    ).unstack(rounds)

    def one_round(
        number: Tensor,
        step: Tensor,
        outputs: tf.TensorArray,
        *memories: Tensor,
    ) -> tuple[Any, ...]:
        events = by_round.read(number)
        products = {
            it.name: event_product(it, events, with_bias=not with_memory)
            for it in networks
        }
        for row in range(steps):
            sums = {
                it.name: products[it.name][row : row + 1]
                + memory_product(it, memories[0], with_bias=with_memory)
                for it in networks
            }
            event = JoinedEvent(events[row : row + 1], memories[0], sums)
            output, memories = cell.call(event, memories)
            place = step + row if layer.return_sequences else 0
            outputs = outputs.write(place, output)
        return number + 1, step + steps, outputs, *memories

    _, *after = tf.while_loop(
        lambda number, *_: number < count,
        one_round,
        (tf.constant(0), *state),
        # XLA has no gradient of a loop without a bound, or with one of zero.
        maximum_iterations=tf.maximum(count, 1),
    )
    return tuple(after)


def one_dnn_is_on() -> bool:
    """Return whether oneDNN computes TensorFlow's products.

    TensorFlow's own product of one row is several times as fast when it adds a
    bias at once. In a loop of many, oneDNN's is several times as slow.
    """
    try:
        # There is no public name for it.
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:
        return True
    return bool(IsMklEnabled())
