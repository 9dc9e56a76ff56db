"""Private parts of Keras that this package uses, in one place."""

from collections.abc import Callable
from typing import Any

import keras
from keras.src import backend

from keras_gatelstm.core.types import Tensor

# keras.layers.RNN makes dropout masks before its loop over time, and resets
# them after it, only for cells of this class.
DropoutRNNCell: Any = next(
    base
    for base in keras.layers.LSTMCell.__mro__
    if "get_dropout_mask" in vars(base)
)


def run_over_time(
    layer: keras.layers.RNN,
    step: Callable[[Tensor, Any], tuple[Tensor, Any]],
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
) -> tuple[Tensor, Tensor, Any]:
    """Run Keras's own loop with a function in the place of the layer's cell.

    Args:
        layer: The layer, for its options.
        step: From an event and the memories to the output and new memories.
        sequences: `(batch, time, features)`.
        initial_state: The memories to start with.
        mask: `None`, or booleans `(batch, time)`.

    Returns:
        The last output, all outputs, and the last memories.
    """
    last, outputs, memories = backend.rnn(
        step,
        sequences,
        list(keras.tree.flatten(initial_state)),
        go_backwards=layer.go_backwards,
        mask=mask,
        input_length=sequences.shape[1],
        zero_output_for_mask=layer.zero_output_for_mask,
        return_all_outputs=layer.return_sequences,
    )
    return last, outputs, memories


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
