"""The seam where a model's recurrent layers run over time in another way."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import keras

from keras_gatelstm.core.keras_internals import layers_inside
from keras_gatelstm.core.types import Tensor


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


def run_by_keras(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """The loop that a layer has anyway."""
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
    """The loop that asks the cell at every step, whatever the backend has."""
    last, outputs, memories = keras.layers.RNN.inner_loop(
        layer, sequences, initial_state, mask, training
    )
    return last, outputs, memories


def recurrent_layers(model: keras.layers.Layer) -> list[keras.layers.RNN]:
    """Every recurrent layer in a model, or the layer itself, in order."""
    return list(layers_by_path(model).values())


def layers_by_path(
    model: keras.layers.Layer, inside: str = ""
) -> dict[str, keras.layers.RNN]:
    """The recurrent layers in a model, or the layer itself, by where they are.

    A path is the names on the way there, the model's own left out:
    `"bidirectional/forward_lstm"`. A layer that is used twice has one path.
    """
    if isinstance(model, keras.layers.RNN):
        return {inside or model.name: model}
    found: dict[str, keras.layers.RNN] = {}
    for part in _in_order(model):
        path = f"{inside}/{part.name}" if inside else part.name
        for place, layer in layers_by_path(part, path).items():
            if not any(layer is before for before in found.values()):
                found[place] = layer
    return found


def _in_order(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return layers_inside(layer)


@contextmanager
def override_time_loop(model: keras.layers.Layer, loop: Loop) -> Iterator[None]:
    """Runs a model's recurrent layers with this loop, as long as it lasts."""
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
