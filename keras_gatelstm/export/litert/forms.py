"""Forms of a LiteRT file: a model as a TF function that can be converted.

Weights become constants, and each recurrent layer runs by one of the loops of
`time_loops.py` or `fused.py`.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field

import keras
import tensorflow as tf

from keras_gatelstm.core.loops import Loop, override_time_loop, recurrent_layers
from keras_gatelstm.core.types import Shape, Tensor
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
from keras_gatelstm.export.litert.gates import hold_inputs, with_gates
from keras_gatelstm.export.memories import (
    memory_sizes,
    merge_outputs,
    with_explicit_state,
)
from keras_gatelstm.export.time_loops import Result
from keras_gatelstm.lstm import GateLSTMCell

FORMS = ("fused", "looped", "unrolled", "streaming")

# With more steps written out, a file is large and slow to load.
MOST_UNROLLED = 256


# Measured on a trained model: an error of 0.15 of the outputs' range, against
# 0.006. An input has one scale, and the large number of the event that shuts
# the gates would leave too little precision for the others.
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
_NO_GATES_IN_INT8 = (
    "in int8 no gate can be held: there is no NaN for the units to leave "
    'alone. Take quantize="dynamic" or "float16"'
)

Shapes = dict[str, Shape]


@dataclass(frozen=True)
class Form:
    """A model in one of the forms, traced and ready to be converted."""

    name: str
    why: str
    function: tf.types.experimental.ConcreteFunction
    inputs: list[tf.TensorSpec]
    # Names of the inputs with a time axis of free length in Keras.
    sequences: list[str]
    # Shapes of the memories in the signature. Streaming only.
    memories: Shapes = field(default_factory=dict)
    # Sizes of the inputs that hold quantities. Streaming with gates only.
    holds: dict[str, int] = field(default_factory=dict)
    fused_layers: int = 0
    # Whether memories inside the file stay from call to call.
    carries: bool = False


@dataclass(frozen=True)
class FormSettings:
    """Options of `export_litert` that decide which forms are possible."""

    batch_size: int | None
    time_steps: int | None
    quantize: str | None = None
    micro: bool = False
    carry_state: bool = False
    gates: bool = False


def form_of(model: keras.Model, form: str, settings: FormSettings) -> Form:
    """Trace the model in this form, or for `"auto"` in the best possible.

    Raises:
        FormError: if this form, or every form, is impossible.
    """
    excluded = {}
    if settings.quantize == "int8":
        excluded["looped"] = _NO_LOOPS_IN_INT8
        if not settings.carry_state:
            excluded["fused"] = _NO_EMPTYING_IN_INT8
    if settings.carry_state:
        excluded |= dict.fromkeys(("looped", "unrolled"), _NOTHING_CARRIED)
    if settings.gates:
        if settings.quantize == "int8":
            raise FormError(_NO_GATES_IN_INT8)
        if form != "streaming":
            raise FormError(f'gates=True needs form="streaming", not {form!r}')
    if form in excluded:
        raise FormError(excluded[form])
    if form != "auto":
        return _trace(model, form, settings, "as asked")
    refused: dict[str, str] = {}
    for name, why in _ranked_forms(settings):
        if name in excluded:
            continue
        if name == "looped" and "unrolled" in refused:
            why = f"not unrolled: {refused['unrolled']}"
        try:
            return _trace(model, name, settings, why)
        except FormError as error:
            refused[name] = str(error)
    reasons = [f"{name}: {why}" for name, why in (refused | excluded).items()]
    raise FormError(f"no form is possible. {'; '.join(reasons)}")


def _ranked_forms(settings: FormSettings) -> list[tuple[str, str]]:
    """Return forms and why each is chosen, the best first."""
    time_steps, micro = settings.time_steps, settings.micro
    fused = ("fused", "LiteRT's own LSTM operator: fast, and the smallest")
    many = f"more than {MOST_UNROLLED} steps are too many to write out"
    looped = ("looped", many if time_steps else "for any number of steps")
    unrolled = ("unrolled", "the fastest without LiteRT's own LSTM operator")
    if time_steps is None or (time_steps > MOST_UNROLLED and not micro):
        order = [fused, looped]
    elif settings.quantize == "int8" and not micro:
        # LiteRT's integer LSTM operator has no fast code for CPUs.
        order = [("unrolled", "the fastest in int8 on a CPU"), fused]
    else:
        order = [fused, unrolled, looped]
    # LiteRT for Microcontrollers lacks operators that the loop needs.
    return [it for it in order if not (micro and it is looped)]


def _trace(
    model: keras.Model, form: str, settings: FormSettings, why: str
) -> Form:
    layers = recurrent_layers(model)
    if not layers:
        raise FormError(f"{model.name} has no recurrent layer in it")
    batch_size = settings.batch_size
    steps = 1 if form == "streaming" else settings.time_steps
    if form == "looped":  # The converter crashes on some known sizes.
        batch_size = steps = None
    if form == "fused":
        _check_fused(layers, batch_size)
    inside = (
        not settings.gates
        and not any(map(why_not_fused, layers))
        and batch_size is not None
    )
    memories: Shapes = {}
    holds = hold_inputs(model) if settings.gates else {}
    if form == "streaming":
        sizes = memory_sizes(model)
        if not inside:
            memories = {name: (batch_size, sizes[name]) for name in sizes}
    fuses = form == "fused" or (form == "streaming" and inside)
    carries = fuses and (form == "streaming" or settings.carry_state)
    fused_layers: list[str] = []
    operator = fused.fused if carries else fused.fused_from_empty
    loop = _loop(form, steps)
    if fuses:
        loop = _fuse_lstms(loop, operator, fused_layers)
    inputs = input_specs(model, batch_size, steps)
    function = _tf_function(
        model,
        loop,
        inputs,
        memories,
        {name: (batch_size, size) for name, size in holds.items()},
    )
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
        holds,
        len(fused_layers),
        carries,
    )


def _tf_function(
    model: keras.Model,
    loop: Loop,
    inputs: list[tf.TensorSpec],
    memories: Shapes,
    holds: Shapes,
) -> tf.types.experimental.PolymorphicFunction:
    """Return the model as a function, its weights as constants."""
    specs = inputs + [
        tf.TensorSpec(shape, tf.float32, name=name)
        for name, shape in {**memories, **holds}.items()
    ]
    weights = [(it, tf.constant(it.numpy())) for it in model.variables]

    def serve(*given: Tensor) -> dict[str, Tensor]:
        before = dict(zip(memories, given[len(inputs) :], strict=False))
        held = dict(
            zip(holds, given[len(inputs) + len(memories) :], strict=True)
        )
        after: dict[str, Tensor] = {}
        run = with_explicit_state(loop, before, after) if memories else loop
        with ExitStack() as stack:
            stack.enter_context(keras.StatelessScope(weights))
            stack.enter_context(override_time_loop(model, run))
            recorded: dict[str, Tensor] = {}
            if holds:
                recorded = stack.enter_context(with_gates(model, held))
            outputs = call(model, list(given[: len(inputs)]))
            # At a masked step, the memories are not those of the record.
            return merge_outputs(outputs, {**recorded, **after})

    return tf.function(serve, input_signature=specs, autograph=False)


def _loop(form: str, steps: int | None) -> Loop:
    """Return the time loop of a form; for fused, of layers not fused."""
    loops: dict[str, Loop] = {
        "fused": time_loops.unrolled if steps else time_loops.looped,
        "looped": time_loops.looped,
        "unrolled": time_loops.unrolled,
        "streaming": time_loops.next_step,
    }
    return loops[form]


def _fuse_lstms(others: Loop, operator: Loop, names: list[str]) -> Loop:
    """Return a loop that runs LSTMs by `operator`, other layers by `others`.

    Args:
        others: The loop of layers that are not LSTMs.
        operator: The loop of LSTMs.
        names: List to append the names of fused layers to.
    """

    def fused_where_possible(
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: list[Tensor],
        mask: Tensor | None,
        training: bool = False,
    ) -> Result:
        arguments = sequences, initial_state, mask, training
        if not isinstance(layer.cell, GateLSTMCell):
            return others(layer, *arguments)
        names.append(layer.name)
        return operator(layer, *arguments)

    return fused_where_possible


def _check_fused(
    layers: list[keras.layers.RNN], batch_size: int | None
) -> None:
    """Raise a `FormError` for the first LSTM that cannot be fused."""
    if batch_size is None:
        raise FormError("the fused operator needs a fixed batch_size")
    lstms = [it for it in layers if isinstance(it.cell, GateLSTMCell)]
    for layer in lstms or layers[:1]:
        reason = why_not_fused(layer)
        if reason:
            raise FormError(f"{layer.name} cannot be fused: {reason}")
