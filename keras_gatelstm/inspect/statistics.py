"""Statistics of gates over all steps that are not masked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, as_layer

Trace = GateTrace | LayerTrace
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Saturation:
    """Shares of steps at which a gate is shut or open, `(units,)` each.

    Args:
        low: Share of the steps at which the unit's factor is below 0.1.
        high: Share of the steps at which it is above 0.9.
    """

    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class CharacterfulUnit:
    """A unit that correlates with a property of the input.

    Args:
        unit: Its number.
        quantity: The quantity that was compared.
        property: The property's name.
        correlation: Pearson's, from -1 to 1.
    """

    unit: int
    quantity: str
    property: str
    correlation: float


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
    kept = layer.unmasked(layer.keeping_factor).astype("float64")
    tiny = np.finfo("float64").tiny
    mean = np.log(np.maximum(kept, tiny)).mean(axis=0)
    with np.errstate(divide="ignore"):
        return np.log(0.5) / mean


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
    batch, time, _ = layer.shape
    wanted = np.asarray(property_, "float64")
    if wanted.shape not in ((time,), (batch, time)):
        raise ValueError(
            f"A property must have a value for each of {time} steps, (time,), "
            f"or for each row too, {(batch, time)}. "
            f"Received: shape {wanted.shape}"
        )
    wanted = np.broadcast_to(wanted, (batch, time))
    steps = wanted[layer.mask] if layer.mask is not None else wanted.reshape(-1)
    values = layer.unmasked(quantity).astype("float64")
    values = values - values.mean(axis=0)
    steps = steps - steps.mean()
    spread = np.sqrt((values**2).sum(axis=0) * (steps**2).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        found = steps @ values / spread
    return np.where(spread > 1e-12, found, 0.0)


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
    found = [
        CharacterfulUnit(unit, quantity, name, float(value))
        for name, property_ in properties.items()
        for unit, value in enumerate(correlations(layer, quantity, property_))
    ]
    return sorted(found, key=lambda it: -abs(it.correlation))[:top]


def text_properties(text: str) -> dict[str, np.ndarray]:
    """Compute properties of the characters of a text, `(characters,)` each.

    Args:
        text: The text, in the order in which the model reads it.

    Returns:
        `inside_quotes`, `inside_brackets`, `upper_case`, `line_end` (the
        character is a line break), `line_position` (characters since the
        last line break), `indentation` (a space or tab at the start of its
        line), `word_start`, `word_position`, `digit`, `vowel`,
        `punctuation`; without those that are constant.
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
