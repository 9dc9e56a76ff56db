"""Pictures and the report of a recorded model, for `recipes.look`."""

from pathlib import Path

from matplotlib.figure import Figure

from keras_gatelstm import GateLSTMCell, GateTrace, plots, statistics
from keras_gatelstm.inspect import LayerTrace
from keras_gatelstm.inspect.report import Series, write_report
from recipes.forecasting.gate_pictures import plot_reading
from recipes.forecasting.reading import Reading, written

# More steps would be illegible in a picture.
PICTURED_STEPS = 200
PICTURED_UNITS = 3
# Columns of a series in the report, of which one is shown at a time.
REPORTED_COLUMNS = 20


def draw(
    trace: GateTrace,
    folder: Path,
    text: str | None,
    series: Reading | None,
) -> None:
    """Write the pictures, of the last row that a layer reads."""
    last = trace.select(time=slice(-PICTURED_STEPS, None))
    for path in trace:
        # With several layers, the file names contain the layer's.
        name = path.replace("/", "-").replace(":", "-")
        of_layer = f"-{name}" if len(trace) > 1 else ""
        units = select_units(trace, path, text)
        figures = {
            "gates": plot_gates(last, path, series, trace[path]),
            "memory": plots.plot_memory(last, path, units, row=-1),
        }
        if trace[path].factors:
            figures["saturation"] = plots.plot_saturation(trace, path)
        if set(GateLSTMCell.anatomy.names) <= set(trace[path]):
            figures["cell"] = plots.plot_cell(trace, path, row=-1)
        for name, figure in figures.items():
            figure.savefig(folder / f"{name}{of_layer}.png")


def plot_gates(
    last: GateTrace,
    path: str,
    series: Reading | None,
    layer: LayerTrace,
) -> Figure:
    """Plot a layer's gates at its last steps, below the series if there is one.

    Args:
        last: The last steps of the trace.
        path: Path of the layer.
        series: The series that was read.
        layer: All steps of the layer.
    """
    size = series.rows_per_step(layer) if series else None
    if series is None or size is None or layer.mask is not None:
        return plots.plot_gates(last, path, row=-1)
    rows = size * last[path].shape[1]
    seen = series.of_last_row(layer).iloc[-rows:, -1]
    return plot_reading(last[path], seen, size, list(last[path]))


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


def select_units(
    trace: GateTrace, path: str, text: str | None
) -> list[int] | None:
    """Return the units most correlated with properties of the text."""
    if text is None:
        return None
    found = [
        statistics.characterful_units(trace[path], {name: values}, top=1)[0]
        for name, values in statistics.text_properties(text).items()
    ]
    found.sort(key=lambda it: -abs(it.correlation))
    units = list(dict.fromkeys(it.unit for it in found))
    return units[:PICTURED_UNITS] or None
