"""The plain RNN of the lesson: one step (the cell), a sequence (the layer)."""

from typing import Any, Unpack

from keras_gatelstm.cell import CellOptions, GateCell
from keras_gatelstm.gates.gate import Activity, Masks, mask_of
from keras_gatelstm.network import (
    Network,
    Shape,
    SmallNetwork,
    Tensor,
    register,
)
from keras_gatelstm.sequence import GateSequence, SequenceOptions


@register
class GateRNNCell(GateCell):
    """One step of the lesson's plain RNN: one small network, one memory.

    ```
    memory M = tanh([M, E]·W + b)
    ```

    The memory is the prediction, and what the next step is given. Its small
    network is `cell.memory`.

    Args:
        units: Positive integer, the size of the memory.
        activation: Squishes the sum. Default `"tanh"`; `None` leaves it as
            it is.
        **kwargs: `use_bias`, the initializers, regularizers and constraints
            of the weights, `dropout`, `recurrent_dropout` and `seed`, as in
            `GateCell`; `name`, `dtype` and `trainable`, as in any Keras
            layer.

    Call arguments:
        inputs: The event, `(batch, features)`.
        states: The memory, `(batch, units)`, or a list of it.
        training: Boolean, whether to drop anything. Default `False`.

    Returns:
        `memory, states`: the output of the step, and what the next step is
        given.

    Raises:
        ValueError: if `units` is not a positive integer, or a dropout rate
            not between 0 and 1.

    Example:

    >>> cell = GateRNNCell(4)
    >>> output, memory = cell(np.ones((2, 3)), cell.get_initial_state(2))
    >>> tuple(output.shape)
    (2, 4)

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)",
        "Architecture of RNN".
        Elman, "Finding Structure in Time", 1990.
    """

    memories = ("memory",)
    networks = ("memory",)
    dropout_seed_first = True

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        **kwargs: Unpack[CellOptions],
    ) -> None:
        super().__init__(units, {"activation": activation}, **kwargs)
        self.memory = SmallNetwork(
            units,
            activation,
            **self.share("memory"),
            **self.handed_down(),
            name="memory",
        )

    def small_networks(self) -> list[Network]:
        return [self.memory]

    def build(self, inputs_shape: Shape, **_: Any) -> None:
        self.memory.build(inputs_shape)

    def activity(
        self,
        event: Tensor,
        *memories: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        (memory,) = memories
        masks = mask_of("memory", dropout_masks)
        return {"memory": self.memory.call(event, memory, dropout_masks=masks)}


@register
class GateRNN(GateSequence):
    """The lesson's plain RNN over a sequence: `keras.layers.SimpleRNN`.

    At each step the cell, `layer.cell`, takes the event and the memory to the
    output, which is the next memory; `GateRNNCell` has the equation. Takes
    every argument of `keras.layers.SimpleRNN`, with its meaning and its
    default, by name.

    Args:
        units: Positive integer, the size of the memory and of the output.
        activation: Squishes the sum. Default `"tanh"`.
        **kwargs: `use_bias`, the initializers, regularizers and constraints
            of the weights, `dropout`, `recurrent_dropout` and `seed`, as in
            `GateCell`; `activity_regularizer`, `return_sequences`,
            `return_state`, `go_backwards`, `stateful`, `unroll`, `use_cudnn`
            and `zero_output_for_mask`, as in `GateSequence`; `name`, `dtype`
            and `trainable`, as in any Keras layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: `None`, or the memory to start with, `(batch, units)`.
        mask: `None`, or booleans `(batch, time)`: at a step that is `False`,
            the memory stays as it is and the last output is repeated.
        training: Boolean, whether to drop anything.

    Returns:
        The last output, `(batch, units)`, or with `return_sequences=True`
        all of them, `(batch, time, units)`; with `return_state=True`, a tuple
        of it and the memory.

    Raises:
        ValueError: as `GateRNNCell`; if `use_cudnn` is none of its values;
            if called with another number of features than it was built for.

    Example:

    >>> model = keras.Sequential([GateRNN(8), keras.layers.Dense(1)])
    >>> tuple(model(np.ones((2, 5, 3))).shape)
    (2, 1)
    """

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        **kwargs: Unpack[SequenceOptions],
    ) -> None:
        cell_options = {"units": units, "activation": activation}
        super().__init__(GateRNNCell, cell_options, **kwargs)
