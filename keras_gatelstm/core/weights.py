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
    """Return the initializer that blocks are taken of; any other as it is."""
    if isinstance(initializer, ColumnBlocks):
        return unwrap_initializer(initializer.initializer)
    return initializer


class VariableOptions(TypedDict):
    """Arguments of `keras.layers.Layer.add_weight`."""

    initializer: InitializerLike
    regularizer: RegularizerLike
    constraint: ConstraintLike


# What resolves an argument, and saves it in a config.
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
    """Options of a network's weights, with the meanings that Keras gives them.

    Names and configs are resolved to Keras's objects when it is made.

    Args:
        use_bias: Boolean, whether there is a `bias`. Default `True`.
        kernel_initializer: Initializer of `kernel`, which the event is
            multiplied by. Default `"glorot_uniform"`.
        recurrent_initializer: Initializer of `recurrent_kernel`, which the
            memory is multiplied by. Default `"orthogonal"`.
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
        """The same, for some of several networks whose weights start as one.

        Args:
            *blocks: Which of the networks, by number.
            of: How many networks there are.
        """
        return self._with_initializers(
            lambda it: ColumnBlocks(it, list(blocks), of) if it else it
        )

    def alone(self) -> Self:
        """The same, for a network whose weights start by themselves."""
        return self._with_initializers(unwrap_initializer)

    def get_config(self) -> Config:
        """The arguments, as a Keras config holds them."""
        config: Config = {"use_bias": self.use_bias}
        for module, names in _MODULES.items():
            for name in names:
                value = getattr(self, name)
                config[name] = value and module.serialize(value)
        return config

    @classmethod
    def pop_from(cls, config: Config) -> Self:
        """Take the options out of the config of a layer that has them."""
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
