"""Variables of a model: their values, and the memories of stateful layers."""

from collections.abc import Sequence

import keras
import numpy as np

from recipes.training.checkpoints import Arrays


def read_values(variables: Sequence[keras.Variable]) -> Arrays:
    """Return the values of variables."""
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def assign_values(
    variables: Sequence[keras.Variable], values: Sequence[np.ndarray]
) -> None:
    """Assign as many values to variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def memories(model: keras.Model) -> list[keras.Variable]:
    """Return the state variables of stateful layers.

    Keras keeps no list of them.
    """
    return [
        memory
        for layer in model.layers
        if isinstance(layer, keras.layers.RNN) and layer.stateful
        for memory in keras.tree.flatten(layer.states)
    ]


def empty_memories(model: keras.Model) -> None:
    """Set the states of stateful layers to zero."""
    for memory in memories(model):
        memory.assign(keras.ops.zeros(memory.shape, memory.dtype))
