"""The GRU over a sequence."""

from typing import Unpack

from keras_gatelstm.core.network import register
from keras_gatelstm.core.options import check_choice, delegated
from keras_gatelstm.core.sequence import GateSequence, cell_kwargs
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    ConstraintLike,
    InitializerLike,
    LayerOptions,
    RegularizerLike,
)
from keras_gatelstm.gru.cell import GateGRUCell


@register
class GateGRU(GateSequence):
    """The GRU over a sequence; `keras.layers.GRU` with gates.

    At each step the cell, `layer.cell`, computes the output, which is the
    next memory, from the event and the memory; `GateGRUCell` has the
    equations. All arguments of `keras.layers.GRU` are accepted, in the same
    order, with the same meanings and defaults.

    Args:
        units: Positive integer, the size of the memory and of the output.
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
        activity_regularizer: Regularizer of the output. Default `None`.
        kernel_constraint: Constraint on each kernel. Default `None`.
        recurrent_constraint: Constraint on each recurrent kernel. Default
            `None`.
        bias_constraint: Constraint on each bias. Default `None`.
        dropout: Float from 0 to 1, the fraction of the event's values to drop
            in training, the same ones at each step. Default 0.
        recurrent_dropout: Float from 0 to 1, the fraction of the
            memory's values to drop where the networks read it.
            Default 0.
        seed: Integer or `None` (default), the seed of the dropout.
        return_sequences: Boolean, whether to return the output of every step
            or of the last. Default `False`.
        return_state: Boolean, whether to return the last memory too.
            Default `False`.
        go_backwards: Boolean, whether to read the sequence from its end and
            return the outputs in that order. Default `False`.
        stateful: Boolean, whether each batch starts with the last memories
            of the batch before, row by row; `reset_state` sets them to zeros.
            Default `False`. As with Keras's own layers, a model on JAX does
            not carry them in `fit`, `evaluate` and `predict`.
        unroll: Boolean, whether to unroll the loop over time; for short
            sequences of known length. Default `False`.
        reset_after: As in `GateGRUCell`. Default `True`.
        use_cudnn: Accepted as in `keras.layers.GRU`, and ignored: the loop
            runs the gates. Default `"auto"`.
        implementation: Accepted as in `keras.layers.GRU`, and ignored.
        zero_output_for_mask: Boolean, whether the output of a masked step is
            zeros instead of the output before it. Default `False`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `None`, or the memory to start with, `(batch, units)`.
        mask: `None`, or booleans `(batch, time)`: at a step that is `False`,
            the memory stays as it is and the last output is repeated.
        training: Boolean, whether to apply dropout.

    Returns:
        The last output, `(batch, units)`, or with `return_sequences=True`
        all of them, `(batch, time, units)`; with `return_state=True`, a tuple
        of it and the memory.

    Raises:
        ValueError: as `GateGRUCell`; if `use_cudnn` is not one of its values;
            if called with another number of features than it was built for.

    Example:

    >>> model = keras.Sequential([GateGRU(8), keras.layers.Dense(1)])
    >>> tuple(model(np.ones((2, 5, 3))).shape)
    (2, 1)
    """

    cell: GateGRUCell
    recurrent_activation: ActivationLike = delegated("cell")
    reset_after: bool = delegated("cell")

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
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        *,
        implementation: int = 2,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        cell = GateGRUCell(
            units,
            activation,
            recurrent_activation,
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
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            reset_after=reset_after,
            implementation=implementation,
            **cell_kwargs(kwargs),
        )
        super().__init__(
            cell,
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **kwargs,
        )
        self.use_cudnn = check_choice(
            "use_cudnn", use_cudnn, ("auto", True, False)
        )

    def get_config(self) -> Config:
        return {**super().get_config(), "use_cudnn": self.use_cudnn}
