"""The lesson's LSTM over a sequence."""

from typing import Any, Unpack

from keras_gatelstm.core.fast_loops import torch_lstm
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
    Tensor,
)
from keras_gatelstm.lstm.cell import GateLSTMCell


@register
class GateLSTM(GateSequence):
    """The lesson's LSTM over a sequence; `keras.layers.LSTM` with gates.

    At each step `t` the cell, `layer.cell`, computes the output and the next
    memories from the event and both memories; `GateLSTMCell` has the
    equations. All arguments of `keras.layers.LSTM` are accepted, in the same
    order, with the same meanings and defaults.

    Clip gradients with an optimizer's `global_clipnorm`: `clipnorm` clips each
    variable by itself, and there is a kernel for each gate where
    `keras.layers.LSTM` has one for all.

    Args:
        units: Positive integer, the size of both memories and of the output.
        activation: Activation of new information and useful memory. Default
            `"tanh"`; `None` for none.
        recurrent_activation: Activation of the three factors. Default
            `"sigmoid"`.
        use_bias: Boolean, whether the networks have biases. Default `True`.
        kernel_initializer: Initializer of the kernels, which multiply the
            event; all are drawn as one matrix, as in Keras. Default
            `"glorot_uniform"`.
        recurrent_initializer: Initializer of the recurrent kernels, which
            multiply the short-term memory; drawn likewise. Default
            `"orthogonal"`.
        bias_initializer: Initializer of the biases. Default `"zeros"`.
        unit_forget_bias: Boolean, whether the forget factor's bias starts as
            ones, so that a new cell keeps its memory. Default `True`.
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
            short-term memory's values to drop where the networks read it.
            Default 0.
        seed: Integer or `None` (default), the seed of the dropout.
        return_sequences: Boolean, whether to return the output of every step
            or of the last. Default `False`.
        return_state: Boolean, whether to return the last memories too.
            Default `False`.
        go_backwards: Boolean, whether to read the sequence from its end and
            return the outputs in that order. Default `False`.
        stateful: Boolean, whether each batch starts with the last memories
            of the batch before, row by row; `reset_state` sets them to zeros.
            Default `False`. As with Keras's own layers, a model on JAX does
            not carry them in `fit`, `evaluate` and `predict`.
        unroll: Boolean, whether to unroll the loop over time; for short
            sequences of known length. Default `False`.
        use_cudnn: `"auto"` (default) or `True` runs a whole sequence in
            PyTorch's own LSTM, on CPU or GPU, where the result is the same:
            on PyTorch, for the standard variant, without mask, active
            dropout or refinements. `False` always runs the loop.
        variant: `"lesson"` (default), or `"standard"`: the LSTM of
            `keras.layers.LSTM`, weight for weight.
        peephole: Boolean, whether the three factors also read the long-term
            memory, each unit its own value, through weights that start as
            zeros and are not regularized or constrained. For the standard
            variant. Default `False`.
        coupled: Boolean, whether the ignore factor is `1 - f` instead of the
            output of a network. For the standard variant. Default `False`.
        implementation: Accepted as in `keras.layers.LSTM`, and ignored.
        zero_output_for_mask: Boolean, whether the output of a masked step is
            zeros instead of the output before it. Default `False`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `None`, or `[short_term_memory, long_term_memory]` to
            start with, each `(batch, units)`.
        mask: `None`, or booleans `(batch, time)`: at a step that is `False`,
            memories stay as they are and the last output is repeated.
        training: Boolean, whether to apply dropout.

    Returns:
        The last output, `(batch, units)`, or with `return_sequences=True`
        all of them, `(batch, time, units)`; with `return_state=True`, a tuple
        of it, the short-term and the long-term memory.

    Raises:
        ValueError: as `GateLSTMCell`; if `use_cudnn` is not one of its values;
            if called with another number of features than it was built for.

    Example:

    >>> model = keras.Sequential([GateLSTM(8), keras.layers.Dense(1)])
    >>> tuple(model(np.ones((2, 5, 3))).shape)
    (2, 1)
    """

    cell: GateLSTMCell
    recurrent_activation: ActivationLike = delegated("cell")
    unit_forget_bias: bool = delegated("cell")
    variant: str = delegated("cell")
    peephole: bool = delegated("cell")
    coupled: bool = delegated("cell")

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
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
        use_cudnn: bool | str = "auto",
        *,
        variant: str = "lesson",
        peephole: bool = False,
        coupled: bool = False,
        implementation: int = 2,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        cell = GateLSTMCell(
            units,
            activation,
            recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            variant=variant,
            peephole=peephole,
            coupled=coupled,
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

    def inner_loop(
        self,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        """Return the last output, all outputs and the last memories.

        `keras.layers.RNN` calls this method to run over time.
        """
        if torch_lstm.takes(self, mask, training):
            return torch_lstm.run(self, sequences, initial_state)
        return super().inner_loop(sequences, initial_state, mask, training)

    def get_config(self) -> Config:
        return {**super().get_config(), "use_cudnn": self.use_cudnn}
