"""The classes and functions of a model's that Keras's configs cannot name.

A config names what is not Keras's own by its bare name. Two functions of one
name, a function called `tanh` and a lambda would be taken for something else
when it is read, or be written as bytecode without what they refer to. Where a
config is written and read in one process, each can have a name of its own.
"""

import inspect
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras

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
