"""How several small networks start from one draw of numbers."""

from typing import Any

import keras
from keras import initializers, ops


@keras.saving.register_keras_serializable(package="keras_gatelstm")
class ShareOf(keras.initializers.Initializer):
    """Some of the equal column blocks of what another initializer draws.

    `keras.layers.LSTM` draws the weights of its four networks as one matrix,
    `(rows, 4·units)`. An initializer of Keras draws the same numbers each
    time it is asked for the same shape, so networks with weights of their
    own start from those very numbers when each takes its block of the draw;
    and without this, networks that share an initializer would start alike.

    The whole is drawn for every block anew: a few milliseconds, once.

    Args:
        initializer: What draws the whole: a Keras initializer, its name, or
            a function `(shape, dtype=None) -> tensor`.
        blocks: The numbers of the blocks to take, in order.
        of: How many blocks the whole has.

    Example:

    >>> whole = keras.initializers.GlorotUniform(seed=1)
    >>> second = ShareOf(whole, blocks=[1], of=4)
    >>> bool(keras.ops.all(second((3, 5)) == whole((3, 20))[:, 5:10]))
    True
    """

    def __init__(self, initializer: Any, blocks: list[int], of: int) -> None:
        self.initializer = initializers.get(initializer)
        self.blocks = list(blocks)
        self.of = of

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        width = shape[-1] // len(self.blocks)
        drawn = self.initializer((*shape[:-1], width * self.of), dtype=dtype)
        parts = ops.split(drawn, self.of, axis=-1)
        return ops.concatenate([parts[block] for block in self.blocks], -1)

    def get_config(self) -> dict[str, Any]:
        return {
            "initializer": initializers.serialize(self.initializer),
            "blocks": self.blocks,
            "of": self.of,
        }


def whole(value: Any) -> Any:
    """The initializer that a share is of; anything else as it is."""
    return whole(value.initializer) if isinstance(value, ShareOf) else value
