"""The lesson's diagram of a cell, drawn with numbers; see docs/cell.svg."""

from typing import TYPE_CHECKING

import numpy as np

from keras_gatelstm.inspect import colors
from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.plots.panels import measured_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Positions are in tenths of an inch, from the lower left corner.
WIDTH, HEIGHT = 138.0, 71.0
Point = tuple[float, float]
TOP, MIDDLE, BOTTOM = 51.0, 29.5, 9.0
BOX_WIDTH, BOX_HEIGHT = 24.0, 16.0
LEFT, RIGHT = 52.0, 100.0
BUS, START, STOP = 36.0, 14.0, 126.0
POINTS = 7.2
GATES = {
    "forget": colors.FORGET,
    "learn": colors.LEARN,
    "remember": colors.REMEMBER,
    "use": colors.USE,
}


class Diagram:
    """Boxes, arrows and words on axes, smaller where the axes are small."""

    def __init__(self, axes: "Axes") -> None:
        self.axes = axes
        self.scale = min(1.0, measured_width(axes) / (WIDTH / 10))
        axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT), aspect="equal")
        axes.set_axis_off()

    def heading(self, title: str, explained: str) -> None:
        """Write the title, and how to read the diagram."""
        self.words((1, HEIGHT - 2.5), title, size=13, weight="bold", ha="left")
        self.words(
            (1, HEIGHT - 6), explained, size=9, color=style.GREY, ha="left"
        )

    def words(
        self,
        at: Point,
        text: str,
        size: float = 10,
        weight: str = "normal",
        color: str = "#111111",
        ha: str = "center",
        va: str = "center",
    ) -> None:
        """Write text at a position."""
        self.axes.text(
            *at,
            text,
            size=size * self.scale,
            weight=weight,
            color=color,
            ha=ha,
            va=va,
        )

    def arrow(
        self, points: list[Point], value: float | None = None, gap: bool = False
    ) -> None:
        """Draw a line through these points, with an arrow head.

        Args:
            points: The corners of the line, at right angles.
            value: Sets the width and the colour; `None` for a plain line.
            gap: Whether to interrupt the lines that it crosses.
        """
        width, color = _width(value), _color(value)
        head = 1.1 + width / POINTS
        tip, before = np.array(points[-1]), np.array(points[-2])
        ahead = (tip - before) / np.abs(tip - before).sum()
        base, aside = tip - 1.5 * head * ahead, head * 0.75 * ahead[::-1]
        x, y = np.array([*points[:-1], base]).T
        if gap:
            self.axes.plot(
                x,
                y,
                color="white",
                linewidth=(width + 6) * self.scale,
                zorder=1.5,
            )
        self.axes.plot(
            x,
            y,
            color=color,
            linewidth=width * self.scale,
            solid_capstyle="butt",
            solid_joinstyle="round",
            zorder=2 if gap else 1,
        )
        self.axes.fill(
            *np.array([tip, base + aside, base - aside]).T,
            color=color,
            linewidth=0,
            zorder=2,
        )

    def value(
        self, at: Point, name: str, value: float | None, show: str
    ) -> None:
        """Write a quantity's name and value, over its arrow."""
        x, y = at
        over = 0.8 + _width(value) / POINTS / 2
        self.words((x, y + over), f"{name} {show}".strip(), va="bottom")

    def dot(self, at: Point, value: float | None) -> None:
        """Mark where a line branches off another."""
        self.axes.plot(
            *at,
            marker="o",
            color=_color(value),
            markersize=(_width(value) + 4) * self.scale,
            zorder=2,
        )

    def gate(
        self,
        name: str,
        at: Point,
        equation: str,
        numbers: str = "",
        open_by: float | None = None,
    ) -> None:
        """Draw a gate's box, with a bar for how far it is open."""
        from matplotlib.patches import FancyBboxPatch

        (x, y), color = at, GATES[name]
        left, low = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
        self.axes.add_patch(
            FancyBboxPatch(
                (left, low),
                BOX_WIDTH,
                BOX_HEIGHT,
                boxstyle="round,pad=0,rounding_size=1.2",
                facecolor=color.face,
                edgecolor=color.line,
                linewidth=1.6 * self.scale,
                zorder=3,
            )
        )
        if open_by is None:
            self.words((x, y + 1.8), f"{name} gate", 11.5, "bold")
            self.words((x, y - 2.2), equation)
            return
        self.words((x, y + 5.2), f"{name} gate", 11.5, "bold")
        self.words((x, y + 1.7), equation)
        self.words((x, y - 2.0), numbers)
        self._bar((left + 2, low + 1.8), BOX_WIDTH - 4, open_by, color.line)

    def _bar(self, at: Point, length: float, share: float, color: str) -> None:
        from matplotlib.patches import Rectangle

        filled = length * float(np.clip(share, 0, 1))
        for width, face in ((length, "white"), (filled, color)):
            self.axes.add_patch(
                Rectangle(at, width, 1.4, facecolor=face, zorder=4)
            )
        self.axes.add_patch(
            Rectangle(at, length, 1.4, fill=False, edgecolor=color, zorder=5)
        )

    def join(self, at: Point) -> None:
        """Mark where the short-term memory and the event are concatenated."""
        x, y = at
        self.axes.text(
            x,
            y,
            "[STM, E]",
            size=9 * self.scale,
            ha="center",
            va="center",
            zorder=4,
            bbox={
                "boxstyle": "round,pad=0.35",
                "facecolor": "white",
                "edgecolor": style.GREY,
                "linewidth": 1.2 * self.scale,
            },
        )


def _strength(value: float | None) -> float:
    # A value written as 0.00 must not look positive or negative.
    if value is None or not abs(value) >= 0.005:
        return 0.0
    # Memories may exceed 1; the width of a line is bounded.
    return float(np.tanh(abs(value)))


def _width(value: float | None) -> float:
    return 1.6 + 6 * _strength(value)


def _color(value: float | None) -> str | tuple[float, ...]:
    strength = _strength(value)
    if value is None or not strength:
        return style.GREY
    # The middle of the map is white, like the paper.
    away = 0.25 + 0.25 * strength
    return tuple(style.color_map()(0.5 + (away if value >= 0 else -away)))
