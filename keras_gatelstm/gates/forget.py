"""The forget gate."""

from typing import Unpack

from keras import activations

from keras_gatelstm.gates.gate import Activity, Gate, Masks, mask_of
from keras_gatelstm.network import register
from keras_gatelstm.types import (
    ActivationLike,
    Config,
    LayerOptions,
    Shape,
    Tensor,
)
from keras_gatelstm.weights import WeightConfig


@register
class ForgetGate(Gate):
    """Keeps of the long-term memory what is still useful.

    ```
    forget_factor f = sigmoid([STM, E]·W_f + b_f)
    kept            = LTM ∘ f
    ```

    Its small network is `gate.forget_factor`.

    Args:
        units: Positive integer, the size of the memories.
        recurrent_activation: Squishes the forget factor. Default
            `"sigmoid"`.
        peephole: Boolean, whether the forget factor looks at the long-term
            memory too, as in `SmallNetwork`. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        long_term_memory: `(batch, units)`.
        dropout_masks: As in `LearnGate`.

    Returns:
        kept, `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the number of
            features is unknown when the weights are made.

    Example:

    >>> keeping = WeightConfig(bias_initializer="ones")
    >>> forget_gate = ForgetGate(3, weight_config=keeping)
    >>> event, memory = np.ones((2, 5)), np.ones((2, 3))
    >>> tuple(forget_gate(event, memory, memory).shape)
    (2, 3)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
        Gers, Schmidhuber and Cummins, "Learning to Forget", 2000, section 3.
    """

    def __init__(
        self,
        units: int,
        recurrent_activation: ActivationLike = "sigmoid",
        *,
        peephole: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.peephole = peephole
        self.forget_factor = self.small_network(
            "forget_factor", self.recurrent_activation, peephole=peephole
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        self.forget_factor.build(event_shape)

    def activity(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        """forget_factor and kept."""
        forget_factor = self.forget_factor.call(
            event,
            short_term_memory,
            long_term_memory,
            mask_of("forget_factor", dropout_masks),
        )
        return {
            "forget_factor": forget_factor,
            "kept": long_term_memory * forget_factor,
        }

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        return self.activity(
            event, short_term_memory, long_term_memory, dropout_masks
        )["kept"]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "peephole": self.peephole,
        }
