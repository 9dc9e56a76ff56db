"""Colours: the same for the same things in every picture and in the report."""

from typing import NamedTuple

import numpy as np

from keras_gatelstm.core.anatomy import Anatomy


class Color(NamedTuple):
    """Colours of a gate and of everything that it computes.

    Args:
        line: For lines, points and words on white.
        face: For boxes.
        dark: For lines, points and words on a dark page.
    """

    line: str
    face: str
    dark: str


# As in docs/cell.svg.
FORGET = Color("#b36b00", "#fbe9d0", "#f0a94a")
LEARN = Color("#2e7d4f", "#d9ecdf", "#64c08a")
REMEMBER = Color("#2b5c9e", "#dce6f5", "#7fb0f0")
USE = Color("#7b3f98", "#ecdff2", "#c792e4")

# Heat maps, from a shut gate to an open one, or from below 0 to above:
# told apart by all kinds of eyes.
BELOW, MIDDLE, ABOVE = "#e87e14", "#ffffff", "#2f7de1"


def strongest(values: np.ndarray) -> float:
    """Return the absolute value with the strongest colour; few are larger."""
    finite = np.abs(values[np.isfinite(values)])
    return (float(np.percentile(finite, 99)) if finite.size else 0.0) or 1.0


def color_of(anatomy: Anatomy, name: str) -> Color:
    """Return the colour of a quantity, by its part in the main memory.

    The main memory has the remember gate's colour; the gate that keeps it, the
    forget gate's; what else it is made of, the learn gate's; all others, the
    use gate's.
    """
    main = anatomy.main_memory
    if main is None:
        return USE
    if name == main.name:
        return REMEMBER
    gate = anatomy[name].gate
    if main.kept_by and gate == anatomy[main.kept_by].gate:
        return FORGET
    if gate in [anatomy[it].gate for it in main.made_of]:
        return LEARN
    return USE
