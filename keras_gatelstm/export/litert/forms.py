"""The forms of a LiteRT file: a model as a function that converts.

The weights are constants in it, and each recurrent layer runs in one of the
ways of `loops.py`.
"""

from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from keras_gatelstm.core.loops import Loop, override_time_loop, recurrent_layers
from keras_gatelstm.export import time_loops
from keras_gatelstm.export.errors import FormError
from keras_gatelstm.export.inputs import (
    call,
    first_line,
    input_specs,
    sequences_of,
)
from keras_gatelstm.export.litert import fused
from keras_gatelstm.export.litert.fused import why_not_fused
from keras_gatelstm.export.memories import (
    memory_sizes,
    merge_outputs,
    with_explicit_state,
)
from keras_gatelstm.lstm import GateLSTMCell

FORMS = ("fused", "looped", "unrolled", "streaming")

# A file with more steps than these written out is large and slow to load.
MOST_UNROLLED = 256


# Measured on a trained model: 0.15 of the outputs' range, against 0.006.
# One scale for all numbers of an input is none for an event that empties.
_NO_EMPTYING_IN_INT8 = (
    "in int8 a fused file cannot empty its memories by itself. Take "
    '"unrolled", or carry_state=True and reset the file before each sequence'
)
_NOTHING_CARRIED = (
    "carry_state=True needs memories inside the file, which looped and "
    'unrolled ones have not. Take "fused", or "streaming"'
)
_NO_LOOPS_IN_INT8 = (
    "a layer cannot be looped in int8: the ranges that the converter takes "
    'from examples lose too much there. Take "unrolled" or "streaming"'
)

