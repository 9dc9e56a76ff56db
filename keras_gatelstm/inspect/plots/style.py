"""Shared parts of the pictures: figures, colours, token labels, masks."""

import operator
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_gatelstm.inspect import colors
from keras_gatelstm.inspect.notable import tokens_of_row
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, Rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from keras_gatelstm.inspect.plots.view import View

# Okabe and Ito, "Color Universal Design", 2008.
BLACK, BLUE, VERMILLION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
ORANGE, PURPLE = "#E69F00", "#CC79A7"
# For lines that are compared.
PALETTE = (VERMILLION, GREEN, BLUE, BLACK, PURPLE, ORANGE)
GREY = "#555555"

STEP, WIDEST, NARROWEST = 0.11, 24.0, 6.0
LABEL_SIZE, LETTER = 7, 0.07
LONGEST_TOKEN = 20
# DejaVu Sans, matplotlib's own font, has these; it has no "␍".
MARKS = {"\n": "⏎", "\t": "⇥"}


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, in inches, without a window.

    Raises:
        ImportError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "pictures need matplotlib: pip install matplotlib"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def color_map() -> "Colormap":
    """Return the colours of heat maps, from `colors.BELOW` to `ABOVE`."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = [colors.BELOW, colors.MIDDLE, colors.ABOVE]
    made = LinearSegmentedColormap.from_list("gates", ends)
    # NaN must not look like 0.
    return made.with_extremes(bad="red")


def limits(values: np.ndarray, is_factor: bool) -> tuple[float, float]:
    """Return the values with the strongest colours, below and above.

    A factor goes from 0 to 1; all else as far below 0 as above it.
    """
    if is_factor:
        return 0.0, 1.0
    high = colors.strongest(values)
    return -high, high


def add_color_bar(
    image: "ScalarMappable", axes: "Axes", values: np.ndarray, is_factor: bool
) -> None:
    """Draw a colour bar beside a heat map; pointed, if values go beyond."""
    low, high = image.get_clim()
    finite = np.abs(values[np.isfinite(values)])
    is_beyond = finite.max(initial=0.0) > high
    bar = axes.figure.colorbar(
        image,
        ax=axes,
        fraction=0.03,
        pad=0.008,
        aspect=12,
        extend="both" if is_beyond else "neither",
    )
    ticks = [low, (low + high) / 2, high]
    labels = [f"{tick:.2g}" for tick in ticks]
    bar.set_ticks(ticks, labels=labels)
    bar.ax.tick_params(labelsize=LABEL_SIZE, length=2)
    bar.set_label("how open" if is_factor else "value", fontsize=LABEL_SIZE)


def numbers(array: np.ndarray) -> np.ndarray:
    """Convert to float32: matplotlib cannot draw bfloat16."""
    return np.asarray(array, "float32")


def names_of(
    layer: LayerTrace, wanted: str | Sequence[str] | None
) -> list[str]:
    """Return the names of the wanted quantities; all, for `None`.

    Raises:
        KeyError: if the layer has no such quantity.
        ValueError: if `wanted` is empty.
    """
    if wanted is None:
        return list(layer)
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        layer[name]
    if not names:
        raise ValueError(
            "quantities must name one or more. "
            f"Received: {wanted!r}. Available: {', '.join(layer)}"
        )
    return names


def places(name: str, wanted: Rows | None, count: int) -> list[int]:
    """Return the wanted places, also those counted from the end, from 0.

    Raises:
        IndexError: if a place is out of range.
        ValueError: if `wanted` is empty.
    """
    if wanted is None:
        wanted = slice(None)
    if isinstance(wanted, slice):
        found = list(range(count)[wanted])
    else:
        found = [operator.index(it) for it in np.atleast_1d(wanted).tolist()]
    if not found:
        raise ValueError(
            f"{name} must name one or more, from 0 to {count - 1}. "
            f"Received: {wanted!r}"
        )
    for number in found:
        if not -count <= number < count:
            raise IndexError(
                f"{name} must be from 0 to {count - 1}. Received: {number}"
            )
    return [number % count for number in found]


def place(name: str, wanted: int, count: int) -> int:
    """Return a single place, as `places` does."""
    return places(name, operator.index(wanted), count)[0]


def tokens_of(
    trace: GateTrace | LayerTrace, layer: LayerTrace, row: int
) -> list[str] | None:
    """Return the token at each step of a row, as visible text."""
    tokens = tokens_of_row(trace, layer, row)
    return None if tokens is None else [visible(token) for token in tokens]


def visible(token: object) -> str:
    """Return the token, with marks for invisible characters."""
    if isinstance(token, bytes):
        token = token.decode("utf-8", "replace")
    text = re.sub("^ +| +$", lambda blanks: "␣" * len(blanks[0]), str(token))
    seen = [
        it if it.isprintable() else MARKS.get(it, repr(it)[1:-1]) for it in text
    ]
    whole = "".join(seen) or "∅"
    if len(whole) > LONGEST_TOKEN:
        whole = whole[: LONGEST_TOKEN - 1] + "…"
    return whole


def plain(text: str) -> str:
    """Escape text that matplotlib would read as mathematics."""
    return text.replace("$", r"\$")


def width_of(steps: int) -> float:
    """Return the width of a panel with this number of steps, in inches."""
    return min(max(STEP * steps, NARROWEST), WIDEST)


def every(count: int, room: float) -> int:
    """Return the spacing that leaves at most `room` of `count` labels."""
    rounds = (step * 10**power for power in range(9) for step in (1, 2, 5))
    return next(step for step in rounds if count <= room * step)


def label_steps(axes: "Axes", view: "View", width: float) -> bool:
    """Label the x axis with tokens, or with the numbers of the steps.

    Args:
        axes: The axes.
        view: Whose steps.
        width: The width of the axes, in inches.

    Returns:
        True if the labels are upright, so that there is room for a line of
        them under each panel.
    """
    steps = len(view.steps)
    step = every(steps, (width + STEP / 2) / STEP)
    caption = "step (character)" if view.letters else "step"
    if view.tokens is None:
        step = every(steps, width / 0.5)
        labels = [str(number) for number in view.steps[::step]]
    else:
        labels = view.tokens[::step]
        if step > 1:
            caption += f", one token of {step} shown"
    if view.mask is not None and not view.mask.all():
        caption += ", hatched where masked"
    upright = max(map(len, labels)) * LETTER <= step * width / steps
    axes.set_xticks(
        range(0, steps, step),
        [plain(label) for label in labels],
        fontsize=LABEL_SIZE,
        rotation=0 if upright else 90,
    )
    axes.tick_params(axis="x", length=2)
    axes.set_xlabel(caption, fontsize=9)
    return upright


def label_units(axes: "Axes", labels: list[str], height: float) -> None:
    """Label the y axis of a heat map, `height` inches high, with units."""
    step = every(len(labels), height / 0.11)
    shown = range(0, len(labels), step)
    axes.set_yticks(shown, labels[::step], fontsize=LABEL_SIZE)
    axes.tick_params(axis="y", length=2)
    axes.set_ylabel("unit", fontsize=8)


def mark_masked(axes: "Axes", mask: np.ndarray | None) -> None:
    """Hatch the masked steps."""
    if mask is None:
        return
    edges = np.flatnonzero(np.diff(mask, prepend=True, append=True))
    for start, stop in edges.reshape(-1, 2):
        axes.axvspan(
            start - 0.5,
            stop - 0.5,
            facecolor="0.9",
            edgecolor="0.6",
            hatch="////",
            linewidth=0,
            zorder=3,
        )
