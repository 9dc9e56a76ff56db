"""Summary of what gates did, to print."""

from collections.abc import Mapping

import numpy as np
from tabulate import tabulate

from keras_gatelstm.inspect.gate_sums import GateSums
from keras_gatelstm.inspect.notable import rank_units

RANKED_UNITS = 8


def summary_of(sums: Mapping[str, GateSums]) -> str:
    """Tabulate how open gates are, half-lives, and units of properties.

    Args:
        sums: Sums of the gates of each layer, by its name.
    """
    gates, half_lives, units = [], [], []
    for layer, it in sums.items():
        for factor in it.low:
            share = it.saturation(factor)
            gates.append([layer, factor, share.high.mean(), share.low.mean()])
        if it.logs.size:
            half_life = np.median(it.half_life())
            half_lives.append(
                f"{layer}: half of a memory is gone in {half_life:.1f} steps"
            )
        correlated = it.characterful_units(it.moments.products.size)
        units += [
            [layer, unit.unit, unit.quantity, unit.property, unit.correlation]
            for unit in rank_units(correlated)[:RANKED_UNITS]
        ]
    tables = []
    if gates:
        heads = ["layer", "gate", "open, above 0.9", "shut, below 0.1"]
        tables.append(tabulate(gates, heads, floatfmt=".1%"))
    tables += half_lives
    if units:
        heads = ["layer", "unit", "of its", "goes with", "correlation"]
        tables.append(tabulate(units, heads, floatfmt=".2f"))
    elif any(it.properties for it in sums.values()):
        tables.append("no unit goes with a property of the text")
    return "\n\n".join(tables)
