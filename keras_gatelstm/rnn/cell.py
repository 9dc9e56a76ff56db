"""One step of the plain RNN, and its description."""

from typing import Annotated, NamedTuple, Unpack

import keras
from keras import activations

from keras_gatelstm.core.anatomy import Anatomy, Quantity
from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.network import (
    DropoutMasks,
    Event,
    SmallNetwork,
    register,
)
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    ConstraintLike,
    InitializerLike,
    LayerOptions,
    RegularizerLike,
    Tensor,
)
from keras_gatelstm.core.weights import WeightConfig


class RNNStep(NamedTuple):
    """The quantity of one step."""

    memory: Annotated[
        Tensor,
        Quantity(
            "M",
            "memory",
            meaning="output of the step, carried to the next: "
            "M = tanh([M, E]·W + b)",
        ),
    ]


@register
class GateRNNCell(GateCell):
    """One step of the lesson's plain RNN: one small network, one memory.

    ```
    memory M = tanh([M, E]·W + b)
    ```

    The memory is both the prediction and the state for the next step. The
    small network is `cell.memory`.

    Args:
        units: Positive integer, the size of the memory.
        activation: Activation of the sum. Default `"tanh"`; `None` for
            none.
        use_bias: Boolean, whether there is a bias. Default `True`.
        kernel_initializer: Initializer of the kernel, which multiplies the
            event. Default `"glorot_uniform"`.
        recurrent_initializer: Initializer of the recurrent kernel, which
            multiplies the memory. Default `"orthogonal"`.
        bias_initializer: Initializer of the bias. Default `"zeros"`.
        kernel_regularizer: Regularizer of the kernel. Default `None`.
        recurrent_regularizer: Regularizer of the recurrent kernel. Default
            `None`.
        bias_regularizer: Regularizer of the bias. Default `None`.
        kernel_constraint: Constraint on the kernel. Default `None`.
        recurrent_constraint: Constraint on the recurrent kernel. Default
            `None`.
        bias_constraint: Constraint on the bias. Default `None`.
        dropout: Float from 0 to 1, the fraction of the event's values to drop
            in training, the same ones at each step. Default 0.
        recurrent_dropout: Float from 0 to 1, the fraction of the
            memory's values to drop where the network reads it.
            Default 0.
        seed: Integer or `None` (default), the seed of the dropout.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        inputs: The event, `(batch, features)`.
        states: The memory, `(batch, units)`, or a list of it.
        training: Boolean, whether to apply dropout. Default `False`.

    Returns:
        `memory, states`: the output of the step, and the states for the next
        step.

    Raises:
        ValueError: if `units` is not a positive integer, or a dropout rate
            is not between 0 and 1.

    Example:

    >>> cell = GateRNNCell(4)
    >>> output, memory = cell(np.ones((2, 3)), cell.get_initial_state(2))
    >>> tuple(output.shape)
    (2, 4)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)",
        "Architecture of RNN".
        Elman, "Finding Structure in Time", 1990.
    """

    anatomy = Anatomy.of(RNNStep, networks=("memory",), memories=("memory",))

    joined_networks = ("memory",)

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        # Before the initializers, as SimpleRNNCell does: the same global seed
        # then gives the same weights.
        seed_generator = keras.random.SeedGenerator(seed)
        super().__init__(
            units,
            WeightConfig(
                use_bias=use_bias,
                kernel_initializer=kernel_initializer,
                recurrent_initializer=recurrent_initializer,
                bias_initializer=bias_initializer,
                kernel_regularizer=kernel_regularizer,
                recurrent_regularizer=recurrent_regularizer,
                bias_regularizer=bias_regularizer,
                kernel_constraint=kernel_constraint,
                recurrent_constraint=recurrent_constraint,
                bias_constraint=bias_constraint,
            ),
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            seed_generator=seed_generator,
            **kwargs,
        )
        self.activation = activations.get(activation)
        self.memory = SmallNetwork(
            units,
            self.activation,
            weight_config=self.weight_config,
            **self.sublayer_kwargs("memory"),
        )

    def activity(
        self,
        event: Event,
        *memories: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> RNNStep:
        (memory,) = memories
        return RNNStep(
            self.memory.call(event, memory, dropout_masks=dropout_masks)
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
        }
