"""The GRU's reset gate."""

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
class ResetGate(Gate):
    """Decides how much of the memory the candidate gets to read.

    ```
    reset_factor r = sigmoid([M, E]·W_r + b_r)
    ```

    Its small network is `gate.reset_factor`.

    Args:
        units: Positive integer, the size of the memory.
        recurrent_activation: Squishes the reset factor. Default
            `"sigmoid"`.
        recurrent_bias: Boolean, whether the memory's product has a bias of
            its own, as in `SmallNetwork`. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        memory: `(batch, units)`.
        dropout_masks: `None`, or masks as in `SmallNetwork`, by the name of
            the network.

    Returns:
        The reset factor, `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the number of
            features is unknown when the weights are made.

    Example:

    >>> reset_gate = ResetGate(3)
    >>> tuple(reset_gate(np.ones((2, 5)), np.zeros((2, 3))).shape)
    (2, 3)

    References:
        Cho et al., "Learning Phrase Representations using RNN
        Encoder-Decoder", 2014, section 2.3, equation 5.
    """

    def __init__(
        self,
        units: int,
        recurrent_activation: ActivationLike = "sigmoid",
        *,
        recurrent_bias: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.recurrent_bias = recurrent_bias
        self.reset_factor = self.small_network(
            "reset_factor",
            self.recurrent_activation,
            recurrent_bias=recurrent_bias,
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        self.reset_factor.build(event_shape)

    def activity(
        self,
        event: Tensor,
        memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        """reset_factor."""
        masks = mask_of("reset_factor", dropout_masks)
        return {
            "reset_factor": self.reset_factor.call(
                event, memory, dropout_masks=masks
            )
        }

    def call(
        self,
        event: Tensor,
        memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        return self.activity(event, memory, dropout_masks)["reset_factor"]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "recurrent_bias": self.recurrent_bias,
        }
