"""Dropout masks that stay the same from step to step of a sequence."""

from typing import Any

import keras

# keras.layers.RNN makes a cell's masks before its loop over time and drops
# them after it, for cells of this class only, which has no public name.
_DropoutRNNCell: Any = next(
    base
    for base in keras.layers.LSTMCell.__mro__
    if "get_dropout_mask" in vars(base)
)


class DropoutCell(_DropoutRNNCell):
    """A cell whose small networks see dropped-out events and memories.

    The masks are those of `keras.layers.LSTMCell`, drawn in the same order
    from the same seed: with `recurrent_dropout`, masks for every network;
    without it, one mask of the event for all.

    A cell that is one has `dropout`, `recurrent_dropout`, `seed_generator`
    and `networks`, the names of its networks in Keras's order.
    """

    dropout: float
    recurrent_dropout: float
    seed_generator: keras.random.SeedGenerator
    networks: tuple[str, ...]

    @property
    def dropout_mask_count(self) -> int | None:
        """How many masks Keras is to draw: `None` is one, not in a list."""
        return len(self.networks) if self.recurrent_dropout else None

    def dropout_masks(
        self, event: Any, memory: Any
    ) -> dict[str, tuple[Any, Any]]:
        """The masks of this sequence: network -> (of event, of memory)."""
        of_events = of_memories = [None] * len(self.networks)
        if 0 < self.dropout < 1:
            drawn = self.get_dropout_mask(event)
            one_for_all = self.dropout_mask_count is None
            of_events = [drawn] * len(self.networks) if one_for_all else drawn
        if 0 < self.recurrent_dropout < 1:
            of_memories = self.get_recurrent_dropout_mask(memory)
        pairs = zip(of_events, of_memories, strict=True)
        return dict(zip(self.networks, pairs, strict=True))
