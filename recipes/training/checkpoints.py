"""Checkpoints of a training, written atomically; the last two are kept."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recipes.console import UsageError, one_line

LAST, BEFORE = "checkpoint.npz", "checkpoint-before.npz"
_FACTS = "facts"
_DIGEST = "digest"
_WRITING = ".writing.npz"

# Files that may be in the folder of an unfinished training: checkpoints, the
# encoded text, the folder of one training of a comparison, and that of Ray.
_KNOWN_NAMES = (
    LAST,
    BEFORE,
    _WRITING,
    "*.numbers",
    "vocabulary.json",
    "training",
    "ray",
)

Arrays = list[np.ndarray]


class Checkpoint(NamedTuple):
    """State of a training: lists of arrays by name, and JSON facts."""

    arrays: dict[str, Arrays]
    facts: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically, and keep the previous one.

    A process killed at any moment leaves at least one complete checkpoint.

    Raises:
        OSError: if the disk is full; existing checkpoints are kept.
    """
    # Imported late: Keras takes seconds to load.
    from keras_gatelstm.core.files import digest_of

    members: dict[str, Any] = {
        f"{name}/{i}": array
        for name, arrays in checkpoint.arrays.items()
        for i, array in enumerate(arrays)
    }
    members[_FACTS] = np.array(json.dumps(checkpoint.facts))
    members[_DIGEST] = np.array(digest_of(members))
    part = folder / _WRITING
    try:
        with part.open("wb") as file:
            np.savez(file, **members)
            file.flush()
            os.fsync(file.fileno())
        if (folder / LAST).exists():
            os.replace(folder / LAST, folder / BEFORE)
        os.replace(part, folder / LAST)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(
            f"the checkpoint could not be written ({error}); the one before "
            f"is whole, in {folder}: make room, and go on with --resume"
        ) from error


def load(folder: Path) -> Checkpoint | None:
    """Return the last complete checkpoint, or `None` if there is none.

    If the last one is damaged, that is said on standard error.

    Raises:
        OSError: if there are checkpoints, but all are damaged.
    """
    damaged = []
    for path in _existing_paths(folder):
        try:
            checkpoint = _read(path)
        # NumPy and zipfile raise errors of many types for damaged files.
        except Exception as error:
            damaged.append(f"{path} is not whole ({one_line(error)})")
        else:
            for line in damaged:
                print(line, file=sys.stderr)
            return checkpoint
    if damaged:
        raise OSError(
            f"no checkpoint in {folder} is whole ({'; '.join(damaged)}): "
            "remove that folder, and start anew"
        )
    return None


def remove(folder: Path) -> None:
    """Delete the checkpoints in a folder."""
    for path in _existing_paths(folder):
        path.unlink()


def exist(folder: Path) -> bool:
    """Return whether a folder holds a checkpoint."""
    return bool(_existing_paths(folder))


def written_at(folder: Path) -> int | None:
    """Return the time of the last checkpoint in ns, or `None`."""
    path = folder / LAST
    return path.stat().st_mtime_ns if path.exists() else None


@contextmanager
def remove_when_done(folder: Path) -> Iterator[Path]:
    """Create the folder of an unfinished training, and remove it at the end.

    It is kept if an error occurs after the first checkpoint.

    Raises:
        UsageError: if it holds other files, which would be lost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if not _is_known(path):
            raise UsageError(
                f"{path} is not of an unfinished training, and would be "
                "deleted: move it, or name another --output"
            )
    try:
        yield folder
    except BaseException:
        if not exist(folder):
            _clear(folder)
        raise
    else:
        _clear(folder)


def _clear(folder: Path) -> None:
    """Delete the folder, except for files of the user."""
    for path in folder.iterdir():
        if not _is_known(path):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    with suppress(OSError):
        folder.rmdir()


def _is_known(path: Path) -> bool:
    return any(path.match(name) for name in _KNOWN_NAMES)


def _existing_paths(folder: Path) -> list[Path]:
    paths = [folder / name for name in (LAST, BEFORE)]
    return [path for path in paths if path.exists()]


def _read(path: Path) -> Checkpoint:
    from keras_gatelstm.core.files import digest_of

    arrays: dict[str, Arrays] = {}
    with path.open("rb") as file, np.load(file) as archive:
        members = dict(archive)
    digest = str(members.pop(_DIGEST))
    if digest != digest_of(members):
        raise ValueError("its numbers are not those that were written")
    facts = json.loads(str(members.pop(_FACTS)))
    for name, array in members.items():
        arrays.setdefault(name.split("/")[0], []).append(array)
    return Checkpoint(arrays, facts)
