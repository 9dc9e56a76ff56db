"""The GRU's update gate."""

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
class UpdateGate(Gate):
    """Keeps a part of the memory, and replaces the rest by the candidate.

    ```
    update_factor z = sigmoid([M, E]·W_z + b_z)
    M               = z ∘ M + (1 - z) ∘ candidate
    ```

    Its small network is `gate.update_factor`.

    Args:
        units: Positive integer, the size of the memory.
        recurrent_activation: Squishes the update factor. Default
            `"sigmoid"`.
        recurrent_bias: Boolean, whether the memory's product has a bias of
            its own, as in `SmallNetwork`. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        memory: `(batch, units)`.
        candidate: What could be the new memory, `(batch, units)`.
        dropout_masks: As in `ResetGate`.

    Returns:
        The new memory, `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the number of
            features is unknown when the weights are made.

    Example:

    >>> update_gate = UpdateGate(3)
    >>> event, memory, candidate = np.ones((3, 2, 3))
    >>> tuple(update_gate(event, memory, candidate).shape)
    (2, 3)

    References:
        Cho et al., "Learning Phrase Representations using RNN
        Encoder-Decoder", 2014, section 2.3, equations 6 and 7.
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
        self.update_factor = self.small_network(
            "update_factor",
            self.recurrent_activation,
            recurrent_bias=recurrent_bias,
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        self.update_factor.build(event_shape)

    def activity(
        self,
        event: Tensor,
        memory: Tensor,
        candidate: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        """update_factor and memory."""
        masks = mask_of("update_factor", dropout_masks)
        update_factor = self.update_factor.call(
            event, memory, dropout_masks=masks
        )
        return {
            "update_factor": update_factor,
            "memory": update_factor * memory + (1 - update_factor) * candidate,
        }

    def call(
        self,
        event: Tensor,
        memory: Tensor,
        candidate: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        return self.activity(event, memory, candidate, dropout_masks)["memory"]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "recurrent_bias": self.recurrent_bias,
        }
