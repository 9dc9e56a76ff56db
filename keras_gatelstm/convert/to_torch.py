"""Conversion of layers with gates to state dicts of PyTorch's modules."""

import keras
import numpy as np

from keras_gatelstm.convert.torch_layout import (
    DIRECTIONS,
    FAMILIES,
    Family,
    one_way_layers,
)
from keras_gatelstm.core.fused import fused_weights, unsupported_option
from keras_gatelstm.core.sequence import GateSequence
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.gru import GateGRU
from keras_gatelstm.lstm import GateLSTM
from keras_gatelstm.rnn import GateRNN


def to_torch(layer_or_model: keras.layers.Layer) -> dict[str, Tensor]:
    """Convert weights to a state dict for `nn.LSTM`, `nn.GRU` or `nn.RNN`.

    The module must fit: the layers' units as `hidden_size`, their number as
    `num_layers`, `bidirectional=True` for `keras.layers.Bidirectional`,
    `bias=False` for layers without biases, and `nonlinearity="relu"` for a
    plain RNN with that activation. With `batch_first=True`, its first output
    is the layers' output with `return_sequences=True`. Set dropout on the
    module. Where PyTorch has two biases and the layer one, the second is
    zeros.

    Args:
        layer_or_model: A `GateLSTM(variant="standard")`, `GateGRU` or
            `GateRNN`, alone or in `keras.layers.Bidirectional`; or a
            `keras.Sequential` of such layers of one class and size, and
            `keras.layers.Dropout`. Convert Keras's layers by `from_keras`
            first.

    Returns:
        Tensors by name, for `module.load_state_dict`.

    Raises:
        ImportError: if PyTorch is not installed.
        ValueError: if a layer is not built, or PyTorch has no equivalent: the
            lesson's variant, peepholes, coupled gates, `reset_after=False`,
            other activations, other layers.
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "to_torch needs PyTorch: pip install torch"
        ) from error
    layers = _recurrent_layers(layer_or_model)
    family = _common_family(layers)
    weights = {}
    for number, layer in enumerate(layers):
        for one, direction in zip(
            one_way_layers(layer), DIRECTIONS, strict=False
        ):
            place = f"l{number}{direction}"
            weights.update(family.to_theirs(fused_weights(one.cell), place))
    return {
        name: torch.tensor(_as_numpy_float(it)) for name, it in weights.items()
    }


def _as_numpy_float(numbers: np.ndarray) -> np.ndarray:
    """Convert types that NumPy lacks, such as bfloat16, to float32."""
    is_numpy_float = np.issubdtype(numbers.dtype, np.floating)
    return numbers if is_numpy_float else numbers.astype("float32")


def _recurrent_layers(model: keras.layers.Layer) -> list[keras.layers.Layer]:
    layers = model.layers if isinstance(model, keras.Sequential) else [model]
    layers = [it for it in layers if not isinstance(it, keras.layers.Dropout)]
    for layer in layers:
        for one in one_way_layers(layer):
            if not isinstance(one, GateSequence):
                raise ValueError(
                    "to_torch takes GateLSTM, GateGRU and GateRNN, in "
                    "keras.layers.Bidirectional and keras.Sequential or "
                    f"alone; from_keras makes them of Keras's. Received: {one}"
                )
        _check_torch_supports(layer)
    return layers


def _check_torch_supports(layer: keras.layers.Layer) -> None:
    ways = one_way_layers(layer)
    reason = None
    if [one.go_backwards for one in ways] != [False, True][: len(ways)]:
        reason = "it does not read forwards first"
    if getattr(layer, "merge_mode", "concat") != "concat":
        reason = f"merge_mode={layer.merge_mode!r}, where PyTorch concatenates"
    for one in ways:
        reason = reason or _why_unsupported(one)
        if not one.built:
            reason = "it has no weights yet; build it, or call it once"
    if reason:
        raise ValueError(f"{layer.name} cannot be carried to PyTorch: {reason}")


def _why_unsupported(layer: GateSequence) -> str | None:
    """Return the option that PyTorch does not support, or `None`."""
    option = unsupported_option(layer.get_config())
    if option:
        return f"it has {option}"
    cell = layer.cell
    if not getattr(cell, "reset_after", True):
        return "it has reset_after=False, PyTorch reset_after=True only"
    tanh, relu = keras.activations.tanh, keras.activations.relu
    possible = [tanh, relu] if isinstance(layer, GateRNN) else [tanh]
    if layer.activation not in possible:
        wanted = " or ".join(it.__name__ for it in possible)
        found = layer.activation
        return f"its activation is {found}; PyTorch has {wanted} only"
    if isinstance(layer, GateLSTM | GateGRU):
        found = layer.recurrent_activation
        if found is not keras.activations.sigmoid:
            name = "recurrent_activation"
            return f"its {name} is {found}; PyTorch has sigmoid only"
    return None


def _common_family(layers: list[keras.layers.Layer]) -> Family:
    """Return the family of all layers, which must have equal options."""
    kinds = [
        (
            type(one),
            one.units,
            one.use_bias,
            one.activation,
            len(one_way_layers(layer)),
        )
        for layer in layers
        for one in one_way_layers(layer)
    ]
    if len(set(kinds)) != 1:
        raise ValueError(
            "PyTorch's layers are all of one class, size, bias, activation "
            "and number of directions. Received: "
            + (", ".join(map(str, layers)) or "no recurrent layer")
        )
    (layer_class, *_), *_ = kinds
    (family,) = (it for it in FAMILIES if issubclass(layer_class, it.layer))
    return family
