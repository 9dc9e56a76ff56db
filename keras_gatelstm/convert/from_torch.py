"""Conversion of PyTorch's recurrent modules to layers with gates."""

import re
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Protocol, cast

import keras
import numpy as np

from keras_gatelstm.convert.torch_layout import (
    DIRECTIONS,
    Family,
    check_shapes,
    family_of_shape,
    one_way_layers,
)
from keras_gatelstm.core.fused import set_fused_weights
from keras_gatelstm.core.options import check_choice
from keras_gatelstm.core.types import Config, Tensor
from keras_gatelstm.rnn import GateRNN

Weights = dict[str, np.ndarray]

_FIRST_WEIGHT = re.compile(r"(.*)weight_ih(?:_l0)?")
_PARAMETRIZED = re.compile(
    r"weight_[ih]h\w*_[gv]$|parametrizations\.weight_[ih]h"
)


class _RecurrentModule(Protocol):
    """Options of a PyTorch module that its state dict does not have."""

    nonlinearity: str  # Of nn.RNN and nn.RNNCell only.


def from_torch(
    module_or_state_dict: object,
    *,
    prefix: str = "",
    nonlinearity: str | None = None,
) -> keras.Sequential:
    """Convert an `nn.LSTM`, `nn.GRU` or `nn.RNN` to layers with gates.

    `nn.LSTMCell`, `nn.GRUCell` and `nn.RNNCell` are taken too, as a layer that
    runs the cell over a sequence; `model.layers[0].cell` is the cell alone.

    The model's output is the module's first output: the last layer's output
    at every step. It is always batch-first, `(batch, time, features)`. It has
    a layer for each of the module's, in `keras.layers.Bidirectional` if there
    are two directions, and `keras.layers.Dropout` between them if the module
    has dropout. The two biases of `nn.LSTM` and `nn.RNN` are added. Weights
    of any float type are converted to Keras's `floatx`, float32.

    Args:
        module_or_state_dict: The module, or its `state_dict()`: tensors or
            arrays by name. A state dict has neither dropout nor nonlinearity,
            and needs no PyTorch installed.
        prefix: The names' prefix, if the module is part of a larger one that
            is passed: `"encoder.lstm."`. Default `""`.
        nonlinearity: `"tanh"` or `"relu"`, for the state dict of an `nn.RNN`
            or `nn.RNNCell`. Default `None`: the module's, and `"tanh"` for a
            state dict.

    Returns:
        A built `keras.Sequential`.

    Raises:
        TypeError: if the argument is neither a module nor a state dict.
        ValueError: if weights are missing, of wrong shapes or unsupported: of
            a projection (`proj_size`), quantised, or normalised
            (`weight_norm`); or if `nonlinearity` is not the module's.

    Example:

    >>> zeros = {
    ...     "weight_ih_l0": np.zeros((16, 3)),
    ...     "weight_hh_l0": np.zeros((16, 4)),
    ... }
    >>> model = keras_gatelstm.convert.from_torch(zeros)
    >>> model.layers[0].variant, model.layers[0].units
    ('standard', 4)
    """
    weights = _read_weights(module_or_state_dict, prefix)
    layers, directions = _check_names(weights, prefix)
    family = family_of_shape(weights["weight_hh_l0"].shape)
    check_shapes(family, weights, layers, directions)
    module = _recurrent_module(module_or_state_dict, prefix)
    options = _layer_options(family, weights, module, nonlinearity)
    dropout = getattr(module, "dropout", 0.0)

    model = keras.Sequential(
        [keras.Input((None, weights["weight_ih_l0"].shape[1]))]
    )
    for number in range(layers):
        if number and dropout:
            model.add(keras.layers.Dropout(dropout))
        layer = family.layer(**options)
        if len(directions) == 2:
            layer = keras.layers.Bidirectional(layer)
        model.add(layer)
        for one, direction in zip(
            one_way_layers(layer), directions, strict=True
        ):
            place = f"l{number}{direction}"
            set_fused_weights(one.cell, family.to_ours(weights, place))
    return model


def _recurrent_module(module: object, prefix: str) -> _RecurrentModule | None:
    """Return the recurrent module, or `None` for a state dict."""
    if not hasattr(module, "state_dict"):
        return None
    module = reduce(getattr, prefix.split(".")[:-1], module)
    if hasattr(module, "mode") or hasattr(module, "nonlinearity"):
        return cast(_RecurrentModule, module)
    return None


