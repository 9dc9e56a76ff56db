"""Arguments shared by the gates, the cells and the layers."""

from numbers import Integral, Real
from typing import Any, Self, TypeVar, Unpack

import keras

from keras_gatelstm.core.types import Config, LayerOptions, Shape, Tensor
from keras_gatelstm.core.weights import WeightConfig

Value = TypeVar("Value")


class UnitsLayer(keras.layers.Layer):
    """Base class: a layer of `units`, with options of its weights.

    Args:
        units: Positive integer.
        weight_config: Options of the weights.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.
    """

    def __init__(
        self,
        units: int,
        weight_config: WeightConfig,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_units(units)
        self.weight_config = weight_config

    def sublayer_kwargs(self, name: str) -> LayerOptions:
        """Return the arguments of a sub-layer: name, dtype, trainable."""
        return {
            "name": name,
            "dtype": self.dtype_policy,
            "trainable": self.trainable,
        }

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "units": self.units,
            **self.weight_config.get_config(),
        }


class SubLayer(UnitsLayer):
    """Base class: a layer of `units` that takes a `WeightConfig`.

    Args:
        units: Positive integer.
        weight_config: Options of the weights. Default `None`: those of
            `WeightConfig()`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.
    """

    def __init__(
        self,
        units: int,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config or WeightConfig(), **kwargs)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        config = dict(config)
        weight_config = WeightConfig.pop_from(config)
        return super().from_config({**config, "weight_config": weight_config})


def delegated(part: str) -> Any:
    """Return a read-only attribute that reads the same name of a part."""
    return _Delegated(part)


class _Delegated:
    """See the layer's arguments."""

    def __init__(self, part: str) -> None:
        self.part = part

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> object:
        if instance is None:
            return self
        return getattr(getattr(instance, self.part), self.name)

    def __set__(self, instance: object, value: object) -> None:
        raise AttributeError(
            f"{self.name} of {type(instance).__name__} is given when it is "
            "made, and is not changed after"
        )


def check_weight_count(
    layer: keras.layers.Layer, weights: list[Tensor]
) -> None:
    """Raise for the weights of Keras's own layers, which fuse all gates."""
    expected = len(layer.weights)
    if layer.built and len(weights) != expected:
        raise ValueError(
            f"{layer.name} has {expected} weights, some for each gate's "
            "networks. To carry the weights of a layer of Keras's, which has "
            "one kernel for all, convert that: "
            "keras_gatelstm.convert.from_keras(layer). "
            f"Received: {len(weights)} weights"
        )


def check_units(units: object) -> int:
    """Return `units` as an integer, or raise if it is not positive."""
    if not isinstance(units, Integral) or isinstance(units, bool) or units < 1:
        raise ValueError(
            "units must be a positive integer. "
            f"Received: units={units!r} (of type {type(units).__name__})"
        )
    return int(units)


def check_fraction(name: str, value: object) -> float:
    """Return a dropout rate as a float, or raise if not from 0 to 1."""
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(
            f"{name} must be a number between 0 and 1, the fraction to drop. "
            f"Received: {name}={value!r}"
        )
    return float(value)


def check_choice(name: str, value: Value, choices: tuple[object, ...]) -> Value:
    """Return a value, or raise if it is not among the choices."""
    if value not in choices:
        expected = " or ".join(
            f'"{choice}"' if isinstance(choice, str) else str(choice)
            for choice in choices
        )
        raise ValueError(
            f"{name} must be {expected}. Received: {name}={value!r}"
        )
    return value


def check_features(layer: keras.layers.Layer, event_shape: Shape) -> int:
    """Return the number of features, or raise if it is unknown."""
    if event_shape[-1] is None:
        raise ValueError(
            f"{layer.name} must know the number of features, the size of the "
            "last axis, to make its weights. "
            f"Received: events of shape {tuple(event_shape)}"
        )
    return int(event_shape[-1])
