"""TensorFlow: a single sequence, whose steps are too small to keep it busy.

In a batch of one, starting a step's operators takes longer than computing
them, and each weight is read from memory for a single row. So the events of
all steps are multiplied before the loop, and each round of the loop has
several steps.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_gatelstm.core.loops import Loop
from keras_gatelstm.core.network import JoinedEvent, Network, ProjectedEvent
from keras_gatelstm.core.types import Tensor

# Steps in a round of the loop. More take longer to trace, and gain little.
ROUND = 5


def choose_loop(
    sequences: Tensor, mask: Tensor | None, training: bool
) -> Loop | None:
    """Return the loop to run a layer by, or `None` for Keras's."""
    alone = sequences.shape[0] == 1 and mask is None and not training
    return one_sequence if alone else None


def one_sequence(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None = None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run a layer over a batch of one sequence, without mask or dropout."""
    cell = layer.cell
    events = tf.transpose(sequences, [1, 0, 2])
    if layer.go_backwards:
        events = tf.reverse(events, [0])
    time = events.shape[0] or tf.shape(events)[0]
    networks = {network.name: network for network in cell.small_networks()}
    joined = [networks[name] for name in cell.joined_networks]
    sums = {
        name: _by_step(
            _of_events(network, events)
            if network in joined
            else network.from_event(events)
        )
        for name, network in networks.items()
    }
    outputs = tf.TensorArray(
        layer.compute_dtype,
        time if layer.return_sequences else 1,
        element_shape=[1, cell.units],
    )

    def one_step(
        step: Tensor, outputs: tf.TensorArray, *memories: Tensor
    ) -> tuple[Any, ...]:
        event = {name: values.read(step) for name, values in sums.items()}
        met = {
            it.name: event[it.name] + _of_memory(it, memories[0])
            for it in joined
        }
        output, after = cell.call(
            JoinedEvent(ProjectedEvent(event), memories[0], met),
            list(memories),
        )
        place = step if layer.return_sequences else 0
        return step + 1, outputs.write(place, output), *after

    def one_round(*variables: Any) -> tuple[Any, ...]:
        for _ in range(ROUND):
            variables = one_step(*variables)
        return variables

    variables = (tf.constant(0), outputs, *keras.tree.flatten(initial_state))
    rounds, rest = time // ROUND, time % ROUND
    variables = tf.while_loop(
        lambda step, *_: step < rounds * ROUND,
        one_round,
        variables,
        maximum_iterations=rounds,
    )
    if isinstance(rest, int):
        for _ in range(rest):
            variables = one_step(*variables)
    else:
        variables = tf.while_loop(
            lambda step, *_: step < time,
            one_step,
            variables,
            maximum_iterations=rest,
        )
    _, outputs, *memories = variables
    stacked = tf.transpose(outputs.stack(), [1, 0, 2])
    return stacked[:, -1], stacked, memories


def _by_step(values: Tensor) -> tf.TensorArray:
    steps = tf.TensorArray(
        values.dtype, tf.shape(values)[0], element_shape=values.shape[1:]
    )
    return steps.unstack(values)


def _moves_bias(network: Network) -> bool:
    """Return whether to add the bias to the memory's product.

    TensorFlow's own product of one row is several times as fast when it adds a
    bias at once; oneDNN's is several times as slow.
    """
    has_one = network.bias is not None and not network.recurrent_bias
    return has_one and not one_dnn_is_on()


def one_dnn_is_on() -> bool:
    """Return whether oneDNN computes TensorFlow's products."""
    try:
        # There is no public name for it.
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:
        return True
    return bool(IsMklEnabled())


def _of_events(network: Network, events: Tensor) -> Tensor:
    if _moves_bias(network):
        return ops.matmul(events, network.kernel)
    return network.from_event(events)


def _of_memory(network: Network, memory: Tensor) -> Tensor:
    of_memory = network.from_memory(memory)
    if _moves_bias(network):
        return ops.add(of_memory, network.bias)
    return of_memory
