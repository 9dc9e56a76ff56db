"""The seam where a model's recurrent layers run over time in another way."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import keras

from keras_gatelstm.keras_internals import layers_inside
from keras_gatelstm.network import Tensor


class Loop(Protocol):
    """What runs a layer's cell over a sequence."""

    def __call__(
        self,
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        """Gives the last output, all outputs, and the last memories.

        Args:
            layer: Whose `cell` to run.
            sequences: `(batch, time, features)`.
            initial_state: The memories to start with.
            mask: `None`, or booleans `(batch, time)`.
            training: Whether to drop anything.
        """


def recurrent_layers(model: keras.layers.Layer) -> list[keras.layers.RNN]:
    """Every recurrent layer in a model, or the layer itself, in order."""
    parts = [model, *layers_inside(model, recursive=True)]
    return [part for part in parts if isinstance(part, keras.layers.RNN)]


@contextmanager
def looping(model: keras.layers.Layer, loop: Loop) -> Iterator[None]:
    """Runs a model's recurrent layers with this loop, as long as it lasts."""
    layers = recurrent_layers(model)
    try:
        for layer in layers:
            layer.inner_loop = partial(loop, layer)
        yield
    finally:
        for layer in layers:
            vars(layer).pop("inner_loop", None)
