"""Traces in files: NumPy's, and HDF5 as LSTMVis reads it; and in xarray.

In an HDF5 file, each quantity is a dataset `layer/quantity` of shape
`(batch·time, units)`, the rows one after the other, and `word_ids` the number
of what stands at each of these steps; beside it are `lstm.yml` and
`words.dict`, which LSTMVis finds the datasets by.

References:
    Strobelt et al., "LSTMVis: A Tool for Visual Analysis of Hidden State
    Dynamics in Recurrent Neural Networks", 2016; its README, "Adding Your Own
    Data".
"""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_gatelstm.files import move_into, stage_in
from keras_gatelstm.trace.gate_trace import GateTrace

SUFFIXES = (".npz", ".h5", ".hdf5")


def save(trace: GateTrace, path: Path) -> Path:
    """Writes the trace to a file that appears whole.

    Args:
        trace: The trace.
        path: Ends in `.npz`; or in `.h5` or `.hdf5`, and LSTMVis's
            `lstm.yml` and `words.dict` are written beside it.

    Raises:
        ValueError: if it ends in nothing of the kind.
        OSError: if it cannot be written.
    """
    _check_suffix(path)
    with stage_in(path.parent) as stage:
        if path.suffix == ".npz":
            arrays: dict[str, Any] = {**trace.to_dict()}
            np.savez_compressed(stage / path.name, **arrays)
        else:
            try:
                _save_hdf5(trace, stage, path.name)
            except RuntimeError as error:  # A full disk, in HDF5's words.
                raise OSError(
                    f"{path} could not be written: {_reason(error)}"
                ) from error
        move_into(stage, path.parent)
    return path


def _reason(error: RuntimeError) -> str:
    """The system's part of an error of HDF5's."""
    found = re.search("error message = '([^']+)'", str(error))
    return found[1] if found else str(error)


def load(path: Path) -> dict[str, np.ndarray]:
    """Reads a trace's arrays, as `GateTrace.to_dict` names them.

    Raises:
        FileNotFoundError: if the file is not there.
        ValueError: if there is no trace in it.
    """
    _check_suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path} to load a trace of")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
        else:
            arrays = _load_hdf5(path)
        _check(arrays)
        return arrays
    except (
        OSError,
        KeyError,
        ValueError,
        EOFError,
        MemoryError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
    ) as it:
        raise ValueError(
            f"{path} cannot be read as a trace: write it with GateTrace.save. "
            f"({it})"
        ) from it


def _check_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise ValueError(
            f"path must end in {', '.join(SUFFIXES)}. Received: {path}"
        )


def _save_hdf5(trace: GateTrace, folder: Path, name: str) -> None:
    import h5py

    words, numbers = _words(trace)
    with h5py.File(folder / name, "w") as file:
        for key, array in trace.to_dict().items():
            if key == "tokens":
                continue
            flat = array.reshape(-1, *array.shape[2:])
            dataset = file.create_dataset(key, data=flat)
            dataset.attrs["batch_and_time"] = array.shape[:2]
        file["word_ids"] = numbers
        if trace.tokens is not None:
            kind = trace.tokens.dtype.str
            file["tokens"] = np.char.encode(trace.tokens.astype(str), "utf-8")
            file["tokens"].attrs["dtype"] = kind
    lines = [f"{word} {number}\n" for number, word in enumerate(words)]
    (folder / "words.dict").write_text("".join(lines), encoding="utf-8")
    (folder / "lstm.yml").write_text(_lstmvis(trace, name), encoding="utf-8")


def _load_hdf5(path: Path) -> dict[str, np.ndarray]:
    import h5py

    arrays: dict[str, np.ndarray] = {}

    def read(key: str, it: Any) -> None:
        if isinstance(it, h5py.Dataset) and "batch_and_time" in it.attrs:
            shape = (*it.attrs["batch_and_time"], *it.shape[1:])
            arrays[key] = _own(it).reshape(shape)

    with h5py.File(path, "r") as file:
        file.visititems(read)
        if not arrays:
            raise ValueError("it has no quantities")
        if isinstance(file.get("tokens", getlink=True), h5py.HardLink):
            tokens = file["tokens"]
            text = np.char.decode(_own(tokens), "utf-8")
            arrays["tokens"] = text.astype(tokens.attrs["dtype"])
    return arrays


