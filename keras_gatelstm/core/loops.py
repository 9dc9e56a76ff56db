"""Replaceable loops over time for the recurrent layers of a model."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import keras

from keras_gatelstm.core.keras_internals import layers_inside
from keras_gatelstm.core.types import Tensor


class Loop(Protocol):
    """Function that runs a layer's cell over a sequence."""

    def __call__(
        self,
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        """Return the last output, all outputs, and the last memories.

        Args:
            layer: The layer whose `cell` to run.
            sequences: `(batch, time, features)`.
            initial_state: The memories to start with.
            mask: `None`, or booleans `(batch, time)`.
            training: Whether to apply dropout.
        """


def run_by_keras(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run the layer's own loop over time."""
    last, outputs, memories = type(layer).inner_loop(
        layer, sequences, initial_state, mask, training
    )
    return last, outputs, memories


def run_by_cell(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """Run the cell at every step, without a fused kernel of the backend."""
    last, outputs, memories = keras.layers.RNN.inner_loop(
        layer, sequences, initial_state, mask, training
    )
    return last, outputs, memories


def recurrent_layers(model: keras.layers.Layer) -> list[keras.layers.RNN]:
    """Return every recurrent layer in a model, or the layer itself."""
    return list(layers_by_path(model).values())


def layers_by_path(
    model: keras.layers.Layer, inside: str = ""
) -> dict[str, keras.layers.RNN]:
    """Return the recurrent layers in a model, or the layer itself, by path.

    A path joins the names of the layers on the way, without the model's own:
    `"bidirectional/forward_lstm"`. A layer that is used twice has one path.
    """
    if isinstance(model, keras.layers.RNN):
        return {inside or model.name: model}
    found: dict[str, keras.layers.RNN] = {}
    for part in _list_sublayers(model):
        path = f"{inside}/{part.name}" if inside else part.name
        for place, layer in layers_by_path(part, path).items():
            if not any(layer is before for before in found.values()):
                found[place] = layer
    return found


def _list_sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return layers_inside(layer)


@contextmanager
def override_time_loop(model: keras.layers.Layer, loop: Loop) -> Iterator[None]:
    """Run a model's recurrent layers with `loop` inside the block."""
    before = [
        (layer, vars(layer).get("inner_loop"))
        for layer in recurrent_layers(model)
    ]
    try:
        for layer, _ in before:
            layer.inner_loop = partial(loop, layer)
        yield
    finally:
        for layer, its_loop in before:
            vars(layer).pop("inner_loop", None)
            if its_loop is not None:
                layer.inner_loop = its_loop
