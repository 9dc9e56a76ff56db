"""The GRU's update gate."""

from typing import Any, Unpack

from keras_gatelstm import options
from keras_gatelstm.gates.gate import Activity, Gate, Masks, mask_of
from keras_gatelstm.network import Shape, Tensor, register


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
        **kwargs: As in `SmallNetwork`.

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
        recurrent_activation: Any = "sigmoid",
        *,
        recurrent_bias: bool = False,
        **kwargs: Unpack[options.WeightOptions],
    ) -> None:
        activations = {"recurrent_activation": recurrent_activation}
        super().__init__(units, activations, **kwargs)
        self.recurrent_bias = recurrent_bias
        self.update_factor = self.network(
            "update_factor",
            "recurrent_activation",
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

    def get_config(self) -> options.Options:
        return {**super().get_config(), "recurrent_bias": self.recurrent_bias}
