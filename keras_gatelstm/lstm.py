"""The LSTM of the lesson: one step (the cell) and a sequence (the layer)."""

from typing import Any

from keras_gatelstm import options
from keras_gatelstm.cell import GateCell
from keras_gatelstm.gates import (
    VARIANTS,
    ForgetGate,
    LearnGate,
    RememberGate,
    UseGate,
)
from keras_gatelstm.network import Shape, Tensor, register
from keras_gatelstm.sequence import GateSequence


@register
class GateLSTMCell(GateCell):
    """One step of the lesson's LSTM: four gates, called one after the other.

    ```
    learned = learn_gate(E, STM)             N ∘ i
    kept    = forget_gate(E, STM, LTM)       LTM ∘ f
    LTM     = remember_gate(kept, learned)   kept + learned
    STM     = use_gate(E, STM, kept)         U ∘ V
    ```

    with `N, i, f, U, V` as the gates' own docstrings say. With
    `variant="standard"`, the LSTM of the literature and of
    `keras.layers.LSTM`, the use gate reads the new long-term memory, and
    has no network of its own for it: `U = tanh(LTM)`.

    Args:
        units: Positive integer, the size of both memories.
        variant: `"lesson"` (default) or `"standard"`.
        activation: Squishes new information and useful memory. Default
            `"tanh"`; `None` leaves them as they are.
        recurrent_activation: Squishes the ignore, forget and use factors.
            Default `"sigmoid"`.
        use_bias: Boolean, whether the networks have biases. Default `True`.
        kernel_initializer: Initializer of every `kernel`. Default
            `"glorot_uniform"`. As in Keras, the kernels of the four networks
            that read the event start as one draw, `(features, 4·units)`.
        recurrent_initializer: Initializer of every `recurrent_kernel`,
            drawn likewise as `(units, 4·units)`. Default `"orthogonal"`.
        bias_initializer: Initializer of every `bias`. Default `"zeros"`.
        unit_forget_bias: Boolean, whether the forget factor's bias starts as
            ones, so that a new cell keeps its memory. Default `True`.
        kernel_regularizer: Regularizer of every `kernel`, each by itself:
            one that looks across columns, such as `OrthogonalRegularizer`,
            sees less than it does in Keras's joint kernel. Default `None`.
        recurrent_regularizer: Regularizer of every `recurrent_kernel`.
            Default `None`.
        bias_regularizer: Regularizer of every `bias`. Default `None`.
        kernel_constraint: Constraint on every `kernel`. Default `None`.
        recurrent_constraint: Constraint on every `recurrent_kernel`.
            Default `None`.
        bias_constraint: Constraint on every `bias`. Default `None`.
        dropout: Float from 0 to 1, the fraction of the event's values to
            drop in training, the same ones at each step. Default 0.
        recurrent_dropout: Float from 0 to 1, the fraction of the short-term
            memory's values to drop where the networks read it. Default 0.
        seed: Integer or `None`, the seed of the dropout.
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
            of the two, or a dropout rate not between 0 and 1.

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
    """

    networks = (
        "ignore_factor",
        "forget_factor",
        "new_information",
        "use_factor",
    )

    def __init__(
        self,
        units: int,
        variant: str = "lesson",
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            {
                "activation": activation,
                "recurrent_activation": recurrent_activation,
            },
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
            memories=2,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )
        self.variant = options.check_choice("variant", variant, VARIANTS)
        self.unit_forget_bias = unit_forget_bias
        self._make_gates()

    def _make_gates(self) -> None:
        units, down = self.units, self.handed_down()
        recurrent_activation = self.activations["recurrent_activation"]
        forgetting = self._share("forget_factor")
        if self.unit_forget_bias:
            forgetting["bias_initializer"] = "ones"
        self.learn_gate = LearnGate(
            units,
            **self.activations,
            **self._share("ignore_factor", "new_information"),
            **down,
            name="learn_gate",
        )
        self.forget_gate = ForgetGate(
            units,
            recurrent_activation,
            **forgetting,
            **down,
            name="forget_gate",
        )
        self.remember_gate = RememberGate(**down, name="remember_gate")
        self.use_gate = UseGate(
            units,
            self.variant,
            **self.activations,
            **self._share("use_factor"),
            **down,
            name="use_gate",
        )

    def _share(self, *names: str) -> options.Options:
        """The weights' options, for these of the four networks."""
        return options.share_initializers(
            self.weight_options,
            [self.networks.index(name) for name in names],
            of=len(self.networks),
        )

    def build(
        self, inputs_shape: Shape, states_shape: list[Shape] | None = None
    ) -> None:
        """Makes the gates' weights for events of shape `inputs_shape`."""
        memory_shape = (inputs_shape[0], self.units)
        self.learn_gate.build(inputs_shape)
        self.forget_gate.build(inputs_shape)
        self.remember_gate.build(memory_shape)
        self.use_gate.build(inputs_shape)

    def call(
        self, inputs: Tensor, states: list[Tensor], training: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        event, (short_term_memory, long_term_memory) = inputs, states
        masks = None
        if training:
            masks = self.dropout_masks(event, short_term_memory)
        learned = self.learn_gate(event, short_term_memory, masks)
        kept = self.forget_gate(
            event, short_term_memory, long_term_memory, masks
        )
        long_term_memory = self.remember_gate(kept, learned)
        memory = kept if self.variant == "lesson" else long_term_memory
        short_term_memory = self.use_gate(
            event, short_term_memory, memory, masks
        )
        return short_term_memory, [short_term_memory, long_term_memory]

    def get_config(self) -> options.Options:
        return {
            **super().get_config(),
            "variant": self.variant,
            "unit_forget_bias": self.unit_forget_bias,
        }


@register
class GateLSTM(GateSequence):
    """The lesson's LSTM over a sequence; `keras.layers.LSTM` with gates.

    At each step `t` the cell, `layer.cell`, takes the event and both
    memories to the output and the next memories; `GateLSTMCell` has the
    equations. Takes every argument of `keras.layers.LSTM`, with its meaning
    and its default, by name.

    Args:
        units: Positive integer, the size of both memories and of the output.
        variant: `"lesson"` (default), or `"standard"`: the LSTM of
            `keras.layers.LSTM`, weight for weight.
        activation: As all arguments down to `seed`, see `GateLSTMCell`.
        activity_regularizer: Regularizer of the layer's output. Default
            `None`.
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
        use_cudnn: `"auto"`, `True` or `False`; taken so that the layer can
            stand in for `keras.layers.LSTM`, and not used.
        **kwargs: `zero_output_for_mask`, as in `keras.layers.RNN`; `name`,
            `dtype` and `trainable`, as in any Keras layer.

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

    def __init__(
        self,
        units: int,
        variant: str = "lesson",
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GateLSTMCell(
            units,
            variant,
            activation=activation,
            recurrent_activation=recurrent_activation,
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
            name="cell",
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell,
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            use_cudnn=use_cudnn,
            **kwargs,
        )

    @property
    def variant(self) -> str:
        return str(self.cell.variant)
