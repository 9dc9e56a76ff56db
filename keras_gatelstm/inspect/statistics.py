"""Statistics of gates over all steps that are not masked."""

from collections.abc import Callable, Mapping

import numpy as np

from keras_gatelstm.inspect.gate_sums import (
    HIGH,
    LOW,
    CharacterfulUnit,
    GateSums,
    Saturation,
    Trace,
    half_life_of,
    strongest,
    sum_of_logs,
    unmasked_property,
)
from keras_gatelstm.inspect.moments import Moments
from keras_gatelstm.inspect.trace import as_layer

__all__ = [
    "CharacterfulUnit",
    "GateSums",
    "Saturation",
    "characterful_units",
    "correlations",
    "half_life",
    "saturation",
    "text_properties",
]


def saturation(trace: Trace, quantity: str) -> Saturation:
    """Measure how often each unit of a gate is nearly shut or nearly open.

    Args:
        trace: A layer of a `GateTrace`, or a trace of one layer.
        quantity: One of its factors, `"forget_factor"`, for example.

    Raises:
        KeyError: if there is no such quantity.

    References:
        Karpathy, Johnson and Li, "Visualizing and Understanding Recurrent
        Networks", 2015, section 4.2.
    """
    values = as_layer(trace).unmasked(quantity)
    return Saturation((values < LOW).mean(axis=0), (values > HIGH).mean(axis=0))


def half_life(trace: Trace) -> np.ndarray:
    """Return the steps in which each unit forgets half of its memory.

    ```
    half_life = ln(1/2) / mean(ln f)
    ```

    with the forget factors `f` of all steps, or of a GRU, the update factors.
    A unit that always keeps everything has an infinite half-life.

    Args:
        trace: A layer of a `GateTrace`, or a trace of one layer.

    Returns:
        `(units,)`, in steps.

    Raises:
        ValueError: if the layer has no gate that forgets.
    """
    layer = as_layer(trace)
    if layer.keeping_factor is None:
        raise ValueError(
            f"{layer.path} has no gate that forgets: no factor keeps a part "
            f"of its memory. It has {', '.join(layer)}"
        )
    kept = layer.unmasked(layer.keeping_factor)
    return half_life_of(sum_of_logs(kept), len(kept))


def correlations(
    trace: Trace, quantity: str, property_: np.ndarray
) -> np.ndarray:
    """Correlate each unit of a quantity with a property of the steps.

    Args:
        trace: A layer of a `GateTrace`, or a trace of one layer.
        quantity: The quantity's name.
        property_: A number or boolean for each step, `(time,)` or `(batch,
            time)`.

    Returns:
        Pearson's correlations, `(units,)`; 0 where one of the two is
        constant.

    Raises:
        ValueError: if the property does not have a value for each step.
    """
    layer = as_layer(trace)
    steps = unmasked_property(layer, property_)
    moments = Moments.of(layer.unmasked(quantity), steps[:, np.newaxis])
    return moments.correlations()[0]


def characterful_units(
    trace: Trace,
    properties: Mapping[str, np.ndarray],
    quantity: str | None = None,
    top: int = 10,
) -> list[CharacterfulUnit]:
    """Return the units that correlate most with any property, best first.

    Args:
        trace: A layer of a `GateTrace`, or a trace of one layer.
        properties: A value for each step, by the property's name: those of
            `text_properties`, or others.
        quantity: The quantity to compare. Default: the layer's memory, the
            long-term one if it has two.
        top: The number of units to return, at most. Default 10.
    """
    layer = as_layer(trace)
    quantity = quantity or layer.main_memory
    found = {
        name: correlations(layer, quantity, property_)
        for name, property_ in properties.items()
    }
    return strongest(found, quantity, top)


def text_properties(
    text: str, keep_constant: bool = False
) -> dict[str, np.ndarray]:
    """Compute properties of the characters of a text, `(characters,)` each.

    Args:
        text: The text, in the order in which the model reads it.
        keep_constant: Whether to keep those that are the same at all
            characters, so that all texts have the same. Default `False`.

    Returns:
        `inside_quotes`, `inside_brackets`, `upper_case`, `line_end` (the
        character is a line break), `line_position` (characters since the
        last line break), `indentation` (a space or tab at the start of its
        line), `word_start`, `word_position`, `digit`, `vowel`,
        `punctuation`; by default without those that are constant.
    """
    properties = {
        "inside_quotes": _inside_quotes(text),
        "inside_brackets": _inside_brackets(text),
        "upper_case": [it.isupper() for it in text],
        "line_end": [it == "\n" for it in text],
        "line_position": _count_since(text, lambda it: it == "\n"),
        "indentation": _indentation(text),
        "word_start": [
            it.isalpha() and not before.isalpha()
            for before, it in zip(" " + text, text, strict=False)
        ],
        "word_position": _count_since(text, lambda it: not it.isalpha()),
        "digit": [it.isdigit() for it in text],
        "vowel": [it.lower() in "aeiou" for it in text],
        "punctuation": [it in ".,;:!?-'\"()[]" for it in text],
    }
    arrays = {name: np.asarray(it, float) for name, it in properties.items()}
    if keep_constant:
        return arrays
    return {name: it for name, it in arrays.items() if it.size and np.ptp(it)}


def _inside_quotes(text: str) -> list[bool]:
    inside, marks = False, []
    for it in text:
        if it in "“”":
            inside = it == "“"
        elif it == '"':
            inside = not inside
        marks.append(inside)
    return marks


def _inside_brackets(text: str) -> list[bool]:
    depth, marks = 0, []
    for it in text:
        depth += it in "([{"
        marks.append(depth > 0)
        depth = max(0, depth - (it in ")]}"))
    return marks


def _count_since(text: str, starts_anew: Callable[[str], bool]) -> list[int]:
    place, places = 0, []
    for it in text:
        place = 0 if starts_anew(it) else place + 1
        places.append(place)
    return places


def _indentation(text: str) -> list[bool]:
    blank, marks = True, []
    for it in text:
        blank = it == "\n" or (blank and it in " \t")
        marks.append(blank and it != "\n")
    return marks
