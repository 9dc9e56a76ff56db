"""The LSTM of the lesson: one step (the cell) and a sequence (the layer)."""

from typing import Any, Unpack

from keras_gatelstm import options, torch_lstm
from keras_gatelstm.cell import CellOptions, GateCell
from keras_gatelstm.gates import (
    ForgetGate,
    LearnGate,
    RememberGate,
    UseGate,
)
from keras_gatelstm.gates.gate import Activity, Masks
from keras_gatelstm.gates.use import VARIANTS, check_refinement
from keras_gatelstm.network import Network, Shape, Tensor, register
from keras_gatelstm.sequence import GateSequence, SequenceOptions


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
        variant: `"lesson"` (default) or `"standard"`.
        activation: Squishes new information and useful memory. Default
            `"tanh"`; `None` leaves them as they are.
        recurrent_activation: Squishes the ignore, forget and use factors.
            Default `"sigmoid"`.
        unit_forget_bias: Boolean, whether the forget factor's bias starts as
            ones, so that a new cell keeps its memory. Default `True`.
        peephole: Boolean, whether the three factors look at the long-term
            memory, each unit at its own, through weights that start as
            zeros and that no regularizer or constraint looks at. For the
            standard variant. Default `False`.
        coupled: Boolean, whether to learn just where it is forgotten, with
            no network for the ignore factor. For the standard variant.
            Default `False`.
        implementation: Accepted as in `keras.layers.LSTMCell`, and ignored.
        **kwargs: `use_bias`, the initializers, regularizers and constraints
            of the weights, `dropout`, `recurrent_dropout` and `seed`, as in
            `GateCell`; `name`, `dtype` and `trainable`, as in any Keras
            layer.

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
        variant: str = "lesson",
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        unit_forget_bias: bool = True,
        peephole: bool = False,
        coupled: bool = False,
        implementation: int = 2,
        **kwargs: Unpack[CellOptions],
    ) -> None:
        activations = {
            "activation": activation,
            "recurrent_activation": recurrent_activation,
        }
        super().__init__(units, activations, **kwargs)
        self.variant = options.check_choice("variant", variant, VARIANTS)
        self.unit_forget_bias = unit_forget_bias
        self.peephole = check_refinement("peephole", peephole, variant)
        self.coupled = check_refinement("coupled", coupled, variant)
        if coupled:
            self.networks = self.networks[1:]
        self._make_gates()

    def _make_gates(self) -> None:
        units, down = self.units, self.handed_down()
        recurrent_activation = self.activations["recurrent_activation"]
        learning = ["new_information"]
        if not self.coupled:
            learning = ["ignore_factor", "new_information"]
        forgetting = self.share("forget_factor")
        if self.unit_forget_bias:
            forgetting["bias_initializer"] = "ones"
        self.learn_gate = LearnGate(
            units,
            **self.activations,
            peephole=self.peephole,
            coupled=self.coupled,
            **self.share(*learning),
            **down,
            name="learn_gate",
        )
        self.forget_gate = ForgetGate(
            units,
            recurrent_activation,
            peephole=self.peephole,
            **forgetting,
            **down,
            name="forget_gate",
        )
        self.remember_gate = RememberGate(**down, name="remember_gate")
        self.use_gate = UseGate(
            units,
            self.variant,
            **self.activations,
            peephole=self.peephole,
            **self.share("use_factor"),
            **down,
            name="use_gate",
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

    def get_config(self) -> options.Options:
        return {
            **super().get_config(),
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
    equations. Takes every argument of `keras.layers.LSTM`, with its meaning
    and its default, by name.

    Clip gradients with an optimizer's `global_clipnorm`: `clipnorm` clips each
    variable by itself, and there is a kernel for each gate where
    `keras.layers.LSTM` has one for all.

    Args:
        units: Positive integer, the size of both memories and of the output.
        variant: `"lesson"` (default), or `"standard"`: the LSTM of
            `keras.layers.LSTM`, weight for weight.
        activation: Squishes new information and useful memory. Default
            `"tanh"`.
        recurrent_activation: Squishes the ignore, forget and use factors.
            Default `"sigmoid"`.
        unit_forget_bias: Boolean, whether the forget factor's bias starts as
            ones. Default `True`.
        peephole: As in `GateLSTMCell`. Default `False`.
        coupled: As in `GateLSTMCell`. Default `False`.
        implementation: Accepted as in `keras.layers.LSTM`, and ignored.
        **kwargs: The rest of what `keras.layers.LSTM` takes: `use_bias`, the
            initializers, regularizers and constraints of the weights,
            `dropout`, `recurrent_dropout` and `seed`, as in `GateCell`;
            `activity_regularizer`, `return_sequences`, `return_state`,
            `go_backwards`, `stateful`, `unroll`, `use_cudnn` and
            `zero_output_for_mask`, as in `GateSequence`; `name`, `dtype` and
            `trainable`, as in any Keras layer.

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
        unit_forget_bias: bool = True,
        peephole: bool = False,
        coupled: bool = False,
        implementation: int = 2,
        **kwargs: Unpack[SequenceOptions],
    ) -> None:
        cell_options = {
            "units": units,
            "variant": variant,
            "activation": activation,
            "recurrent_activation": recurrent_activation,
            "unit_forget_bias": unit_forget_bias,
            "peephole": peephole,
            "coupled": coupled,
        }
        super().__init__(GateLSTMCell, cell_options, **kwargs)

    @property
    def variant(self) -> str:
        return str(self.cell.variant)

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
