"""Trace files: NumPy's, and HDF5 in the layout of LSTMVis.

A trace is here the arrays that `GateTrace.to_dict` returns. In an HDF5 file,
each quantity is a dataset `layer/quantity` of shape `(batch·time, units)`, the
rows one after the other, and `word_ids` the number of the token at each of
these steps. LSTMVis finds the datasets by `lstm.yml` and `words.dict`, which
are written beside the file.

References:
    Strobelt et al., "LSTMVis: A Tool for Visual Analysis of Hidden State
    Dynamics in Recurrent Neural Networks", 2016; its README, "Adding Your Own
    Data".
"""

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gatelstm.core.anatomy import Anatomy
from keras_gatelstm.core.files import digest_of, move_into, stage_in

if TYPE_CHECKING:
    import h5py

_DIGEST = "sha256"
# Size of HDF5's user block, and what it begins with.
_SEAL = 512
_SEALED = "keras_gatelstm trace, SHA-256 of all behind byte 512: "
SUFFIXES = (".npz", ".h5", ".hdf5")
Arrays = dict[str, np.ndarray]


def save(trace: Arrays, path: Path) -> Path:
    """Write a trace to a file, atomically.

    Args:
        trace: The trace's arrays.
        path: A path with the suffix `.npz`; or with `.h5` or `.hdf5`, and
            LSTMVis's `lstm.yml` and `words.dict` are written beside it.

    Raises:
        ValueError: if the suffix is not one of these.
        OSError: if the file cannot be written.
    """
    _check_suffix(path)
    with stage_in(path.parent) as stage:
        if path.suffix == ".npz":
            # First: a damaged archive can lose its last members.
            arrays: dict[str, Any] = {_DIGEST: digest_of(trace), **trace}
            np.savez_compressed(stage / path.name, **arrays)
        else:
            try:
                _save_hdf5(trace, stage, path.name)
            except RuntimeError as error:  # HDF5's error for a full disk.
                raise OSError(
                    f"{path} could not be written: {_system_message(error)}"
                ) from error
        move_into(stage, path.parent)
    return path


def _system_message(error: RuntimeError) -> str:
    """Return the operating system's message in an error of HDF5."""
    found = re.search("error message = '([^']+)'", str(error))
    return found[1] if found else str(error)


def load(path: Path) -> Arrays:
    """Read a trace's arrays, named as by `GateTrace.to_dict`.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if the file does not contain a trace.
    """
    _check_suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path} to load a trace of")
    try:
        if path.suffix == ".npz":
            # Opened here: NumPy leaves a damaged file open.
            with path.open("rb") as opened, np.load(opened) as file:
                arrays = dict(file)
            # Files that others write have none.
            digest = arrays.pop(_DIGEST, None)
            if digest is not None and str(digest) != digest_of(arrays):
                raise ValueError("it is damaged, or was changed")
        else:
            arrays = _load_hdf5(path)
        _check_arrays(arrays)
        return arrays
    # NumPy, zipfile, zlib and HDF5 raise errors of many types.
    except Exception as it:
        lines = str(it).splitlines() or [type(it).__name__]
        raise ValueError(
            f"{path} cannot be read as a trace: write it with GateTrace.save. "
            f"({lines[0]})"
        ) from it


def _check_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise ValueError(
            f"path must end in {', '.join(SUFFIXES)}. Received: {path}"
        )


def _save_hdf5(trace: Arrays, folder: Path, name: str) -> None:
    import h5py

    words, numbers = _number_words(trace)
    with h5py.File(folder / name, "w", userblock_size=_SEAL) as file:
        for key, array in trace.items():
            path, _, kind = key.rpartition("/")
            if kind == "anatomy":
                file.require_group(path).attrs["anatomy"] = str(array)
            elif path:
                batch, time, *rest = array.shape
                flat = array.reshape(batch * time, *rest)
                dataset = file.create_dataset(key, data=flat)
                dataset.attrs["batch_and_time"] = array.shape[:2]
        file["word_ids"] = numbers
        if "tokens" in trace:
            tokens = trace["tokens"]
            file["tokens"] = np.char.encode(tokens.astype(str), "utf-8")
            file["tokens"].attrs["dtype"] = tokens.dtype.str
    _seal(folder / name)
    lines = [f"{word} {number}\n" for number, word in enumerate(words)]
    (folder / "words.dict").write_text("".join(lines), encoding="utf-8")
    (folder / "lstm.yml").write_text(
        _lstmvis_config(trace, name), encoding="utf-8"
    )


def _seal(path: Path) -> None:
    """Write the digest of a file into its first bytes, HDF5's user block."""
    with path.open("r+b") as file:
        file.seek(_SEAL)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        file.write(f"{_SEALED}{digest}\n".encode())


