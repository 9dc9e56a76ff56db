"""Traces: every recorded quantity of every layer, by name."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict

import numpy as np

from keras_gatelstm.core.anatomy import Anatomy, Quantity
from keras_gatelstm.inspect import trace_files

if TYPE_CHECKING:
    from xarray import Dataset

_UNDESCRIBED = Anatomy(())
AXES = ("batch", "time", "unit")
Rows = int | slice | Sequence[int] | np.ndarray


@dataclass(frozen=True, repr=False)
class LayerTrace(Mapping[str, np.ndarray]):
    """The quantities of one layer, by name, `(batch, time, units)` each.

    Args:
        path: The layer's path in the model.
        quantities: The values by name, those of the cell's `activity`.
        mask: `None`, or booleans `(batch, time)`: `False` where a step was
            masked. There, every quantity repeats the step before.
        anatomy: The cell's description of the quantities. Default: all are
            values, not factors or memories.

    Raises:
        ValueError: if a quantity is not described.
    """

    path: str
    quantities: dict[str, np.ndarray]
    mask: np.ndarray | None = None
    anatomy: Anatomy = _UNDESCRIBED

    def __post_init__(self) -> None:
        if not self.anatomy.quantities:
            values = [Quantity(it, name=it, gate=it) for it in self.quantities]
            object.__setattr__(self, "anatomy", Anatomy(tuple(values)))
        missing = set(self.quantities) - set(self.anatomy.names)
        if missing:
            raise ValueError(
                f"anatomy of {self.path} must describe every quantity. "
                f"Received: none of {', '.join(sorted(missing))}"
            )

    def __getitem__(self, quantity: str) -> np.ndarray:
        if quantity not in self.quantities:
            raise KeyError(
                unknown("quantity", quantity, self.quantities, self.path)
            )
        return self.quantities[quantity]

    def __iter__(self) -> Iterator[str]:
        return iter(self.quantities)

    def __len__(self) -> int:
        return len(self.quantities)

    def __repr__(self) -> str:
        return f"LayerTrace({self.path!r}, {self.shape}: {', '.join(self)})"

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(batch, time, units)`."""
        batch, time, units = next(iter(self.quantities.values())).shape
        return batch, time, units

    @property
    def factors(self) -> list[str]:
        """Names of the factors: from 0 to 1, how open a gate is."""
        return [name for name in self if name in self.anatomy.factors]

    @property
    def main_memory(self) -> str:
        """Name of the memory that lasts longest."""
        memory = self.anatomy.main_memory
        if memory is None or memory.name not in self:
            return list(self)[-1]
        return memory.name

    @property
    def keeping_factor(self) -> str | None:
        """Name of the factor by which a step keeps the main memory."""
        memory = self.anatomy.main_memory
        if memory is None or memory.kept_by not in self.quantities:
            return None
        return memory.kept_by

    def unmasked(self, quantity: str) -> np.ndarray:
        """Return a quantity's values at all steps that are not masked.

        Returns:
            `(steps, units)`, of all rows, one after the other.
        """
        values = self[quantity]
        if self.mask is None:
            return values.reshape(-1, values.shape[-1])
        return values[self.mask]


class _TraceOptions(TypedDict, total=False):
    mask: np.ndarray
    anatomy: Anatomy


