"""Scaling between a client's units and a model's."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gatelstm.core.types import Tensor


@dataclass(frozen=True)
class Scaling:
    """Mean and scale that a forecaster's series were trained with.

    ```
    inside = (outside - mean) / scale
    ```

    Args:
        mean: Numbers for each feature, `(features,)`, or one for all.
        scale: Numbers as for `mean`, such as standard deviations.
        output_mean: Mean of the model's outputs. Default `None`: `mean`.
        output_scale: Scale of the model's outputs. Default `None`: `scale`.

    Raises:
        ValueError: if a number is not finite, or a scale not above zero.
    """

    mean: ArrayLike = 0.0
    scale: ArrayLike = 1.0
    output_mean: ArrayLike | None = None
    output_scale: ArrayLike | None = None

    def __post_init__(self) -> None:
        for name in ("mean", "scale", "output_mean", "output_scale"):
            value = getattr(self, name)
            if value is None:
                continue
            try:
                numbers = np.asarray(value, np.float64)
            except (ValueError, TypeError):
                numbers = np.array(np.nan)
            is_scale = name.endswith("scale")
            if not np.isfinite(numbers).all() or (
                is_scale and (numbers <= 0).any()
            ):
                above = " above zero" if is_scale else ""
                raise ValueError(
                    f"{name} must be finite numbers{above}. "
                    f"Received: {name}={value!r}"
                )

    def into(self, outside: Tensor) -> Tensor:
        """Scale an input to the model's units; integers stay as they are."""
        if not outside.dtype.is_floating or self._is_identity(inputs=True):
            return outside
        mean, scale = (
            _as_constant(it, outside) for it in (self.mean, self.scale)
        )
        return (outside - mean) / scale

    def out_of(self, inside: Tensor) -> Tensor:
        """Scale an output of the model back to the client's units."""
        if self._is_identity(inputs=False):
            return inside
        mean, scale = (_as_constant(it, inside) for it in self._for_outputs())
        return inside * scale + mean

    def _for_outputs(self) -> tuple[ArrayLike, ArrayLike]:
        mean, scale = self.output_mean, self.output_scale
        return (
            self.mean if mean is None else mean,
            self.scale if scale is None else scale,
        )

    def _is_identity(self, inputs: bool) -> bool:
        mean, scale = (self.mean, self.scale) if inputs else self._for_outputs()
        return not np.any(mean) and bool(np.all(np.asarray(scale) == 1))


def _as_constant(numbers: ArrayLike, tensor: Tensor) -> Tensor:
    return tf.constant(np.asarray(numbers), dtype=tensor.dtype)
