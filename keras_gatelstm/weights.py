"""Options of the weights of a network, as one value."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Self, TypedDict

from keras import constraints, initializers, regularizers

from keras_gatelstm.initializers import ShareOf, whole
from keras_gatelstm.types import (
    Config,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
)


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
            lambda it: ShareOf(it, list(blocks), of) if it else it
        )

    def alone(self) -> Self:
        """The same, for a network whose weights start by themselves."""
        return self._with_initializers(whole)

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