def _check(arrays: dict[str, np.ndarray]) -> None:
    """Refuse arrays that `GateTrace.to_dict` would not give."""
    shapes: dict[str, set[tuple[int, ...]]] = {}
    for key, array in arrays.items():
        path, _, name = key.rpartition("/")
        if path:
            rank = 2 if name == "mask" else 3
            if array.ndim != rank:
                raise ValueError(f"{key} has the shape {array.shape}")
            shapes.setdefault(path, set()).add(array.shape[:2])
        elif key != "tokens":
            raise ValueError(f"{key} is no quantity of a layer")
    if not shapes:
        raise ValueError("it has no quantities")
    for path, found in shapes.items():
        if len(found) > 1:
            raise ValueError(f"{path} has batches and times {found}")


def _own(dataset: Any) -> np.ndarray:
    """What a dataset holds, if that is in the file it was found in.

    Raises:
        ValueError: if it is in another file, whose path the trace's author
            has chosen.
    """
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} is stored in another file")
    return dataset[()]


def _words(trace: GateTrace) -> tuple[list[str], np.ndarray]:
    """The different words, and the number of the one at each step."""
    batch, time, _ = next(iter(trace.values())).shape
    if trace.tokens is None:
        # Without words, LSTMVis shows the number of the step.
        return [str(step) for step in range(time)], np.tile(
            np.arange(time), batch
        )
    words, numbers = np.unique(trace.tokens.astype(str), return_inverse=True)
    names: dict[str, None] = {}
    for word in words:
        name = _visible(word)
        while name in names:
            name += "_"
        names[name] = None
    return list(names), numbers.reshape(-1)


def _visible(word: str) -> str:
    """The word without what separates words in the file."""
    marks = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"}
    shown = [
        f"U+{ord(it):04X}" if it.isspace() and it not in marks else it
        for it in word
    ]
    return "".join(marks.get(it, it) for it in shown) or "∅"


def _lstmvis(trace: GateTrace, name: str) -> str:
    """LSTMVis's configuration; JSON is YAML too."""
    outputs = ("short_term_memory", "memory")
    types = [
        {
            "type": "output" if quantity in outputs else "state",
            "layer": number,
            "path": f"{path}/{quantity}",
            "unsigned": quantity.endswith("_factor"),
            "transform": "tanh" if _is_large(layer[quantity]) else "none",
        }
        for number, (path, layer) in enumerate(trace.items(), start=1)
        for quantity in layer
    ]
    config = {
        "name": Path(name).stem,
        "description": "gates, recorded by keras_gatelstm",
        "files": {"states": name, "words": "words.dict"},
        "word_sequence": {
            "file": "states",
            "path": "word_ids",
            "dict_file": "words",
        },
        "states": {"file": "states", "types": types},
    }
    return json.dumps(config, indent=2)


def _is_large(values: np.ndarray) -> bool:
    return bool(np.abs(values).max(initial=0.0) > 1)


def to_xarray(trace: GateTrace) -> Any:
    """See `GateTrace.to_xarray`."""
    try:
        import xarray
    except ImportError as error:
        raise ImportError(
            "to_xarray needs xarray: pip install xarray"
        ) from error
    sizes = {layer.shape[1:] for layer in trace.values()}
    variables: dict[str, Any] = {}
    for path, layer in trace.items():
        time, unit = "time", "unit"
        if len(sizes) > 1:
            time, unit = f"time_{path}", f"unit_{path}"
        for name, value in layer.items():
            variables[f"{path}/{name}"] = (("batch", time, unit), value)
        if layer.mask is not None:
            variables[f"{path}/mask"] = (("batch", time), layer.mask)
    coordinates = {}
    if trace.tokens is not None and len(sizes) == 1:
        coordinates["token"] = (("batch", "time"), trace.tokens)
    # "/" would make groups of them, in files.
    named = {key.replace("/", "."): it for key, it in variables.items()}
    return xarray.Dataset(named, coordinates)
