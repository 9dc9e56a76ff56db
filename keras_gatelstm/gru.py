"""The GRU: one step (the cell) and a sequence (the layer)."""

from typing import Any, Unpack

from keras_gatelstm import options
from keras_gatelstm.cell import CellOptions, GateCell
from keras_gatelstm.gates import Candidate, ResetGate, UpdateGate
from keras_gatelstm.gates.gate import Activity, Masks, mask_of
from keras_gatelstm.network import Network, Shape, Tensor, register
from keras_gatelstm.sequence import GateSequence, SequenceOptions


@register
class GateGRUCell(GateCell):
    """One step of the GRU: two gates, a candidate, one memory.

    ```
    r         = reset_gate(E, M)                sigmoid([M, E]·W_r + b_r)
    candidate = candidate(E, M, r)              tanh([r ∘ M, E]·W + b)
    M         = update_gate(E, M, candidate)    z ∘ M + (1 - z) ∘ candidate
    ```

    with the update factor `z = sigmoid([M, E]·W_z + b_z)`. So it is with
    `reset_after=False`; with `reset_after=True`, `r` multiplies what the
    matrix makes of the memory: `Candidate` has both. The gates are
    `cell.reset_gate`, `cell.candidate` and `cell.update_gate`.

    Args:
        units: Positive integer, the size of the memory.
        activation: Squishes the candidate. Default `"tanh"`; `None` leaves
            it as it is.
        recurrent_activation: Squishes the update and reset factors. Default
            `"sigmoid"`.
        reset_after: Boolean, whether to reset after the matrix has been
            multiplied by, as in cuDNN and PyTorch, or before. Default `True`:
            every network then has two biases, as in `keras.layers.GRU`, the
            event's and the memory's.
        implementation: Accepted as in `keras.layers.GRUCell`, and ignored.
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

    >>> cell = GateGRUCell(4)
    >>> output, memory = cell(np.ones((2, 3)), cell.get_initial_state(2))
    >>> tuple(output.shape)
    (2, 4)

    References:
        Michael Guerzhoy, notes of CSC321, "Gated RNNs", which the lesson
        points at.
        Cho et al., "Learning Phrase Representations using RNN
        Encoder-Decoder", 2014, section 2.3.
    """

    memories = ("memory",)
    networks = ("update_factor", "reset_factor", "candidate")

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        reset_after: bool = True,
        implementation: int = 2,
        **kwargs: Unpack[CellOptions],
    ) -> None:
        activations = {
            "activation": activation,
            "recurrent_activation": recurrent_activation,
        }
        super().__init__(units, activations, **kwargs)
        self.reset_after = options.check_choice(
            "reset_after", reset_after, (True, False)
        )
        self.update_gate = UpdateGate(
            units,
            recurrent_activation,
            recurrent_bias=reset_after,
            **self.share("update_factor"),
            **self.handed_down(),
            name="update_gate",
        )
        self.reset_gate = ResetGate(
            units,
            recurrent_activation,
            recurrent_bias=reset_after,
            **self.share("reset_factor"),
            **self.handed_down(),
            name="reset_gate",
        )
        self.candidate = Candidate(
            units,
            activation,
            reset_after=reset_after,
            **self.share("candidate"),
            **self.handed_down(),
            name="candidate",
        )

    def small_networks(self) -> list[Network]:
        return [
            self.update_gate.update_factor,
            self.reset_gate.reset_factor,
            self.candidate,
        ]

    def build(self, inputs_shape: Shape, **_: Any) -> None:
        self.update_gate.build(inputs_shape)
        self.reset_gate.build(inputs_shape)
        self.candidate.build(inputs_shape)

    def activity(
        self,
        event: Tensor,
        *memories: Tensor,
        dropout_masks: Masks | None = None,
    ) -> Activity:
        (memory,) = memories
        reset = self.reset_gate.activity(event, memory, dropout_masks)
        candidate = self.candidate.call(
            event,
            memory,
            reset["reset_factor"],
            mask_of("candidate", dropout_masks),
        )
        update = self.update_gate.activity(
            event, memory, candidate, dropout_masks
        )
        return {**reset, "candidate": candidate, **update}

    def get_config(self) -> options.Options:
        return {**super().get_config(), "reset_after": self.reset_after}


@register
class GateGRU(GateSequence):
    """The GRU over a sequence; `keras.layers.GRU` with gates.

    At each step the cell, `layer.cell`, takes the event and the memory to the
    output, which is the next memory; `GateGRUCell` has the equations. Takes
    every argument of `keras.layers.GRU`, with its meaning and its default, by
    name.

    Args:
        units: Positive integer, the size of the memory and of the output.
        activation: Squishes the candidate. Default `"tanh"`.
        recurrent_activation: Squishes the update and reset factors. Default
            `"sigmoid"`.
        reset_after: As in `GateGRUCell`. Default `True`.
        implementation: Accepted as in `keras.layers.GRU`, and ignored.
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
        ValueError: as `GateGRUCell`; if `use_cudnn` is none of its values;
            if called with another number of features than it was built for.

    Example:

    >>> model = keras.Sequential([GateGRU(8), keras.layers.Dense(1)])
    >>> tuple(model(np.ones((2, 5, 3))).shape)
    (2, 1)
    """

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        reset_after: bool = True,
        implementation: int = 2,
        **kwargs: Unpack[SequenceOptions],
    ) -> None:
        cell_options = {
            "units": units,
            "activation": activation,
            "recurrent_activation": recurrent_activation,
            "reset_after": reset_after,
        }
        super().__init__(GateGRUCell, cell_options, **kwargs)
