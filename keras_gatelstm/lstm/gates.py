"""The lesson's four gates: the equations of the LSTM, and nothing else.

A gate maps the event and the memories of one step to one output; its
`activity` returns every quantity that it computes on the way. The equations
are written only here: the cell, the layer, traces and exports all run these
gates.

Shapes: an event is `(batch, features)`; a memory, and the output of a gate,
is `(batch, units)`.

References:
    Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
"""

from typing import Annotated, NamedTuple, Unpack

import keras
from keras import activations

from keras_gatelstm.core.anatomy import Quantity
from keras_gatelstm.core.network import DropoutMasks, Gate, register
from keras_gatelstm.core.options import check_choice
from keras_gatelstm.core.types import (
    ActivationLike,
    Config,
    LayerOptions,
    Shape,
    Tensor,
)
from keras_gatelstm.core.weights import WeightConfig

VARIANTS = ("lesson", "standard")


def check_refinement(name: str, wanted: bool, variant: str) -> bool:
    """Return `wanted`, or raise if the variant does not support it."""
    check_choice(name, wanted, (True, False))
    if wanted and variant != "standard":
        raise ValueError(
            f'{name}=True is for variant="standard" only. '
            f"Received: {name}={wanted}, variant={variant!r}"
        )
    return bool(wanted)


class LearnStep(NamedTuple):
    """Quantities of the learn gate, `(batch, units)` each."""

    new_information: Annotated[
        Tensor,
        Quantity(
            "N",
            meaning="what the step could learn: N = tanh([STM, E]·W_n + b_n)",
        ),
    ]
    ignore_factor: Annotated[
        Tensor,
        Quantity(
            "i",
            "factor",
            meaning="share of the new information that is learned: "
            "i = sigmoid([STM, E]·W_i + b_i)",
        ),
    ]
    learned: Annotated[
        Tensor,
        Quantity(
            "N ∘ i",
            meaning="new information that is learned: learned = N ∘ i",
        ),
    ]


