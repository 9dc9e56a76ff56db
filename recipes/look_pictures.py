"""Pictures and the report of a recorded model, for `recipes.look`."""

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from keras_gatelstm import GateLSTMCell, GateTrace, plots
from keras_gatelstm.inspect import LayerTrace
from keras_gatelstm.inspect.report import Series, write_report
from recipes.forecasting.gate_pictures import plot_reading
from recipes.forecasting.reading import Reading, written

if TYPE_CHECKING:
    import keras

# More steps of a series would be illegible in a picture.
PICTURED_STEPS = 200
# Columns of a series in the report, of which one is shown at a time.
REPORTED_COLUMNS = 20
# Keras numbers models without a name of their own.
UNNAMED = ("sequential", "functional", "model")


def draw(trace: GateTrace, folder: Path, series: Reading | None) -> None:
    """Write the pictures, of the last row that a layer reads."""
    for path, layer in trace.items():
        # With several layers, the file names contain the layer's.
        name = path.replace("/", "-").replace(":", "-")
        of_layer = f"-{name}" if len(trace) > 1 else ""
        figures = {
            "gates": plot_gates(trace, path, series),
            "memory": plots.plot_memory(trace, path, row=-1),
        }
        if layer.factors:
            figures["saturation"] = plots.plot_saturation(trace, path)
        if set(GateLSTMCell.anatomy.names) <= set(layer):
            figures["cell"] = plots.plot_cell(trace, path, row=-1)
        for name, figure in figures.items():
            figure.savefig(folder / f"{name}{of_layer}.png")


def plot_gates(trace: GateTrace, path: str, series: Reading | None) -> Figure:
    """Plot a layer's gates at its last steps, below the series if there is one.

    Args:
        trace: The trace.
        path: Path of the layer.
        series: The series that was read.
    """
    layer: LayerTrace = trace[path]
    size = series.rows_per_step(layer) if series else None
    if series is None or size is None or layer.mask is not None:
        return plots.plot_gates(trace, path, row=-1)
    last = trace.select(time=slice(-PICTURED_STEPS, None))[path]
    rows = size * last.shape[1]
    seen = series.of_last_row(layer).iloc[-rows:, -1]
    drawn = [it for it in layer if layer.anatomy[it].kind != "value"]
    return plot_reading(last, seen, size, drawn)


def write_page(
    trace: GateTrace, path: Path, title: str, series: Reading | None
) -> None:
    """Write the report, with the series as a line if there is one."""
    layer = next(iter(trace.values()))
    size = series.rows_per_step(layer) if series else None
    shown = None
    if series is not None and size is not None:
        seen = series.of_last_row(layer).iloc[:, -REPORTED_COLUMNS:]
        times = written(seen.index)
        shown = Series(seen.to_numpy(), times, list(seen), size)
    write_report(trace, path, title, row=layer.shape[0] - 1, series=shown)


def name_of(model: "keras.Model", path: Path) -> str:
    """Return the model's name; without one, that of its file or folder."""
    name: str = model.name
    if name.rstrip("_0123456789") not in UNNAMED:
        return name
    return path.absolute().parent.name if path.stem == "model" else path.stem
