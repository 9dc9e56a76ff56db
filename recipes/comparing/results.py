"""Table and plots of a comparison's results."""

import csv
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tabulate import tabulate

from keras_gatelstm.inspect.gradient_flow import gradient_flow
from keras_gatelstm.inspect.plots import plot_gradient_flow
from keras_gatelstm.inspect.plots.style import PALETTE
from recipes.comparing.runs import Row
from recipes.comparing.task import Run, Task

NAMES = {
    "rnn": "RNN",
    "gru": "GRU",
    "lesson": "lesson LSTM",
    "standard": "standard LSTM",
    "keras": "keras.layers.LSTM",
}
COLORS = dict(zip(NAMES, PALETTE, strict=False))


def table(task: Task, rows: Sequence[Row]) -> str:
    """Tabulate each layer's score at each length, mean ± deviation of seeds."""
    lines = []
    for cell in _cell_names(rows):
        of_cell = [row for row in rows if row["cell"] == cell]
        batches = sum(row["batches"] for row in of_cell)
        seconds = sum(row["seconds"] for row in of_cell)
        lines.append(
            [
                NAMES[cell],
                of_cell[0]["units"],
                of_cell[0]["parameters"],
                *(
                    _format_scores(_select_scores(rows, cell, length))
                    for length in task.lengths
                ),
                batches // len(of_cell),
                round(1000 * seconds / batches),
            ]
        )
    by, reached = task.chance
    chance = [f"{reached:.3f}"] * len(task.lengths)
    lines.append([by, None, None, *chance])
    heads = ["", "units", "parameters"]
    heads += [f"{it} steps" if it else task.score for it in task.lengths]
    heads += ["batches", "ms\na batch"]
    return tabulate(lines, heads, disable_numparse=True)


def draw(task: Task, rows: Sequence[Row], path: Path) -> None:
    """Plot the scores: lines over several lengths, or a point per seed."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    if len(task.lengths) > 1:
        _draw_lines(axes, task, rows)
    else:
        _draw_points(axes, task, rows)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def write_gradients(task: Task, rows: Sequence[Row], folder: Path) -> None:
    """Write how far back gradients reach in the untrained models.

    Args:
        task: The task.
        rows: The rows of the table.
        folder: Folder of `gradients.png`, and of `gradients.csv` with the
            mean over the rows of a batch of each memory's norms.
    """
    longest = max(task.lengths)
    flows = {}
    for cell in _cell_names(rows):
        row = next(
            row
            for row in rows
            if row["cell"] == cell and row["length"] == longest
        )
        run = Run(*(row[name] for name in Run._fields))
        inputs, targets = next(iter(task.batches(run).batches(0, 0)))
        flows[cell] = gradient_flow(task.model(run), inputs, targets)
    named = {NAMES[cell]: flow for cell, flow in flows.items()}
    plot_gradient_flow(named).savefig(folder / "gradients.png", dpi=150)
    with (folder / "gradients.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cell", "memory", "steps_back", "norm"])
        for cell, flow in flows.items():
            for path, norms in flow.items():
                memory = path.rpartition("/")[2]
                for back, norm in enumerate(norms.mean(axis=0)[::-1]):
                    writer.writerow([cell, memory, back, f"{norm:.3e}"])


def _draw_lines(axes: Axes, task: Task, rows: Sequence[Row]) -> None:
    for cell in _cell_names(rows):
        scores = [_select_scores(rows, cell, length) for length in task.lengths]
        axes.plot(
            task.lengths,
            [mean(it) for it in scores],
            "o-",
            color=COLORS[cell],
            label=NAMES[cell],
        )
        axes.fill_between(
            task.lengths,
            [min(it) for it in scores],
            [max(it) for it in scores],
            color=COLORS[cell],
            alpha=0.15,
            lw=0,
        )
    by, reached = task.chance
    axes.axhline(reached, color="0.5", ls="--", lw=1, label=by)
    axes.set_xticks(task.lengths)
    axes.set(xlabel="steps that the memory must last", ylabel=task.score)
    axes.legend(frameon=False, fontsize=9)


def _draw_points(axes: Axes, task: Task, rows: Sequence[Row]) -> None:
    cells = _cell_names(rows)
    for place, cell in enumerate(cells):
        scores = _select_scores(rows, cell, task.lengths[0])
        places = np.full(len(scores), place)
        axes.scatter(scores, places, color=COLORS[cell], alpha=0.6)
        axes.plot(mean(scores), place, "|", color="black", ms=18)
    by, reached = task.chance
    axes.axvline(reached, color="0.5", ls="--", lw=1, label=by)
    axes.set_yticks(range(len(cells)), [NAMES[cell] for cell in cells])
    axes.invert_yaxis()
    axes.set_xlabel(f"{task.score}: a point for each seed, a line at the mean")
    axes.legend(frameon=False, fontsize=9)


def _cell_names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["cell"] for row in rows))


def _select_scores(rows: Sequence[Row], cell: str, length: int) -> list[float]:
    return [
        row["score"]
        for row in rows
        if row["cell"] == cell and row["length"] == length
    ]


def _format_scores(scores: Sequence[float]) -> str:
    spread = f" ± {stdev(scores):.3f}" if len(scores) > 1 else ""
    return f"{mean(scores):.3f}{spread}"
