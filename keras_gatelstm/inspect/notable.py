"""Choice of the units that mean something, and what was found of them.

Plots, the report and `recipes.look` show the units chosen here: those whose
memory goes with a property of the text, such as the position in the line; or
where no text was read, those whose memory varies most.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from keras_gatelstm.inspect import statistics
from keras_gatelstm.inspect.statistics import CharacterfulUnit
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, as_layer

Trace = GateTrace | LayerTrace
# With a weaker correlation, a unit goes with no property of the text.
LEAST = 0.3
# With a stronger correlation, two units do the same.
ALIKE = 0.9


def notable_units(
    trace: Trace, layer: str | None = None, row: int = 0, count: int = 3
) -> list[int]:
    """Return the units that mean something, the best first.

    First come those that go with a property of the text, as
    `units_of_properties` orders them, and then those whose memory has the
    largest variance. Of units with almost the same memory, all but one come
    last. A larger `count` only adds units at the end.

    Args:
        trace: The trace; the text is known if its tokens are characters.
        layer: The layer's path in the trace. Default: the only layer.
        row: The number of the row. Default 0.
        count: The number of units to return, at most. Default 3.

    Example:

    >>> from keras_gatelstm.inspect.notable import notable_units
    >>> varying = np.outer([0, 1, 2, 3], [0.1, 2.0, 0.0, 0.5])[np.newaxis]
    >>> layer = LayerTrace("rnn", {"memory": varying})
    >>> notable_units(GateTrace({"rnn": layer}), count=1)
    [1]
    """
    of_text = [it.unit for it in units_of_properties(trace, layer, row)]
    by_variance = _most_varying(_memories(as_layer(trace, layer), row))
    return list(dict.fromkeys([*of_text, *by_variance]))[:count]


def units_of_properties(
    trace: Trace, layer: str | None = None, row: int = 0
) -> list[CharacterfulUnit]:
    """Return the units that go with a property of the text, the best first.

    Each unit is there once, with the property it correlates with most, if that
    correlation is at least 0.3. The best unit of each property comes before
    all others.

    Args:
        trace: The trace.
        layer: The layer's path in the trace. Default: the only layer.
        row: The number of the row. Default 0.

    Returns:
        The units; none if the tokens of the trace are not characters.
    """
    return rank_units(best_properties(trace, layer, row))


def rank_units(found: Iterable[CharacterfulUnit]) -> list[CharacterfulUnit]:
    """Return units as `units_of_properties` orders them.

    Args:
        found: Units, each with one or several properties.
    """
    strongest: dict[int, CharacterfulUnit] = {}
    for it in sorted(found, key=lambda it: -abs(it.correlation)):
        if abs(it.correlation) >= LEAST:
            strongest.setdefault(it.unit, it)
    first: dict[str, CharacterfulUnit] = {}
    for it in strongest.values():
        first.setdefault(it.property, it)
    others = [it for it in strongest.values() if it is not first[it.property]]
    return [*first.values(), *others]


def best_properties(
    trace: Trace, layer: str | None = None, row: int = 0
) -> list[CharacterfulUnit]:
    """Return the property of the text that each unit correlates with most.

    Args:
        trace: The trace.
        layer: The layer's path in the trace. Default: the only layer.
        row: The number of the row. Default 0.

    Returns:
        One for each unit, in their order; none if the tokens of the trace are
        not characters, or the row was not read.
    """
    traced = as_layer(trace, layer)
    properties = statistics.text_properties(text_of_row(trace, traced, row))
    only = _memory_of_row(traced, row)
    if not properties or (only.mask is not None and not only.mask.any()):
        return []
    with np.errstate(invalid="ignore", over="ignore"):
        ranked = statistics.characterful_units(
            only, properties, top=len(properties) * traced.shape[-1]
        )
    best: dict[int, CharacterfulUnit] = {}
    for it in ranked:
        best.setdefault(it.unit, it)
    return [best[unit] for unit in sorted(best)]


def describe_units(
    trace: Trace, layer: str | None = None, row: int = 0
) -> list[str]:
    """Say what was found of each unit.

    Args:
        trace: The trace.
        layer: The layer's path in the trace. Default: the only layer.
        row: The number of the row. Default 0.

    Returns:
        One text for each unit, such as `"line position, r = -0.99"`; or for a
        unit that goes with no property of the text, such as `"variance of
        memory 0.41, rank 2 of 96"`, or nothing if it is the only one.
    """
    variances = _variances(_memories(as_layer(trace, layer), row))
    ranks = np.argsort(np.argsort(-variances, kind="stable")) + 1
    found = [
        f"variance of memory {variance:.2g}, rank {rank} of {len(ranks)}"
        for variance, rank in zip(variances, ranks, strict=True)
    ]
    if len(found) == 1:
        found = [""]
    for it in units_of_properties(trace, layer, row):
        found[it.unit] = describe(it)
    return found


def title_of(unit: int, found: str) -> str:
    """Write a title: `"unit 80: line position, r = -0.99"`."""
    return f"unit {unit}: {found}" if found else f"unit {unit}"


def describe(found: CharacterfulUnit) -> str:
    """Write a property and its correlation: `"line position, r = -0.99"`."""
    number = f"{found.correlation:.2f}".replace("-", "\N{MINUS SIGN}")
    return f"{found.property.replace('_', ' ')}, r = {number}"


def tokens_of_row(
    trace: Trace, layer: LayerTrace, row: int
) -> np.ndarray | None:
    """Return the token at each step of a row, `(time,)`, if there are any."""
    tokens = trace.tokens if isinstance(trace, GateTrace) else None
    # After pooling, a layer's steps do not match the tokens.
    if tokens is None or tokens.shape != layer.shape[:2]:
        return None
    return tokens[row]


def text_of_row(trace: Trace, layer: LayerTrace, row: int) -> str:
    """Return the text of a row; empty if its tokens are not characters."""
    tokens = tokens_of_row(trace, layer, row)
    letters = [] if tokens is None else [str(token) for token in tokens]
    return "".join(letters) if all(len(it) == 1 for it in letters) else ""


def _memory_of_row(layer: LayerTrace, row: int) -> LayerTrace:
    """Return the main memory of one row, as a layer of its own."""
    name, at = layer.main_memory, [row]
    return replace(
        layer,
        quantities={name: layer[name][at]},
        mask=None if layer.mask is None else layer.mask[at],
    )


def _memories(layer: LayerTrace, row: int) -> np.ndarray:
    """Return the main memory at the unmasked steps, `(steps, units)`."""
    only = _memory_of_row(layer, row)
    return only.unmasked(layer.main_memory).astype("float64")


def _variances(values: np.ndarray) -> np.ndarray:
    """Return the variance of each unit; 0 if it is not finite."""
    if not len(values):
        return np.zeros(values.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):
        found = values.var(axis=0)
    return np.where(np.isfinite(found), found, 0.0)


def _most_varying(values: np.ndarray) -> list[int]:
    """Return all units by variance, those like a unit before them last."""
    variances = _variances(values)
    varies = variances > 0
    scaled = np.zeros_like(values)
    if varies.any():
        known = values[:, varies]
        scaled[:, varies] = (known - known.mean(axis=0)) / np.sqrt(
            len(values) * variances[varies]
        )
    likeness = np.abs(scaled.T @ scaled)
    chosen: list[int] = []
    repeated: list[int] = []
    for unit in np.argsort(-variances, kind="stable").tolist():
        is_repeated = (likeness[unit, chosen] > ALIKE).any()
        (repeated if is_repeated else chosen).append(unit)
    return [*chosen, *repeated]
