"""Memories as named inputs and outputs, carried by the caller."""

from typing import NamedTuple

import keras

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.keras_internals import (
    given_initial_state,
    layers_inside,
)
from keras_gatelstm.core.loops import Loop, recurrent_layers
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.errors import FormError
from keras_gatelstm.export.inputs import sequences_of
from keras_gatelstm.export.time_loops import Result


class MemorySpec(NamedTuple):
    """Size and dtype of a memory of `(batch, size)`."""

    size: int
    dtype: str


def memory_sizes(model: keras.Model) -> dict[str, int]:
    """Return the size of every memory of a model, by name.

    Raises:
        FormError: if the model cannot be run step by step.
    """
    return {name: it.size for name, it in memory_specs(model).items()}


def memory_specs(model: keras.Model) -> dict[str, MemorySpec]:
    """Return the size and dtype of every memory of a model, by name.

    The dtype is that of its layer, which may be another than the model's.

    Raises:
        FormError: if the model cannot be run step by step.
    """
    if not any(sequences_of(model).values()):
        raise FormError(
            f"{model.name} takes sequences of one length only, "
            f"{', '.join(str(tensor.shape) for tensor in model.inputs)}: it "
            "cannot be run step by step"
        )
    for layer in [model, *layers_inside(model, recursive=True)]:
        backwards = getattr(layer, "go_backwards", False)
        if backwards or isinstance(layer, keras.layers.Bidirectional):
            raise FormError(
                f"{layer.name} reads backwards: it needs the end first"
            )
    specs: dict[str, MemorySpec] = {}
    for layer in recurrent_layers(model):
        given = given_initial_state(layer)
        if given:
            raise FormError(
                f"{layer.name} starts with an initial_state of the model's, "
                f"{', '.join(given)}, and a step with the memories of the step "
                "before: make a model of that layer without initial_state, and "
                "give its step the memories to start with"
            )
        flat = keras.tree.flatten(layer.state_size)
        for name, size in zip(_memory_names(layer), flat, strict=True):
            if name in specs:
                raise FormError(f"two layers are called {layer.name}")
            specs[name] = MemorySpec(int(size), layer.compute_dtype)
    return specs


def merge_outputs(
    outputs: dict[str, Tensor], of_layers: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Merge a model's outputs with memories and quantities of its layers.

    Raises:
        FormError: if two of them have the same name.
    """
    for name in outputs:
        if name in of_layers:
            raise FormError(
                f"an output and a memory or quantity are both called {name}"
            )
    return {**outputs, **of_layers}


def with_explicit_state(
    loop: Loop, before: dict[str, Tensor], after: dict[str, Tensor]
) -> Loop:
    """Run `loop` from `before`; store final states in `after`."""

    def loop_with_state(
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: list[Tensor],
        mask: Tensor | None,
        training: bool = False,
    ) -> Result:
        names = _memory_names(layer)
        if names[0] in after:
            raise FormError(f"{layer.name} is used more than once")
        memories = keras.tree.pack_sequence_as(
            initial_state, [before[name] for name in names]
        )
        last, outputs, memories = loop(layer, sequences, memories, mask)
        flat = keras.tree.flatten(memories)
        after.update(zip(names, flat, strict=True))
        return last, outputs, memories

    return loop_with_state


def named_cells(layer: keras.layers.RNN) -> dict[str, keras.layers.Layer]:
    """Return the cells of a layer by `<layer>`; stacked ones are numbered."""
    cells = getattr(layer.cell, "cells", [layer.cell])
    if len(cells) == 1:
        return {layer.name: cells[0]}
    return {f"{layer.name}_{number}": it for number, it in enumerate(cells)}


def _memory_names(layer: keras.layers.RNN) -> list[str]:
    """Return `<layer>_<memory>` names."""
    names = []
    for prefix, cell in named_cells(layer).items():
        count = len(keras.tree.flatten(cell.state_size))
        has_gates = isinstance(cell, GateCell)
        memories = cell.anatomy.memories if has_gates else range(count)
        names += [f"{prefix}_{memory}" for memory in memories]
    return names