@register
class LearnGate(Gate):
    """Learn gate: join event and short-term memory, and ignore a part.

    ```
    new_information N = tanh([STM, E]·W_n + b_n)
    ignore_factor   i = sigmoid([STM, E]·W_i + b_i)
    learned           = N ∘ i
    ```

    Its small networks are `gate.new_information` and `gate.ignore_factor`.

    Args:
        units: Positive integer, the size of the memories.
        activation: Activation of the new information. Default `"tanh"`.
        recurrent_activation: Activation of the ignore factor. Default
            `"sigmoid"`.
        peephole: Boolean, whether the ignore factor reads the long-term
            memory too, as in `SmallNetwork`. Default `False`.
        coupled: Boolean, whether the ignore factor is `i = 1 - f`, with the
            forget gate's factor `f`, instead of the output of a network.
            Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        long_term_memory: `(batch, units)`; required with a peephole.
        forget_factor: `(batch, units)`; required when coupled.
        dropout_masks: `None`, or masks as in `SmallNetwork`, by the name of
            the network.

    Returns:
        learned, `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, the number of
            features is unknown when the weights are made, or a coupled gate
            is not given the forget factor.

    Example:

    >>> learn_gate = LearnGate(3)
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> tuple(learn_gate(event, short_term_memory).shape)
    (2, 3)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
        Christopher Olah, "Understanding LSTM Networks", 2015, on variants:
        peepholes and coupled gates.
        Gers and Schmidhuber, "Recurrent Nets that Time and Count", 2000:
        peepholes.
        Greff et al., "LSTM: A Search Space Odyssey", 2017: coupled gates.
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        *,
        peephole: bool = False,
        coupled: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.peephole = peephole
        self.coupled = coupled
        if coupled:
            self.new_information = self.small_network(
                "new_information", self.activation
            )
            return
        self.ignore_factor = self.small_network(
            "ignore_factor",
            self.recurrent_activation,
            self.weight_config.share(0, of=2),
            peephole=peephole,
        )
        self.new_information = self.small_network(
            "new_information",
            self.activation,
            self.weight_config.share(1, of=2),
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        if not self.coupled:
            self.ignore_factor.build(event_shape)
        self.new_information.build(event_shape)

    def activity(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor | None = None,
        forget_factor: Tensor | None = None,
        dropout_masks: DropoutMasks | None = None,
    ) -> LearnStep:
        """Return every quantity of the gate."""
        new_information = self.new_information.call(
            event, short_term_memory, dropout_masks=dropout_masks
        )
        if self.coupled:
            ignore_factor = 1 - self._require_forget_factor(forget_factor)
        else:
            ignore_factor = self.ignore_factor.call(
                event, short_term_memory, long_term_memory, dropout_masks
            )
        return LearnStep(
            new_information,
            ignore_factor,
            learned=new_information * ignore_factor,
        )

    def _require_forget_factor(self, forget_factor: Tensor | None) -> Tensor:
        if forget_factor is None:
            raise ValueError(
                f"{self.name} is coupled: call it with the forget gate's "
                "forget_factor. Received: forget_factor=None"
            )
        return forget_factor

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor | None = None,
        forget_factor: Tensor | None = None,
        dropout_masks: DropoutMasks | None = None,
    ) -> Tensor:
        return self.activity(
            event,
            short_term_memory,
            long_term_memory,
            forget_factor,
            dropout_masks,
        ).learned

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "peephole": self.peephole,
            "coupled": self.coupled,
        }


class ForgetStep(NamedTuple):
    """Quantities of the forget gate, `(batch, units)` each."""

    forget_factor: Annotated[
        Tensor,
        Quantity(
            "f",
            "factor",
            meaning="share of the long-term memory that is kept: "
            "f = sigmoid([STM, E]·W_f + b_f)",
        ),
    ]
    kept: Annotated[
        Tensor,
        Quantity(
            "LTM ∘ f",
            meaning="long-term memory that is kept: kept = LTM ∘ f",
        ),
    ]


@register
class ForgetGate(Gate):
    """Forget gate: keep the part of the long-term memory still useful.

    ```
    forget_factor f = sigmoid([STM, E]·W_f + b_f)
    kept            = LTM ∘ f
    ```

    Its small network is `gate.forget_factor`.

    Args:
        units: Positive integer, the size of the memories.
        recurrent_activation: Activation of the forget factor. Default
            `"sigmoid"`.
        peephole: Boolean, whether the forget factor reads the long-term
            memory too, as in `SmallNetwork`. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`. Default
            `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        long_term_memory: `(batch, units)`.
        dropout_masks: As in `LearnGate`.

    Returns:
        kept, `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the number of
            features is unknown when the weights are made.

    Example:

    >>> keeping = WeightConfig(bias_initializer="ones")
    >>> forget_gate = ForgetGate(3, weight_config=keeping)
    >>> event, memory = np.ones((2, 5)), np.ones((2, 3))
    >>> tuple(forget_gate(event, memory, memory).shape)
    (2, 3)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
        Gers, Schmidhuber and Cummins, "Learning to Forget", 2000, section 3.
    """

    def __init__(
        self,
        units: int,
        recurrent_activation: ActivationLike = "sigmoid",
        *,
        peephole: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.peephole = peephole
        self.forget_factor = self.small_network(
            "forget_factor", self.recurrent_activation, peephole=peephole
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        self.forget_factor.build(event_shape)

    def activity(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> ForgetStep:
        """Return every quantity of the gate."""
        forget_factor = self.forget_factor.call(
            event, short_term_memory, long_term_memory, dropout_masks
        )
        return ForgetStep(forget_factor, kept=long_term_memory * forget_factor)

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> Tensor:
        return self.activity(
            event, short_term_memory, long_term_memory, dropout_masks
        ).kept

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "peephole": self.peephole,
        }


class RememberStep(NamedTuple):
    """Quantities of the remember gate, `(batch, units)` each."""

    long_term_memory: Annotated[
        Tensor,
        Quantity(
            "LTM",
            "memory",
            kept_by="forget_factor",
            made_of=("kept", "learned"),
            meaning="what is kept and learned, carried to the next step: "
            "LTM = kept + learned",
        ),
    ]


@register
class RememberGate(keras.layers.Layer):
    """Remember gate: kept plus learned, the new long-term memory.

    ```
    LTM = kept + learned
    ```

    The gate has no weights.

    Call arguments:
        kept: Output of the forget gate, `(batch, units)`.
        learned: Output of the learn gate, `(batch, units)`.

    Returns:
        The new long-term memory, `(batch, units)`.

    Example:

    >>> bool(keras.ops.all(RememberGate()(np.ones(3), np.ones(3)) == 2))
    True

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
    """

    def build(self, kept_shape: Shape, **_: Shape) -> None:
        """Do nothing: the gate has no weights."""

    def activity(self, kept: Tensor, learned: Tensor) -> RememberStep:
        """Return every quantity of the gate."""
        return RememberStep(long_term_memory=kept + learned)

    def call(self, kept: Tensor, learned: Tensor) -> Tensor:
        return self.activity(kept, learned).long_term_memory


class UseStep(NamedTuple):
    """Quantities of the use gate, `(batch, units)` each."""

    useful_memory: Annotated[
        Tensor,
        Quantity(
            "U",
            meaning="what the step could use: U = tanh(memory·W_u + b_u), "
            "or in the standard LSTM, U = tanh(memory)",
        ),
    ]
    use_factor: Annotated[
        Tensor,
        Quantity(
            "V",
            "factor",
            meaning="share of the useful memory that is used: "
            "V = sigmoid([STM, E]·W_v + b_v)",
        ),
    ]
    short_term_memory: Annotated[
        Tensor,
        Quantity(
            "STM",
            "memory",
            meaning="output of the step, carried to the next: STM = U ∘ V",
        ),
    ]


class UsefulMemory(keras.layers.Dense):
    """Dense network of the useful memory; cannot be quantized.

    `model.quantize` would quantize this network alone, because the other
    networks of a gate do not support it.
    """

    def quantize(self, *args: object, **kwargs: object) -> None:
        raise NotImplementedError(
            f"{self.path} stays as it is: a gate is not quantized in part."
        )


@register
class UseGate(Gate):
    """Use gate: the part of the memory to use, the new short-term memory.

    ```
    useful_memory U = tanh(memory·W_u + b_u)      variant="lesson"
                  U = tanh(memory)                variant="standard"
    use_factor    V = sigmoid([STM, E]·W_v + b_v)
    STM             = U ∘ V
    ```

    The lesson's variant reads the memory that the forget gate kept; the
    standard LSTM of the literature reads the new long-term memory. The small
    networks are `gate.use_factor` and, in the lesson, `gate.useful_memory`:
    a `keras.layers.Dense`.

    Args:
        units: Positive integer, the size of the memories.
        activation: Activation of the useful memory. Default `"tanh"`.
        recurrent_activation: Activation of the use factor. Default `"sigmoid"`.
        variant: `"lesson"` (default) or `"standard"`.
        peephole: Boolean, whether the use factor reads the memory too,
            as in `SmallNetwork`. For the standard variant. Default `False`.
        weight_config: Options of the weights, as in `SmallNetwork`; the useful
            memory uses those of `kernel`. Default `None`.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        memory: kept (lesson) or the new long-term memory (standard),
            `(batch, units)`.
        dropout_masks: As in `LearnGate`.

    Returns:
        The new short-term memory, `(batch, units)`.

    Raises:
        ValueError: if `variant` is unknown, `peephole` is used with the
            lesson's variant, `units` is not a positive integer, or the number
            of features is unknown.

    Example:

    >>> use_gate = UseGate(3)
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> kept = np.ones((2, 3))
    >>> tuple(use_gate(event, short_term_memory, kept).shape)
    (2, 3)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        *,
        variant: str = "lesson",
        peephole: bool = False,
        weight_config: WeightConfig | None = None,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(units, weight_config, **kwargs)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.variant = check_choice("variant", variant, VARIANTS)
        self.peephole = check_refinement("peephole", peephole, variant)
        self.use_factor = self.small_network(
            "use_factor", self.recurrent_activation, peephole=peephole
        )
        self.useful_memory = self._make_useful_memory()

    def _make_useful_memory(self) -> keras.layers.Layer:
        if self.variant == "standard":
            return keras.layers.Activation(
                self.activation, **self.sublayer_kwargs("useful_memory")
            )
        # This network does not read the event, so it is not part of the
        # matrix that Keras draws for the networks that do.
        weights = self.weight_config.alone()
        return UsefulMemory(
            self.units,
            self.activation,
            use_bias=weights.use_bias,
            kernel_initializer=weights.kernel_initializer,
            bias_initializer=weights.bias_initializer,
            kernel_regularizer=weights.kernel_regularizer,
            bias_regularizer=weights.bias_regularizer,
            kernel_constraint=weights.kernel_constraint,
            bias_constraint=weights.bias_constraint,
            **self.sublayer_kwargs("useful_memory"),
        )

    def build(self, event_shape: Shape, **_: Shape) -> None:
        self.use_factor.build(event_shape)
        self.useful_memory.build((None, self.units))

    def activity(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        memory: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> UseStep:
        """Return every quantity of the gate."""
        useful_memory = self.useful_memory.call(memory)
        use_factor = self.use_factor.call(
            event, short_term_memory, memory, dropout_masks
        )
        return UseStep(
            useful_memory,
            use_factor,
            short_term_memory=useful_memory * use_factor,
        )

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        memory: Tensor,
        dropout_masks: DropoutMasks | None = None,
    ) -> Tensor:
        return self.activity(
            event, short_term_memory, memory, dropout_masks
        ).short_term_memory

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(
                self.recurrent_activation
            ),
            "variant": self.variant,
            "peephole": self.peephole,
        }