def _check_seal(path: Path) -> None:
    """Raise for a damaged file: HDF5 can crash on one, or read it for ever."""
    with path.open("rb") as file:
        begins = file.read(_SEAL)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    # Files that others write have no user block.
    if not begins.startswith((b"\x89HDF", f"{_SEALED}{digest}\n".encode())):
        raise ValueError("it is damaged, or was changed")


def _load_hdf5(path: Path) -> Arrays:
    import h5py

    _check_seal(path)
    arrays: Arrays = {}

    def read(key: str, it: "h5py.HLObject") -> None:
        if "anatomy" in it.attrs:
            arrays[f"{key}/anatomy"] = np.array(it.attrs["anatomy"])
        elif isinstance(it, h5py.Dataset) and "batch_and_time" in it.attrs:
            shape = (*it.attrs["batch_and_time"], *it.shape[1:])
            arrays[key] = _read_dataset(it).reshape(shape)

    with h5py.File(path, "r") as file:
        file.visititems(read)
        if not arrays:
            raise ValueError("it has no quantities")
        if isinstance(file.get("tokens", getlink=True), h5py.HardLink):
            tokens = file["tokens"]
            text = np.char.decode(_read_dataset(tokens), "utf-8")
            arrays["tokens"] = text.astype(tokens.attrs["dtype"])
    return arrays


def _check_arrays(arrays: Arrays) -> None:
    """Raise for arrays that `GateTrace.to_dict` would not return."""
    shapes: dict[str, set[tuple[int, ...]]] = {}
    names: dict[str, set[str]] = {}
    for key, array in arrays.items():
        path, _, name = key.rpartition("/")
        if name == "anatomy" and path:
            continue
        if path:
            is_mask = name == "mask"
            if array.ndim != (2 if is_mask else 3):
                raise ValueError(f"{key} has the shape {array.shape}")
            # Bytes of no type that NumPy knows may be bfloat16's.
            if array.dtype.kind not in ("b" if is_mask else "fV"):
                raise ValueError(f"{key} is of the type {array.dtype}")
            shapes.setdefault(path, set()).add(array.shape[:2])
            if not is_mask:
                names.setdefault(path, set()).add(name)
        elif key != "tokens":
            raise ValueError(f"{key} is no quantity of a layer")
    if not names:
        raise ValueError("it has no quantities")
    all_shapes = set().union(*shapes.values())
    if "tokens" in arrays and arrays["tokens"].shape not in all_shapes:
        raise ValueError(f"tokens have the shape {arrays['tokens'].shape}")
    for path, found in shapes.items():
        if len(found) > 1:
            raise ValueError(f"{path} has batches and times {found}")
        if f"{path}/anatomy" in arrays:
            undescribed = names[path] - set(_read_anatomy(arrays, path).names)
            if undescribed:
                raise ValueError(f"{path} does not describe {undescribed}")


def _read_anatomy(arrays: Arrays, path: str) -> Anatomy:
    return Anatomy.from_config(json.loads(str(arrays[f"{path}/anatomy"])))


def _read_dataset(dataset: "h5py.Dataset") -> np.ndarray:
    """Return the values of a dataset that is stored in its own file.

    Raises:
        ValueError: if they are in another file, whose path the trace's author
            has chosen.
    """
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} is stored in another file")
    return dataset[()]


def _number_words(trace: Arrays) -> tuple[list[str], np.ndarray]:
    """Return the distinct words, and the number of the word at each step."""
    batch, time, _ = next(iter(trace.values())).shape
    if "tokens" not in trace:
        # Without tokens, the words are the numbers of the steps.
        return [str(step) for step in range(time)], np.tile(
            np.arange(time), batch
        )
    words, numbers = np.unique(trace["tokens"].astype(str), return_inverse=True)
    names: dict[str, None] = {}
    for word in words:
        name = _mark_spaces(word)
        while name in names:
            name += "_"
        names[name] = None
    return list(names), numbers.reshape(-1)


def _mark_spaces(word: str) -> str:
    """Return a word with marks in place of the file's separators."""
    marks = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"}
    shown = [
        f"U+{ord(it):04X}" if it.isspace() and it not in marks else it
        for it in word
    ]
    return "".join(marks.get(it, it) for it in shown) or "∅"


def _lstmvis_config(trace: Arrays, name: str) -> str:
    """Return LSTMVis's configuration, as JSON, which is valid YAML."""
    paths = [key.rpartition("/")[0] for key in trace if "/" in key]
    types = []
    for number, path in enumerate(dict.fromkeys(paths), start=1):
        anatomy = _read_anatomy(trace, path)
        for quantity in anatomy.names:
            key = f"{path}/{quantity}"
            if key not in trace:
                continue
            types.append(
                {
                    "type": "output"
                    if quantity in anatomy.memories[:1]
                    else "state",
                    "layer": number,
                    "path": key,
                    "unsigned": quantity in anatomy.factors,
                    "transform": "tanh" if _is_large(trace[key]) else "none",
                }
            )
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