Shapes = dict[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class Form:
    """A model in one of the forms, ready to be converted."""

    name: str
    why: str
    function: Any
    inputs: list[tf.TensorSpec]
    # Those of the inputs that have an axis of time, of any length in Keras.
    sequences: list[str]
    # In the signature, by name: shapes. Streaming only.
    memories: Shapes = field(default_factory=dict)
    fused_layers: int = 0
    # Whether memories inside the file stay from call to call.
    carries: bool = False


def form_of(
    model: keras.Model,
    form: str,
    batch_size: int | None,
    time_steps: int | None,
    quantize: str | None,
    micro: bool,
    carry_state: bool = False,
) -> Form:
    """The model in this form, or for `"auto"` in the best possible.

    Raises:
        FormError: if it cannot be in this form, or in any.
    """
    excluded = {}
    if quantize == "int8":
        excluded["looped"] = _NO_LOOPS_IN_INT8
        if not carry_state:
            excluded["fused"] = _NO_EMPTYING_IN_INT8
    if carry_state:
        excluded |= dict.fromkeys(("looped", "unrolled"), _NOTHING_CARRIED)
    sizes = batch_size, time_steps, carry_state
    if form in excluded:
        raise FormError(excluded[form])
    if form != "auto":
        return _traced(model, form, *sizes, "as asked")
    refused = []
    for name, why in _by_merit(time_steps, quantize, micro):
        if name in excluded:
            continue
        try:
            return _traced(model, name, *sizes, why)
        except FormError as error:
            refused.append(f"{name}: {error}")
    refused += [f"{name}: {why}" for name, why in excluded.items()]
    raise FormError(f"no form is possible. {'; '.join(refused)}")


def _by_merit(
    time_steps: int | None, quantize: str | None, micro: bool
) -> list[tuple[str, str]]:
    """Forms and reasons, the best first."""
    fused = ("fused", "LiteRT's own LSTM operator: fast, and the smallest")
    looped = ("looped", "the steps are too many to write out, or not known")
    unrolled = ("unrolled", "the fastest without LiteRT's own LSTM operator")
    if time_steps is None or (time_steps > MOST_UNROLLED and not micro):
        order = [fused, looped]
    elif quantize == "int8" and not micro:
        # LiteRT's integer LSTM operator has no fast code for CPUs.
        order = [("unrolled", "the fastest in int8 on a CPU"), fused]
    else:
        order = [fused, unrolled, looped]
    # LiteRT for Microcontrollers lacks operators that the loop needs.
    return [it for it in order if not (micro and it is looped)]


def _traced(
    model: keras.Model,
    form: str,
    batch_size: int | None,
    time_steps: int | None,
    carry_state: bool,
    why: str,
) -> Form:
    layers = recurrent_layers(model)
    if not layers:
        raise FormError(f"{model.name} has no recurrent layer in it")
    steps = 1 if form == "streaming" else time_steps
    if form == "looped":  # Of known sizes, the converter crashes on some.
        batch_size = steps = None
    if form == "fused":
        _check_fused(layers, batch_size)
    inside = not any(map(why_not_fused, layers)) and batch_size is not None
    memories: Shapes = {}
    if form == "streaming":
        sizes = memory_sizes(model)
        if not inside:
            memories = {name: (batch_size, sizes[name]) for name in sizes}
    fuses = form == "fused" or (form == "streaming" and inside)
    carries = fuses and (form == "streaming" or carry_state)
    fused_layers: list[str] = []
    operator = fused.fused if carries else fused.fused_from_empty
    loop = _loop(form, steps)
    if fuses:
        loop = _fusing(loop, operator, fused_layers)
    inputs = input_specs(model, batch_size, steps)
    function = _function(model, loop, inputs, memories)
    try:
        concrete = function.get_concrete_function()
    except FormError:
        raise
    except ValueError as error:
        raise FormError(
            f"{model.name} cannot be run on sequences of {steps or 'any'} "
            f"steps. Keras says: {first_line(error)}"
        ) from error
    return Form(
        form,
        why,
        concrete,
        inputs,
        [name for name, is_one in sequences_of(model).items() if is_one],
        memories,
        len(fused_layers),
        carries,
    )


def _function(
    model: keras.Model,
    loop: Loop,
    inputs: list[tf.TensorSpec],
    memories: Shapes,
) -> Any:
    """The model on these inputs and memories, its weights as constants."""
    specs = inputs + [
        tf.TensorSpec(shape, tf.float32, name=name)
        for name, shape in memories.items()
    ]
    weights = [(it, tf.constant(it.numpy())) for it in model.variables]

    def serve(*given: Any) -> dict[str, Any]:
        before = dict(zip(memories, given[len(inputs) :], strict=True))
        after: dict[str, Any] = {}
        way = with_explicit_state(loop, before, after) if memories else loop
        with keras.StatelessScope(weights), override_time_loop(model, way):
            return merge_outputs(call(model, list(given[: len(inputs)])), after)

    return tf.function(serve, input_signature=specs, autograph=False)


def _loop(form: str, steps: int | None) -> Loop:
    """Return the time loop of a form; in a fused file, of the other layers."""
    ways: dict[str, Loop] = {
        "fused": time_loops.unrolled if steps else time_loops.looped,
        "looped": time_loops.looped,
        "unrolled": time_loops.unrolled,
        "streaming": time_loops.next_step,
    }
    return ways[form]


def _fusing(others: Loop, operator: Loop, names: list[str]) -> Loop:
    """LSTMs by the operator, whose names go into `names`; others by `others`.

    Args:
        others: How layers run that are no LSTM.
        operator: How LSTMs run.
        names: Where the names of the fused layers are noted.
    """

    def fused_where_possible(
        layer: keras.layers.RNN, *args: Any, **kwargs: Any
    ) -> Any:
        if not isinstance(layer.cell, GateLSTMCell):
            return others(layer, *args, **kwargs)
        names.append(layer.name)
        return operator(layer, *args, **kwargs)

    return fused_where_possible


def _check_fused(
    layers: list[keras.layers.RNN], batch_size: int | None
) -> None:
    """Says which LSTM cannot be fused, before another layer has its say."""
    if batch_size is None:
        raise FormError("the fused operator needs a fixed batch_size")
    lstms = [it for it in layers if isinstance(it.cell, GateLSTMCell)]
    for layer in lstms or layers[:1]:
        reason = why_not_fused(layer)
        if reason:
            raise FormError(f"{layer.name} cannot be fused: {reason}")
