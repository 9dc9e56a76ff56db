"""Bar chart of relative speeds."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt


def draw_ratios(
    path: Path, ratios: Mapping[str, tuple[float, float]], measured_on: str
) -> None:
    """Draw bars of speeds relative to `keras.layers.LSTM`."""
    names = list(ratios)[::-1]
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for shift, phase, color in (
        (0.2, "training", "C0"),
        (-0.2, "inference", "C1"),
    ):
        values = [ratios[name][phase == "inference"] for name in names]
        places = [place + shift for place in range(len(names))]
        bars = axes.barh(places, values, height=0.38, label=phase, color=color)
        axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel(f"times as fast as keras.layers.LSTM\n{measured_on}")
    axes.legend()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100)
