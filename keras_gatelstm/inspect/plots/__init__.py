"""Pictures: gates as heat maps, saturation, memories, the cell, gradients.

Each function returns a `matplotlib.figure.Figure` to show or save:
`plot_gates(trace).savefig("gates.png")`. No window opens, and matplotlib's
settings are not changed.

Each takes `ax`, to draw into axes or a figure of yours: a `Figure` or
`SubFigure`, in which the panels are made, or one `Axes` for each panel, in
order. The figure that holds them is returned. Into axes of yours, no heading
is written: that is up to you.

    left, right = figure.subfigures(1, 2)
    plot_memory(trace, units=[80, 12], ax=left)
    plot_saturation(trace, quantities="use_factor", ax=right.subplots())

By default the pictures show the units that mean something, which
`keras_gatelstm.inspect.notable` chooses, in the colours of
`keras_gatelstm.inspect.colors`.
"""

from keras_gatelstm.inspect.plots.cell import plot_cell
from keras_gatelstm.inspect.plots.flow import plot_gradient_flow
from keras_gatelstm.inspect.plots.heat import plot_gates
from keras_gatelstm.inspect.plots.memory import plot_memory
from keras_gatelstm.inspect.plots.saturation import plot_saturation

__all__ = [
    "plot_cell",
    "plot_gates",
    "plot_gradient_flow",
    "plot_memory",
    "plot_saturation",
]
