"""The recurrent layers that the recipes know by name."""

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
    """The layer of this name.

    Args:
        cell: `rnn`, `gru`, `lesson`, `standard`, or `keras`, which is
            Keras's own LSTM.
        units: The size of its memories.
        **options: What the layer takes.
    """
    return CELLS[cell](units, **options)


def start(name: str, units: int) -> keras.initializers.Initializer:
    """How the weights of the memory start.

    Args:
        name: `orthogonal`, as Keras starts them, which lets gradients through
            a plain RNN for long; or `uniform`, as PyTorch does, within
            1/√units, which does not.
        units: The size of the memory.
    """
    if name == "orthogonal":
        return keras.initializers.Orthogonal()
    bound = units**-0.5
    return keras.initializers.RandomUniform(-bound, bound)


def start_remembering(layer: keras.layers.RNN, steps: int) -> None:
    """Has a memory last about so many steps before anything is learnt.

    ```
    b = ln(steps), so that the factor starts near
    sigmoid(b) = steps / (steps + 1), and factor^steps near 1/e
    ```

    for the forget factor of an LSTM and the update factor of a GRU. With
    Keras's start, a forget bias of 1, an LSTM keeps 0.73 of its memory at a
    step. A plain RNN has no such factor, and stays as it is.

    Args:
        layer: The layer, built.
        steps: The steps.

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
    # A GRU that resets after the product has two biases, which add up.
    its_bias = keeping.bias
    if its_bias is not None:
        terms = its_bias.shape[0] if its_bias.ndim > 1 else 1
        its_bias.assign(keras.ops.full_like(its_bias, bias / terms))
