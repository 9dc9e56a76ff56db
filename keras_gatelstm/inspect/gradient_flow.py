"""Gradient flow: how far back in time the gradient of a loss reaches."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.loops import (
    layers_by_path,
    override_time_loop,
    run_by_keras,
)
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell, has_gates
from keras_gatelstm.inspect.gradients import (
    gradients_of,
    no_gradients,
    prepare,
    stateless_loss,
)
from keras_gatelstm.inspect.recording import cells_of


def gradient_flow(
    model: keras.Model,
    inputs: object,
    targets: object,
    sample_weight: Tensor | None = None,
) -> dict[str, np.ndarray]:
    """Return the norm of the loss's gradient by each memory, at each step.

    ```
    norm_t = sqrt(sum of the squares of dLoss/dMemory_t, over the units)
    ```

    This is the total gradient, along every path from the memory after step
    `t` to the loss. Where it vanishes step by step back in time, as in a
    plain RNN, the model cannot learn from events that far back.

    Works on `GateLSTM`, `GateGRU` and `GateRNN`, and on `keras.layers.LSTM`,
    `GRU` and `SimpleRNN`. Dropout is off, and the model is not changed.

    Args:
        model: A compiled model.
        inputs: The model's inputs.
        targets: The targets of its loss.
        sample_weight: As in `model.fit`. For the loss of the last step alone,
            of a model with an output at each step, `(batch, time)` with 0
            everywhere else. Default: all equal.

    Returns:
        Norms `(batch, time)`, in the order of the input's time, by
        `layer/memory`: `short_term_memory` and `long_term_memory` of an LSTM,
        `memory` of the others. Cells stacked in one layer have their names in
        between; the second use of a layer has `:2` after its path. At a
        masked step the norm is 0.

    Raises:
        ValueError: if the model is not compiled with a loss, or has no gates.

    References:
        Bengio, Simard and Frasconi, "Learning Long-Term Dependencies with
        Gradient Descent is Difficult", 1994.

    Example:

    >>> from keras_gatelstm.inspect.gradient_flow import gradient_flow
    >>> model = keras.Sequential([keras.Input((9, 3)), GateLSTM(4, name="it")])
    >>> model.compile(loss="mse")
    >>> flow = gradient_flow(model, np.ones((2, 9, 3)), np.ones((2, 4)))
    >>> {memory: norms.shape for memory, norms in flow.items()}
    {'it/short_term_memory': (2, 9), 'it/long_term_memory': (2, 9)}
    """
    prepare(model, inputs)

    def loss_of(added: list[Tensor]) -> Tensor:
        with override_time_loop(model, _AddingLoop(model, added).loop):
            return stateless_loss(
                model, inputs, targets, sample_weight=sample_weight
            )

    zeros = _AddingLoop(model)
    with no_gradients(), override_time_loop(model, zeros.loop):
        stateless_loss(model, inputs, targets)
    if not zeros.memories:
        raise ValueError(f"{model.name} has no layer with gates.")
    gradients = gradients_of(loss_of, zeros.added)
    return {
        memory.path: np.sqrt(np.sum(part.astype("float64") ** 2, axis=-1))
        for memories, gradient in zip(zeros.memories, gradients, strict=True)
        for memory, part in _split_by_memory(memories, gradient)
    }


@dataclass(frozen=True)
class _Memory:
    path: str
    size: int


class _AddingLoop:
    """Loop that adds an input to each memory after each step.

    The inputs are zeros, so the outputs do not change, and the gradient of
    the loss by the input of a step equals the gradient by the memory.

    Args:
        model: The model whose layers are run.
        added: The inputs, `(batch, time, units of all memories)`, for each
            run of a layer in turn. Default: zeros, made in each run.

    Attributes:
        added: As above.
        memories: The memories that each run of a layer added to.
    """

    def __init__(
        self, model: keras.Model, added: list[Tensor] | None = None
    ) -> None:
        paths = layers_by_path(model)
        self.paths = {id(layer): path for path, layer in paths.items()}
        self.runs = dict.fromkeys(paths, 0)
        self.made = added is None
        self.added: list[Tensor] = [] if added is None else added
        self.memories: list[list[_Memory]] = []

    def loop(
        self,
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        """Run a layer, as a loop of `override_time_loop`."""
        memories = list(self._memories_of(layer))
        if not memories:
            return run_by_keras(layer, sequences, initial_state, mask, training)
        self.memories.append(memories)
        if self.made:
            size = sum(memory.size for memory in memories)
            self.added.append(
                ops.zeros((*sequences.shape[:2], size), sequences.dtype)
            )
        run = keras.layers.RNN(
            _AddingCell(layer, initial_state, sequences.shape[-1]),
            return_sequences=True,
            return_state=True,
            go_backwards=layer.go_backwards,
            unroll=layer.unroll,
            zero_output_for_mask=layer.zero_output_for_mask,
            dtype=layer.dtype_policy,
        )
        added = self.added[len(self.memories) - 1]
        outputs, *after = run(
            ops.concatenate([sequences, added], axis=-1),
            keras.tree.flatten(initial_state),
            mask=mask,
            training=training,
        )
        after = keras.tree.pack_sequence_as(initial_state, after)
        return outputs[:, -1], outputs, after

    def _memories_of(self, layer: keras.layers.RNN) -> Iterator[_Memory]:
        path = self.paths[id(layer)]
        self.runs[path] += 1
        if self.runs[path] > 1:
            path += f":{self.runs[path]}"
        cells = cells_of(layer)
        for cell in filter(has_gates, cells):
            inside = path if len(cells) == 1 else f"{path}/{cell.name}"
            gates = as_gate_cell(cell)
            for name in gates.anatomy.memories:
                yield _Memory(f"{inside}/{name}", gates.units)


class _AddingCell(keras.layers.Layer):
    """Cell that runs a layer's cell, and adds an input to each memory.

    Its event is the layer's, with the inputs to add beside it.
    """

    def __init__(
        self, layer: keras.layers.RNN, states: Any, features: int
    ) -> None:
        super().__init__(dtype=layer.cell.dtype_policy)
        self.cells = cells_of(layer)
        self.stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
        self.states = keras.tree.map_structure(lambda _: 0, states)
        self.state_size = [it.shape[-1] for it in keras.tree.flatten(states)]
        self.features = features

    def build(self, *_: object) -> None:
        """Do nothing: the cells are built."""

    def call(
        self, inputs: Tensor, states: list[Tensor], training: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        states = keras.tree.pack_sequence_as(self.states, list(states))
        output, place = inputs[..., : self.features], self.features
        after: list[Tensor] = []
        of_cells = states if self.stacked else [states]
        for cell, before in zip(self.cells, of_cells, strict=True):
            output, new = cell(output, before, training=training)
            new = keras.tree.flatten(new)
            if has_gates(cell):
                for number, memory in enumerate(new):
                    end = place + memory.shape[-1]
                    new[number] = memory + inputs[..., place:end]
                    place = end
                output = new[0]
            after += new
        return output, after


def _split_by_memory(
    memories: list[_Memory], gradient: np.ndarray
) -> Iterator[tuple[_Memory, np.ndarray]]:
    ends = list(accumulate(memory.size for memory in memories))
    return zip(memories, np.split(gradient, ends[:-1], axis=-1), strict=True)
