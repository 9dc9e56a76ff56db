"""The use gate."""

from typing import Any, Unpack

import keras
from keras import activations

from keras_gatelstm.gates.gate import Activity, Gate, Masks, mask_of
from keras_gatelstm.network import register
from keras_gatelstm.options import check_choice
from keras_gatelstm.types import (
    ActivationLike,
    Config,
    LayerOptions,
    Shape,
    Tensor,
)
from keras_gatelstm.weights import WeightConfig

VARIANTS = ("lesson", "standard")


def check_refinement(name: str, wanted: Any, variant: str) -> bool:
    """Gives `wanted` back, or says that the lesson's variant has no such."""
    check_choice(name, wanted, (True, False))
    if wanted and variant != "standard":
        raise ValueError(
            f'{name}=True is for variant="standard" only. '
            f"Received: {name}={wanted}, variant={variant!r}"
        )
    return bool(wanted)


class UsefulMemory(keras.layers.Dense):
    """The lesson's network of what was kept; never quantized alone.

    `model.quantize` quantizes what has a way to be: the other networks of a
    gate have none.
    """

    def quantize(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"{self.path} stays as it is: a gate is not quantized in part."
        )


@register
class UseGate(Gate):
    """Decides what of the memories to use: the new short-term memory.

    ```
    useful_memory U = tanh(memory·W_u + b_u)      variant="lesson"
                  U = tanh(memory)                variant="standard"
    use_factor    V = sigmoid([STM, E]·W_v + b_v)
    STM             = U ∘ V
    ```

    In the lesson, the memory it reads is what the forget gate kept; in the
    standard LSTM of the literature, the new long-term memory. Its small
    networks are `gate.use_factor` and, in the lesson, `gate.useful_memory`:
    a `keras.layers.Dense`.

    Args:
        units: Positive integer, the size of the memories.
        activation: Squishes the useful memory. Default `"tanh"`.
        recurrent_activation: Squishes the use factor. Default `"sigmoid"`.
        variant: `"lesson"` (default) or `"standard"`.
        peephole: Boolean, whether the use factor looks at the memory too,
            as in `SmallNetwork`. For the standard variant. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`; those of
            `kernel` are the useful memory's too. Default `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        memory: kept (lesson) or the new long-term memory (standard),
            `(batch, units)`.
        dropout_masks: As in `LearnGate`.

    Returns:
        The new short-term memory, `(batch, units)`.

    Raises:
        ValueError: if `variant` is neither of the two, a peephole is asked of
            the lesson's, `units` is not a positive integer, or the number of
            features unknown.

    Example:

    >>> use_gate = UseGate(3)
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> kept = np.ones((2, 3))
    >>> tuple(use_gate(event, short_term_memory, kept).shape)
    (2, 3)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        *,
        variant: str = "lesson",
        peephole: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.variant = check_choice("variant", variant, VARIANTS)
        self.peephole = check_refinement("peephole", peephole, variant)
        self.use_factor = self.small_network(
            "use_factor", self.recurrent_activation, peephole=peephole
        )
        self.useful_memory = self._useful_memory()

    def _useful_memory(self) -> keras.layers.Layer:
        if self.variant == "standard":
            return keras.layers.Activation(
                self.activation, **self.sublayer_kwargs("useful_memory")
            )
        # It reads no event: it starts from a draw of its own, not from a
        # share of the one that Keras makes for those that do.
        weights = self.weight_config.alone()
        return UsefulMemory(
            self.units,
            self.activation,
            use_bias=weights.use_bias,
            kernel_initializer=weights.kernel_initializer,
            bias_initializer=weights.bias_initializer,
            kernel_regularizer=weights.kernel_regularizer,
            bias_regularizer=weights.bias_regularizer,
            kernel_constraint=weights.kernel_constraint,
            bias_constraint=weights.bias_constraint,
            **self.sublayer_kwargs("useful_memory"),
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        self.use_factor.build(event_shape)
        self.useful_memory.build((None, self.units))

    def activity(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        """useful_memory, use_factor and short_term_memory."""
        useful_memory = self.useful_memory.call(memory)
        use_factor = self.use_factor.call(
            event,
            short_term_memory,
            memory,
            mask_of("use_factor", dropout_masks),
        )
        return {
            "useful_memory": useful_memory,
            "use_factor": use_factor,
            "short_term_memory": useful_memory * use_factor,
        }

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        return self.activity(event, short_term_memory, memory, dropout_masks)[
            "short_term_memory"
        ]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "variant": self.variant,
            "peephole": self.peephole,
        }
