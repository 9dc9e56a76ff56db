"""Signatures of a SavedModel for TensorFlow Serving."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from keras_gatelstm.core.fast_loops import choose_loop
from keras_gatelstm.core.loops import (
    Loop,
    override_time_loop,
    recurrent_layers,
    run_by_keras,
)
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.errors import FormError
from keras_gatelstm.export.inputs import (
    call,
    input_specs,
    outputs_in_time,
    sequences_of,
)
from keras_gatelstm.export.memories import (
    memory_specs,
    merge_outputs,
    with_explicit_state,
)
from keras_gatelstm.export.serving.scaling import Scaling
from keras_gatelstm.export.time_loops import Result, next_step
from keras_gatelstm.inspect.recording import CellRecord, recording


@dataclass(frozen=True)
class Served:
    """A model that scales its first input and its outputs.

    Args:
        model: A model that `prepare` returned.
        scaling: The scaling between the client's units and the model's.
    """

    model: keras.Model
    scaling: Scaling

    def run(self, inputs: list[Tensor], loop: Loop) -> dict[str, Tensor]:
        """Run all recurrent layers by `loop`; return the outputs by name."""
        first, *rest = inputs
        with override_time_loop(self.model, loop):
            outputs = call(self.model, [self.scaling.into(first), *rest])
        return {
            name: self.scaling.out_of(value) for name, value in outputs.items()
        }


def serving_default(
    served: Served,
) -> tf.types.experimental.PolymorphicFunction:
    """Return the signature from sequences to predictions."""
    return _tf_function(
        lambda *inputs: served.run(list(inputs), by_batch_size),
        input_specs(served.model, None, None),
    )


def by_batch_size(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: list[Tensor],
    mask: Tensor | None,
    training: bool = False,
) -> Result:
    """Choose a single sequence's loop or Keras's when the signature runs."""
    single_row = sequences[:1]
    single_row.set_shape([1, *sequences.shape[1:]])
    if mask is not None or not choose_loop(layer, single_row, None, False):
        return run_by_keras(layer, sequences, initial_state, mask)

    def run(sequences: Tensor) -> Result:
        last, outputs, memories = run_by_keras(
            layer, sequences, initial_state, None
        )
        return last, outputs, list(keras.tree.flatten(memories))

    result: Result = tf.cond(
        tf.equal(tf.shape(sequences)[0], 1),
        lambda: run(single_row),
        lambda: run(sequences),
    )
    return result


def padded(served: Served) -> tf.types.experimental.PolymorphicFunction:
    """Return the signature for padded rows, with their lengths as inputs.

    A row's outputs are those of the row alone.

    Raises:
        FormError: if the model has no recurrent layer or no free time axis.
    """
    _check_recurrent(served)
    specs = input_specs(served.model, None, None)
    names = length_names(served.model)
    if not names:
        raise FormError("the model takes sequences of one length only")

    def serve(*given: Tensor) -> dict[str, Tensor]:
        inputs, lengths = list(given[: len(specs)]), given[len(specs) :]
        by_name = dict(zip((spec.name for spec in specs), inputs, strict=True))
        valid = {}
        for name, length in zip(names, lengths, strict=True):
            sequence = by_name[name]
            steps = tf.sequence_mask(length, tf.shape(sequence)[1])
            valid[sequence.ref()] = steps
        return served.run(inputs, masked(run_by_keras, valid))

    return _tf_function(
        serve,
        [
            *specs,
            *(tf.TensorSpec([None], tf.int32, it) for it in names.values()),
        ],
    )


def length_names(model: keras.Model) -> dict[str, str]:
    """Return, for each sequence input, the name of its lengths input."""
    sequences = [name for name, is_one in sequences_of(model).items() if is_one]
    if len(sequences) == 1:
        return {sequences[0]: "lengths"}
    return {name: f"{name}_lengths" for name in sequences}


# By `tensor.ref()`: the valid steps of a sequence, booleans `(batch, time)`, or
# `None` for a tensor without a time axis.
Steps = dict[Any, Tensor | None]


def masked(loop: Loop, valid: Steps) -> Loop:
    """Return a loop that masks padded steps and runs `loop`.

    Args:
        loop: The loop of the layers.
        valid: The valid steps of the model's inputs. Those of a layer are
            found from the inputs that its sequences are computed from.
    """
    valid = dict(valid)

    def masked_loop(
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: list[Tensor],
        mask: Tensor | None,
        training: bool = False,
    ) -> Result:
        steps = _find_valid_steps(sequences, valid)
        if steps is not None:
            mask = steps if mask is None else tf.logical_and(mask, steps)
        last, outputs, memories = loop(
            layer, sequences, initial_state, mask, training
        )
        for tensor in [last, *keras.tree.flatten(memories)]:
            valid[tensor.ref()] = None
        valid[outputs.ref()] = steps
        return last, outputs, memories

    return masked_loop


def _find_valid_steps(sequences: Tensor, valid: Steps) -> Tensor | None:
    """Return the steps valid in all sequences that a tensor comes from."""
    found: dict[int, Tensor] = {}
    seen: set[Any] = set()
    to_see = [sequences]
    while to_see:
        tensor = to_see.pop()
        if tensor.ref() in seen:
            continue
        seen.add(tensor.ref())
        if tensor.ref() not in valid:
            to_see.extend(tensor.op.inputs)
        elif valid[tensor.ref()] is not None:
            steps = valid[tensor.ref()]
            found[id(steps)] = steps
    if not found:
        return None
    first, *others = found.values()
    for other in others:
        first = tf.logical_and(first, other)
    return first


def step(served: Served) -> tf.types.experimental.PolymorphicFunction:
    """Return the signature of one step, with memories in and out.

    Raises:
        FormError: if the model cannot be run step by step.
    """
    _check_recurrent(served)
    model = served.model
    specs = memory_specs(model)
    in_sequence = sequences_of(model)
    events = [
        tf.TensorSpec([None, *spec.shape[2:]], spec.dtype, name=spec.name)
        if in_sequence[spec.name]
        else spec
        for spec in input_specs(model, None, None)
    ]
    memories = [
        tf.TensorSpec([None, spec.size], spec.dtype, name=name)
        for name, spec in specs.items()
    ]
    in_time = outputs_in_time(model)

    def one_step(*given: Tensor) -> dict[str, Tensor]:
        before = dict(zip(specs, given[len(events) :], strict=True))
        inputs = [
            event[:, tf.newaxis] if in_sequence[spec.name] else event
            for event, spec in zip(given, events, strict=False)
        ]
        after: dict[str, Tensor] = {}
        outputs = served.run(
            inputs, with_explicit_state(next_step, before, after)
        )
        predictions = {
            name: value[:, 0] if in_time[name] else value
            for name, value in outputs.items()
        }
        return merge_outputs(predictions, after)

    return _tf_function(one_step, [*events, *memories])


def gates(served: Served) -> tf.types.experimental.PolymorphicFunction:
    """Return the signature from sequences to all quantities of all gates.

    They are named `<layer>_<quantity>`; when a layer is used again,
    `<layer>_2_<quantity>`.
    """
    _check_recurrent(served)

    def record(*inputs: Tensor) -> dict[str, Tensor]:
        recorded: dict[str, Tensor] = {}
        uses: Counter[int] = Counter()

        def keep(
            layer: keras.layers.RNN,
            records: list[CellRecord],
            mask: Tensor | None,
        ) -> None:
            uses[id(layer)] += 1
            again = f"_{uses[id(layer)]}" if uses[id(layer)] > 1 else ""
            for cell, _, quantities in records:
                # Stacked cells share a layer: use each cell's own name.
                place = layer.name if len(records) == 1 else cell
                place += again
                for name, value in quantities.items():
                    if f"{place}_{name}" in recorded:
                        raise FormError(f"two layers are called {place}")
                    recorded[f"{place}_{name}"] = value

        served.run(list(inputs), recording(keep))
        return recorded

    return _tf_function(record, input_specs(served.model, None, None))


def _check_recurrent(served: Served) -> None:
    if not recurrent_layers(served.model):
        raise FormError("the model has no recurrent layer in it")


def _tf_function(
    python_function: Callable[..., dict[str, Tensor]],
    signature: list[tf.TensorSpec],
) -> tf.types.experimental.PolymorphicFunction:
    return tf.function(
        python_function, input_signature=signature, autograph=False
    )
