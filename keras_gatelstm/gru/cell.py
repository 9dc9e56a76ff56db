"""One step of the GRU, and its description."""

from typing import Annotated, NamedTuple, Unpack

from keras import activations

from keras_gatelstm.core.anatomy import Anatomy, Quantity
from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.network import (
    DropoutMasks,
    Event,
    register,
)
from keras_gatelstm.core.options import check_choice
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
from keras_gatelstm.gru.gates import (
    Candidate,
    ResetGate,
    ResetStep,
    UpdateGate,
    UpdateStep,
)


class GRUStep(NamedTuple):
    """Every quantity of one step, by the gate that computes it."""

    reset_gate: ResetStep
    candidate: Annotated[
        Tensor,
        Quantity(
            "candidate",
            meaning="what could replace the memory: "
            "candidate = tanh([r ∘ M, E]·W + b)",
        ),
    ]
    update_gate: UpdateStep


@register
class GateGRUCell(GateCell):
    """One step of the GRU: two gates, a candidate, one memory.

    ```
    r         = reset_gate(E, M)                sigmoid([M, E]·W_r + b_r)
    candidate = candidate(E, M, r)              tanh([r ∘ M, E]·W + b)
    M         = update_gate(E, M, candidate)    z ∘ M + (1 - z) ∘ candidate
    ```

    with the update factor `z = sigmoid([M, E]·W_z + b_z)`. This is
    `reset_after=False`; with `reset_after=True`, `r` multiplies the product
    of memory and matrix: `Candidate` has both. The gates are
    `cell.reset_gate`, `cell.candidate` and `cell.update_gate`.

    Args:
        units: Positive integer, the size of the memory.
        activation: Activation of the candidate. Default `"tanh"`; `None` for
            none.
        recurrent_activation: Activation of the two factors. Default
            `"sigmoid"`.
        use_bias: Boolean, whether the networks have biases. Default `True`.
        kernel_initializer: Initializer of the kernels, which multiply the
            event; all are drawn as one matrix, as in Keras. Default
            `"glorot_uniform"`.
        recurrent_initializer: Initializer of the recurrent kernels, which
            multiply the memory; drawn likewise. Default `"orthogonal"`.
        bias_initializer: Initializer of the biases. Default `"zeros"`.
        kernel_regularizer: Regularizer of each kernel. Default `None`.
        recurrent_regularizer: Regularizer of each recurrent kernel. Default
            `None`.
        bias_regularizer: Regularizer of each bias. Default `None`.
        kernel_constraint: Constraint on each kernel. Default `None`.
        recurrent_constraint: Constraint on each recurrent kernel. Default
            `None`.
        bias_constraint: Constraint on each bias. Default `None`.
        dropout: Float from 0 to 1, the fraction of the event's values to drop
            in training, the same ones at each step. Default 0.
        recurrent_dropout: Float from 0 to 1, the fraction of the
            memory's values to drop where the networks read it.
            Default 0.
        reset_after: Boolean, whether to reset after the matrix product, as
            in cuDNN and PyTorch, or before it. Default `True`: every network
            then has two biases, as in `keras.layers.GRU`, the event's and the
            memory's.
        seed: Integer or `None` (default), the seed of the dropout.
        implementation: Accepted as in `keras.layers.GRUCell`, and ignored.
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

    >>> cell = GateGRUCell(4)
    >>> output, memory = cell(np.ones((2, 3)), cell.get_initial_state(2))
    >>> tuple(output.shape)
    (2, 4)

    References:
        Michael Guerzhoy, notes of CSC321, "Gated RNNs", which the lesson
        refers to.
        Cho et al., "Learning Phrase Representations using RNN
        Encoder-Decoder", 2014, section 2.3.
    """

    anatomy = Anatomy.of(
        GRUStep,
        networks=("update_factor", "reset_factor", "candidate"),
        memories=("memory",),
    )

    joined_networks = ("update_factor", "reset_factor")

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
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
        reset_after: bool = True,
        seed: int | None = None,
        *,
        implementation: int = 2,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
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
            **kwargs,
        )
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = check_choice(
            "reset_after", reset_after, (True, False)
        )
        self.implementation = implementation
        self.update_gate = UpdateGate(
            units,
            self.recurrent_activation,
            recurrent_bias=reset_after,
            weight_config=self.weights_for("update_factor"),
            **self.sublayer_kwargs("update_gate"),
        )
        self.reset_gate = ResetGate(
            units,
            self.recurrent_activation,
            recurrent_bias=reset_after,
            weight_config=self.weights_for("reset_factor"),
            **self.sublayer_kwargs("reset_gate"),
        )
        self.candidate = Candidate(
            units,
            self.activation,
            reset_after=reset_after,
            weight_config=self.weights_for("candidate"),
            **self.sublayer_kwargs("candidate"),
        )

    def activity(
        self,
        event: Event,
        *memories: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> GRUStep:
        (memory,) = memories
        reset = self.reset_gate.activity(event, memory, dropout_masks)
        candidate = self.candidate.call(
            event, memory, reset.reset_factor, dropout_masks
        )
        update = self.update_gate.activity(
            event, memory, candidate, dropout_masks
        )
        return GRUStep(reset, candidate, update)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "reset_after": self.reset_after,
        }
