"""PyTorch's recurrent modules as stacks of layers with gates."""

import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_gatelstm.convert.fused import set_fused_weights
from keras_gatelstm.convert.torch_layout import (
    DIRECTIONS,
    FAMILIES,
    Family,
    one_way_layers,
)
from keras_gatelstm.options import Options, check_choice
from keras_gatelstm.rnn import GateRNN

Weights = dict[str, np.ndarray]


def from_torch(
    module_or_state_dict: Any, *, prefix: str = "", nonlinearity: str = "tanh"
) -> keras.Sequential:
    """Makes layers with gates of an `nn.LSTM`, `nn.GRU` or `nn.RNN`.

    The model returned gives what the module gives as its first output: the
    last layer's output at every step. It is batch-first always, as Keras is:
    `(batch, time, features)`. It has a layer for each of the module's, in
    `keras.layers.Bidirectional` where there are two directions, and a
    `keras.layers.Dropout` between them where the module drops. The two biases
    that `nn.LSTM` and `nn.RNN` have become their sum.

    Args:
        module_or_state_dict: The module, or what its `state_dict()` gives:
            tensors or arrays by their names. PyTorch need not be installed
            for the latter, nor are options known then that are not weights:
            dropout, and the nonlinearity.
        prefix: Where the module is a part of another that is given, its
            path there, as it stands before the names: `"encoder.lstm."`.
            Default `""`.
        nonlinearity: `"tanh"` or `"relu"`, of an `nn.RNN` whose state dict
            is given. Default `"tanh"`.

    Returns:
        A built `keras.Sequential`.

    Raises:
        TypeError: if given something else.
        ValueError: if there are weights missing, or some that our layers have
            no place for, as with `proj_size`.

    Example:

    >>> zeros = {
    ...     "weight_ih_l0": np.zeros((16, 3)),
    ...     "weight_hh_l0": np.zeros((16, 4)),
    ... }
    >>> model = keras_gatelstm.convert.from_torch(zeros)
    >>> model.layers[0].variant, model.layers[0].units
    ('standard', 4)
    """
    module = module_or_state_dict
    if prefix and hasattr(module, "get_submodule"):
        module, prefix = module.get_submodule(prefix.rstrip(".")), ""
    weights = _read(module, prefix)
    layers, directions = _check_names(weights, prefix)
    family = _family_of(weights)
    options = _options(family, weights, module, nonlinearity)
    dropout = module.dropout if _is_recurrent(module) else 0.0

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


def _is_recurrent(module: Any) -> bool:
    """Whether it is a module, not a state dict, and of the right kind."""
    return isinstance(getattr(module, "mode", None), str)


def _read(module: Any, prefix: str) -> Weights:
    state = module.state_dict() if hasattr(module, "state_dict") else module
    if not isinstance(state, Mapping):
        raise TypeError(
            "module_or_state_dict must be a torch.nn.LSTM, GRU or RNN, or a "
            f"state dict. Received: {module!r} (of type "
            f"{type(module).__name__})"
        )
    if f"{prefix}weight_ih_l0" not in state:
        found = [
            name.removesuffix("weight_ih_l0")
            for name in state
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
        name.removeprefix(prefix): _array(value)
        for name, value in state.items()
        if name.startswith(prefix)
    }


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        # NumPy does not know all of PyTorch's types; this one, it does.
        value = value.detach().cpu().double()
    return np.asarray(value)


def _check_names(weights: Weights, prefix: str) -> tuple[int, tuple[str, ...]]:
    """Gives the number of layers, and the directions they read in."""
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
            f"The names after {prefix!r} must be those of one nn.LSTM, nn.GRU "
            f"or nn.RNN. Missing: {', '.join(missing) or 'none'}. "
            f"Unknown: {', '.join(unknown) or 'none'}"
        )
    return layers, directions


def _family_of(weights: Weights) -> Family:
    rows, units = weights["weight_hh_l0"].shape
    for family in FAMILIES:
        if rows == units * len(family.order):
            return family
    raise ValueError(
        "weight_hh_l0 must be of shape (4·units, units), (3·units, units) or "
        "(units, units), of an nn.LSTM, nn.GRU or nn.RNN. "
        f"Received: shape {(rows, units)}"
    )


def _options(
    family: Family, weights: Weights, module: Any, nonlinearity: str
) -> Options:
    options = {
        **family.options,
        "units": weights["weight_hh_l0"].shape[1],
        "use_bias": "bias_ih_l0" in weights,
        "return_sequences": True,
    }
    if family.layer is GateRNN:
        if _is_recurrent(module):
            nonlinearity = module.nonlinearity
        options["activation"] = check_choice(
            "nonlinearity", nonlinearity, ("tanh", "relu")
        )
    return options
