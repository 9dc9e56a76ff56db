"""Types of arguments and values, each defined once."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypedDict

import keras

# A tensor of any backend, a NumPy array or a Keras variable: Keras has no
# type for it.
Tensor: TypeAlias = Any
Shape: TypeAlias = tuple[int | None, ...]
Config: TypeAlias = dict[str, Any]

# Accepted by keras.activations.get, keras.initializers.get, ...
ActivationLike: TypeAlias = str | Callable[[Tensor], Tensor] | None
InitializerLike: TypeAlias = (
    str | Config | keras.initializers.Initializer | Callable[..., Tensor] | None
)
RegularizerLike: TypeAlias = (
    str
    | Config
    | keras.regularizers.Regularizer
    | Callable[[Tensor], Tensor]
    | None
)
ConstraintLike: TypeAlias = (
    str
    | Config
    | keras.constraints.Constraint
    | Callable[[Tensor], Tensor]
    | None
)
DTypeLike: TypeAlias = str | keras.DTypePolicy | None


class LayerOptions(TypedDict, total=False):
    """Arguments of any `keras.layers.Layer`."""

    name: str | None
    dtype: DTypeLike
    trainable: bool
