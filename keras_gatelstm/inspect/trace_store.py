"""Storage of a trace while it is recorded: in memory, or on disk."""

import shutil
import tempfile
import weakref
from pathlib import Path
from urllib.parse import quote

import numpy as np

from keras_gatelstm.core.anatomy import Anatomy
from keras_gatelstm.inspect.recorder import BatchRecord
from keras_gatelstm.inspect.trace import LayerTrace


class Store:
    """Collector of recorded batches, for the layers' traces.

    Args:
        rows: The number of rows in all batches.
        directory: The folder to store files in, or `None`.
        memory_limit: The size in bytes from which a temporary folder is used
            if `directory` is `None`.

    Raises:
        ValueError: if `directory` exists and is not an empty folder.
    """

    def __init__(
        self, rows: int, directory: str | Path | None, memory_limit: int
    ) -> None:
        self.rows = rows
        self.directory = None if directory is None else Path(directory)
        self.memory_left = memory_limit
        self.temporary = False
        self.quantities: dict[str, dict[str, np.ndarray]] = {}
        self.anatomies: dict[str, Anatomy] = {}
        self.masks: dict[str, np.ndarray] = {}
        if self.directory is not None:
            if self.directory.exists() and not _is_empty(self.directory):
                raise ValueError(
                    "directory must be a new folder, or an empty one. "
                    f"Received: {directory}"
                )
            self.directory.mkdir(parents=True, exist_ok=True)

    def write(
        self,
        path: str,
        rows: slice,
        record: BatchRecord,
    ) -> None:
        """Store the record of a layer for these rows."""
        values, mask, self.anatomies[path] = record
        arrays = self.quantities.setdefault(path, {})
        # A model may fold columns into rows: its layers then have more rows.
        times = len(next(iter(values.values()))) // (rows.stop - rows.start)
        rows = slice(times * rows.start, times * rows.stop)
        for name, value in values.items():
            if name not in arrays:
                arrays[name] = self._allocate(f"{path}/{name}", value, times)
            _check_time(path, arrays[name], value)
            if arrays[name] is not value:
                arrays[name][rows] = value
        if mask is not None:
            masks = self.masks.setdefault(
                path, np.ones((self.rows * times, mask.shape[1]), bool)
            )
            masks[rows] = mask

    def layers(self) -> dict[str, LayerTrace]:
        """Return the layers' traces, by path."""
        layers = {
            path: LayerTrace(
                path, quantities, self.masks.get(path), self.anatomies[path]
            )
            for path, quantities in self.quantities.items()
        }
        if self.temporary and self.directory is not None:
            # The files are deleted with the last array that reads them.
            arrays = [it for layer in layers.values() for it in layer.values()]
            _remove_after_use(arrays, self.directory)
        return layers

    def _allocate(self, name: str, value: np.ndarray, times: int) -> np.ndarray:
        shape = (self.rows * times, *value.shape[1:])
        self.memory_left -= value.dtype.itemsize * int(np.prod(shape))
        if self.directory is None and self.memory_left < 0:
            self.directory = Path(tempfile.mkdtemp(prefix="gate-trace-"))
            self.temporary = True
        if self.directory is None and value.shape == shape:
            return value
        if self.directory is None:
            return np.empty(shape, value.dtype)
        file = self.directory / f"{quote(name, safe='')}.npy"
        return np.lib.format.open_memmap(file, "w+", value.dtype, shape)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _check_time(path: str, array: np.ndarray, value: np.ndarray) -> None:
    if array.shape[1:] != value.shape[1:]:
        raise ValueError(
            f"{path} ran over {value.shape[1]} steps in one batch and "
            f"{array.shape[1]} in another: record the batches one by one."
        )


def _remove_after_use(arrays: list[np.ndarray], directory: Path) -> None:
    mapped = [array for array in arrays if isinstance(array, np.memmap)]
    left = {id(array) for array in mapped}

    def gone(key: int) -> None:
        left.discard(key)
        if not left:
            shutil.rmtree(directory, ignore_errors=True)

    for array in mapped:
        weakref.finalize(array, gone, id(array))
