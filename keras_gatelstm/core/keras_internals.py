"""Private parts of Keras that this package uses, in one place."""

from typing import Any

import keras

# keras.layers.RNN makes dropout masks before its loop over time, and resets
# them after it, only for cells of this class.
DropoutRNNCell: Any = next(
    base
    for base in keras.layers.LSTMCell.__mro__
    if "get_dropout_mask" in vars(base)
)


def layers_inside(
    layer: keras.layers.Layer, recursive: bool = False
) -> list[keras.layers.Layer]:
    """Return the layers inside a layer, in whichever attribute they are.

    Models list theirs in `layers`; wrappers, recurrent layers and custom
    layers have no public list.
    """
    return list(layer._flatten_layers(include_self=False, recursive=recursive))


def given_initial_state(layer: keras.layers.RNN) -> list[str]:
    """Return the names of the tensors that a layer's memories start with.

    There are none, if no call in a functional model names an `initial_state`.
    """
    names = []
    for node in layer._inbound_nodes:
        given = list(node.arguments.args[1:2])
        given.append(node.arguments.kwargs.get("initial_state"))
        names += [
            tensor.name
            for tensor in keras.tree.flatten(given)
            if isinstance(tensor, keras.KerasTensor)
        ]
    return names


def takes_training(layer: keras.layers.Layer) -> bool:
    """Return whether a layer's `call` has the argument `training`.

    A model's own `call` hides the signature that it was built from.
    """
    return bool(layer._call_has_training_arg)


def set_seed(generator: keras.random.SeedGenerator, seed: int | None) -> None:
    """Set the seed of a generator, as if it had been created with it.

    The generator's state does not record whether a seed was given, and
    without one Keras draws differently on PyTorch.
    """
    generator._initial_seed = seed
