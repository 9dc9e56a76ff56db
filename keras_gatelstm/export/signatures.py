"""The signatures that a TensorFlow server finds in a SavedModel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from keras_gatelstm.export import loops
from keras_gatelstm.export.inputs import call, input_specs, output_names
from keras_gatelstm.export.loops import FormError
from keras_gatelstm.export.memories import carrying, memory_sizes
from keras_gatelstm.export.scaling import Scaling
from keras_gatelstm.loops import Loop, looping, recurrent_layers
from keras_gatelstm.recording import Recorded, recording, run_by_keras

Tensor = Any


@dataclass(frozen=True)
class Served:
    """A model as it is served: in the units of the one who asks.

    Args:
        model: A model that is `prepared`.
        scaling: Between the units outside and inside.
    """

    model: keras.Model
    scaling: Scaling

    def run(self, inputs: list[Tensor], loop: Loop) -> dict[str, Tensor]:
        """The outputs, by name, each recurrent layer run by the loop."""
        first, *rest = inputs
        with looping(self.model, loop):
            outputs = call(self.model, [self.scaling.into(first), *rest])
        return {
            name: self.scaling.out_of(value) for name, value in outputs.items()
        }


def serving_default(served: Served) -> Any:
    """Sequences to predictions."""
    return _function(
        lambda *inputs: served.run(list(inputs), run_by_keras),
        input_specs(served.model, None, None),
    )


def padded(served: Served) -> Any:
    """The same for rows of unlike lengths: each gives what it gives alone."""
    _check_recurrent(served)

    def serve(*given: Tensor) -> dict[str, Tensor]:
        *inputs, lengths = given
        valid = tf.sequence_mask(lengths, tf.shape(inputs[0])[1])
        return served.run(inputs, masked(run_by_keras, valid))

    length = tf.TensorSpec([None], tf.int32, name="lengths")
    return _function(serve, [*input_specs(served.model, None, None), length])


def masked(loop: Loop, valid: Tensor) -> Loop:
    """The same loop, on steps that are `valid`, `(batch, time)`."""

    def masked_loop(
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        both = valid if mask is None else tf.logical_and(mask, valid)
        return loop(layer, sequences, initial_state, both, training)

    return masked_loop


def step(served: Served) -> Any:
    """One event and the memories to a prediction and the memories after.

    Raises:
        FormError: if the model cannot be run step by step.
    """
    _check_recurrent(served)
    model = served.model
    sizes = memory_sizes(model)
    events = [
        tf.TensorSpec([None, *spec.shape[2:]], spec.dtype, name=spec.name)
        for spec in input_specs(model, None, None)
    ]
    memories = [
        tf.TensorSpec([None, size], model.compute_dtype, name=name)
        for name, size in sizes.items()
    ]
    # Those that have an axis of time: it has one step then.
    in_time = {
        name
        for name, tensor in zip(
            output_names(model),
            keras.tree.flatten(model.outputs),
            strict=True,
        )
        if len(tensor.shape) > 1 and tensor.shape[1] is None
    }

    def one_step(*given: Tensor) -> dict[str, Tensor]:
        before = dict(zip(sizes, given[len(events) :], strict=True))
        sequences = [event[:, tf.newaxis] for event in given[: len(events)]]
        after: dict[str, Tensor] = {}
        outputs = served.run(sequences, carrying(loops.unrolled, before, after))
        return {
            name: value[:, 0] if name in in_time else value
            for name, value in outputs.items()
        } | after

    return _function(one_step, [*events, *memories])


def gates(served: Served) -> Any:
    """Sequences to every quantity of every gate, `<layer>_<quantity>`."""
    _check_recurrent(served)

    def record(*inputs: Tensor) -> dict[str, Tensor]:
        recorded: Recorded = {}
        served.run(list(inputs), recording(recorded))
        return {
            f"{path.split('/')[-1]}_{name}": value
            for path, activity in recorded.items()
            for name, value in activity.items()
        }

    return _function(record, input_specs(served.model, None, None))


def _check_recurrent(served: Served) -> None:
    if not recurrent_layers(served.model):
        raise FormError("the model has no recurrent layer in it")


def _function(python_function: Callable[..., Any], signature: Any) -> Any:
    return tf.function(
        python_function, input_signature=signature, autograph=False
    )
