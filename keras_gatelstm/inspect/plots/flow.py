"""Line plot of how far back in time the gradient reaches, by memory."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_gatelstm.inspect.colors import REMEMBER, USE
from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.plots.panels import Place, column, panels_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The result of `gradient_flow`.
Flow = Mapping[str, np.ndarray]
FLOOR = 1e-12


def plot_gradient_flow(
    flow: Flow | Mapping[str, Flow], *, ax: Place = None
) -> "Figure":
    """Plot the gradient of the loss by each memory, by steps back in time.

    ```
    norm(steps back) / norm(0 steps back, of all memories of the layer)
    ```

    on a logarithmic scale, each norm the mean over the rows. A falling line
    is a vanishing gradient: the model cannot learn from events that far back.
    Steps back are counted from the last one that a gradient reaches.

    Args:
        flow: The result of `gradient_flow`; or several results by the names
            of their models, each in its own colour.
        ax: Where to draw: an `Axes`, a `Figure` or a `SubFigure`. Default: a
            new figure.

    Returns:
        The figure. For an LSTM, the long-term memory is a solid line and the
        short-term memory a dashed one.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if `flow` is empty, no gradient reaches any step, or `ax`
            is several axes.

    Example:

    >>> from keras_gatelstm.inspect.gradient_flow import gradient_flow
    >>> from keras_gatelstm.inspect.plots import plot_gradient_flow
    >>> def flow(layer):
    ...     model = keras.Sequential([keras.Input((9, 3)), layer])
    ...     model.compile(loss="mse")
    ...     return gradient_flow(model, np.ones((2, 9, 3)), np.ones((2, 4)))
    >>> figure = plot_gradient_flow(
    ...     {"RNN": flow(GateRNN(4)), "GRU": flow(GateGRU(4))}
    ... )
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['RNN', 'GRU']
    """
    flows = _flows_by_model(flow)
    panels = panels_of(ax, ["gradient flow"], (7, 5), column(1))
    [axes] = panels.axes
    for number, (model, norms) in enumerate(flows.items()):
        for label, is_main, shares in _relative_norms(model, norms):
            color = style.PALETTE[number % len(style.PALETTE)]
            if not model:
                color = (REMEMBER if is_main else USE).line
            axes.plot(
                np.where(shares > FLOOR, shares, np.nan),
                color=color,
                linestyle="-" if is_main else "--",
                marker="." if len(shares) == 1 else None,
                label=style.plain(label),
            )
    axes.set_yscale("log")
    axes.grid(axis="y", color="0.9")
    axes.set_xlabel("steps back in time")
    axes.set_ylabel("norm of dLoss/dMemory,\nrelative to the last step's")
    axes.spines[["top", "right"]].set_visible(False)
    columns = 2 if len(axes.lines) > 3 else 3
    if ax is None:
        panels.figure.legend(
            loc="outside lower center",
            ncols=columns,
            frameon=False,
            fontsize=9,
        )
    else:
        axes.legend(frameon=False, fontsize=9)
    panels.head("How far back in time the gradient reaches")
    return panels.figure


def _flows_by_model(flow: Flow | Mapping[str, Flow]) -> Mapping[str, Flow]:
    if not flow or not all(
        it.size if isinstance(it, np.ndarray) else it for it in flow.values()
    ):
        raise ValueError(
            "plot_gradient_flow needs what gradient_flow gave. "
            f"Received: {flow!r}"
        )
    if any(isinstance(it, np.ndarray) for it in flow.values()):
        return {"": flow}  # type: ignore[dict-item]
    return flow  # type: ignore[return-value]


def _relative_norms(
    model: str, flow: Flow
) -> Iterator[tuple[str, bool, np.ndarray]]:
    """Yield each line's label, whether it is the main memory, and its values.

    The main memory is the last of a layer's, as in a cell's description.
    """
    layers: dict[str, dict[str, np.ndarray]] = {}
    for path, norms in flow.items():
        layer, _, memory = path.rpartition("/")
        layers.setdefault(layer, {})[memory] = norms.mean(axis=0)[::-1]
    for layer, memories in layers.items():
        whole = np.sqrt(sum(norms**2 for norms in memories.values()))
        reached = np.flatnonzero(whole)
        if not reached.size:
            raise ValueError(f"no gradient reaches any step of {layer}")
        first = reached[0]
        for memory, norms in memories.items():
            parts = [model] * bool(model)
            if not model or len(layers) > 1:
                parts.append(layer)
            if len(memories) > 1:
                parts.append(memory)
            is_main = memory == list(memories)[-1]
            yield ", ".join(parts), is_main, norms[first:] / whole[first]
