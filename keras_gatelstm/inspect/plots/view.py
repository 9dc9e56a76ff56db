"""The part of a trace that a picture shows: some units, at some steps."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from keras_gatelstm.inspect.notable import (
    describe_units,
    notable_units,
    text_of_row,
)
from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, Rows, as_layer

Chosen: TypeAlias = Rows | Literal["all"] | None
# More steps would be illegible at the width of a page.
STEPS = 100


@dataclass(frozen=True)
class View:
    """Some units of a layer's row, at some steps.

    Args:
        layer: The layer.
        row: The number of the row.
        steps: The numbers of the steps.
        units: The numbers of the units.
        found: What was found of each of these units.
        tokens: The token at each of these steps, as visible text, or `None`.
        letters: Whether the tokens are characters.
    """

    layer: LayerTrace
    row: int
    steps: list[int]
    units: list[int]
    found: list[str]
    tokens: list[str] | None
    letters: bool

    @property
    def mask(self) -> np.ndarray | None:
        """`False` where one of the steps was masked."""
        mask = self.layer.mask
        return None if mask is None else mask[self.row][self.steps]

    def values(self, name: str) -> np.ndarray:
        """Return a quantity, `(steps, units)`."""
        return style.numbers(
            self.layer[name][self.row][np.ix_(self.steps, self.units)]
        )

    @property
    def heading(self) -> str:
        """The layer's name, and how much of it is shown."""
        batch, steps, units = self.layer.shape
        of_row = f", row {self.row}" if batch > 1 else ""
        shown = [
            _count(len(self.units), units, "unit"),
            _count(len(self.steps), steps, "step"),
        ]
        since = ""
        if len(self.steps) < steps:
            since = f", from step {self.steps[0]:,}"
        path = style.plain(self.layer.path)
        return f"{path}{of_row}: {', '.join(shown)}{since}"


def view_of(
    trace: GateTrace | LayerTrace,
    layer: str | None,
    row: int,
    units: Chosen,
    steps: Chosen,
    count: int,
) -> View:
    """Choose what a picture shows.

    Args:
        trace: The trace, or a layer of it.
        layer: The layer's path in the trace, or `None` for the only one.
        row: The number of the row.
        units: The units; `"all"`; or `None` for `count` notable ones.
        steps: The steps; `"all"`; or `None` for the last 100.
        count: The number of units to choose. If the layer has no more, all
            are shown in their order.

    Raises:
        IndexError: if there is no such row, unit or step.
        KeyError: if there is no such layer.
        ValueError: if `units` or `steps` are empty, or another word than
            `"all"`; if `layer` is `None` and there are several.
    """
    traced = as_layer(trace, layer)
    batch, time, size = traced.shape
    row = style.place("row", row, batch)
    if units is None and size > count:
        units = notable_units(trace, layer, row, count)
    if steps is None:
        steps = slice(-STEPS, None)
    chosen = style.places("units", _rows("units", units), size)
    shown = style.places("steps", _rows("steps", steps), time)
    tokens = style.tokens_of(trace, traced, row)
    found = describe_units(trace, layer, row)
    return View(
        traced,
        row,
        shown,
        chosen,
        [found[unit] for unit in chosen],
        None if tokens is None else [tokens[step] for step in shown],
        bool(text_of_row(trace, traced, row)),
    )


def _rows(name: str, wanted: Chosen) -> Rows | None:
    """Return the wanted places; `None` for all."""
    if not isinstance(wanted, str):
        return wanted
    if wanted != "all":
        raise ValueError(
            f'{name} must be numbers, a slice or "all". Received: {wanted!r}'
        )
    return None


def _count(shown: int, all_: int, word: str) -> str:
    plural = "" if all_ == 1 else "s"
    of = "" if shown == all_ else f"{shown:,} of "
    return f"{of}{all_:,} {word}{plural}"
