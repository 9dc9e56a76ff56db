"""Checkpoints of a training: the last two, each whole."""

import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recipes.console import UsageError

LAST, BEFORE = "checkpoint.npz", "checkpoint-before.npz"
_FACTS = "facts"
_WRITING = ".writing.npz"

# What is in the folder of an unfinished training: checkpoints, the text as
# numbers, and the folder of one of several trainings.
_OURS = (LAST, BEFORE, _WRITING, "*.numbers", "vocabulary.json", "training")

Arrays = list[np.ndarray]


class Checkpoint(NamedTuple):
    """What a training goes on from: arrays in lists by name, and facts."""

    arrays: dict[str, Arrays]
    facts: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint; the one before stays beside it.

    It appears whole: a kill at any moment leaves at least one that is.

    Raises:
        OSError: if there is no room; those that were there stay.
    """
    members: dict[str, Any] = {
        f"{name}/{i}": array
        for name, arrays in checkpoint.arrays.items()
        for i, array in enumerate(arrays)
    }
    members[_FACTS] = np.array(json.dumps(checkpoint.facts))
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
    """Reads the last checkpoint that is whole, or `None` if none was written.

    Of one that is not whole, it says so on standard error.

    Raises:
        OSError: if none of those that were written is whole.
    """
    for path in _paths(folder):
        try:
            return _read(path)
        except (zipfile.BadZipFile, ValueError, EOFError, KeyError) as error:
            print(f"{path} is not whole ({error})", file=sys.stderr)
    if exist(folder):
        raise OSError(
            f"no checkpoint in {folder} is whole: remove that folder, and "
            "start anew"
        )
    return None


def remove(folder: Path) -> None:
    """Deletes the checkpoints that were written there."""
    for path in _paths(folder):
        path.unlink()


def exist(folder: Path) -> bool:
    """Whether any checkpoint was written there."""
    return bool(_paths(folder))


@contextmanager
def kept_in(folder: Path) -> Iterator[Path]:
    """Makes a folder for what an unfinished training is gone on with.

    It is gone at the end, and stays if there is an error after a checkpoint.

    Raises:
        UsageError: if something else is in it, which would be lost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if not _is_ours(path):
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
    """Deletes the folder, but for what somebody else put there."""
    for path in folder.iterdir():
        if not _is_ours(path):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    with suppress(OSError):
        folder.rmdir()


def _is_ours(path: Path) -> bool:
    return any(path.match(name) for name in _OURS)


def _paths(folder: Path) -> list[Path]:
    paths = [folder / name for name in (LAST, BEFORE)]
    return [path for path in paths if path.exists()]


def _read(path: Path) -> Checkpoint:
    arrays: dict[str, Arrays] = {}
    # Every member's checksum is compared as it is read.
    with path.open("rb") as file, np.load(file) as members:
        facts = json.loads(str(members[_FACTS]))
        for name in members.files:
            if name != _FACTS:
                arrays.setdefault(name.split("/")[0], []).append(members[name])
    return Checkpoint(arrays, facts)
