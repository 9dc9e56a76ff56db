"""The GRU's candidate for the new memory."""

from typing import Unpack

from keras_gatelstm.network import Mask, Network, register
from keras_gatelstm.types import (
    ActivationLike,
    Config,
    LayerOptions,
    Tensor,
)
from keras_gatelstm.weights import WeightConfig


@register
class Candidate(Network):
    """What could be the new memory, from the event and a part of the memory.

    ```
    candidate = tanh(E·kernel + (r ∘ M)·recurrent_kernel + b)
                                                       reset_after=False
    candidate = tanh(E·kernel + b + r ∘ (M·recurrent_kernel + b_M))
                                                       reset_after=True
    ```

    with the reset gate's factor `r`. Its weights are those of
    `SmallNetwork`; with `reset_after=True`, `bias` is `(2, units)`: `b` and
    the memory's own, `b_M`.

    Args:
        units: Positive integer, the size of the memory.
        activation: Squishes the sum. Default `"tanh"`.
        reset_after: Boolean, whether to reset after the matrix has been
            multiplied by, as in cuDNN and PyTorch, or before, as in the
            paper. Default `True`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        memory: `(batch, units)`.
        reset_factor: `(batch, units)`.
        dropout_masks: As in `SmallNetwork`.

    Returns:
        `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the number of
            features is unknown when the weights are made.

    Example:

    >>> candidate = Candidate(3)
    >>> event, memory, reset_factor = np.ones((3, 2, 3))
    >>> tuple(candidate(event, memory, reset_factor).shape)
    (2, 3)

    References:
        Cho et al., "Learning Phrase Representations using RNN
        Encoder-Decoder", 2014, section 2.3, equation 8: `reset_after=False`.
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        *,
        reset_after: bool = True,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(
            units, activation, reset_after, weight_config, **kwargs
        )
        self.reset_after = reset_after

    def call(
        self,
        event: Tensor,
        memory: Tensor,
        reset_factor: Tensor,
        dropout_masks: Mask | None = None,
    ) -> Tensor:
        event_mask, memory_mask = dropout_masks or (None, None)
        of_event = self.from_event(event, event_mask)
        if self.reset_after:
            of_memory = reset_factor * self.from_memory(memory, memory_mask)
        else:
            of_memory = self.from_memory(reset_factor * memory, memory_mask)
        return self.activation(of_event + of_memory)

    def get_config(self) -> Config:
        return {**super().get_config(), "reset_after": self.reset_after}
