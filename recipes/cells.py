"""Recurrent layers by name, and how their weights start."""

import math
from functools import partial
from typing import Any

import keras

from keras_gatelstm import GateGRU, GateLSTM, GateRNN, GateSequence

CELLS = {
    "rnn": GateRNN,
    "gru": GateGRU,
    "lesson": partial(GateLSTM, variant="lesson"),
    "standard": partial(GateLSTM, variant="standard"),
    "keras": keras.layers.LSTM,
}


def recurrent_layer(cell: str, units: int, **options: Any) -> keras.layers.RNN:
    """Return a new recurrent layer.

    Args:
        cell: `rnn`, `gru`, `lesson`, `standard`, or `keras` for
            `keras.layers.LSTM`.
        units: Number of units.
        **options: Arguments of the layer.
    """
    return CELLS[cell](units, **options)


def start(name: str, units: int) -> keras.initializers.Initializer:
    """Return an initializer for the recurrent weights.

    Args:
        name: `orthogonal`, Keras's default, with which gradients survive many
            steps of a plain RNN; or `uniform` within 1/√units, PyTorch's
            default, with which they vanish.
        units: Number of units.
    """
    if name == "orthogonal":
        return keras.initializers.Orthogonal()
    bound = units**-0.5
    return keras.initializers.RandomUniform(-bound, bound)


def start_remembering(layer: keras.layers.RNN, steps: int) -> None:
    """Set the biases so that the memory initially lasts about `steps` steps.

    ```
    b = ln(steps), so that the factor starts near
    sigmoid(b) = steps / (steps + 1), and factor^steps near 1/e
    ```

    for the forget factor of an LSTM and the update factor of a GRU. With
    Keras's default forget bias of 1, an LSTM keeps 0.73 of its memory per
    step. A plain RNN has no such factor and is left unchanged.

    Args:
        layer: A built layer.
        steps: Number of steps.

    References:
        Tallec and Ollivier, "Can Recurrent Neural Networks Warp Time?", 2018;
        Gers, Schmidhuber and Cummins, "Learning to Forget", 2000.
    """
    bias = math.log(steps)
    keeping = None
    if isinstance(layer, GateSequence):
        memory = layer.cell.anatomy.main_memory
        if memory and memory.kept_by:
            keeping = layer.cell.sublayer(memory.kept_by)
    elif isinstance(layer, keras.layers.LSTM):
        biases = keras.ops.convert_to_numpy(layer.cell.bias).copy()
        biases[layer.units : 2 * layer.units] = bias
        layer.cell.bias.assign(biases)
    if keeping is None:
        return
    # A GRU with reset_after has two biases, which are added.
    its_bias = keeping.bias
    if its_bias is not None:
        terms = its_bias.shape[0] if its_bias.ndim > 1 else 1
        its_bias.assign(keras.ops.full_like(its_bias, bias / terms))
