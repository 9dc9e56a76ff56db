"""What the cells share: dropout that lasts a sequence, and empty memories."""

from typing import Any, Unpack

import keras
from keras import ops

from keras_gatelstm.gates.gate import Activity, Masks
from keras_gatelstm.keras_internals import DropoutRNNCell
from keras_gatelstm.network import Network
from keras_gatelstm.options import (
    UnitsLayer,
    check_fraction,
    check_weight_count,
    delegated,
)
from keras_gatelstm.types import (
    Config,
    ConstraintLike,
    InitializerLike,
    LayerOptions,
    RegularizerLike,
    Shape,
    Tensor,
)
from keras_gatelstm.weights import WeightConfig


class GateCell(UnitsLayer, DropoutRNNCell):
    """One step of a recurrent layer whose networks have names.

    A cell says in `activity` what happens in a step; this class makes a Keras
    cell of it.

    Args:
        units: Positive integer, the size of each memory.
        weight_config: Options of every network's weights. As in Keras, the
            kernels of the networks that read the event start as one draw,
            `(features, networks·units)`, and their recurrent kernels as one
            of `(units, networks·units)`. Regularizers and constraints look at
            each kernel by itself: one that looks across columns, such as
            `OrthogonalRegularizer`, sees less than in Keras's joint kernel.
        dropout: Float from 0 to 1, the fraction of the event's values to
            drop in training, the same ones at each step. Default 0.
        recurrent_dropout: Float from 0 to 1, the fraction of the (short-term)
            memory's values to drop where the networks read it. Default 0.
        seed: Integer or `None`, the seed of the dropout.
        seed_generator: Of the dropout; `None` (default) for one of `seed`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        inputs: The event, `(batch, features)`.
        states: The memories, `(batch, units)` each: a list of them, or the
            one itself where there is one.
        training: Boolean, whether to drop anything. Default `False`.

    Returns:
        `output, states`: the output of the step, which is the first of the
        new memories, and the new memories, for the next step.
    """

    memories: tuple[str, ...]
    networks: tuple[str, ...]  # Those that read the event, in Keras's order.

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
        weight_config: WeightConfig,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        seed_generator: keras.random.SeedGenerator | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.dropout = check_fraction("dropout", dropout)
        self.recurrent_dropout = check_fraction(
            "recurrent_dropout", recurrent_dropout
        )
        self.seed = seed
        self.seed_generator = seed_generator or keras.random.SeedGenerator(seed)
        sizes = [self.units] * len(self.memories)
        self.state_size = sizes if len(sizes) > 1 else self.units
        self.output_size = self.units

    def weights_for(self, *names: str) -> WeightConfig:
        """Options of the weights of some networks, named."""
        numbers = [self.networks.index(name) for name in names]
        return self.weight_config.share(*numbers, of=len(self.networks))

    def set_weights(self, weights: list[Tensor]) -> None:
        check_weight_count(self, weights)
        super().set_weights(weights)

    def small_networks(self) -> list[Network]:
        """The networks named in `networks`, in that order."""
        raise NotImplementedError

    def build(self, inputs_shape: Shape, **_: Any) -> None:
        """Makes the weights for events of shape `inputs_shape`."""
        raise NotImplementedError

    def activity(
        self,
        event: Tensor,
        *memories: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        """Every quantity of one step, by its name; the new memories too."""
        raise NotImplementedError

    def project(self, events: Tensor) -> dict[str, Tensor]:
        """What events add to the sum of each network, for many at once.

        One step of it can be given to the cell in the place of the event,
        when nothing is dropped. It spares the loop half of its products.

        Args:
            events: `(..., features)`.

        Returns:
            `(..., units)`, by the name of the network.
        """
        return {
            network.name: network.from_event(events)
            for network in self.small_networks()
        }

    def call(
        self, inputs: Tensor, states: Any, training: bool = False
    ) -> tuple[Tensor, Any]:
        memories = keras.tree.flatten(states)
        masks = self.dropout_masks(inputs, memories[0]) if training else None
        activity = self.activity(inputs, *memories, dropout_masks=masks)
        after = [activity[name] for name in self.memories]
        return after[0], keras.tree.pack_sequence_as(states, after)

    @property
    def dropout_mask_count(self) -> int | None:
        """How many masks Keras is to draw: `None` is one, not in a list."""
        return len(self.networks) if self.recurrent_dropout else None

    def dropout_masks(self, event: Tensor, memory: Tensor) -> Masks | None:
        """The masks of this sequence: network -> (of event, of memory).

        They are those of Keras's own cells, drawn in the same order from the
        same seed: with `recurrent_dropout`, masks for every network; without
        it, one mask of the event for all. `None` where nothing is dropped.
        """
        if not (self.dropout or self.recurrent_dropout):
            return None
        of_events = of_memories = [None] * len(self.networks)
        if 0 < self.dropout < 1:
            of_events = self._for_each(self.get_dropout_mask(event))
        if 0 < self.recurrent_dropout < 1:
            drawn = self.get_recurrent_dropout_mask(memory)
            of_memories = self._for_each(drawn)
        pairs = zip(of_events, of_memories, strict=True)
        return dict(zip(self.networks, pairs, strict=True))

    def _for_each(self, drawn: Any) -> list[Tensor]:
        one_for_all = not isinstance(drawn, list)
        return [drawn] * len(self.networks) if one_for_all else drawn

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Empty memories, `(batch_size, units)` each."""
        return [
            ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
            for _ in self.memories
        ]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }
