"""The LSTM of the lesson: one step (the cell) and a sequence (the layer)."""

from dataclasses import replace
from typing import Any, Unpack

from keras import activations

from keras_gatelstm import torch_lstm
from keras_gatelstm.cell import GateCell
from keras_gatelstm.gates import (
    ForgetGate,
    LearnGate,
    RememberGate,
    UseGate,
)
from keras_gatelstm.gates.gate import Activity, Masks
from keras_gatelstm.gates.use import VARIANTS, check_refinement
from keras_gatelstm.network import Network, register
from keras_gatelstm.options import check_choice, delegated
from keras_gatelstm.sequence import GateSequence, cell_kwargs
from keras_gatelstm.types import (
    ActivationLike,
    Config,
    ConstraintLike,
    InitializerLike,
    LayerOptions,
    RegularizerLike,
    Shape,
    Tensor,
)
from keras_gatelstm.weights import WeightConfig


@register
class GateLSTMCell(GateCell):
    """One step of the lesson's LSTM: four gates, asked one after the other.

    ```
    kept    = forget_gate(E, STM, LTM)       LTM ∘ f
    learned = learn_gate(E, STM)             N ∘ i
    LTM     = remember_gate(kept, learned)   kept + learned
    STM     = use_gate(E, STM, kept)         U ∘ V
    ```

    with `N, i, f, U, V` as the gates' own docstrings say. With
    `variant="standard"`, the LSTM of the literature and of
    `keras.layers.LSTM`, the use gate reads the new long-term memory, and
    has no network of its own for it: `U = tanh(LTM)`.

    Two refinements of the standard variant:

    ```
    peephole=True    i = sigmoid([STM, E]·W_i + b_i + LTM_before ∘ p_i)
                     f = sigmoid([STM, E]·W_f + b_f + LTM_before ∘ p_f)
                     V = sigmoid([STM, E]·W_v + b_v + LTM ∘ p_v)
    coupled=True     i = 1 - f
    ```

    Args:
        units: Positive integer, the size of both memories.
        activation: Squishes new information and useful memory. Default
            `"tanh"`; `None` leaves them as they are.
        recurrent_activation: Squishes the ignore, forget and use factors.
            Default `"sigmoid"`.
        use_bias: Boolean, whether the networks have biases. Default `True`.
        kernel_initializer: Initializer of the kernels, which the event is
            multiplied by; they start as one draw, as in Keras. Default
            `"glorot_uniform"`.
        recurrent_initializer: Initializer of the recurrent kernels, which the
            short-term memory is multiplied by, drawn likewise. Default
            `"orthogonal"`.
        bias_initializer: Initializer of the biases. Default `"zeros"`.
        unit_forget_bias: Boolean, whether the forget factor's bias starts as
            ones, so that a new cell keeps its memory. Default `True`.
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
            short-term memory's values to drop where the networks read it.
            Default 0.
        seed: Integer or `None` (default), the seed of the dropout.
        variant: `"lesson"` (default), or `"standard"`: the LSTM of
            `keras.layers.LSTM`, weight for weight.
        peephole: Boolean, whether the three factors look at the long-term
            memory, each unit at its own, through weights that start as
            zeros and that no regularizer or constraint looks at. For the
            standard variant. Default `False`.
        coupled: Boolean, whether to learn just where it is forgotten, with
            no network for the ignore factor. For the standard variant.
            Default `False`.
        implementation: Accepted as in `keras.layers.LSTMCell`, and ignored.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        inputs: The event, `(batch, features)`.
        states: `[short_term_memory, long_term_memory]`, each
            `(batch, units)`.
        training: Boolean, whether to drop anything. Default `False`.

    Returns:
        `short_term_memory, [short_term_memory, long_term_memory]`: the
        output of the step, and what the next step is given.

    Raises:
        ValueError: if `units` is not a positive integer, `variant` neither
            of the two, a refinement asked of the lesson's variant, or a
            dropout rate not between 0 and 1.

    Example:

    >>> cell = GateLSTMCell(4)
    >>> event, memories = np.ones((2, 3)), cell.get_initial_state(2)
    >>> output, memories = cell(event, memories)
    >>> tuple(output.shape)
    (2, 4)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
        Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
        Gers, Schmidhuber and Cummins, "Learning to Forget", 2000: the forget
        gate, section 3; Jozefowicz et al., "An Empirical Exploration of
        Recurrent Network Architectures", 2015: its bias of one.
        Christopher Olah, "Understanding LSTM Networks", 2015, on variants:
        both refinements. He draws each factor as looking at all of the
        long-term memory; here each unit looks at its own, as in Gers and
        Schmidhuber, "Recurrent Nets that Time and Count", 2000.
    """

    memories = ("short_term_memory", "long_term_memory")
    networks: tuple[str, ...] = (
        "ignore_factor",
        "forget_factor",
        "new_information",
        "use_factor",
    )

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
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        variant: str = "lesson",
        peephole: bool = False,
        coupled: bool = False,
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
        self.unit_forget_bias = unit_forget_bias
        self.variant = check_choice("variant", variant, VARIANTS)
        self.peephole = check_refinement("peephole", peephole, variant)
        self.coupled = check_refinement("coupled", coupled, variant)
        self.implementation = implementation
        if coupled:
            self.networks = self.networks[1:]
        self._make_gates()

    def _make_gates(self) -> None:
        learning = ("ignore_factor", "new_information")
        forgetting = self.weights_for("forget_factor")
        if self.unit_forget_bias:
            forgetting = replace(forgetting, bias_initializer="ones")
        self.learn_gate = LearnGate(
            self.units,
            self.activation,
            self.recurrent_activation,
            peephole=self.peephole,
            coupled=self.coupled,
            weight_config=self.weights_for(*learning[self.coupled :]),
            **self.sublayer_kwargs("learn_gate"),
        )
        self.forget_gate = ForgetGate(
            self.units,
            self.recurrent_activation,
            peephole=self.peephole,
            weight_config=forgetting,
            **self.sublayer_kwargs("forget_gate"),
        )
        self.remember_gate = RememberGate(
            **self.sublayer_kwargs("remember_gate")
        )
        self.use_gate = UseGate(
            self.units,
            self.activation,
            self.recurrent_activation,
            variant=self.variant,
            peephole=self.peephole,
            weight_config=self.weights_for("use_factor"),
            **self.sublayer_kwargs("use_gate"),
        )

    def small_networks(self) -> list[Network]:
        gates = self.learn_gate, self.forget_gate, self.use_gate
        return [
            getattr(gate, name)
            for name in self.networks
            for gate in gates
            if hasattr(gate, name)
        ]

    def build(self, inputs_shape: Shape, **_: Any) -> None:
        memory_shape = (inputs_shape[0], self.units)
        self.learn_gate.build(inputs_shape)
        self.forget_gate.build(inputs_shape)
        self.remember_gate.build(memory_shape)
        self.use_gate.build(inputs_shape)

    def activity(
        self,
        event: Tensor,
        *memories: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        short, long = memories
        forget = self.forget_gate.activity(event, short, long, dropout_masks)
        learn = self.learn_gate.activity(
            event, short, long, forget["forget_factor"], dropout_masks
        )
        remember = self.remember_gate.activity(forget["kept"], learn["learned"])
        read = (
            forget["kept"]
            if self.variant == "lesson"
            else remember["long_term_memory"]
        )
        use = self.use_gate.activity(event, short, read, dropout_masks)
        return {**learn, **forget, **remember, **use}

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "variant": self.variant,
            "unit_forget_bias": self.unit_forget_bias,
            "peephole": self.peephole,
            "coupled": self.coupled,
        }


@register
class GateLSTM(GateSequence):
    """The lesson's LSTM over a sequence; `keras.layers.LSTM` with gates.

    At each step `t` the cell, `layer.cell`, takes the event and both
    memories to the output and the next memories; `GateLSTMCell` has the
    equations. Takes every argument of `keras.layers.LSTM`, in its place, with
    its meaning and its default.

    Clip gradients with an optimizer's `global_clipnorm`: `clipnorm` clips each
    variable by itself, and there is a kernel for each gate where
    `keras.layers.LSTM` has one for all.

    Args:
        units: Positive integer, the size of both memories and of the output.
        activation: Squishes new information and useful memory. Default
            `"tanh"`; `None` leaves them as they are.
        recurrent_activation: Squishes the ignore, forget and use factors.
            Default `"sigmoid"`.
        use_bias: Boolean, whether the networks have biases. Default `True`.
        kernel_initializer: Initializer of the kernels, which the event is
            multiplied by; they start as one draw, as in Keras. Default
            `"glorot_uniform"`.
        recurrent_initializer: Initializer of the recurrent kernels, which the
            short-term memory is multiplied by, drawn likewise. Default
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
        stateful: Boolean, whether a batch starts with the memories that the
            one before it ended with, row by row; `reset_state` empties them.
            Default `False`. As with Keras's own layers, a model on JAX does
            not carry them in `fit`, `evaluate` and `predict`.
        unroll: Boolean, whether to write the steps out one by one instead of
            as a loop; for short sequences of known length. Default `False`.
        use_cudnn: `"auto"` (default) or `True` lets a whole sequence go to
            PyTorch's own LSTM, on CPU or GPU, where that gives the same: on
            PyTorch, of the standard variant, with no mask, dropout at work
            or refinements. `False` keeps to the loop.
        variant: `"lesson"` (default), or `"standard"`: the LSTM of
            `keras.layers.LSTM`, weight for weight.
        peephole: Boolean, whether the three factors look at the long-term
            memory, each unit at its own, through weights that start as
            zeros and that no regularizer or constraint looks at. For the
            standard variant. Default `False`.
        coupled: Boolean, whether to learn just where it is forgotten, with
            no network for the ignore factor. For the standard variant.
            Default `False`.
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
        training: Boolean, whether to drop anything.

    Returns:
        The last output, `(batch, units)`, or with `return_sequences=True`
        all of them, `(batch, time, units)`; with `return_state=True`, a tuple
        of it, the short-term and the long-term memory.

    Raises:
        ValueError: as `GateLSTMCell`; if `use_cudnn` is none of its values;
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
        """Keras's seam: the last output, all of them, the last memories."""
        if torch_lstm.takes(self, mask, training):
            return torch_lstm.run(self, sequences, initial_state)
        return super().inner_loop(sequences, initial_state, mask, training)

    def get_config(self) -> Config:
        return {**super().get_config(), "use_cudnn": self.use_cudnn}