@dataclass(frozen=True, repr=False)
class GateTrace(Mapping[str, LayerTrace]):
    """Activity of every gate of a model, at every step.

    `trace["gate_lstm"]` is a layer's `LayerTrace`;
    `trace["gate_lstm/forget_factor"]` a quantity of it, `(batch, time,
    units)`. With a single layer, `trace["forget_factor"]` is enough.

    Args:
        layers: The layers' traces, by the path of the layer.
        tokens: `None`, or labels of the steps: tokens or timestamps,
            `(batch, time)`.
    """

    layers: dict[str, LayerTrace]
    tokens: np.ndarray | None = None

    def __getitem__(self, key: str) -> Any:
        if key in self.layers:
            return self.layers[key]
        path, _, quantity = key.rpartition("/")
        if not path and len(self.layers) == 1:
            return self.only_layer()[quantity]
        if path in self.layers:
            return self.layers[path][quantity]
        raise KeyError(unknown_key(key, self.layers, "the trace"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"GateTrace({', '.join(map(repr, self.layers.values()))})"

    def only_layer(self) -> LayerTrace:
        """Return the only layer.

        Raises:
            ValueError: if there are several, or none.
        """
        if not self.layers:
            raise ValueError("The trace is empty: it has no layers")
        if len(self.layers) > 1:
            raise ValueError(
                "The trace has several layers: name one. "
                f"It has {', '.join(self.layers)}"
            )
        return next(iter(self.layers.values()))

    def layer(self, path: str | None = None) -> LayerTrace:
        """Return the layer at this path, or by default the only one."""
        if path is None:
            return self.only_layer()
        if path not in self.layers:
            raise KeyError(unknown("layer", path, self.layers, "the trace"))
        return self.layers[path]

    def select(
        self,
        batch: Rows | None = None,
        time: Rows | None = None,
        units: Rows | None = None,
    ) -> Self:
        """Return a part of the trace; a single place keeps its axis.

        Args:
            batch: The rows: a number, a slice, or several numbers.
            time: The steps.
            units: The units, the same of every layer.

        Raises:
            IndexError: if there is no such row, step or unit.

        Example:

        >>> trace = record_gates(GateLSTM(4), np.ones((2, 9, 3)))
        >>> trace.select(batch=0, time=slice(2, 5)).only_layer().shape
        (1, 3, 4)
        """

        def part(array: np.ndarray) -> np.ndarray:
            for axis, places in enumerate([batch, time, units][: array.ndim]):
                array = _take_places(array, places, axis)
            return array

        layers = {
            path: replace(
                layer,
                quantities={name: part(it) for name, it in layer.items()},
                mask=None if layer.mask is None else part(layer.mask),
            )
            for path, layer in self.layers.items()
        }
        tokens = None if self.tokens is None else part(self.tokens)
        return type(self)(layers, tokens)

    def to_dict(self) -> dict[str, np.ndarray]:
        """Return every array by name.

        Returns:
            `layer/quantity`, `layer/mask`, `layer/anatomy` (JSON) and
            `tokens`.
        """
        arrays = {
            f"{path}/{name}": value
            for path, layer in self.layers.items()
            for name, value in layer.items()
        }
        for path, layer in self.layers.items():
            if layer.mask is not None:
                arrays[f"{path}/mask"] = layer.mask
            config = layer.anatomy.get_config()
            arrays[f"{path}/anatomy"] = np.array(json.dumps(config))
        if self.tokens is not None:
            arrays["tokens"] = self.tokens
        return arrays

    @classmethod
    def from_dict(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Make the trace from the result of `to_dict`."""
        quantities: dict[str, dict[str, np.ndarray]] = {}
        others: dict[str, dict[str, np.ndarray]] = {}
        for key, array in arrays.items():
            path, _, name = key.rpartition("/")
            kind = others if name in ("mask", "anatomy") else quantities
            if path:
                kind.setdefault(path, {})[name] = array
        layers = {
            path: LayerTrace(
                path, values, **_read_options(others.get(path, {}))
            )
            for path, values in quantities.items()
        }
        return cls(layers, arrays.get("tokens"))

    def save(self, path: str | Path) -> Path:
        """Write the trace to a file, `.npz` or `.h5`; see `trace_files`.

        Raises:
            ValueError: if the suffix is another, or the trace has no layers.
            OSError: if the file cannot be written.
        """
        if not self.layers:
            raise ValueError("The trace is empty: it has no layers")
        return trace_files.save(self.to_dict(), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a trace that `save` wrote.

        Only numbers and text in that file are read: no pickle, no other
        files that HDF5 can refer to.

        Raises:
            FileNotFoundError: if the file does not exist.
            ValueError: if the file does not contain a trace.
        """
        return cls.from_dict(trace_files.load(Path(path)))

    def to_xarray(self) -> "Dataset":
        """Return an `xarray.Dataset` with a variable for each quantity.

        The dimensions are `batch`, `time` and `unit`, with `_<layer>` after
        each in which layers differ. Tokens become the coordinate `token` if
        all layers have the same batch and time. In names, `.` stands for `/`,
        which would make groups in files.

        Raises:
            ImportError: if xarray is not installed.
        """
        try:
            import xarray
        except ImportError as error:
            raise ImportError(
                "to_xarray needs xarray: pip install xarray"
            ) from error
        shapes = [layer.shape for layer in self.values()]
        shared = [len(set(sizes)) == 1 for sizes in zip(*shapes, strict=True)]
        variables: dict[str, Any] = {}
        for path, layer in self.items():
            place = path.replace("/", ".")
            axes = [
                axis if is_shared else f"{axis}_{place}"
                for axis, is_shared in zip(AXES, shared, strict=True)
            ]
            for name, value in layer.items():
                variables[f"{place}.{name}"] = (axes, value)
            if layer.mask is not None:
                variables[f"{place}.mask"] = (axes[:2], layer.mask)
        coordinates = {}
        if self.tokens is not None and all(shared[:2]):
            coordinates["token"] = (AXES[:2], self.tokens)
        return xarray.Dataset(variables, coordinates)


def as_layer(
    trace: GateTrace | LayerTrace, path: str | None = None
) -> LayerTrace:
    """Return the layer of a trace at `path`, or by default the only one.

    Raises:
        KeyError: if there is no layer at `path`.
        TypeError: if `trace` is neither a trace nor a layer of one.
        ValueError: if `path` is `None`, and there are several layers; or if
            the layer has no rows, steps or units.
    """
    if isinstance(trace, GateTrace):
        layer = trace.layer(path)
    elif not isinstance(trace, LayerTrace):
        raise TypeError(
            "trace must be a GateTrace, as record_gates returns it, or a "
            f"layer of one. Received: {trace!r}"
        )
    elif path not in (None, trace.path):
        raise KeyError(unknown("layer", str(path), {trace.path: trace}, "it"))
    else:
        layer = trace
    check_not_empty(layer)
    return layer


def check_not_empty(layer: LayerTrace) -> None:
    """Raise for a layer without rows, steps or units."""
    if not layer.quantities or 0 in layer.shape:
        shape = layer.shape if layer.quantities else "no quantities"
        raise ValueError(
            f"The trace of {layer.path} is empty: it needs a row, a step and a "
            f"unit at least. Received: {shape}, (batch, time, units)"
        )


def _read_options(arrays: dict[str, np.ndarray]) -> _TraceOptions:
    """Read a layer's mask and anatomy, if its arrays have them."""
    found: _TraceOptions = {}
    if "mask" in arrays:
        found["mask"] = arrays["mask"]
    if "anatomy" in arrays:
        config = json.loads(str(arrays["anatomy"]))
        found["anatomy"] = Anatomy.from_config(config)
    return found


def _take_places(
    array: np.ndarray, places: Rows | None, axis: int
) -> np.ndarray:
    if places is None:
        return array
    if isinstance(places, slice):
        return array[(slice(None),) * axis + (places,)]
    numbers = np.atleast_1d(places)
    try:
        return np.take(array, numbers, axis=axis)
    except IndexError:
        names = ("batch", "time", "units")
        raise IndexError(
            f"{names[axis]} must be from 0 to {array.shape[axis] - 1}. "
            f"Received: {places!r}"
        ) from None


def unknown_key(
    key: str, layers: Mapping[str, Collection[str]], where: str
) -> str:
    """Return an error message for a key that names no layer or quantity.

    Args:
        key: `layer/quantity`, a layer, or a quantity alone.
        layers: Names of the quantities of each layer.
        where: What has these layers.
    """
    paths = [f"{path}/{it}" for path, names in layers.items() for it in names]
    same = [it for it in paths if it.endswith(f"/{key}")]
    if same:
        return (
            f"{key!r} is a quantity of several layers in {where}: name one, "
            f"{' or '.join(map(repr, same))}"
        )
    path, _, quantity = key.rpartition("/")
    close = get_close_matches(path or key, layers, 1)
    if not (path or close):
        names = {it for found in layers.values() for it in found}
        for alike in get_close_matches(quantity, names, 1):
            close = [it for it in paths if it.endswith(f"/{alike}")]
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    return (
        f"There is no layer {path or key!r} in {where}.{hint} "
        f"Available: {', '.join(layers)}"
    )


def unknown(
    kind: str, received: str, available: Collection[str], where: str
) -> str:
    """Return an error message with the available names and the closest."""
    close = get_close_matches(received, list(available), 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"There is no {kind} {received!r} in {where}.{hint} "
        f"Available: {', '.join(available)}"
    )
