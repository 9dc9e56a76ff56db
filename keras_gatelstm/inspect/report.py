"""Reports: a trace as one HTML page to explore in a browser.

A quantity's values are quantized to levels between its minimum and maximum, one
byte each. The levels of all quantities, `(units, time)` each, are concatenated,
compressed and written in base64. If some values of a quantity are not finite,
its last level stands for those.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from keras_gatelstm.core.anatomy import Kind, Quantity
from keras_gatelstm.core.files import move_into, stage_in
from keras_gatelstm.inspect import colors, statistics
from keras_gatelstm.inspect.notable import (
    best_properties,
    describe_units,
    notable_units,
    text_of_row,
)
from keras_gatelstm.inspect.report_series import Series
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, check_not_empty

__all__ = ["Packed", "Series", "decode", "encode", "pack", "write_report"]

MOST_BYTES = 5_000_000
# The finest that fits the file's size is used.
LEVELS = (256, 128, 64, 32)
PROGRAM = ("numbers.js", "names.js", "series.js", "page.js")


@dataclass(frozen=True)
class Packed:
    """A quantity, quantized to levels.

    Args:
        name: The quantity's name.
        kind: Its kind: factor, memory or value.
        low: The value of level 0.
        high: The value of the last level, or of the one before, where the
            last is for values that are not finite.
        most: The absolute value with the strongest colour; few are larger.
        gaps: Whether some values are not finite.
        levels: `(units, time)`, uint8.
    """

    name: str
    kind: Kind
    low: float
    high: float
    most: float
    gaps: bool
    levels: np.ndarray


def write_report(
    trace: GateTrace,
    path: str | Path,
    title: str = "Gates",
    row: int = 0,
    series: Series | None = None,
) -> Path:
    """Write one HTML file to explore a trace in a browser, offline.

    The page opens with the unit that means most: `notable_units` finds it. It
    shows the text coloured by any quantity of any unit, a heat map of
    the quantity over all units, the saturation of every gate, and the units
    ranked by correlation with properties of the text and by half-life. Numbers
    are rounded to 256 levels between a quantity's minimum and maximum, or to
    fewer for a trace of millions of them; the page shows the number of levels.
    The name of a quantity explains itself where it is pointed at or has focus.
    A series of numbers is shown as a line in the place of the text.

    Args:
        trace: The trace; the text is shown if it has tokens.
        path: The file to write, atomically, of at most 5 MB.
        title: The page's title. Default `"Gates"`.
        row: The row of the batch to show. Default 0.
        series: The series that this row is of, to show instead of tokens.
            Default: none.

    Returns:
        The path.

    Raises:
        TypeError: if `trace` is not a `GateTrace`.
        ValueError: if the trace is empty, if there is no such row, if no
            layer has the steps of `series`, or if the trace is too large.

    Example:

    >>> import tempfile
    >>> from keras_gatelstm.inspect.report import write_report
    >>> trace = record_gates(GateLSTM(4), np.ones((1, 5, 3)), tokens="hello")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(trace, f"{folder}/report.html").read_text()
    >>> "forget_factor" in page
    True
    """
    path = Path(path)
    row = _check_row(trace, row)
    if series is not None:
        series.check_read_by(trace)
    page = _fit_page(trace, title, row, series)
    with stage_in(path.parent) as stage:
        (stage / path.name).write_text(page, encoding="utf-8")
        move_into(stage, path.parent)
    return path


def _check_row(trace: GateTrace, row: int) -> int:
    if not isinstance(trace, GateTrace):
        raise TypeError(
            "trace must be a GateTrace, as record_gates gives it. "
            f"Received: {trace!r}"
        )
    if not trace.layers:
        raise ValueError("The trace is empty: it has no layers")
    for layer in trace.values():
        check_not_empty(layer)
    batch = next(iter(trace.values())).shape[0]
    if not 0 <= row < batch:
        raise ValueError(
            f"row must be from 0 to {batch - 1}. Received: row={row}"
        )
    return row


def _fit_page(
    trace: GateTrace, title: str, row: int, series: Series | None
) -> str:
    for count in LEVELS:
        page = _build_page(trace, title, row, count, series)
        if len(page.encode("utf-8")) <= MOST_BYTES:
            return page
    raise ValueError(
        "The trace is too large for a page of 5 MB: cut it, with "
        "trace.select(time=slice(0, 2000)) or trace.select(units=[...]). "
        f"It has {', '.join(map(repr, trace.values()))}"
    )


def _build_page(
    trace: GateTrace,
    title: str,
    row: int,
    count: int,
    series: Series | None,
) -> str:
    packed = [pack(layer, row, count) for layer in trace.values()]
    data = {
        "levels": count,
        "colors": {"below": colors.BELOW, "above": colors.ABOVE},
        "letters": _has_letters(trace, row),
        "tokens": _list_tokens(trace, row),
        "series": None if series is None else series.as_data(),
        "layers": [
            _describe_layer(path, quantities, trace, row)
            for path, quantities in zip(trace, packed, strict=True)
        ],
    }
    numbers = [it.levels for quantities in packed for it in quantities]
    parts = {
        "TITLE": escape(title),
        "STYLE": _read_template("page.css"),
        # A token may be "</script>".
        "DATA": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
        "NUMBERS": encode(numbers),
        "PROGRAM": "".join(map(_read_template, PROGRAM)),
    }
    page = _read_template("page.html")
    head, *rest = page.split("{{")
    pieces = [head]
    for piece in rest:
        name, _, after = piece.partition("}}")
        pieces += [parts[name], after]
    return "".join(pieces)


def _read_template(name: str) -> str:
    return (files("keras_gatelstm.inspect") / "page" / name).read_text("utf-8")


def _list_tokens(trace: GateTrace, row: int) -> list[str]:
    if trace.tokens is not None:
        return [str(token) for token in trace.tokens[row]]
    time = next(iter(trace.values())).shape[1]
    return [str(step) for step in range(time)]


def _has_letters(trace: GateTrace, row: int) -> bool:
    layer = next(iter(trace.values()))
    return bool(text_of_row(trace, layer, row))


def _describe_layer(
    path: str, packed: list[Packed], trace: GateTrace, row: int
) -> dict[str, Any]:
    """Return the page's data of a layer, without its levels."""
    layer: LayerTrace = trace[path]
    _, time, units = layer.shape
    best = best_properties(trace, path, row)
    mask = None if layer.mask is None else layer.mask[row].astype(int).tolist()
    return {
        "path": path,
        "units": units,
        "time": time,
        "mask": mask,
        "rows": layer.shape[0],
        "main": layer.main_memory,
        "quantities": [
            {
                "name": it.name,
                "kind": it.kind,
                "low": it.low,
                "high": it.high,
                "most": it.most,
                "gaps": it.gaps,
                "meaning": layer.anatomy[it.name].meaning,
                "color": colors.color_of(layer.anatomy, it.name)._asdict(),
            }
            for it in packed
        ],
        **_statistics_of_rows(layer),
        "goes_with": [(it.property, round(it.correlation, 3)) for it in best]
        or None,
        "found": describe_units(trace, path, row),
        "first": notable_units(trace, path, row, count=1)[0],
    }


