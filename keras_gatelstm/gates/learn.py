"""The learn gate."""

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
class LearnGate(Gate):
    """Joins the event and the short-term memory, and ignores a part of it.

    ```
    new_information N = tanh([STM, E]·W_n + b_n)
    ignore_factor   i = sigmoid([STM, E]·W_i + b_i)
    learned           = N ∘ i
    ```

    Its small networks are `gate.new_information` and `gate.ignore_factor`.

    Args:
        units: Positive integer, the size of the memories.
        activation: Squishes the new information. Default `"tanh"`.
        recurrent_activation: Squishes the ignore factor. Default
            `"sigmoid"`.
        peephole: Boolean, whether the ignore factor looks at the long-term
            memory too, as in `SmallNetwork`. Default `False`.
        coupled: Boolean, whether to learn just where it is forgotten:
            `i = 1 - f`, with the forget gate's factor `f` and no network
            for `i`. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        long_term_memory: `(batch, units)`; needed with a peephole.
        forget_factor: `(batch, units)`; needed when coupled.
        dropout_masks: `None`, or masks as in `SmallNetwork`, by the name of
            the network.

    Returns:
        learned, `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, the number of
            features is unknown when the weights are made, or a coupled gate
            is not given the forget factor.

    Example:

    >>> learn_gate = LearnGate(3)
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> tuple(learn_gate(event, short_term_memory).shape)
    (2, 3)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
        Christopher Olah, "Understanding LSTM Networks", 2015, on variants:
        peepholes and coupled gates.
        Gers and Schmidhuber, "Recurrent Nets that Time and Count", 2000:
        peepholes.
        Greff et al., "LSTM: A Search Space Odyssey", 2017: coupled gates.
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        *,
        peephole: bool = False,
        coupled: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.peephole = peephole
        self.coupled = coupled
        if coupled:
            self.new_information = self.small_network(
                "new_information", self.activation
            )
            return
        self.ignore_factor = self.small_network(
            "ignore_factor",
            self.recurrent_activation,
            self.weight_config.share(0, of=2),
            peephole=peephole,
        )
        self.new_information = self.small_network(
            "new_information",
            self.activation,
            self.weight_config.share(1, of=2),
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        if not self.coupled:
            self.ignore_factor.build(event_shape)
        self.new_information.build(event_shape)

    def activity(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor | None = None,
        forget_factor: Tensor | None = None,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        """new_information, ignore_factor and learned."""
        new_information = self.new_information.call(
            event,
            short_term_memory,
            dropout_masks=mask_of("new_information", dropout_masks),
        )
        if self.coupled:
            ignore_factor = 1 - self._given(forget_factor)
        else:
            ignore_factor = self.ignore_factor.call(
                event,
                short_term_memory,
                long_term_memory,
                mask_of("ignore_factor", dropout_masks),
            )
        return {
            "new_information": new_information,
            "ignore_factor": ignore_factor,
            "learned": new_information * ignore_factor,
        }

    def _given(self, forget_factor: Tensor | None) -> Tensor:
        if forget_factor is None:
            raise ValueError(
                f"{self.name} is coupled: call it with the forget gate's "
                "forget_factor. Received: forget_factor=None"
            )
        return forget_factor

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor | None = None,
        forget_factor: Tensor | None = None,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        return self.activity(
            event,
            short_term_memory,
            long_term_memory,
            forget_factor,
            dropout_masks,
        )["learned"]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "peephole": self.peephole,
            "coupled": self.coupled,
        }
