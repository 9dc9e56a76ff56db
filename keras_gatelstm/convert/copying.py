"""A copy of a Keras layer or model, with some layers' configs translated.

A config names what is not Keras's own by its bare name. Two functions of one
name, a function called `tanh` and a lambda would be taken for something else
when it is read, or be written as bytecode without what they refer to. Where a
config is written and read in one process, each can have a name of its own.
"""

import inspect
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from textwrap import shorten
from typing import Any, TypeAlias, TypeVar

import keras
import numpy as np

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.fused import fused_weights, set_fused_weights
from keras_gatelstm.core.keras_internals import layers_inside, set_seed
from keras_gatelstm.core.types import Config

Layer = TypeVar("Layer", bound=keras.layers.Layer)
Part: TypeAlias = keras.layers.Layer


def parts_of(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layer, and all layers in it at any depth."""
    return [layer, *layers_inside(layer, recursive=True)]


def copied(original: Layer, translate: Callable[[Config], Config]) -> Layer:
    """Makes a layer anew from its config, and carries over what it has learnt.

    Args:
        original: A layer or a model.
        translate: From the config of any object in it, as
            `keras.saving.serialize_keras_object` gives it, to the config of
            what stands in its place.

    Raises:
        ValueError: if a layer in it cannot be made from its config.
    """
    with _explained(original), named_apart(original) as custom_objects:
        config = keras.saving.serialize_keras_object(original)
    config = _walk(config, translate)
    with _explained(original):
        copy = keras.saving.deserialize_keras_object(
            config, custom_objects, safe_mode=False
        )
    for one, other in _pairs(original, copy).values():
        _check_built(one, other)
        if other.trainable != one.trainable:  # Sets the parts' too.
            other.trainable = one.trainable
        _carry_state(one, other)
    for one, other in zip(_seeds(original), _seeds(copy), strict=True):
        other.assign(_numbers_of(one))
    return copy


@contextmanager
def _explained(original: Part) -> Iterator[None]:
    """Says of whatever Keras cannot do with a config what it means."""
    try:
        yield
    except (NameError, NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            f"{original.name} ({type(original).__name__}) cannot be copied: "
            "it, or a layer in it, cannot be made from its config. Keras "
            f"says: {shorten(str(error), 300)}"
        ) from error


def _walk(config: Any, translate: Callable[[Config], Config]) -> Any:
    """The config with every object in it translated, innermost first."""
    if isinstance(config, list | tuple):
        return type(config)(_walk(item, translate) for item in config)
    if not isinstance(config, dict):
        return config
    config = {key: _walk(item, translate) for key, item in config.items()}
    return translate(config) if "class_name" in config else config


def _pairs(original: Part, copy: Part) -> dict[int, tuple[Part, Part]]:
    """Every layer in one with the layer that it became in the other.

    Those that hold others come before them.
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
        for key, (one, other) in _pairs(*parts).items():
            before = pairs.setdefault(key, (one, other))[1]
            # Layers that hold nothing may as well be two.
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


def _carry_state(original: Part, copy: Part) -> None:
    """Carries what is a layer's own, the way Keras saves and loads it."""
    if hasattr(copy, "use_cudnn"):  # Keras's configs leave it out.
        copy.use_cudnn = getattr(original, "use_cudnn", "auto")
    if _is_converted_cell(original, copy):
        _check_frozen_alike(original)
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
    if isinstance(original, keras.layers.RNN) and copy.states is not None:
        memories = (keras.tree.flatten(it.states) for it in (original, copy))
        for one, other in zip(*memories, strict=True):
            other.assign(_numbers_of(one))


def _check_frozen_alike(cell: Part) -> None:
    if any(part.trainable != cell.trainable for part in parts_of(cell)):
        raise ValueError(
            f"{cell.name} cannot be carried to Keras: a part of it is frozen "
            "(trainable=False), and there the weights are one."
        )


def _numbers_of(tensor: Any) -> np.ndarray:
    """A copy of its own: JAX frees a variable's array when it trains."""
    return np.array(keras.ops.convert_to_numpy(tensor))


def _seeds(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The states of the random streams in a layer: all but its weights."""
    weights = {id(weight) for weight in layer.weights}
    return [one for one in layer.variables if id(one) not in weights]


# A name is the same for all threads: one at a time writes configs. A layer may
# convert another while it writes its own.
_naming = threading.RLock()


@contextmanager
def named_apart(original: keras.layers.Layer) -> Iterator[dict[str, Any]]:
    """Gives the unregistered classes and functions in use unlike names.

    As long as it lasts, for configs to be written with them; they have their
    own names back when they are read. Other threads wait for their turn.

    Yields:
        What to read the configs with: `custom_objects`.
    """
    with _naming:
        apart = {
            f"{thing.__name__}_{number}_".replace("<lambda>", "lambda"): thing
            for number, thing in enumerate(_unregistered_in(original))
        }
        names = {name: thing.__name__ for name, thing in apart.items()}
        try:
            for name, thing in apart.items():
                thing.__name__ = name
            yield apart
        finally:
            for name, thing in apart.items():
                thing.__name__ = names[name]


def _unregistered_in(original: keras.layers.Layer) -> list[Any]:
    """Classes and functions, found wherever the layer holds something."""
    found: dict[int, Any] = {}
    seen: dict[int, Any] = {}
    to_see: list[Any] = [original]
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
        elif hasattr(thing, "get_config") or _is_kerass(type(thing)):
            found[id(type(thing))] = type(thing)
            to_see.extend(getattr(thing, "__dict__", {}).values())
    return [thing for thing in found.values() if _is_unregistered(thing)]


def _is_unregistered(thing: Any) -> bool:
    name = keras.saving.get_registered_name(thing)
    return name == thing.__name__ and not _is_kerass(thing)


def _is_kerass(thing: Any) -> bool:
    return str(thing.__module__).startswith("keras.")
