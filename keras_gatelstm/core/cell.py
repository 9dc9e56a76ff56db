"""Base class of the cells: one step, with its description."""

from inspect import signature
from typing import Any, Self, Unpack

import keras
from keras import ops

from keras_gatelstm.core.anatomy import Anatomy, by_name
from keras_gatelstm.core.keras_internals import DropoutRNNCell
from keras_gatelstm.core.network import (
    DropoutMask,
    DropoutMasks,
    Event,
    Network,
    ProjectedEvent,
    SmallNetwork,
)
from keras_gatelstm.core.options import (
    UnitsLayer,
    check_fraction,
    check_weight_count,
    delegated,
)
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    ConstraintLike,
    InitializerLike,
    LayerOptions,
    RegularizerLike,
    Shape,
    Tensor,
)
from keras_gatelstm.core.weights import WeightConfig


class GateCell(UnitsLayer, DropoutRNNCell):
    """One step of a recurrent layer whose networks have names.

    A subclass makes its networks and gates in `__init__`, describes its step
    in `anatomy`, and computes it in `activity`; this class turns it into a
    Keras cell, which `GateSequence` or `keras.layers.RNN` runs over time.

    Args:
        units: Positive integer, the size of each memory.
        weight_config: Options of every network's weights. Default `None`:
            those of `WeightConfig()`. As in Keras, the
            kernels of the networks that read the event start as one draw,
            `(features, networks·units)`, and their recurrent kernels as one
            of `(units, networks·units)`. Regularizers and constraints apply
            to each kernel by itself: one that works across columns, such as
            `OrthogonalRegularizer`, covers fewer than in Keras's joint kernel.
        dropout: Float from 0 to 1, the fraction of the event's values to
            drop in training, the same ones at each step. Default 0.
        recurrent_dropout: Float from 0 to 1, the fraction of the (short-term)
            memory's values to drop where the networks read it. Default 0.
        seed: Integer or `None`, the seed of the dropout.
        seed_generator: The dropout's generator. Default: one made of `seed`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        inputs: The event, `(batch, features)`.
        states: The memories, `(batch, units)` each: a list, or for a single
            memory the tensor itself.
        training: Boolean, whether to apply dropout. Default `False`.

    Returns:
        `output, states`: the output of the step, which is the first new
        memory, and all new memories, for the next step.
    """

    anatomy: Anatomy
    # Networks that multiply the unchanged event and the unchanged first memory:
    # a loop may compute their sums beforehand. Declared beside `activity`.
    joined_networks: tuple[str, ...] = ()

    use_bias: bool = delegated("weight_config")
    kernel_initializer: InitializerLike = delegated("weight_config")
    recurrent_initializer: InitializerLike = delegated("weight_config")
    bias_initializer: InitializerLike = delegated("weight_config")
    kernel_regularizer: RegularizerLike = delegated("weight_config")
    recurrent_regularizer: RegularizerLike = delegated("weight_config")
    bias_regularizer: RegularizerLike = delegated("weight_config")
    kernel_constraint: ConstraintLike = delegated("weight_config")
    recurrent_constraint: ConstraintLike = delegated("weight_config")
    bias_constraint: ConstraintLike = delegated("weight_config")

    def __init__(
        self,
        units: int,
        weight_config: WeightConfig | None = None,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        seed_generator: keras.random.SeedGenerator | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config or WeightConfig(), **kwargs)
        self.dropout = check_fraction("dropout", dropout)
        self.recurrent_dropout = check_fraction(
            "recurrent_dropout", recurrent_dropout
        )
        self.seed = seed
        self.seed_generator = seed_generator or keras.random.SeedGenerator(seed)
        sizes = [self.units] * len(self.anatomy.memories)
        self.state_size = sizes if len(sizes) > 1 else self.units
        self.output_size = self.units

    def weights_for(self, *networks: str) -> WeightConfig:
        """Return the weight options of some networks, by name."""
        all_networks = self.anatomy.networks
        numbers = [all_networks.index(name) for name in networks]
        return self.weight_config.share(*numbers, of=len(all_networks))

    def small_network(
        self, name: str, activation: ActivationLike = "sigmoid"
    ) -> SmallNetwork:
        """Make the small network of a quantity in `anatomy.networks`.

        Args:
            name: The quantity's name. The network belongs in the attribute of
                the same name.
            activation: As in `SmallNetwork`.
        """
        return SmallNetwork(
            self.units,
            activation,
            weight_config=self.weights_for(name),
            **self.sublayer_kwargs(name),
        )

    def set_weights(self, weights: list[Tensor]) -> None:
        check_weight_count(self, weights)
        super().set_weights(weights)

    def sublayer(self, quantity: str) -> keras.layers.Layer | None:
        """Return the layer that computes only this quantity, or `None`."""
        gate = self.anatomy[quantity].gate
        part = getattr(self, gate, None)
        layer = part if gate == quantity else getattr(part, quantity, None)
        return layer if isinstance(layer, keras.layers.Layer) else None

    def small_networks(self) -> list[Network]:
        """Return the networks that read the event, in Keras's order."""
        networks = map(self.sublayer, self.anatomy.networks)
        return [network for network in networks if isinstance(network, Network)]

    def networks_to_join(self) -> list[SmallNetwork]:
        """Return the networks whose sums a loop may compute beforehand.

        There are none if a subclass computes a step in another way than the
        class that declares `joined_networks`.
        """
        cls = type(self)
        declares = _class_that_sets("joined_networks", cls)
        networks = [
            it
            for it in self.small_networks()
            if it.name in declares.joined_networks
        ]
        as_declared = (
            cls.call is GateCell.call
            and _class_that_sets("activity", cls) is declares
            and all(type(network) is SmallNetwork for network in networks)
            and len({network.bias is None for network in networks}) == 1
        )
        return networks if as_declared else []

    def build(self, inputs_shape: Shape, **_: object) -> None:
        """Create the weights of every gate and network.

        Args:
            inputs_shape: Shape of the events, `(batch, features)`.
        """
        for gate in self.anatomy.gates:
            part = getattr(self, gate, None)
            if isinstance(part, keras.layers.Layer):
                part.build(inputs_shape)

    def activity(
        self,
        event: Event,
        *memories: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> tuple[Any, ...]:
        """Compute one step.

        Args:
            event: `(batch, features)`, or what `project` or a loop of
                `core.fast_loops` made of it.
            *memories: `(batch, units)` each, in Keras's order.
            dropout_masks: The mask of each network, by name; `None` for no
                dropout.

        Returns:
            Every quantity of the step, with the new memories: the named tuple
            that `anatomy` describes.
        """
        raise NotImplementedError

    def project(self, events: Tensor) -> ProjectedEvent:
        """Multiply all events by the kernel of each network at once.

        Without dropout, one step of the result can replace the cell's event.
        This takes half of the matrix products out of the loop over time.

        Args:
            events: `(..., features)`.

        Returns:
            Sums of shape `(..., units)`.
        """
        return ProjectedEvent(
            {
                network.name: network.from_event(events)
                for network in self.small_networks()
            }
        )

    def call(
        self, inputs: Tensor, states: Any, training: bool = False
    ) -> tuple[Tensor, Any]:
        # On PyTorch, which calls this at every step, keras.tree takes long.
        flat = type(states) in (list, tuple)
        memories = states if flat else keras.tree.flatten(states)
        masks = self.dropout_masks(inputs, memories[0]) if training else None
        step = by_name(self.activity(inputs, *memories, dropout_masks=masks))
        after = [step[name] for name in self.anatomy.memories]
        if flat:
            return after[0], type(states)(after)
        return after[0], keras.tree.pack_sequence_as(states, after)

    def drop_events(self, sequences: Tensor) -> Tensor:
        """Apply this sequence's event mask to all steps.

        Without `recurrent_dropout`, that is all of the cell's dropout.

        Args:
            sequences: `(batch, time, features)`.
        """
        if not 0 < self.dropout < 1:
            return sequences
        mask = self.get_dropout_mask(sequences[:, 0])
        return sequences * ops.expand_dims(mask, 1)

    @property
    def dropout_mask_count(self) -> int | None:
        """Number of masks in the list that Keras draws; `None`: no list."""
        return len(self.anatomy.networks) if self.recurrent_dropout else None

    def dropout_masks(
        self, event: Tensor, memory: Tensor
    ) -> DropoutMasks | None:
        """Return this sequence's mask for each network, by name.

        The masks equal those of Keras's own cells, drawn in the same order
        from the same seed: with `recurrent_dropout`, masks for every network;
        without it, one event mask for all. `None` without dropout.
        """
        if not (self.dropout or self.recurrent_dropout):
            return None
        networks = self.anatomy.networks
        of_events = of_memories = [None] * len(networks)
        if 0 < self.dropout < 1:
            of_events = self._repeat_per_network(self.get_dropout_mask(event))
        if 0 < self.recurrent_dropout < 1:
            drawn = self.get_recurrent_dropout_mask(memory)
            of_memories = self._repeat_per_network(drawn)
        masks = map(DropoutMask, of_events, of_memories)
        return dict(zip(networks, masks, strict=True))

    def _repeat_per_network(self, drawn: Tensor | list[Tensor]) -> list[Tensor]:
        one_for_all = not isinstance(drawn, list)
        return [drawn] * len(self.anatomy.networks) if one_for_all else drawn

    def get_initial_state(
        self, batch_size: int | Tensor | None = None
    ) -> list[Tensor]:
        """Return memories of zeros, `(batch_size, units)` each."""
        return [
            ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
            for _ in self.anatomy.memories
        ]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make the cell of its `get_config`.

        The options of the weights are given one by one to a cell that lists
        them, as Keras's own cells do, and else as a `weight_config`.
        """
        if "kernel_initializer" not in signature(cls).parameters:
            config = dict(config)
            config["weight_config"] = WeightConfig.pop_from(config)
        return super().from_config(config)


def _class_that_sets(name: str, cls: type) -> Any:
    """Return the class, of those a class derives from, that sets a name."""
    return next(one for one in cls.__mro__ if name in vars(one))
