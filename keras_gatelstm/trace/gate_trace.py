"""What was recorded: every quantity of every layer, by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import numpy as np

Rows = int | slice | Sequence[int] | np.ndarray


@dataclass(frozen=True, repr=False)
class LayerTrace(Mapping[str, np.ndarray]):
    """The quantities of one layer, by name, `(batch, time, units)` each.

    Args:
        path: Where the layer is in the model.
        quantities: Their values, by name: those of
            `GateLSTMCell.activity`, `GateGRUCell.activity` or
            `GateRNNCell.activity`.
        mask: `None`, or booleans `(batch, time)`: `False` where a step was
            masked. There, every quantity is what it was at the step before.
    """

    path: str
    quantities: dict[str, np.ndarray]
    mask: np.ndarray | None = None

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

    def counted(self, quantity: str) -> np.ndarray:
        """A quantity's values at all steps that are not masked.

        Returns:
            `(steps, units)`, of all rows, one after the other.
        """
        values = self[quantity]
        if self.mask is None:
            return values.reshape(-1, values.shape[-1])
        return values[self.mask]


@dataclass(frozen=True, repr=False)
class GateTrace(Mapping[str, LayerTrace]):
    """What every gate of a model did, at every step.

    `trace["gate_lstm"]` is a layer's `LayerTrace`;
    `trace["gate_lstm/forget_factor"]` a quantity of it, `(batch, time,
    units)`. Where there is one layer, `trace["forget_factor"]` will do.

    Args:
        layers: The layers' traces, by the path of the layer.
        tokens: `None`, or what stands at each step: tokens or timestamps,
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
        raise KeyError(unknown("layer", path or key, self.layers, "the trace"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"GateTrace({', '.join(map(repr, self.layers.values()))})"

    def only_layer(self) -> LayerTrace:
        """The one layer there is.

        Raises:
            ValueError: if there are more.
        """
        if len(self.layers) > 1:
            raise ValueError(
                "The trace has several layers: name one. "
                f"It has {', '.join(self.layers)}"
            )
        return next(iter(self.layers.values()))

    def layer(self, path: str | None = None) -> LayerTrace:
        """The layer at this path; the only one, if none is named."""
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
        """A part of the trace; axes stay, also where one place is left.

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
                array = _taken(array, places, axis)
            return array

        layers = {
            path: LayerTrace(
                path,
                {name: part(value) for name, value in layer.items()},
                None if layer.mask is None else part(layer.mask),
            )
            for path, layer in self.layers.items()
        }
        tokens = None if self.tokens is None else part(self.tokens)
        return type(self)(layers, tokens)

    def to_dict(self) -> dict[str, np.ndarray]:
        """Every array by name: `layer/quantity`, `layer/mask`, `tokens`."""
        arrays = {
            f"{path}/{name}": value
            for path, layer in self.layers.items()
            for name, value in layer.items()
        }
        for path, layer in self.layers.items():
            if layer.mask is not None:
                arrays[f"{path}/mask"] = layer.mask
        if self.tokens is not None:
            arrays["tokens"] = self.tokens
        return arrays

    @classmethod
    def from_dict(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The trace whose `to_dict` this is."""
        layers: dict[str, LayerTrace] = {}
        masks: dict[str, np.ndarray] = {}
        for key, array in arrays.items():
            path, _, name = key.rpartition("/")
            if name == "mask":
                masks[path] = array
            elif path:
                layer = layers.setdefault(path, LayerTrace(path, {}))
                layer.quantities[name] = array
        layers = {
            path: LayerTrace(path, layer.quantities, masks.get(path))
            for path, layer in layers.items()
        }
        return cls(layers, arrays.get("tokens"))

    def save(self, path: str | Path) -> Path:
        """Writes the trace to a file, `.npz` or `.h5`; see `trace.files`."""
        from keras_gatelstm.trace import files

        return files.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads what `save` wrote.

        It reads numbers and words of that file alone: no pickle, no other
        files that HDF5 can refer to.

        Raises:
            FileNotFoundError: if the file is not there.
            ValueError: if there is no trace in it.
        """
        from keras_gatelstm.trace import files

        return cls.from_dict(files.load(Path(path)))

    def to_xarray(self) -> Any:
        """The trace as an `xarray.Dataset`, a variable for each quantity.

        Its dimensions are `batch`, `time`, and `unit`; where layers differ in
        size, `unit_<layer>`. Tokens become the coordinate `token`.

        Raises:
            ImportError: if xarray is not installed.
        """
        from keras_gatelstm.trace import files

        return files.to_xarray(self)


def _taken(array: np.ndarray, places: Rows | None, axis: int) -> np.ndarray:
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


def unknown(
    kind: str, received: str, available: Mapping[str, Any], where: str
) -> str:
    """Says what there is, and what was likely meant."""
    close = get_close_matches(received, list(available), 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"There is no {kind} {received!r} in {where}.{hint} "
        f"Available: {', '.join(available)}"
    )
