"""What is needed of Keras and has no public name there, in one place."""

from typing import Any

import keras

# keras.layers.RNN makes a cell's dropout masks before its loop over time and
# drops them after it, for cells of this class only.
DropoutRNNCell: Any = next(
    base
    for base in keras.layers.LSTMCell.__mro__
    if "get_dropout_mask" in vars(base)
)


def layers_inside(
    layer: keras.layers.Layer, recursive: bool = False
) -> list[keras.layers.Layer]:
    """The layers that are parts of a layer, wherever it keeps them.

    Models list theirs in `layers`; wrappers, recurrent layers and layers
    that people write have no public list of them.
    """
    return list(layer._flatten_layers(include_self=False, recursive=recursive))


def set_seed(generator: keras.random.SeedGenerator, seed: int | None) -> None:
    """Makes a generator one of this seed, as if it had been made with it.

    Its state does not say whether it was seeded at all, and on PyTorch Keras
    draws in another way where it was not.
    """
    generator._initial_seed = seed
