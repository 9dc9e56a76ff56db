"""Statistics of gates over a corpus, from a SavedModel."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from keras_gatelstm import GateGRUCell, GateLSTMCell, GateRNNCell
from keras_gatelstm.core.anatomy import Anatomy
from keras_gatelstm.inspect import LayerTrace
from keras_gatelstm.inspect.gate_sums import GateSums
from keras_gatelstm.inspect.moments import Moments
from recipes import saved_model
from recipes.console import UsageError
from recipes.saved_model import SavedModel, Signature

# Sums by the name of the layer.
LayerSums = dict[str, GateSums]

# The signature of a SavedModel that gives all quantities.
SIGNATURE = "gates"
# The one with the most quantities first: others may have some of its names.
_ANATOMIES = sorted(
    (it.anatomy for it in (GateLSTMCell, GateGRUCell, GateRNNCell)),
    key=lambda it: -len(it.quantities),
)


def signature_of(loaded: SavedModel, path: Path) -> Signature:
    """Return the signature of a SavedModel that gives all quantities.

    Raises:
        UsageError: if it has none, or none of known gates.
    """
    signature = saved_model.signature_of(loaded, SIGNATURE, path)
    if not layers_of(signature.structured_outputs):
        raise UsageError(
            f"{path} has no recurrent layer whose gates --gates knows: it sums "
            "up those of LSTMs, GRUs and plain RNNs"
        )
    return signature


def layers_of(names: Iterable[str]) -> dict[str, Anatomy]:
    """Return the layers that have these quantities, by name.

    Args:
        names: Names of all quantities of all layers, `<layer>_<quantity>`.
    """
    left = set(names)
    found = {}
    for anatomy in _ANATOMIES:
        ending = f"_{anatomy.names[0]}"
        for name in sorted(it for it in left if it.endswith(ending)):
            layer = name.removesuffix(ending)
            quantities = {f"{layer}_{it}" for it in anatomy.names}
            if quantities <= left:
                found[layer] = anatomy
                left -= quantities
    return dict(sorted(found.items()))


def traces(
    outputs: Mapping[str, Any], mask: np.ndarray | None = None
) -> Iterator[LayerTrace]:
    """Yield the traces of all layers.

    Args:
        outputs: The outputs of the signature.
        mask: Booleans, `(batch, time)`: which steps count. Default: all.
    """
    for layer, anatomy in layers_of(outputs).items():
        quantities = {
            it: np.asarray(outputs[f"{layer}_{it}"]) for it in anatomy.names
        }
        yield LayerTrace(layer, quantities, mask, anatomy)


def add(sums: LayerSums, more: LayerSums) -> LayerSums:
    """Return the sums of both, of which the first may be empty."""
    return sums | {
        layer: sums[layer] + it if layer in sums else it
        for layer, it in more.items()
    }


def total(paths: Iterable[Path]) -> LayerSums:
    """Return the sums of all files, one after the other."""
    sums: LayerSums = {}
    for path in paths:
        sums = add(sums, load(path))
    return sums


def save(sums: LayerSums, path: Path) -> None:
    """Write sums to an `.npz` file."""
    arrays: dict[str, Any] = {}
    for layer, it in sums.items():
        arrays |= {f"{layer}/low/{name}": low for name, low in it.low.items()}
        arrays |= {f"{layer}/high/{name}": of for name, of in it.high.items()}
        arrays[f"{layer}/logs"] = it.logs
        arrays[f"{layer}/memory"] = np.array(it.memory)
        arrays[f"{layer}/properties"] = np.array(it.properties, "U")
        for name, value in vars(it.moments).items():
            arrays[f"{layer}/moments/{name}"] = np.asarray(value)
    with path.open("wb") as file:
        np.savez(file, **arrays)


def load(path: Path) -> LayerSums:
    """Read sums from a file of `save`."""
    with np.load(path) as archive:
        arrays = dict(archive)
    ending = "/memory"
    layers = [it.removesuffix(ending) for it in arrays if it.endswith(ending)]
    return {layer: _read(_under(arrays, f"{layer}/")) for layer in layers}


def _read(arrays: dict[str, Any]) -> GateSums:
    """Return the sums of a layer."""
    moments = _under(arrays, "moments/")
    steps = int(moments.pop("steps"))
    return GateSums(
        _under(arrays, "low/"),
        _under(arrays, "high/"),
        arrays["logs"],
        str(arrays["memory"]),
        tuple(map(str, arrays["properties"])),
        Moments(steps, **moments),
    )


def _under(arrays: dict[str, Any], start: str) -> dict[str, Any]:
    """Return the arrays whose names begin so, by the rest of the name."""
    return {
        name.removeprefix(start): it
        for name, it in arrays.items()
        if name.startswith(start)
    }


def table_of(sums: LayerSums) -> pd.DataFrame:
    """Return a row for each unit of each layer.

    Its columns are the steps, the half-life, the shares of steps at which each
    factor is below 0.1 and above 0.9, and the correlation of the layer's main
    memory with each property.
    """
    frames = []
    for layer, it in sums.items():
        columns: dict[str, Any] = {"steps": it.steps, "memory": it.memory}
        if it.logs.size:
            columns["half_life"] = it.half_life()
        for factor in it.low:
            share = it.saturation(factor)
            columns |= {
                f"{factor}_low": share.low,
                f"{factor}_high": share.high,
            }
        columns |= dict(
            zip(it.properties, it.moments.correlations(), strict=True)
        )
        units = range(len(it.moments.mean))
        columns = {"layer": layer, "unit": units} | columns
        frames.append(pd.DataFrame(columns))
    return pd.concat([pd.DataFrame(), *frames], ignore_index=True)