def _statistics_of_rows(layer: LayerTrace) -> dict[str, Any]:
    if layer.mask is not None and not layer.mask.any():
        return {"saturation": {}, "half_life": None}
    shares = {name: _saturation_shares(layer, name) for name in layer.factors}
    return {"saturation": shares, "half_life": _half_lives(layer)}


def _saturation_shares(
    layer: LayerTrace, quantity: str
) -> dict[str, list[float]]:
    share = statistics.saturation(layer, quantity)
    return {
        "low": share.low.round(4).tolist(),
        "high": share.high.round(4).tolist(),
    }


def _half_lives(layer: LayerTrace) -> list[float | str | None] | None:
    """Return half-lives in steps: `"∞"` if infinite, `None` for NaN."""
    if layer.keeping_factor is None:
        return None
    with np.errstate(invalid="ignore"):
        found = statistics.half_life(layer)
    return [
        None if np.isnan(it) else "∞" if np.isinf(it) else round(float(it), 2)
        for it in found
    ]


def pack(layer: LayerTrace, row: int, count: int) -> list[Packed]:
    """Quantize a row of every quantity of a layer to `count` levels."""
    return [
        _pack_quantity(
            layer.anatomy[name], values[row].astype("float32").T, count
        )
        for name, values in layer.items()
    ]


def _pack_quantity(
    quantity: Quantity, values: np.ndarray, count: int
) -> Packed:
    is_finite = np.isfinite(values)
    gaps = not is_finite.all()
    finite = values[is_finite].astype("float64") if is_finite.any() else [0.0]
    low, high = float(np.min(finite)), float(np.max(finite))
    if quantity.kind == "factor":
        low, high = min(low, 0.0), max(high, 1.0)
    if high == low:
        high = low + 1.0
    known = np.where(is_finite, values, low).astype("float64")
    scaled = (known - low) / (high - low) * (count - 1 - gaps)
    levels = np.where(is_finite, np.rint(scaled), count - 1).astype(np.uint8)
    most = colors.strongest(values)
    return Packed(quantity.name, quantity.kind, low, high, most, gaps, levels)


def encode(levels: list[np.ndarray]) -> str:
    """Encode all levels as one text."""
    numbers = b"".join(np.ascontiguousarray(it).tobytes() for it in levels)
    return base64.b64encode(zlib.compress(numbers, 9)).decode("ascii")


def decode(text: str) -> np.ndarray:
    """Decode the result of `encode`, as a flat array of levels."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
