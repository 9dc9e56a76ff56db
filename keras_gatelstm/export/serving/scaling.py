"""Between the units outside a model and those inside."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gatelstm.core.types import Tensor


@dataclass(frozen=True)
class Scaling:
    """What a forecaster was trained to see its series as.

    ```
    inside = (outside - mean) / scale
    ```

    Args:
        mean: Numbers for each feature, `(features,)`, or one for all.
        scale: The same; a standard deviation, say.
        output_mean: As `mean`, of the model's outputs. Default `None`: the
            same as of the inputs.
        output_scale: As `scale`, of the model's outputs. Default `None`.

    Raises:
        ValueError: if something is not finite, or a scale is zero.
    """

    mean: Any = 0.0
    scale: Any = 1.0
    output_mean: Any = None
    output_scale: Any = None

    def __post_init__(self) -> None:
        for name in ("mean", "scale", "output_mean", "output_scale"):
            value = getattr(self, name)
            if value is None:
                continue
            numbers = np.asarray(value, np.float64)
            if not np.isfinite(numbers).all() or (
                name.endswith("scale") and not numbers.all()
            ):
                raise ValueError(
                    f"{name} must be finite, and no scale zero. "
                    f"Received: {name}={value!r}"
                )

    def into(self, outside: Tensor) -> Tensor:
        """The model's input of what is given; symbols stay as they are."""
        if not outside.dtype.is_floating or self._is_none(inputs=True):
            return outside
        mean, scale = (_like(it, outside) for it in (self.mean, self.scale))
        return (outside - mean) / scale

    def out_of(self, inside: Tensor) -> Tensor:
        """What is given back of the model's output."""
        if self._is_none(inputs=False):
            return inside
        mean, scale = (_like(it, inside) for it in self._outputs())
        return inside * scale + mean

    def _outputs(self) -> tuple[Any, Any]:
        mean = self.mean if self.output_mean is None else self.output_mean
        same = self.output_scale is None
        return mean, self.scale if same else self.output_scale

    def _is_none(self, inputs: bool) -> bool:
        mean, scale = (self.mean, self.scale) if inputs else self._outputs()
        return not np.any(mean) and bool(np.all(np.asarray(scale) == 1))


def _like(numbers: Any, tensor: Tensor) -> Tensor:
    return tf.constant(np.asarray(numbers), dtype=tensor.dtype)
