"""The GRU's two gates and its candidate: its equations, and nothing else.

Shapes: an event is `(batch, features)`; the memory, and the output of a gate,
is `(batch, units)`.
"""

from typing import Annotated, NamedTuple, Unpack

from keras import activations

from keras_gatelstm.core.anatomy import Quantity
from keras_gatelstm.core.network import (
    DropoutMasks,
    Gate,
    Network,
    register,
)
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    LayerOptions,
    Shape,
    Tensor,
)
from keras_gatelstm.core.weights import WeightConfig


class ResetStep(NamedTuple):
    """The quantity of the reset gate, `(batch, units)`."""

    reset_factor: Annotated[
        Tensor,
        Quantity(
            "r",
            "factor",
            meaning="share of the memory that the candidate reads: "
            "r = sigmoid([M, E]·W_r + b_r)",
        ),
    ]


@register
class ResetGate(Gate):
    """Reset gate: how much of the memory the candidate reads.

    ```
    reset_factor r = sigmoid([M, E]·W_r + b_r)
    ```

    Its small network is `gate.reset_factor`.

    Args:
        units: Positive integer, the size of the memory.
        recurrent_activation: Activation of the reset factor. Default
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
        dropout_masks: DropoutMasks | None = None,
    ) -> ResetStep:
        """Return every quantity of the gate."""
        factor = self.reset_factor.call(
            event, memory, dropout_masks=dropout_masks
        )
        return ResetStep(factor)

    def call(
        self,
        event: Tensor,
        memory: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> Tensor:
        return self.activity(event, memory, dropout_masks).reset_factor

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "recurrent_bias": self.recurrent_bias,
        }


@register
class Candidate(Network):
    """Candidate for the new memory, from the event and a part of the memory.

    ```
    candidate = tanh(E·kernel + (r ∘ M)·recurrent_kernel + b)
                                                       reset_after=False
    candidate = tanh(E·kernel + b + r ∘ (M·recurrent_kernel + b_M))
                                                       reset_after=True
    ```

    with the reset gate's factor `r`. The weights are those of
    `SmallNetwork`; with `reset_after=True`, `bias` is `(2, units)`: `b` and
    the memory's own, `b_M`.

    Args:
        units: Positive integer, the size of the memory.
        activation: Activation of the sum. Default `"tanh"`.
        reset_after: Boolean, whether to reset after the matrix product, as
            in cuDNN and PyTorch, or before it, as in the paper. Default
            `True`.
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
        dropout_masks: DropoutMasks | None = None,
    ) -> Tensor:
        mask = self.mask_in(dropout_masks)
        of_event = self.from_event(event, mask.event)
        if self.reset_after:
            of_memory = reset_factor * self.from_memory(memory, mask.memory)
        else:
            of_memory = self.from_memory(reset_factor * memory, mask.memory)
        return self.activation(of_event + of_memory)

    def get_config(self) -> Config:
        return {**super().get_config(), "reset_after": self.reset_after}


class UpdateStep(NamedTuple):
    """Quantities of the update gate, `(batch, units)` each."""

    update_factor: Annotated[
        Tensor,
        Quantity(
            "z",
            "factor",
            meaning="share of the memory that is kept: "
            "z = sigmoid([M, E]·W_z + b_z)",
        ),
    ]
    memory: Annotated[
        Tensor,
        Quantity(
            "M",
            "memory",
            kept_by="update_factor",
            made_of=("candidate", "update_factor"),
            meaning="output of the step, carried to the next: "
            "M = z ∘ M + (1 - z) ∘ candidate",
        ),
    ]


@register
class UpdateGate(Gate):
    """Update gate: keep a part of the memory, replace the rest.

    ```
    update_factor z = sigmoid([M, E]·W_z + b_z)
    M               = z ∘ M + (1 - z) ∘ candidate
    ```

    Its small network is `gate.update_factor`.

    Args:
        units: Positive integer, the size of the memory.
        recurrent_activation: Activation of the update factor. Default
            `"sigmoid"`.
        recurrent_bias: Boolean, whether the memory's product has a bias of
            its own, as in `SmallNetwork`. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        memory: `(batch, units)`.
        candidate: The candidate for the new memory, `(batch, units)`.
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
        dropout_masks: DropoutMasks | None = None,
    ) -> UpdateStep:
        """Return every quantity of the gate."""
        update_factor = self.update_factor.call(
            event, memory, dropout_masks=dropout_masks
        )
        return UpdateStep(
            update_factor,
            memory=update_factor * memory + (1 - update_factor) * candidate,
        )

    def call(
        self,
        event: Tensor,
        memory: Tensor,
        candidate: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> Tensor:
        return self.activity(event, memory, candidate, dropout_masks).memory

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "recurrent_bias": self.recurrent_bias,
        }
