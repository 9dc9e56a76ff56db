"""One step of the lesson's LSTM, and its description."""

from dataclasses import replace
from typing import NamedTuple, Unpack

from keras import activations

from keras_gatelstm.core.anatomy import Anatomy
from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.network import DropoutMasks, Event, register
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
from keras_gatelstm.lstm.gates import (
    VARIANTS,
    ForgetGate,
    ForgetStep,
    LearnGate,
    LearnStep,
    RememberGate,
    RememberStep,
    UseGate,
    UseStep,
    check_refinement,
)


class LSTMStep(NamedTuple):
    """Every quantity of one step, by the gate that computes it."""

    learn_gate: LearnStep
    forget_gate: ForgetStep
    remember_gate: RememberStep
    use_gate: UseStep


@register
class GateLSTMCell(GateCell):
    """One step of the lesson's LSTM: four gates, run one after the other.

    ```
    kept    = forget_gate(E, STM, LTM)       LTM ∘ f
    learned = learn_gate(E, STM)             N ∘ i
    LTM     = remember_gate(kept, learned)   kept + learned
    STM     = use_gate(E, STM, kept)         U ∘ V
    ```

    The docstrings of the gates define `N, i, f, U, V`. With
    `variant="standard"`, the LSTM of the literature and of
    `keras.layers.LSTM`, the use gate reads the new long-term memory, without
    a network of its own: `U = tanh(LTM)`.

    Two refinements of the standard variant:

    ```
    peephole=True    i = sigmoid([STM, E]·W_i + b_i + LTM_before ∘ p_i)
                     f = sigmoid([STM, E]·W_f + b_f + LTM_before ∘ p_f)
                     V = sigmoid([STM, E]·W_v + b_v + LTM ∘ p_v)
    coupled=True     i = 1 - f
    ```

    Args:
        units: Positive integer, the size of both memories.
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
        peephole: Boolean, whether the three factors also read the long-term
            memory, each unit its own value, through weights that start as
            zeros and are not regularized or constrained. For the standard
            variant. Default `False`.
        coupled: Boolean, whether the ignore factor is `1 - f` instead of the
            output of a network. For the standard variant. Default `False`.
        implementation: Accepted as in `keras.layers.LSTMCell`, and ignored.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        inputs: The event, `(batch, features)`.
        states: `[short_term_memory, long_term_memory]`, each
            `(batch, units)`.
        training: Boolean, whether to apply dropout. Default `False`.

    Returns:
        `short_term_memory, [short_term_memory, long_term_memory]`: the
        output of the step, and the states for the next step.

    Raises:
        ValueError: if `units` is not a positive integer, `variant` is
            unknown, a refinement is used with the lesson's variant, or a
            dropout rate is not between 0 and 1.

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
        both refinements. There each factor reads all of the long-term
        memory; here each unit reads its own value, as in Gers and
        Schmidhuber, "Recurrent Nets that Time and Count", 2000.
    """

    anatomy = Anatomy.of(
        LSTMStep,
        networks=(
            "ignore_factor",
            "forget_factor",
            "new_information",
            "use_factor",
        ),
        memories=("short_term_memory", "long_term_memory"),
    )
    joined_networks = anatomy.networks

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
            networks = self.anatomy.networks[1:]
            self.anatomy = replace(self.anatomy, networks=networks)
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

    def activity(
        self,
        event: Event,
        *memories: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> LSTMStep:
        short, long = memories
        forget = self.forget_gate.activity(event, short, long, dropout_masks)
        learn = self.learn_gate.activity(
            event, short, long, forget.forget_factor, dropout_masks
        )
        remember = self.remember_gate.activity(forget.kept, learn.learned)
        lesson = self.variant == "lesson"
        read = forget.kept if lesson else remember.long_term_memory
        use = self.use_gate.activity(event, short, read, dropout_masks)
        return LSTMStep(learn, forget, remember, use)

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
