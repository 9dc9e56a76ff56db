"""What the cells share: dropout that lasts a sequence, and empty memories."""

from typing import Any

import keras
from keras import ops

from keras_gatelstm import options
from keras_gatelstm.network import Tensor

# keras.layers.RNN makes a cell's dropout masks before its loop over time and
# drops them after it, for cells of this class only: it has no public name.
_DropoutRNNCell: Any = next(
    base
    for base in keras.layers.LSTMCell.__mro__
    if "get_dropout_mask" in vars(base)
)


class GateCell(options.UnitsLayer, _DropoutRNNCell):
    """One step of a recurrent layer whose networks have names.

    Args:
        units: Positive integer, the size of each memory.
        activations: As in `UnitsLayer`.
        memories: How many memories the cell carries.
        dropout: Float from 0 to 1, the fraction of the event to drop.
        recurrent_dropout: Float from 0 to 1, the fraction of the short-term
            memory to drop.
        seed: Integer or `None`, the seed of the dropout.
        **kwargs: As in `UnitsLayer`.
    """

    # Of the networks that read the event, in Keras's order.
    networks: tuple[str, ...]

    def __init__(
        self,
        units: int,
        activations: options.Options,
        *,
        memories: int,
        dropout: float,
        recurrent_dropout: float,
        seed: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activations, **kwargs)
        self.dropout = options.check_fraction("dropout", dropout)
        self.recurrent_dropout = options.check_fraction(
            "recurrent_dropout", recurrent_dropout
        )
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.state_size = [self.units] * memories
        self.output_size = self.units

    @property
    def dropout_mask_count(self) -> int | None:
        """How many masks Keras is to draw: `None` is one, not in a list."""
        return len(self.networks) if self.recurrent_dropout else None

    def dropout_masks(
        self, event: Tensor, memory: Tensor
    ) -> dict[str, tuple[Tensor | None, Tensor | None]] | None:
        """The masks of this sequence: network -> (of event, of memory).

        They are those of `keras.layers.LSTMCell`, drawn in the same order
        from the same seed: with `recurrent_dropout`, masks for every
        network; without it, one mask of the event for all. `None` where
        nothing is dropped.
        """
        if not (self.dropout or self.recurrent_dropout):
            return None
        of_events = of_memories = [None] * len(self.networks)
        if 0 < self.dropout < 1:
            drawn = self.get_dropout_mask(event)
            one_for_all = self.dropout_mask_count is None
            of_events = [drawn] * len(self.networks) if one_for_all else drawn
        if 0 < self.recurrent_dropout < 1:
            of_memories = self.get_recurrent_dropout_mask(memory)
        pairs = zip(of_events, of_memories, strict=True)
        return dict(zip(self.networks, pairs, strict=True))

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Empty memories, `(batch_size, units)` each."""
        return [
            ops.zeros((batch_size, size), dtype=self.compute_dtype)
            for size in self.state_size
        ]

    def get_config(self) -> options.Options:
        return {
            **super().get_config(),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
