"""The small neural network that the lesson's gates are made of."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias, Unpack

import keras
from keras import activations, ops

from keras_gatelstm.core.options import SubLayer, check_features
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    LayerOptions,
    Shape,
    Tensor,
)
from keras_gatelstm.core.weights import WeightConfig

register = keras.saving.register_keras_serializable(package="keras_gatelstm")


class DropoutMask(NamedTuple):
    """Dropout masks of the event and the memory; `None` drops nothing."""

    event: Tensor | None = None
    memory: Tensor | None = None


class ProjectedEvent(NamedTuple):
    """An event, already multiplied by each network's kernel.

    Args:
        sums: `E·kernel + bias`, `(..., units)`, by the network's name.
    """

    sums: dict[str, Tensor]


class JoinedEvent(NamedTuple):
    """An event, already joined with a memory by some of the networks.

    Args:
        event: The event by itself, for the other networks.
        memory: The memory. With any other memory, a network multiplies itself.
        sums: `E·kernel + memory·recurrent_kernel + bias`, `(..., units)`, by
            the network's name.
    """

    event: Tensor | ProjectedEvent
    memory: Tensor
    sums: dict[str, Tensor]


# What a cell's step, and each of its networks, takes as the event.
Event: TypeAlias = Tensor | ProjectedEvent | JoinedEvent

NOTHING_DROPPED = DropoutMask()
# Keys are the names of the networks.
DropoutMasks = Mapping[str, DropoutMask]


class Network(SubLayer):
    """Base class: the weights that join an event and a memory.

    The weights are `kernel`, `(features, units)`; `recurrent_kernel`,
    `(units, units)`; and, unless `use_bias=False`, `bias`: `(units,)`, or
    with `recurrent_bias`, `(2, units)` for the event and the memory.

    Args:
        units: Positive integer, the size of the memories.
        activation: Activation of the sum.
        recurrent_bias: Boolean, whether the memory's product has its own
            bias.
        weight_config: Options of the weights.
        **kwargs: As in `SubLayer`.
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike,
        recurrent_bias: bool,
        weight_config: WeightConfig | None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.activation = activations.get(activation)
        self.recurrent_bias = recurrent_bias

    def build(self, event_shape: Shape, **_: Shape) -> None:
        features = check_features(self, event_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            **self.weight_config.kernel,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, self.units),
            **self.weight_config.recurrent_kernel,
        )
        self.bias = None
        if self.weight_config.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(2, self.units) if self.recurrent_bias else (self.units,),
                **self.weight_config.bias,
            )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
        }

    def mask_in(self, masks: DropoutMasks | None) -> DropoutMask:
        """Return this network's dropout mask, by its name."""
        return (
            masks.get(self.name, NOTHING_DROPPED) if masks else NOTHING_DROPPED
        )

    def from_event(self, event: Event, mask: Tensor | None = None) -> Tensor:
        """Return the event's part of the sum: `E·kernel + bias`.

        For a projected event, look it up.
        """
        if isinstance(event, JoinedEvent):
            event = event.event
        if isinstance(event, ProjectedEvent):
            return event.sums[self.name]
        event = event if mask is None else event * mask
        product = ops.matmul(event, self.kernel)
        if self.bias is None:
            return product
        bias = self.bias[0] if self.recurrent_bias else self.bias
        return ops.add(product, bias)  # TensorFlow fuses it with the product.

    def from_memory(self, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the memory's part of the sum: `M·recurrent_kernel`.

        With `recurrent_bias`, add the memory's own bias.
        """
        memory = memory if mask is None else memory * mask
        product = ops.matmul(memory, self.recurrent_kernel)
        if self.bias is None or not self.recurrent_bias:
            return product
        return product + self.bias[1]


@register
class SmallNetwork(Network):
    """The lesson's small neural network: join, multiply, add, squish.

    ```
    squish([STM, E]·W + b) = activation(E·kernel + STM·recurrent_kernel + bias)
    ```

    With a peephole it also reads the long-term memory, each unit its own
    value: `LTM ∘ peephole_kernel` is added before the activation.

    The weights are `kernel`, `(features, units)`; `recurrent_kernel`,
    `(units, units)`; and, unless `use_bias=False`, `bias`, `(units,)`.

    Args:
        units: Positive integer, the size of the memories.
        activation: Activation of the sum: a name, a function, or `None` for
            none. Default `"sigmoid"`.
        peephole: Boolean, whether to read the long-term memory, through
            `peephole_kernel`, `(units,)`. It starts as zeros; regularizers
            and constraints of the other weights do not apply to it. Default
            `False`.
        recurrent_bias: Boolean, whether the memory's product has its own
            bias, as in `keras.layers.GRU(reset_after=True)`. `bias` is
            then `(2, units)`: the event's and the memory's. Default `False`.
        weight_config: Initializers, regularizers and constraints of the three
            weights, and whether there is a bias. Default `None`: those of
            `WeightConfig()`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        long_term_memory: `(batch, units)`; required with a peephole, and
            ignored without one.
        dropout_masks: Masks of the event and the short-term memory by the
            network's name; those of other names are left alone. Default
            `None`: no dropout.

    Returns:
        `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, the number of
            features is unknown when the weights are made, or a network with
            a peephole is called without the long-term memory.

    Example:

    >>> ignore_factor = SmallNetwork(3, "sigmoid")
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> tuple(ignore_factor(event, short_term_memory).shape)
    (2, 3)
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "sigmoid",
        *,
        peephole: bool = False,
        recurrent_bias: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(
            units, activation, recurrent_bias, weight_config, **kwargs
        )
        self.peephole = peephole

    def build(self, event_shape: Shape, **_: Shape) -> None:
        super().build(event_shape)
        if self.peephole:
            self.peephole_kernel = self.add_weight(
                name="peephole_kernel",
                shape=(self.units,),
                initializer="zeros",
            )

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor | None = None,
        dropout_masks: DropoutMasks | None = None,
    ) -> Tensor:
        joined = self.join(
            event, short_term_memory, self.mask_in(dropout_masks)
        )
        if self.peephole:
            if long_term_memory is None:
                raise ValueError(
                    f"{self.name} has a peephole: call it with the "
                    "long_term_memory to look at. "
                    "Received: long_term_memory=None"
                )
            joined = joined + long_term_memory * self.peephole_kernel
        return self.activation(joined)

    def join(self, event: Event, memory: Tensor, mask: DropoutMask) -> Tensor:
        """Return the sum of the event's and the memory's parts.

        For an event that was joined with this memory, look it up.
        """
        if (
            isinstance(event, JoinedEvent)
            and memory is event.memory
            and self.name in event.sums
        ):
            return event.sums[self.name]
        return self.from_event(event, mask.event) + self.from_memory(
            memory, mask.memory
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "peephole": self.peephole,
            "recurrent_bias": self.recurrent_bias,
        }


class Gate(SubLayer):
    """A layer of small networks, which read the event and the memory.

    The networks are run by `call` instead of `__call__`: Keras has already
    handled dtypes, checks and scopes for the cell or the gate, and repeating
    that takes as long as tracing the network.
    """

    def small_network(
        self,
        name: str,
        activation: ActivationLike,
        weight_config: WeightConfig | None = None,
        *,
        peephole: bool = False,
        recurrent_bias: bool = False,
    ) -> SmallNetwork:
        """Make a small network, named after the quantity it computes.

        Args:
            name: The network's name.
            activation: As in `SmallNetwork`.
            weight_config: Options of its weights. Default: the gate's.
            peephole: As in `SmallNetwork`.
            recurrent_bias: As in `SmallNetwork`.
        """
        return SmallNetwork(
            self.units,
            activation,
            peephole=peephole,
            recurrent_bias=recurrent_bias,
            weight_config=weight_config or self.weight_config,
            **self.sublayer_kwargs(name),
        )
