"""A copy of a Keras layer or model, with some layers' configs translated."""

import inspect
import tempfile
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import keras
import numpy as np

from keras_gatelstm.cell import GateCell
from keras_gatelstm.convert.fused import fused_weights, set_fused_weights
from keras_gatelstm.keras_internals import layers_inside, set_seed
from keras_gatelstm.options import Options

Layer = TypeVar("Layer", bound=keras.layers.Layer)
Part: TypeAlias = keras.layers.Layer


def parts_of(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layer, and all layers in it at any depth."""
    return [layer, *layers_inside(layer, recursive=True)]


def copied(original: Layer, translate: Callable[[Options], Options]) -> Layer:
    """Makes a layer anew from its config, and carries over what it has learnt.

    Args:
        original: A layer or a model.
        translate: From the config of any object in it, as
            `keras.saving.serialize_keras_object` gives it, to the config of
            what stands in its place.

    Raises:
        ValueError: if a layer in it cannot be made from its config.
    """
    try:
        with warnings.catch_warnings():
            # Lambdas are read back in a moment, in this very process.
            warnings.filterwarnings("ignore", "The object being serialized")
            config = keras.saving.serialize_keras_object(original)
        copy = keras.saving.deserialize_keras_object(
            _walk(config, translate),
            custom_objects=_custom_objects(original),
            safe_mode=False,
        )
    except (NameError, NotImplementedError, TypeError) as error:
        raise ValueError(
            f"{original.name} cannot be copied: a layer in it cannot be made "
            f"from its config. {error}"
        ) from error
    for one, other in _pairs(original, copy).values():
        _carry_state(one, other)
    for one, other in zip(_seeds(original), _seeds(copy), strict=True):
        other.assign(_numbers_of(one))
    return copy


def _walk(config: Any, translate: Callable[[Options], Options]) -> Any:
    """The config with every object in it translated, innermost first."""
    if isinstance(config, list | tuple):
        return type(config)(_walk(item, translate) for item in config)
    if not isinstance(config, dict):
        return config
    config = {key: _walk(item, translate) for key, item in config.items()}
    return translate(config) if "class_name" in config else config


def _custom_objects(original: keras.layers.Layer) -> dict[str, Any]:
    """The classes and functions in use that are not Keras's, by their names.

    Keras finds those by itself that are registered; here they are at hand.
    """
    found = {}
    for part in parts_of(original):
        for thing in (part, *vars(part).values()):
            made = thing if inspect.isfunction(thing) else type(thing)
            if hasattr(made, "from_config") or inspect.isfunction(made):
                found[made.__name__] = made
    return {
        name: made
        for name, made in found.items()
        if not made.__module__.startswith("keras.")
    }


def _pairs(original: Part, copy: Part) -> dict[int, tuple[Part, Part]]:
    """Every layer in one with the layer that it became in the other."""
    pairs = {id(original): (original, copy)}
    if not _is_converted_cell(original, copy):
        inside = layers_inside(original), layers_inside(copy)
        for parts in zip(*inside, strict=True):
            for key, (one, other) in _pairs(*parts).items():
                if pairs.setdefault(key, (one, other))[1] is not other:
                    raise ValueError(
                        f"{original.name} cannot be copied: {one.name} is "
                        "used by two models in it, which Keras makes into "
                        "two layers. Use it in one, and that one twice."
                    )
    return pairs


def _is_converted_cell(original: Part, copy: Part) -> bool:
    return isinstance(original, GateCell) != isinstance(copy, GateCell)


def _carry_state(original: Part, copy: Part) -> None:
    """Carries what is a layer's own, the way Keras saves and loads it."""
    if hasattr(copy, "use_cudnn"):  # Keras's configs leave it out.
        copy.use_cudnn = getattr(original, "use_cudnn", "auto")
    if _is_converted_cell(original, copy):
        copy.seed = original.seed  # SimpleRNN's config leaves it out.
        set_seed(copy.seed_generator, original.seed)
        if isinstance(copy, GateCell):
            set_fused_weights(copy, original.get_weights())
        elif original.built:
            copy.set_weights(fused_weights(original))
        return
    store: dict[str, Any] = {}
    original.save_own_variables(store)
    copy.load_own_variables({key: _numbers_of(store[key]) for key in store})
    if hasattr(original, "save_assets"):  # Vocabularies.
        with tempfile.TemporaryDirectory() as folder:
            original.save_assets(folder)
            copy.load_assets(folder)
    if isinstance(original, keras.layers.RNN) and original.states is not None:
        memories = (keras.tree.flatten(it.states) for it in (original, copy))
        for one, other in zip(*memories, strict=True):
            other.assign(_numbers_of(one))


def _numbers_of(tensor: Any) -> np.ndarray:
    """A copy of its own: JAX frees a variable's array when it trains."""
    return np.array(keras.ops.convert_to_numpy(tensor))


def _seeds(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The states of the random streams in a layer: all but its weights."""
    weights = {id(weight) for weight in layer.weights}
    return [one for one in layer.variables if id(one) not in weights]
