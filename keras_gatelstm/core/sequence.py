"""Base class of the layers: a cell, run over time by Keras."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.fast_loops import choose_loop
from keras_gatelstm.core.loops import run_by_cell
from keras_gatelstm.core.options import check_weight_count, delegated
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    ConstraintLike,
    InitializerLike,
    LayerOptions,
    RegularizerLike,
    Shape,
    Tensor,
)


class GateSequence(keras.layers.RNN):
    """A cell over a sequence, with the arguments of both in one config.

    Args:
        cell: The cell.
        **kwargs: Arguments of `keras.layers.RNN`.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `None`, or the memories to start with, `(batch, units)`
            each: a list, or for a single memory the tensor itself.
        mask: `None`, or booleans `(batch, time)`: at a step that is `False`,
            memories stay as they are and the last output is repeated.
        training: Boolean, whether to apply dropout.

    Returns:
        The last output, `(batch, units)`, or with `return_sequences=True`
        all of them, `(batch, time, units)`; with `return_state=True`, a tuple
        of it and the last memories.
    """

    cell: GateCell

    units: int = delegated("cell")
    activation: ActivationLike = delegated("cell")
    use_bias: bool = delegated("cell")
    kernel_initializer: InitializerLike = delegated("cell")
    recurrent_initializer: InitializerLike = delegated("cell")
    bias_initializer: InitializerLike = delegated("cell")
    kernel_regularizer: RegularizerLike = delegated("cell")
    recurrent_regularizer: RegularizerLike = delegated("cell")
    bias_regularizer: RegularizerLike = delegated("cell")
    kernel_constraint: ConstraintLike = delegated("cell")
    recurrent_constraint: ConstraintLike = delegated("cell")
    bias_constraint: ConstraintLike = delegated("cell")
    dropout: float = delegated("cell")
    recurrent_dropout: float = delegated("cell")
    seed: int | None = delegated("cell")

    def __init__(self, cell: GateCell, **kwargs: object) -> None:
        super().__init__(cell, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def set_weights(self, weights: list[Tensor]) -> None:
        check_weight_count(self, weights)
        super().set_weights(weights)

    def build(
        self,
        sequences_shape: Shape,
        initial_state_shape: list[Shape] | None = None,
    ) -> None:
        super().build(sequences_shape)
        self.input_spec = keras.layers.InputSpec(
            ndim=3, axes={-1: sequences_shape[-1]}
        )

    def call(
        self,
        sequences: Tensor,
        initial_state: Tensor | Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool = False,
    ) -> Tensor | tuple[Tensor, ...]:
        _check_steps(self, sequences.shape)
        _check_mask(self, mask, sequences.shape)
        _check_initial_state(self, initial_state, sequences.shape)
        return super().call(sequences, initial_state, mask, training)

    def inner_loop(
        self,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        """Return the last output, all outputs and the last memories.

        `keras.layers.RNN` calls this method to run over time.
        """
        loop = choose_loop(self, sequences, mask, training)
        if loop is None:
            return run_by_cell(self, sequences, initial_state, mask, training)
        if training:
            sequences = self.cell.drop_events(sequences)
        return loop(self, sequences, initial_state, mask, training)

    def reset_state(
        self, samples: int | Sequence[int] | np.ndarray | None = None
    ) -> None:
        """Set the memories of a stateful layer to zeros.

        Args:
            samples: `None` for every row of the batch (default); else the
                rows to reset: their numbers, or a boolean for each row.

        Raises:
            ValueError: if `samples` names rows that the batch does not have.
        """
        if self.states is None or samples is None:
            super().reset_state()
            return
        rows = _select_rows(samples, batch_size=self.states[0].shape[0])
        for memory in self.states:
            memory.assign(ops.where(rows[:, None], 0.0, memory.value))

    def get_config(self) -> Config:
        layer_config = super().get_config()
        del layer_config["cell"]
        return {
            **self.cell.get_config(),
            **layer_config,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
        }

    @classmethod
    def from_config(cls, config: Config) -> Self:
        return cls(**config)


def cell_kwargs(kwargs: LayerOptions) -> LayerOptions:
    """Return the cell's name, dtype and trainable, of a layer's `kwargs`."""
    return {
        "name": "cell",
        "dtype": kwargs.get("dtype"),
        "trainable": kwargs.get("trainable", True),
    }


def _check_steps(layer: GateSequence, shape: Shape) -> None:
    if shape[1] == 0:
        raise ValueError(
            f"{layer.name} needs sequences of a step at least, (batch, time, "
            f"features). Received: shape {tuple(shape)}"
        )


def _check_mask(layer: GateSequence, mask: Any, shape: Shape) -> None:
    for one in keras.tree.flatten(mask):
        found = _shape_of(one)
        if one is not None and not _fits(found, shape[:2]):
            raise ValueError(
                f"{layer.name} needs a mask of booleans, (batch, time), here "
                f"{tuple(shape[:2])}. Received: shape {found}"
            )


def _check_initial_state(
    layer: GateSequence, initial_state: Any, shape: Shape
) -> None:
    if initial_state is None:
        return
    expected = [
        (shape[0], int(size)) for size in keras.tree.flatten(layer.state_size)
    ]
    found = [_shape_of(it) for it in keras.tree.flatten(initial_state)]
    # Memories of a single row are those of all rows.
    right = len(found) == len(expected) and all(
        _fits(one, other) or one == (1, other[1])
        for one, other in zip(found, expected, strict=True)
    )
    if not right:
        raise ValueError(
            f"{layer.name} needs an initial_state of "
            f"{', '.join(layer.cell.anatomy.memories)}, (batch, units) each, "
            f"here {expected}. Received: shapes {found}"
        )


def _shape_of(tensor: Any) -> Shape:
    shape = tensor.shape if hasattr(tensor, "shape") else np.shape(tensor)
    return tuple(shape)


def _fits(found: Shape, expected: Shape) -> bool:
    """Return whether a shape is the expected one, as far as both are known."""
    return len(found) == len(expected) and all(
        one is None or other is None or one == other
        for one, other in zip(found, expected, strict=True)
    )


def _select_rows(
    samples: int | Sequence[int] | np.ndarray, batch_size: int
) -> np.ndarray:
    chosen = np.asarray(samples)
    rows = np.arange(batch_size)
    if chosen.dtype == bool and chosen.shape == rows.shape:
        return chosen
    if chosen.dtype == bool or not np.isin(chosen, rows).all():
        raise ValueError(
            f"samples must be row numbers from 0 to {batch_size - 1}, or "
            f"{batch_size} booleans: the layer's batch has {batch_size} rows. "
            f"Received: samples={samples!r}"
        )
    return np.isin(rows, chosen)