def _read_weights(module: object, prefix: str) -> Weights:
    """Return the weights, by their names without the prefix."""
    state = module.state_dict() if hasattr(module, "state_dict") else module
    if not isinstance(state, Mapping):
        raise TypeError(
            "module_or_state_dict must be a torch.nn.LSTM, GRU or RNN, or a "
            f"state dict. Received: {module!r} (of type "
            f"{type(module).__name__})"
        )
    names = [name for name in state if isinstance(name, str)]
    _refuse_parametrized(name for name in names if name.startswith(prefix))
    is_cell = f"{prefix}weight_ih" in names
    if not is_cell and f"{prefix}weight_ih_l0" not in names:
        _refuse_quantized(module, names)
        found = [
            match[1] for it in names if (match := _FIRST_WEIGHT.fullmatch(it))
        ]
        raise ValueError(
            f'There is no weight named "{prefix}weight_ih_l0", or of a cell '
            f'"{prefix}weight_ih". '
            + (
                f"Pass one of these as prefix: {', '.join(map(repr, found))}"
                if found
                else f"Received: {', '.join(map(repr, state)) or 'nothing'}"
            )
        )
    # A cell is one layer, in one direction.
    number = "_l0" if is_cell else ""
    return {
        name.removeprefix(prefix) + number: _as_array(state[name], name)
        for name in names
        if name.startswith(prefix)
    }


def _refuse_parametrized(names: Iterable[str]) -> None:
    """Raise for weights that are computed from others."""
    found = [name for name in names if _PARAMETRIZED.search(name)]
    if found:
        raise ValueError(
            "The weights are computed from others, by weight_norm or another "
            "parametrization: write them into the module first, with "
            "torch.nn.utils.parametrize.remove_parametrizations(module, name) "
            "or torch.nn.utils.remove_weight_norm(module, name). "
            f"Received: {', '.join(found)}"
        )


def _refuse_quantized(module: object, names: Iterable[str]) -> None:
    """Raise for a module whose weights are rounded."""
    kind = f"{type(module).__module__}.{type(module).__name__}"
    packed = ("_packed_params", "_all_weight_values")
    if "quantized" in kind or any(
        it in name for name in names for it in packed
    ):
        raise ValueError(
            "The module is quantised, and its weights are rounded: convert the "
            "module that it was made of, and quantise what is exported, "
            f'export_litert(..., quantize="int8"). Received: {kind}'
        )


def _as_array(value: Tensor, name: str) -> np.ndarray:
    if hasattr(value, "detach"):
        # NumPy lacks some of PyTorch's types, such as bfloat16.
        value = value.detach().cpu().double()
    try:
        return np.asarray(value, "float64")
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name} must be an array of numbers. Received: {value!r:.80} (of "
            f"type {type(value).__name__})"
        ) from error


def _check_names(weights: Weights, prefix: str) -> tuple[int, tuple[str, ...]]:
    """Check the names; return the number of layers and the directions."""
    layers = 1 + max(
        int(match[1])
        for name in weights
        if (match := re.fullmatch(r"weight_ih_l(\d+)", name))
    )
    two_ways = "weight_ih_l0_reverse" in weights
    directions = DIRECTIONS if two_ways else DIRECTIONS[:1]
    kinds = ["weight_ih", "weight_hh"]
    if "bias_ih_l0" in weights:
        kinds += ["bias_ih", "bias_hh"]
    expected = {
        f"{kind}_l{number}{direction}"
        for kind in kinds
        for number in range(layers)
        for direction in directions
    }
    missing = sorted(expected - weights.keys())
    unknown = sorted(weights.keys() - expected)
    if any(name.startswith("weight_hr") for name in unknown):
        raise ValueError(
            "A projection (proj_size) cannot be carried: Keras's LSTM has "
            f"none. Received: {', '.join(unknown)}"
        )
    if missing or unknown:
        raise ValueError(
            "The names must be those of one nn.LSTM, nn.GRU or nn.RNN, with "
            f"prefix={prefix!r}. Missing: {', '.join(missing) or 'none'}. "
            f"Unknown: {', '.join(unknown) or 'none'}"
        )
    return layers, directions


def _layer_options(
    family: Family,
    weights: Weights,
    module: _RecurrentModule | None,
    nonlinearity: str | None,
) -> Config:
    if family.layer is not GateRNN:
        known = None
    elif module:
        known = module.nonlinearity
    else:
        known = nonlinearity or "tanh"
        check_choice("nonlinearity", known, ("tanh", "relu"))
    if nonlinearity not in (None, known):
        has = f"has {known!r}" if known else "has none: it is no nn.RNN"
        raise ValueError(
            f"The module {has}. Received: nonlinearity={nonlinearity!r}"
        )
    return {
        **family.options,
        **({"activation": known} if known else {}),
        "units": weights["weight_hh_l0"].shape[1],
        "use_bias": "bias_ih_l0" in weights,
        "return_sequences": True,
    }
