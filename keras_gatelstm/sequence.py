"""What the layers share: a cell of ours, run over time by Keras."""

from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_gatelstm import options
from keras_gatelstm.cell import CellOptions, GateCell
from keras_gatelstm.network import Shape


class SequenceOptions(CellOptions, total=False):
    """What every layer takes; `GateCell` and `GateSequence` say more."""

    activity_regularizer: Any
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    use_cudnn: Any
    zero_output_for_mask: bool


_OF_CELLS_ALONE = (
    CellOptions.__annotations__.keys() - options.LayerOptions.__annotations__
)


class GateSequence(keras.layers.RNN):
    """Runs a cell over a sequence, with the arguments of both at one level.

    Args:
        cell_class: The class of the cell.
        cell_options: What that cell takes and others do not.
        activity_regularizer: Regularizer of the layer's output. Default
            `None`.
        return_sequences: Boolean, whether to return the output of every step
            or of the last. Default `False`.
        return_state: Boolean, whether to return the last memories too.
            Default `False`.
        go_backwards: Boolean, whether to read the sequence from its end and
            return the outputs in that order. Default `False`.
        stateful: Boolean, whether a batch starts with the memories that the
            one before it ended with, row by row; `reset_state` empties them.
            Default `False`. As with Keras's own layers, a model on JAX does
            not carry them in `fit`, `evaluate` and `predict`.
        unroll: Boolean, whether to write the steps out one by one instead of
            as a loop; for short sequences of known length. Default `False`.
        use_cudnn: `"auto"` or `True` lets a whole sequence go to an LSTM of
            the backend itself, on CPU or GPU, where that gives the same:
            so far, that of PyTorch, for `GateLSTM(variant="standard")` with
            no mask, dropout at work or refinements. `False` keeps to the
            loop. Default `"auto"`.
        zero_output_for_mask: Boolean, whether the output of a masked step is
            zeros instead of the output before it. Default `False`.
        **kwargs: The arguments of `GateCell`, from `use_bias` to `seed`;
            `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `None`, or the memories to start with, `(batch, units)`
            each: a list of them, or the one itself where there is one.
        mask: `None`, or booleans `(batch, time)`: at a step that is `False`,
            memories stay as they are and the last output is repeated.
        training: Boolean, whether to drop anything.

    Returns:
        The last output, `(batch, units)`, or with `return_sequences=True`
        all of them, `(batch, time, units)`; with `return_state=True`, a tuple
        of it and the last memories.
    """

    cell: GateCell

    def __init__(
        self,
        cell_class: type[GateCell],
        cell_options: options.Options,
        *,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        shared, layer_options = _split(kwargs)
        super().__init__(cell_class(**cell_options, **shared), **layer_options)
        self.use_cudnn = options.check_choice(
            "use_cudnn", use_cudnn, ("auto", True, False)
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)

    @property
    def units(self) -> int:
        return int(self.cell.units)

    def build(
        self,
        sequences_shape: Shape,
        initial_state_shape: list[Shape] | None = None,
    ) -> None:
        super().build(sequences_shape)
        self.input_spec = keras.layers.InputSpec(
            ndim=3, axes={-1: sequences_shape[-1]}
        )

    def reset_state(self, samples: Any = None) -> None:
        """Empties the memories that a stateful layer carries.

        Args:
            samples: `None` for every row of the batch (default); else the
                rows to empty: their numbers, or a boolean for each row.

        Raises:
            ValueError: if `samples` names rows that the batch does not have.
        """
        if self.states is None or samples is None:
            super().reset_state()
            return
        rows = _chosen_rows(samples, batch_size=self.states[0].shape[0])
        for memory in self.states:
            memory.assign(ops.where(rows[:, None], 0.0, memory.value))

    def get_config(self) -> options.Options:
        layer_config = super().get_config()
        del layer_config["cell"]
        return {
            **self.cell.get_config(),
            **layer_config,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "use_cudnn": self.use_cudnn,
        }

    @classmethod
    def from_config(cls, config: options.Options) -> Self:
        return cls(**config)


def _split(kwargs: options.Options) -> tuple[options.Options, options.Options]:
    """Parts the arguments of a layer into those of its cell and its own."""
    cell: options.Options = {"name": "cell"}
    layer: options.Options = {}
    for name, value in kwargs.items():
        if name in CellOptions.__annotations__ and name != "name":
            cell[name] = value
        if name not in _OF_CELLS_ALONE:
            layer[name] = value
    return cell, layer


def _chosen_rows(samples: Any, batch_size: int) -> np.ndarray:
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
