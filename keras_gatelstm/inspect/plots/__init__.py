"""Pictures: gates as heat maps, saturation, memories, the cell, gradients.

Each function returns a `matplotlib.figure.Figure` to show or save:
`plot_gates(trace).savefig("gates.png")`. No window opens, and matplotlib's
settings are not changed.
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
