"""The forms of a LiteRT file: a model as a function that converts.

The weights are constants in it, and each recurrent layer runs in one of the
ways of `loops.py`.
"""

from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from keras_gatelstm.export import loops
from keras_gatelstm.export.inputs import call, input_specs
from keras_gatelstm.export.loops import FormError, why_not_fused
from keras_gatelstm.export.memories import carrying, memory_sizes
from keras_gatelstm.loops import Loop, looping, recurrent_layers
from keras_gatelstm.lstm import GateLSTMCell

FORMS = ("fused", "looped", "unrolled", "streaming")

# A file with more steps than these written out is large and slow to load.
MOST_UNROLLED = 256


Shapes = dict[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class Form:
    """A model in one of the forms, ready to be converted."""

    name: str
    why: str
    function: Any
    inputs: list[tf.TensorSpec]
    # In the signature, by name: shapes. Streaming only.
    memories: Shapes = field(default_factory=dict)
    fused_layers: int = 0


def form_of(
    model: keras.Model,
    form: str,
    batch_size: int | None,
    time_steps: int | None,
    quantize: str | None,
    micro: bool,
) -> Form:
    """The model in this form, or for `"auto"` in the best possible.

    Raises:
        FormError: if it cannot be in this form, or in any.
    """
    if form != "auto":
        return _traced(model, form, batch_size, time_steps, "as asked")
    refused = []
    for name, why in _by_merit(time_steps, quantize, micro):
        try:
            return _traced(model, name, batch_size, time_steps, why)
        except FormError as error:
            refused.append(f"{name}: {error}")
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
    fused_layers: list[str] = []
    loop = _loop(form, steps, fused_layers if fuses else None)
    inputs = input_specs(model, batch_size, steps)
    function = _function(model, loop, inputs, memories)
    try:
        function.get_concrete_function()
    except FormError:
        raise
    except ValueError as error:
        lines = str(error).strip().splitlines()
        raise FormError(
            f"{model.name} cannot be run on sequences of {steps or 'any'} "
            f"steps. Keras says: {lines[0] if lines else error!r}"
        ) from error
    return Form(form, why, function, inputs, memories, len(fused_layers))


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
        way = carrying(loop, before, after) if memories else loop
        with keras.StatelessScope(weights), looping(model, way):
            return {**call(model, list(given[: len(inputs)])), **after}

    return tf.function(serve, input_signature=specs, autograph=False)


def _loop(form: str, steps: int | None, fused_layers: list[str] | None) -> Loop:
    """How layers run. The names of those that fuse go into `fused_layers`."""
    written_out = loops.unrolled if steps else loops.looped
    if fused_layers is None:
        return loops.looped if form == "looped" else loops.unrolled
    names = fused_layers

    def fused_where_possible(
        layer: keras.layers.RNN, *args: Any, **kwargs: Any
    ) -> Any:
        if not isinstance(layer.cell, GateLSTMCell):
            return written_out(layer, *args, **kwargs)
        names.append(layer.name)
        return loops.fused(layer, *args, **kwargs)

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
