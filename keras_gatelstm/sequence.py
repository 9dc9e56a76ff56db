"""What the layers share: a cell of ours, run over time by Keras."""

from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_gatelstm import options
from keras_gatelstm.cell import GateCell
from keras_gatelstm.network import Shape


class GateSequence(keras.layers.RNN):
    """Runs a cell over a sequence, with the arguments of both at one level.

    Args:
        cell: The cell.
        use_cudnn: `"auto"`, `True` or `False`; taken so that the layer can
            stand in for one of Keras's, and not used.
        **kwargs: As in `keras.layers.RNN`.
    """

    cell: GateCell

    def __init__(self, cell: GateCell, use_cudnn: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
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
