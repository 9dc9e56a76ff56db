"""Copies of Keras layers and models by config, some configs translated.

Configs refer to unregistered classes and functions by their bare name. Two
functions of one name, or a function called `tanh`, would be mistaken for
another when the config is read; a lambda would be saved as bytecode, without
the variables it refers to. As the config stays in one process, each gets a
unique name.
"""

import inspect
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from textwrap import shorten
from types import FunctionType
from typing import Any, TypeAlias, TypeVar

import keras
import numpy as np

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.fused import fused_weights, set_fused_weights
from keras_gatelstm.core.keras_internals import layers_inside, set_seed
from keras_gatelstm.core.types import Config, Tensor

Layer = TypeVar("Layer", bound=keras.layers.Layer)
Part: TypeAlias = keras.layers.Layer
Named: TypeAlias = type | FunctionType


def parts_of(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layer, and all layers in it at any depth."""
    return [layer, *layers_inside(layer, recursive=True)]


def copy_translated(
    original: Layer, translate: Callable[[Config], Config]
) -> Layer:
    """Copy a layer by its translated config, with weights and state.

    Args:
        original: A layer or a model.
        translate: Function from the config of any object in it, as
            `keras.saving.serialize_keras_object` returns it, to the config of
            its replacement.

    Raises:
        ValueError: if a layer cannot be made from its config.
    """
    with (
        _name_layer_in_errors(original),
        unique_names(original) as custom_objects,
    ):
        config = keras.saving.serialize_keras_object(original)
    config = _translate_nested(config, translate)
    with _name_layer_in_errors(original):
        copy = keras.saving.deserialize_keras_object(
            config, custom_objects, safe_mode=False
        )
    for one, other in _match_layers(original, copy).values():
        _check_built(one, other)
        if other.trainable != one.trainable:  # Sets the parts' too.
            other.trainable = one.trainable
        _copy_state(one, other)
    for one, other in zip(
        _seed_states(original), _seed_states(copy), strict=True
    ):
        other.assign(_to_numpy(one))
    return copy


@contextmanager
def _name_layer_in_errors(original: Part) -> Iterator[None]:
    """Turn Keras's errors about configs into one that names the layer."""
    try:
        yield
    except (NameError, NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            f"{original.name} ({type(original).__name__}) cannot be copied: "
            "it, or a layer in it, cannot be made from its config. Keras "
            f"says: {shorten(str(error), 300)}"
        ) from error


def _translate_nested(
    config: object, translate: Callable[[Config], Config]
) -> object:
    """Translate every object in a config, innermost first."""
    if isinstance(config, list | tuple):
        return type(config)(
            _translate_nested(item, translate) for item in config
        )
    if not isinstance(config, dict):
        return config
    config = {
        key: _translate_nested(item, translate) for key, item in config.items()
    }
    return translate(config) if "class_name" in config else config


def _match_layers(original: Part, copy: Part) -> dict[int, tuple[Part, Part]]:
    """Return every layer of the original with its copy, by `id`.

    A layer comes before the layers inside it.
    """
    pairs = {id(original): (original, copy)}
    if _is_converted_cell(original, copy):
        return pairs
    inside = layers_inside(original), layers_inside(copy)
    if len(inside[0]) != len(inside[1]):
        raise ValueError(
            f"{original.name} ({type(original).__name__}) cannot be copied: "
            "made from its config, it holds other layers. "
            f"It holds {_names(inside[0])}; the copy, {_names(inside[1])}"
        )
    for parts in zip(*inside, strict=True):
        for key, (one, other) in _match_layers(*parts).items():
            before = pairs.setdefault(key, (one, other))[1]
            # Layers without variables have no state to share.
            if before is not other and one.variables:
                raise ValueError(
                    f"{original.name} cannot be copied: {one.name} is "
                    "used by two models in it, which Keras makes into "
                    "two layers. Use it in one, and that one twice."
                )
    return pairs


def _names(layers: list[Part]) -> str:
    return ", ".join(layer.name for layer in layers) or "none"


def _is_converted_cell(original: Part, copy: Part) -> bool:
    return isinstance(original, GateCell) != isinstance(copy, GateCell)


def _check_built(original: Part, copy: Part) -> None:
    if original.built and not copy.built:
        raise ValueError(
            f"{original.name} ({type(original).__name__}) cannot be copied: "
            "it made its weights when it was called, and its config does not "
            "say with what. Give its class a get_build_config and a "
            "build_from_config."
        )


def _copy_state(original: Part, copy: Part) -> None:
    """Copy a layer's own state, the way Keras saves and loads it."""
    if hasattr(copy, "use_cudnn"):  # Keras's configs leave it out.
        copy.use_cudnn = getattr(original, "use_cudnn", "auto")
    if _is_converted_cell(original, copy):
        _check_frozen_as_whole(original)
        copy.seed = original.seed  # SimpleRNN's config leaves it out.
        set_seed(copy.seed_generator, original.seed)
        if isinstance(copy, GateCell):
            set_fused_weights(copy, original.get_weights())
        elif original.built:
            copy.set_weights(fused_weights(original))
        return
    store: dict[str, Any] = {}
    original.save_own_variables(store)
    copy.load_own_variables({key: _to_numpy(store[key]) for key in store})
    if hasattr(original, "save_assets"):  # Vocabularies.
        with tempfile.TemporaryDirectory() as folder:
            original.save_assets(folder)
            copy.load_assets(folder)
    if isinstance(original, keras.layers.RNN) and copy.states is not None:
        memories = (keras.tree.flatten(it.states) for it in (original, copy))
        for one, other in zip(*memories, strict=True):
            other.assign(_to_numpy(one))


def _check_frozen_as_whole(cell: Part) -> None:
    if any(part.trainable != cell.trainable for part in parts_of(cell)):
        raise ValueError(
            f"{cell.name} cannot be carried to Keras: a part of it is frozen "
            "(trainable=False), and there the weights are one."
        )


def _to_numpy(tensor: Tensor) -> np.ndarray:
    """Copy a tensor to NumPy: JAX frees a variable's array when it trains."""
    return np.array(keras.ops.convert_to_numpy(tensor))


def _seed_states(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Return the states of random generators: all variables but weights."""
    weights = {id(weight) for weight in layer.weights}
    return [one for one in layer.variables if id(one) not in weights]


# Names are shared by all threads, so that only one may write configs at a time.
# Reentrant, as a layer's get_config may convert another layer.
_naming = threading.RLock()


@contextmanager
def unique_names(original: keras.layers.Layer) -> Iterator[dict[str, Named]]:
    """Rename unregistered classes and functions uniquely, to write configs.

    They have their own names again when the configs are read. Other threads
    wait for their turn.

    Yields:
        The `custom_objects` to read the configs with.
    """
    with _naming:
        renamed = {
            f"{thing.__name__}_{number}_".replace("<lambda>", "lambda"): thing
            for number, thing in enumerate(_find_unregistered(original))
        }
        names = {name: thing.__name__ for name, thing in renamed.items()}
        try:
            for name, thing in renamed.items():
                thing.__name__ = name
            yield renamed
        finally:
            for name, thing in renamed.items():
                thing.__name__ = names[name]


def _find_unregistered(original: keras.layers.Layer) -> list[Named]:
    """Return unregistered classes and functions in use anywhere in a layer."""
    found: dict[int, Named] = {}
    seen: dict[int, object] = {}
    to_see: list[object] = [original]
    while to_see:
        thing = to_see.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, Mapping):
            to_see.extend(thing.values())
        elif isinstance(thing, list | tuple | set):
            to_see.extend(thing)
        elif inspect.isfunction(thing):
            found[id(thing)] = thing
        elif hasattr(thing, "get_config") or _is_from_keras(type(thing)):
            found[id(type(thing))] = type(thing)
            to_see.extend(getattr(thing, "__dict__", {}).values())
    return [thing for thing in found.values() if _is_unregistered(thing)]


def _is_unregistered(thing: Named) -> bool:
    name = keras.saving.get_registered_name(thing)
    return name == thing.__name__ and not _is_from_keras(thing)


def _is_from_keras(thing: Named) -> bool:
    return str(thing.__module__).startswith("keras.")
