"""Arguments that the gates, the cells and the layers take alike."""

from numbers import Integral, Real
from typing import Any, TypedDict

import keras
from keras import activations, constraints, initializers, regularizers

from keras_gatelstm.initializers import ShareOf

Options = dict[str, Any]


class LayerOptions(TypedDict, total=False):
    """What any Keras layer takes."""

    name: str | None
    dtype: Any
    trainable: bool


class WeightOptions(LayerOptions, total=False):
    """What every layer here takes that has weights; Keras has the meanings."""

    use_bias: bool
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any


WEIGHT_DEFAULTS: Options = {
    "use_bias": True,
    "kernel_initializer": "glorot_uniform",
    "recurrent_initializer": "orthogonal",
    "bias_initializer": "zeros",
    "kernel_regularizer": None,
    "recurrent_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "recurrent_constraint": None,
    "bias_constraint": None,
}
_MODULES = {
    "activation": activations,
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


class UnitsLayer(keras.layers.Layer):
    """A layer of `units`, with activations and options of its weights.

    Args:
        units: Positive integer.
        activations: The activations, by the name of their argument.
        **kwargs: Those of `WEIGHT_DEFAULTS`, and those of any Keras layer.
    """

    def __init__(self, units: int, activations: Options, **kwargs: Any) -> None:
        weight_options, layer_options = split_weight_options(kwargs)
        super().__init__(**layer_options)
        self.units = check_units(units)
        self.activations = resolve(activations)
        self.weight_options = weight_options

    def handed_down(self) -> Options:
        """What the layers inside this one are made with, like it."""
        return {"dtype": self.dtype_policy, "trainable": self.trainable}

    def get_config(self) -> Options:
        return {
            **super().get_config(),
            "units": self.units,
            **serialize(self.activations),
            **serialize(self.weight_options),
        }


def resolve(given: Options) -> Options:
    """Turns names and configs into the objects of Keras they stand for."""
    return {
        name: module.get(value) if module else value
        for name, value, module in _with_modules(given)
    }


def serialize(objects: Options) -> Options:
    """Turns what `resolve` gave back into what a config holds."""
    return {
        name: module.serialize(value) if module and value is not None else value
        for name, value, module in _with_modules(objects)
    }


def split_weight_options(kwargs: Options) -> tuple[Options, Options]:
    """Parts the options of weights, made complete, from those of any layer."""
    weights = {
        name: kwargs.get(name, default)
        for name, default in WEIGHT_DEFAULTS.items()
    }
    layer = {name: kwargs[name] for name in kwargs if name not in weights}
    return resolve(weights), layer


def share_initializers(weights: Options, blocks: list[int], of: int) -> Options:
    """The same options, with initializers that hand out a share of a draw."""
    return {
        name: ShareOf(value, blocks, of)
        if name.endswith("_initializer") and value is not None
        else value
        for name, value in weights.items()
    }


def check_units(units: Any) -> int:
    """Gives `units` back as an integer, or says what is wrong with it."""
    if not isinstance(units, Integral) or isinstance(units, bool) or units < 1:
        raise ValueError(
            "units must be a positive integer. "
            f"Received: units={units!r} (of type {type(units).__name__})"
        )
    return int(units)


def check_fraction(name: str, value: Any) -> float:
    """Gives a dropout rate back as a float, or says what is wrong with it."""
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(
            f"{name} must be a number between 0 and 1, the fraction to drop. "
            f"Received: {name}={value!r}"
        )
    return float(value)


def check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """Gives a value back that is among the choices, or says it is not."""
    if value not in choices:
        expected = " or ".join(
            f'"{choice}"' if isinstance(choice, str) else str(choice)
            for choice in choices
        )
        raise ValueError(
            f"{name} must be {expected}. Received: {name}={value!r}"
        )
    return value


def check_features(layer: Any, event_shape: tuple[int | None, ...]) -> int:
    """Gives the number of features, or says that it is not known."""
    if event_shape[-1] is None:
        raise ValueError(
            f"{layer.name} must know the number of features, the size of the "
            "last axis, to make its weights. "
            f"Received: events of shape {tuple(event_shape)}"
        )
    return int(event_shape[-1])


def _with_modules(options: Options) -> list[tuple[str, Any, Any]]:
    return [
        (name, value, _MODULES.get(name.rsplit("_", 1)[-1]))
        for name, value in options.items()
    ]
