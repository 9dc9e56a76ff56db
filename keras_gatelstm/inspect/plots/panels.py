"""Panels of a picture: in a new figure, or where the caller wants them.

Every plot takes `ax`, which is one of

- `None`: a new figure;
- a `Figure` or `SubFigure`: the panels are made in it;
- `Axes`, one for each panel, in order: a list or an array of them, or a single
  one for a single panel.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from keras_gatelstm.inspect.plots.style import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase

Place: TypeAlias = "Axes | FigureBase | Sequence[Axes] | np.ndarray | None"
MakePanels: TypeAlias = "Callable[[FigureBase], Sequence[Axes]]"


class Panels(NamedTuple):
    """The axes to draw into.

    Args:
        axes: One for each panel.
        owner: The figure or subfigure that the panels fill; `None` if the
            axes were given.
    """

    axes: "list[Axes]"
    owner: "FigureBase | None"

    @property
    def figure(self) -> "Figure":
        """The whole figure that holds the panels."""
        figure: Figure = self.axes[0].figure.figure
        return figure

    def head(self, text: str) -> None:
        """Write the heading above the panels, unless the axes were given."""
        if self.owner is not None:
            self.owner.suptitle(text, fontsize=11)


def panels_of(
    ax: Place,
    names: Sequence[str],
    size: tuple[float, float],
    make: MakePanels,
) -> Panels:
    """Return the axes to draw into.

    Args:
        ax: Where to draw, as above.
        names: What each panel shows.
        size: Width and height of a new figure, in inches.
        make: Makes the panels in a figure.

    Raises:
        ImportError: if matplotlib is not installed.
        TypeError: if `ax` is something else.
        ValueError: if there are not as many axes as panels.
    """
    if ax is None:
        figure = new_figure(*size)
        return Panels(list(make(figure)), figure)
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    if isinstance(ax, FigureBase):
        return Panels(list(make(ax)), ax)
    given = [ax] if isinstance(ax, Axes) else _flat(ax)
    if not all(isinstance(it, Axes) for it in given):
        raise TypeError(
            "ax must be Axes of matplotlib, several of them, or a Figure or "
            f"SubFigure. Received: {ax!r}"
        )
    if len(given) != len(names):
        raise ValueError(
            f"ax must have one Axes for each of {len(names)} panels "
            f"({', '.join(names)}), or be a Figure or SubFigure to make them "
            f"in. Received: {len(given)} Axes"
        )
    return Panels(given, None)


def _flat(ax: object) -> "list[Axes]":
    found: list[Axes] = np.ravel(np.asarray(ax, dtype=object)).tolist()
    return found


def column(count: int, heights: Sequence[float] | None = None) -> MakePanels:
    """Return a function that makes panels over one x axis.

    Args:
        count: The number of panels.
        heights: Their heights, in proportion. Default: all the same.
    """

    def make(figure: "FigureBase") -> "list[Axes]":
        grid = figure.subplots(
            count, 1, sharex=True, squeeze=False, height_ratios=heights
        )
        return list(grid[:, 0])

    return make


def measured_width(axes: "Axes") -> float:
    """Return the width of axes, in inches."""
    return float(axes.get_window_extent().width / axes.figure.figure.dpi)
