"""Options of the weights of a network, as one value."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Self, TypedDict

import keras
from keras import constraints, initializers, ops, regularizers

from keras_gatelstm.core.types import (
    Config,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Tensor,
)


@keras.saving.register_keras_serializable(
    package="keras_gatelstm",
    name="ShareOf",  # As saved models have it.
)
class ColumnBlocks(keras.initializers.Initializer):
    """Column blocks of the matrix that another initializer draws.

    `keras.layers.LSTM` draws the weights of its four networks as one matrix,
    `(rows, 4·units)`. A Keras initializer draws the same numbers in each call
    with the same shape, so separate networks start from the numbers of that
    matrix when each takes its block. Without this, networks that share an
    initializer would start equal.

    The whole matrix is drawn again for every block: a few milliseconds, once.

    Args:
        initializer: The initializer of the whole matrix: a Keras initializer,
            its name, or a function `(shape, dtype=None) -> tensor`.
        blocks: The numbers of the blocks to take, in order.
        of: The number of blocks in the whole matrix.

    Example:

    >>> whole = keras.initializers.GlorotUniform(seed=1)
    >>> second = ColumnBlocks(whole, blocks=[1], of=4)
    >>> bool(keras.ops.all(second((3, 5)) == whole((3, 20))[:, 5:10]))
    True
    """

    def __init__(
        self, initializer: InitializerLike, blocks: list[int], of: int
    ) -> None:
        self.initializer = initializers.get(initializer)
        self.blocks = list(blocks)
        self.of = of

    def __call__(
        self, shape: tuple[int, ...], dtype: str | None = None
    ) -> Tensor:
        width = shape[-1] // len(self.blocks)
        drawn = self.initializer((*shape[:-1], width * self.of), dtype=dtype)
        parts = ops.split(drawn, self.of, axis=-1)
        return ops.concatenate([parts[block] for block in self.blocks], -1)

    def get_config(self) -> Config:
        return {
            "initializer": initializers.serialize(self.initializer),
            "blocks": self.blocks,
            "of": self.of,
        }


def unwrap_initializer(initializer: InitializerLike) -> InitializerLike:
    """Return the initializer inside `ColumnBlocks`, or the argument itself."""
    if isinstance(initializer, ColumnBlocks):
        return unwrap_initializer(initializer.initializer)
    return initializer


class VariableOptions(TypedDict):
    """Arguments of `keras.layers.Layer.add_weight`."""

    initializer: InitializerLike
    regularizer: RegularizerLike
    constraint: ConstraintLike


# The arguments that each module resolves and serializes.
_MODULES = {
    initializers: (
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
    ),
    regularizers: (
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
    ),
    constraints: (
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
    ),
}


@dataclass(frozen=True)
class WeightConfig:
    """Options of a network's weights, with the same meanings as in Keras.

    Names and configs are resolved to Keras's objects on creation.

    Args:
        use_bias: Boolean, whether there is a `bias`. Default `True`.
        kernel_initializer: Initializer of `kernel`, which multiplies the
            event. Default `"glorot_uniform"`.
        recurrent_initializer: Initializer of `recurrent_kernel`, which
            multiplies the memory. Default `"orthogonal"`.
        bias_initializer: Initializer of `bias`. Default `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Default `None`.
        recurrent_regularizer: Regularizer of `recurrent_kernel`. Default
            `None`.
        bias_regularizer: Regularizer of `bias`. Default `None`.
        kernel_constraint: Constraint on `kernel`. Default `None`.
        recurrent_constraint: Constraint on `recurrent_kernel`. Default
            `None`.
        bias_constraint: Constraint on `bias`. Default `None`.

    Raises:
        ValueError: if Keras does not know one of them.

    Example:

    >>> weight_config = WeightConfig(use_bias=False, kernel_regularizer="l2")
    >>> type(weight_config.kernel_regularizer).__name__
    'L2'
    """

    use_bias: bool = True
    kernel_initializer: InitializerLike = "glorot_uniform"
    recurrent_initializer: InitializerLike = "orthogonal"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: RegularizerLike = None
    recurrent_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: ConstraintLike = None
    recurrent_constraint: ConstraintLike = None
    bias_constraint: ConstraintLike = None

    def __post_init__(self) -> None:
        for module, names in _MODULES.items():
            for name in names:
                resolved = module.get(getattr(self, name))
                object.__setattr__(self, name, resolved)

    @property
    def kernel(self) -> VariableOptions:
        """Options of `kernel`."""
        return {
            "initializer": self.kernel_initializer,
            "regularizer": self.kernel_regularizer,
            "constraint": self.kernel_constraint,
        }

    @property
    def recurrent_kernel(self) -> VariableOptions:
        """Options of `recurrent_kernel`."""
        return {
            "initializer": self.recurrent_initializer,
            "regularizer": self.recurrent_regularizer,
            "constraint": self.recurrent_constraint,
        }

    @property
    def bias(self) -> VariableOptions:
        """Options of `bias`."""
        return {
            "initializer": self.bias_initializer,
            "regularizer": self.bias_regularizer,
            "constraint": self.bias_constraint,
        }

    def share(self, *blocks: int, of: int) -> Self:
        """Return these options for some of the networks drawn as one matrix.

        Args:
            *blocks: The numbers of the networks.
            of: The number of all networks.
        """
        return self._with_initializers(
            lambda it: ColumnBlocks(it, list(blocks), of) if it else it
        )

    def alone(self) -> Self:
        """Return these options for a network that is drawn separately."""
        return self._with_initializers(unwrap_initializer)

    def get_config(self) -> Config:
        """Return the arguments as a Keras config."""
        config: Config = {"use_bias": self.use_bias}
        for module, names in _MODULES.items():
            for name in names:
                value = getattr(self, name)
                config[name] = value and module.serialize(value)
        return config

    @classmethod
    def pop_from(cls, config: Config) -> Self:
        """Remove the options from a layer's config, and return them."""
        return cls(**{it.name: config.pop(it.name) for it in fields(cls)})

    def _with_initializers(
        self, change: Callable[[InitializerLike], InitializerLike]
    ) -> Self:
        return replace(
            self,
            kernel_initializer=change(self.kernel_initializer),
            recurrent_initializer=change(self.recurrent_initializer),
            bias_initializer=change(self.bias_initializer),
        )
