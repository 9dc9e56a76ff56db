"""Conversion of PyTorch's recurrent modules to layers with gates."""

import re
from collections.abc import Mapping
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


class _RecurrentModule(Protocol):
    """Options of a PyTorch module that its state dict does not have."""

    dropout: float
    nonlinearity: str  # Of nn.RNN only.


def from_torch(
    module_or_state_dict: object,
    *,
    prefix: str = "",
    nonlinearity: str | None = None,
) -> keras.Sequential:
    """Convert an `nn.LSTM`, `nn.GRU` or `nn.RNN` to layers with gates.

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
        nonlinearity: `"tanh"` or `"relu"`, for the state dict of an `nn.RNN`.
            Default `None`: the module's, and `"tanh"` for a state dict.

    Returns:
        A built `keras.Sequential`.

    Raises:
        TypeError: if the argument is neither a module nor a state dict.
        ValueError: if weights are missing, of wrong shapes or unsupported, as
            with `proj_size`; or if `nonlinearity` is not the module's.

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
    dropout = module.dropout if module else 0.0

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
    if not isinstance(getattr(module, "mode", None), str):
        return None
    return cast(_RecurrentModule, module)


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
    if f"{prefix}weight_ih_l0" not in names:
        found = [
            name.removesuffix("weight_ih_l0")
            for name in names
            if name.endswith("weight_ih_l0")
        ]
        raise ValueError(
            f'There is no weight named "{prefix}weight_ih_l0". '
            + (
                f"Pass one of these as prefix: {', '.join(map(repr, found))}"
                if found
                else f"Received: {', '.join(map(repr, state)) or 'nothing'}"
            )
        )
    return {
        name.removeprefix(prefix): _as_array(state[name])
        for name in names
        if name.startswith(prefix)
    }


def _as_array(value: Tensor) -> np.ndarray:
    if hasattr(value, "detach"):
        # NumPy lacks some of PyTorch's types, such as bfloat16.
        value = value.detach().cpu().double()
    return np.asarray(value)


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
