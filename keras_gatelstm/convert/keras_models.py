"""Conversion of a model's recurrent layers to layers with gates, and back."""

import warnings
from collections.abc import Callable
from typing import TypeVar

import keras

from keras_gatelstm.convert.copying import copy_translated, parts_of
from keras_gatelstm.core.fused import unsupported_option
from keras_gatelstm.core.types import Config
from keras_gatelstm.gru import GateGRU, GateGRUCell
from keras_gatelstm.lstm import GateLSTM, GateLSTMCell
from keras_gatelstm.rnn import GateRNN, GateRNNCell

Layer = TypeVar("Layer", bound=keras.layers.Layer)

OURS = {
    keras.layers.LSTM: GateLSTM,
    keras.layers.LSTMCell: GateLSTMCell,
    keras.layers.GRU: GateGRU,
    keras.layers.GRUCell: GateGRUCell,
    keras.layers.SimpleRNN: GateRNN,
    keras.layers.SimpleRNNCell: GateRNNCell,
}
THEIRS = {ours: theirs for theirs, ours in OURS.items()}


def from_keras(layer_or_model: Layer) -> Layer:
    """Copy a layer or model, with gates in its recurrent layers.

    `LSTM` becomes `GateLSTM(variant="standard")`, `GRU` becomes `GateGRU`,
    `SimpleRNN` becomes `GateRNN`, and their cells likewise: by themselves,
    inside `Sequential`, functional and nested models, in `Bidirectional`,
    `TimeDistributed`, `RNN`, `StackedRNNCells`, and in any layer that names
    its layers in its config. Names, options, weights, `trainable`, memories
    of stateful layers and random state of dropout are kept (on PyTorch, only
    of dropout with a seed: other dropout draws from PyTorch's global stream).
    All else is copied as Keras saves and loads it; only functions are shared
    with the original. A compiled model is compiled again, with a new
    optimizer. LoRA factors are merged into their kernels, as when Keras saves
    a model.

    The outputs are the same. Further training differs for regularizers and
    constraints across columns, such as `OrthogonalRegularizer`, and for
    optimizers with `clipnorm`: they apply to each network by itself. For
    `clipnorm` there is a warning; `global_clipnorm` clips as before.

    Args:
        layer_or_model: A Keras layer or model, built or not.

    Returns:
        A new layer or model; only converted layers change their class.

    Raises:
        TypeError: if `layer_or_model` is not a Keras layer.
        ValueError: if there is nothing to convert, or a layer cannot be
            converted: a subclass of one of Keras's layers, a layer that makes
            its own recurrent layers, or one whose config does not recreate it.

    Example:

    >>> model = keras.Sequential([keras.Input((9, 3)), keras.layers.LSTM(4)])
    >>> with_gates = keras_gatelstm.convert.from_keras(model)
    >>> tuple(with_gates.layers[0].cell.forget_gate.forget_factor.kernel.shape)
    (3, 4)
    """
    converted = _convert(layer_or_model, tuple(OURS), to_gates)
    optimizer = getattr(layer_or_model, "optimizer", None)
    # With mixed_float16, Keras wraps it in a LossScaleOptimizer.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    clipnorm = getattr(optimizer, "clipnorm", None)
    if clipnorm is not None and _has_several_networks(layer_or_model):
        warnings.warn(
            f"{layer_or_model.name} is compiled with clipnorm={clipnorm}, "
            "which clips each variable by itself, and "
            "a layer with gates has one for each gate where Keras's has one "
            "for all: it trains otherwise than before. Compile it with "
            "global_clipnorm instead.",
            stacklevel=2,
        )
    return converted


def _has_several_networks(model: keras.layers.Layer) -> bool:
    """Return whether a Keras cell in the model has several gates."""
    several = (keras.layers.LSTMCell, keras.layers.GRUCell)
    return any(isinstance(part, several) for part in parts_of(model))


def to_keras(layer_or_model: Layer) -> Layer:
    """Copy a layer or model, with Keras's own recurrent layers.

    This is the inverse of `from_keras`, also for models that were made with
    gates. It keeps what `from_keras` keeps, and further training differs for
    the same reasons.

    Args:
        layer_or_model: A Keras layer or model, built or not.

    Returns:
        A new layer or model; only converted layers change their class.

    Raises:
        TypeError: if `layer_or_model` is not a Keras layer.
        ValueError: as in `from_keras`; and if Keras has no equivalent: the
            lesson's variant, peepholes, coupled gates, partly frozen cells,
            and a plain RNN with an `activity_regularizer`, which
            `keras.layers.SimpleRNN` ignores.

    Example:

    >>> lstm = GateLSTM(4, variant="standard")
    >>> type(keras_gatelstm.convert.to_keras(lstm)).__name__
    'LSTM'
    """
    return _convert(layer_or_model, tuple(THEIRS), _from_gates)


def _convert(
    original: Layer,
    classes: tuple[type[keras.layers.Layer], ...],
    translate: Callable[[Config], Config],
) -> Layer:
    if not isinstance(original, keras.layers.Layer):
        if type(original).__module__.startswith("tf_keras"):
            raise TypeError(
                "layer_or_model is of Keras 2 (tf_keras): make the same model "
                "with keras 3, give it the weights, "
                "model.set_weights(old.get_weights()), and convert that. "
                f"Received: {type(original).__name__}"
            )
        raise TypeError(
            "layer_or_model must be a Keras layer or model. "
            f"Received: {original!r} (of type {type(original).__name__})"
        )
    if not any(isinstance(part, classes) for part in parts_of(original)):
        names = ", ".join(known.__name__ for known in classes)
        raise ValueError(
            f"There is nothing to convert: {original.name} holds none of "
            f"{names}. Received: {original!r}"
        )
    converted = copy_translated(original, translate)
    for part in parts_of(converted):
        if isinstance(part, classes):
            raise ValueError(
                f"{part.name} ({type(part).__name__}) cannot be converted: "
                "its class is derived from one that could be, or the layer "
                "that holds it makes it itself and does not name it in its "
                "config. Convert what it is made of in your own code, or "
                "convert the other layers one by one."
            )
    return converted


def to_gates(config: Config) -> Config:
    """Translate the config of a Keras layer to that of a layer with gates."""
    theirs = getattr(keras.layers, config["class_name"], None)
    if config.get("module") != "keras.layers" or theirs not in OURS:
        return config
    ours = OURS[theirs]
    options = dict(config["config"])
    if ours in (GateLSTM, GateLSTMCell):
        options["variant"] = "standard"
    return {
        **config,
        "module": ours.__module__,
        "class_name": ours.__name__,
        "registered_name": keras.saving.get_registered_name(ours),
        "config": options,
    }


def _from_gates(config: Config) -> Config:
    ours = keras.saving.get_registered_object(config.get("registered_name"))
    if ours not in THEIRS:
        return config
    theirs = THEIRS[ours]
    options = dict(config["config"])
    _check_keras_supports(theirs, options)
    for only_ours in ("variant", "peephole", "coupled"):
        options.pop(only_ours, None)
    return {
        **config,
        "module": "keras.layers",
        "class_name": theirs.__name__,
        "registered_name": None,
        "config": options,
    }


def _check_keras_supports(theirs: type, options: Config) -> None:
    reason = unsupported_option(options)
    if theirs is keras.layers.SimpleRNN and options["activity_regularizer"]:
        reason = (
            "an activity_regularizer, which keras.layers.SimpleRNN takes "
            "and forgets"
        )
    if reason:
        raise ValueError(
            f"{options['name']} cannot be carried to Keras. It has {reason}."
        )
