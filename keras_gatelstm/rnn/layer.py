"""The plain RNN over a sequence."""

from typing import Self, Unpack

from keras_gatelstm.core.network import register
from keras_gatelstm.core.sequence import GateSequence, cell_kwargs
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    ConstraintLike,
    InitializerLike,
    LayerOptions,
    RegularizerLike,
)
from keras_gatelstm.rnn.cell import GateRNNCell


@register
class GateRNN(GateSequence):
    """The lesson's plain RNN over a sequence: `keras.layers.SimpleRNN`.

    At each step the cell, `layer.cell`, computes the output, which is the
    next memory, from the event and the memory; `GateRNNCell` has the
    equation. All arguments of `keras.layers.SimpleRNN` are accepted, in the
    same order, with the same meanings and defaults.

    Args:
        units: Positive integer, the size of the memory and of the output.
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
        activity_regularizer: Regularizer of the output. Default `None`.
        kernel_constraint: Constraint on the kernel. Default `None`.
        recurrent_constraint: Constraint on the recurrent kernel. Default
            `None`.
        bias_constraint: Constraint on the bias. Default `None`.
        dropout: Float from 0 to 1, the fraction of the event's values to drop
            in training, the same ones at each step. Default 0.
        recurrent_dropout: Float from 0 to 1, the fraction of the
            memory's values to drop where the network reads it.
            Default 0.
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
        seed: Integer or `None` (default), the seed of the dropout.
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
        ValueError: as `GateRNNCell`; if called with another number of
            features than it was built for.

    Example:

    >>> model = keras.Sequential([GateRNN(8), keras.layers.Dense(1)])
    >>> tuple(model(np.ones((2, 5, 3))).shape)
    (2, 1)
    """

    cell: GateRNNCell

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
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        cell = GateRNNCell(
            units,
            activation,
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

    @classmethod
    def from_config(cls, config: Config) -> Self:
        config = dict(config)
        config.pop("use_cudnn", None)  # Older files have it.
        return super().from_config(config)
