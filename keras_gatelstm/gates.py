"""The four gates of Luis Serrano's LSTM lesson, a Keras layer each.

A gate takes the event and the memories of one step and hands on one thing.
The library's equations stand here and nowhere else: the cell, the layer, and
whatever looks inside or exports call these gates.

Shapes, everywhere: an event is `(batch, features)`; a memory, and whatever a
gate hands on, is `(batch, units)`.

References:
    Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
"""

from typing import Any

import keras

from keras_gatelstm import options
from keras_gatelstm.initializers import whole
from keras_gatelstm.network import Shape, SmallNetwork, Tensor, register

Masks = dict[str, tuple[Tensor | None, Tensor | None]]

VARIANTS = ("lesson", "standard")


class _Gate(options.UnitsLayer):
    """What the gates with weights share: small networks under fixed names."""

    def _network(
        self, name: str, activation_name: str, block: int, of: int
    ) -> SmallNetwork:
        return SmallNetwork(
            self.units,
            self.activations[activation_name],
            **options.share_initializers(self.weight_options, [block], of),
            **self.handed_down(),
            name=name,
        )


@register
class LearnGate(_Gate):
    """Joins the event and the short-term memory, and ignores a part of it.

    ```
    new_information N = tanh([STM, E]·W_n + b_n)
    ignore_factor   i = sigmoid([STM, E]·W_i + b_i)
    learned           = N ∘ i
    ```

    Its small networks are `gate.new_information` and `gate.ignore_factor`.

    Args:
        units: Positive integer, the size of the memories.
        activation: Squishes the new information. Default `"tanh"`.
        recurrent_activation: Squishes the ignore factor. Default
            `"sigmoid"`.
        **kwargs: As in `SmallNetwork`.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        dropout_masks: `None`, or masks as in `SmallNetwork`, by the name of
            the network.

    Returns:
        learned, `(batch, units)`.

    Raises:
        ValueError: if `units` is not a positive integer, or the number of
            features is unknown when the weights are made.

    Example:

    >>> learn_gate = LearnGate(3)
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> tuple(learn_gate(event, short_term_memory).shape)
    (2, 3)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        **kwargs: Any,
    ) -> None:
        activations = {
            "activation": activation,
            "recurrent_activation": recurrent_activation,
        }
        super().__init__(units, activations, **kwargs)
        self.ignore_factor = self._network(
            "ignore_factor", "recurrent_activation", block=0, of=2
        )
        self.new_information = self._network(
            "new_information", "activation", block=1, of=2
        )

    def build(
        self, event_shape: Shape, short_term_memory_shape: Shape | None = None
    ) -> None:
        self.ignore_factor.build(event_shape)
        self.new_information.build(event_shape)

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        masks = dropout_masks or {}
        new_information = self.new_information(
            event, short_term_memory, masks.get("new_information")
        )
        ignore_factor = self.ignore_factor(
            event, short_term_memory, masks.get("ignore_factor")
        )
        return new_information * ignore_factor


@register
class ForgetGate(_Gate):
    """Keeps of the long-term memory what is still useful.

    ```
    forget_factor f = sigmoid([STM, E]·W_f + b_f)
    kept            = LTM ∘ f
    ```

    Its small network is `gate.forget_factor`.

    Args:
        units: Positive integer, the size of the memories.
        recurrent_activation: Squishes the forget factor. Default
            `"sigmoid"`.
        **kwargs: As in `SmallNetwork`.

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

    >>> forget_gate = ForgetGate(3, bias_initializer="ones")
    >>> event, memory = np.ones((2, 5)), np.ones((2, 3))
    >>> tuple(forget_gate(event, memory, memory).shape)
    (2, 3)
    """

    def __init__(
        self, units: int, recurrent_activation: Any = "sigmoid", **kwargs: Any
    ) -> None:
        activations = {"recurrent_activation": recurrent_activation}
        super().__init__(units, activations, **kwargs)
        self.forget_factor = self._network(
            "forget_factor", "recurrent_activation", block=0, of=1
        )

    def build(
        self,
        event_shape: Shape,
        short_term_memory_shape: Shape | None = None,
        long_term_memory_shape: Shape | None = None,
    ) -> None:
        self.forget_factor.build(event_shape)

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        long_term_memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        masks = dropout_masks or {}
        forget_factor = self.forget_factor(
            event, short_term_memory, masks.get("forget_factor")
        )
        return long_term_memory * forget_factor


@register
class RememberGate(keras.layers.Layer):
    """Adds what was learned to what was kept: the new long-term memory.

    ```
    LTM = kept + learned
    ```

    It has no weights.

    Call arguments:
        kept: What the forget gate handed on, `(batch, units)`.
        learned: What the learn gate handed on, `(batch, units)`.

    Returns:
        The new long-term memory, `(batch, units)`.

    Example:

    >>> bool(keras.ops.all(RememberGate()(np.ones(3), np.ones(3)) == 2))
    True
    """

    def build(
        self, kept_shape: Shape, learned_shape: Shape | None = None
    ) -> None:
        """Has nothing to make."""

    def call(self, kept: Tensor, learned: Tensor) -> Tensor:
        return kept + learned


@register
class UseGate(_Gate):
    """Decides what of the memories to use: the new short-term memory.

    ```
    useful_memory U = tanh(memory·W_u + b_u)      variant="lesson"
                  U = tanh(memory)                variant="standard"
    use_factor    V = sigmoid([STM, E]·W_v + b_v)
    STM             = U ∘ V
    ```

    In the lesson, the memory it reads is what the forget gate kept; in the
    standard LSTM of the literature, the new long-term memory. Its small
    networks are `gate.use_factor` and, in the lesson, `gate.useful_memory`:
    a `keras.layers.Dense`.

    Args:
        units: Positive integer, the size of the memories.
        variant: `"lesson"` (default) or `"standard"`.
        activation: Squishes the useful memory. Default `"tanh"`.
        recurrent_activation: Squishes the use factor. Default `"sigmoid"`.
        **kwargs: As in `SmallNetwork`; the useful memory's kernel follows
            what is said of `kernel`.

    Call arguments:
        event: `(batch, features)`.
        short_term_memory: `(batch, units)`.
        memory: kept (lesson) or the new long-term memory (standard),
            `(batch, units)`.
        dropout_masks: As in `LearnGate`.

    Returns:
        The new short-term memory, `(batch, units)`.

    Raises:
        ValueError: if `variant` is neither of the two, `units` not a positive
            integer, or the number of features unknown.

    Example:

    >>> use_gate = UseGate(3)
    >>> event, short_term_memory = np.ones((2, 5)), np.zeros((2, 3))
    >>> kept = np.ones((2, 3))
    >>> tuple(use_gate(event, short_term_memory, kept).shape)
    (2, 3)
    """

    def __init__(
        self,
        units: int,
        variant: str = "lesson",
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        **kwargs: Any,
    ) -> None:
        activations = {
            "activation": activation,
            "recurrent_activation": recurrent_activation,
        }
        super().__init__(units, activations, **kwargs)
        self.variant = options.check_choice("variant", variant, VARIANTS)
        self.use_factor = self._network(
            "use_factor", "recurrent_activation", block=0, of=1
        )
        self.useful_memory = self._useful_memory()

    def _useful_memory(self) -> keras.layers.Layer:
        activation = self.activations["activation"]
        common = {"name": "useful_memory", **self.handed_down()}
        if self.variant == "standard":
            return keras.layers.Activation(activation, **common)
        # It reads no event: it starts from a draw of its own, not from a
        # share of the one that Keras makes for those that do.
        dense_options = {
            name: whole(value)
            for name, value in self.weight_options.items()
            if not name.startswith("recurrent_")
        }
        return keras.layers.Dense(
            self.units, activation, **dense_options, **common
        )

    def build(
        self,
        event_shape: Shape,
        short_term_memory_shape: Shape | None = None,
        memory_shape: Shape | None = None,
    ) -> None:
        self.use_factor.build(event_shape)
        self.useful_memory.build((None, self.units))

    def call(
        self,
        event: Tensor,
        short_term_memory: Tensor,
        memory: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Tensor:
        masks = dropout_masks or {}
        useful_memory = self.useful_memory(memory)
        use_factor = self.use_factor(
            event, short_term_memory, masks.get("use_factor")
        )
        return useful_memory * use_factor

    def get_config(self) -> options.Options:
        return {**super().get_config(), "variant": self.variant}
