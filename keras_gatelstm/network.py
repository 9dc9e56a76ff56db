"""The small neural network that the lesson's gates are made of."""

from typing import Any

import keras
from keras import ops

from keras_gatelstm import options

Tensor = Any
Shape = tuple[int | None, ...]

register = keras.saving.register_keras_serializable(package="keras_gatelstm")


@register
class SmallNetwork(options.UnitsLayer):
    """The lesson's small neural network: join, multiply, add, squish.

    ```
    squish([STM, E]·W + b) = activation(E·kernel + STM·recurrent_kernel + bias)
    ```

    Its weights are `kernel`, `(features, units)`; `recurrent_kernel`,
    `(units, units)`; and, unless `use_bias=False`, `bias`, `(units,)`.

    Args:
        units: Positive integer, the size of the memories.
        activation: What squishes the sum: a name, a function, or `None` to
            leave it as it is. Default `"sigmoid"`.
        **kwargs: `use_bias`, and the initializers, regularizers and
            constraints of the three weights, with the names and defaults
            they have in `keras.layers.LSTM`; `name`, `dtype` and
            `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        dropout_masks: `None`, or `(event_mask, memory_mask)`: what to
            multiply the event and the short-term memory by, `None` for
            nothing.

    Returns:
        `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the number of
            features is unknown when the weights are made.

    Example:

    >>> ignore_factor = SmallNetwork(3, "sigmoid")
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> tuple(ignore_factor(event, short_term_memory).shape)
    (2, 3)
    """

    def __init__(
        self, units: int, activation: Any = "sigmoid", **kwargs: Any
    ) -> None:
        super().__init__(units, {"activation": activation}, **kwargs)
        self.activation = self.activations["activation"]

    def build(
        self, event_shape: Shape, short_term_memory_shape: Shape | None = None
    ) -> None:
        features = options.check_features(self, event_shape)
        self.kernel = self._weight("kernel", (features, self.units))
        self.recurrent_kernel = self._weight(
            "recurrent_kernel", (self.units, self.units)
        )
        self.bias = None
        if self.weight_options["use_bias"]:
            self.bias = self._weight("bias", (self.units,))

    def _weight(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        prefix = name.removesuffix("_kernel")
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=self.weight_options[f"{prefix}_initializer"],
            regularizer=self.weight_options[f"{prefix}_regularizer"],
            constraint=self.weight_options[f"{prefix}_constraint"],
        )

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        dropout_masks: tuple[Tensor | None, Tensor | None] | None = None,
    ) -> Tensor:
        event_mask, memory_mask = dropout_masks or (None, None)
        if event_mask is not None:
            event = event * event_mask
        if memory_mask is not None:
            short_term_memory = short_term_memory * memory_mask
        joined = ops.matmul(event, self.kernel) + ops.matmul(
            short_term_memory, self.recurrent_kernel
        )
        if self.bias is not None:
            joined = joined + self.bias
        return self.activation(joined)
