"""Atomic writing: a file appears whole, or not at all. Digests of arrays."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".writing-"


@contextmanager
def stage_in(folder: Path) -> Iterator[Path]:
    """Yield a new, hidden folder inside `folder` to write in.

    At the end it is deleted, with everything that was not moved out of it.
    `folder` and its parents are deleted too if they were created here and
    stayed empty. Hidden folders that killed processes left are deleted first.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_left_over(folder)
        stage, descriptor = _make_locked_stage(folder)
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
            if descriptor is not None:
                os.close(descriptor)
    finally:
        for path in made:
            # Another process may have filled or deleted it meanwhile.
            with suppress(OSError):
                path.rmdir()


def clear_left_over(folder: Path) -> None:
    """Delete the hidden folders that killed processes left in `folder`.

    A process that still writes holds a lock, which the operating system
    releases when the process ends. On Windows, and on file systems without
    locks, nothing is deleted.
    """
    for stage in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            descriptor = _lock(stage, blocking=False)
            if descriptor is not None:
                shutil.rmtree(stage, ignore_errors=True)
                os.close(descriptor)


def move_into(folder: Path, target: Path) -> None:
    """Move the contents of a folder into another, replacing files.

    A file, or a folder that `target` does not have yet, appears whole.
    """
    for source in sorted(folder.iterdir()):
        goal = target / source.name
        if source.is_dir() and goal.is_dir():
            move_into(source, goal)
        else:
            os.replace(source, goal)


def digest_of(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of arrays, with their names, types and shapes."""
    found = hashlib.sha256()
    for name, array in arrays.items():
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _make_locked_stage(folder: Path) -> tuple[Path, int | None]:
    """Return a new folder, and the open descriptor that holds its lock."""
    while True:
        stage = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
        try:
            descriptor = _lock(stage, blocking=True)
        except FileNotFoundError:
            continue
        except OSError:
            return stage, None
        if stage.exists():
            return stage, descriptor
        # Another process deleted it as left over before it was locked.
        if descriptor is not None:
            os.close(descriptor)


def _lock(stage: Path, blocking: bool) -> int | None:
    """Lock a folder; return the open descriptor that holds the lock.

    Raises:
        OSError: if locks are not supported, or another process holds it.
    """
    if fcntl is None:
        return None
    descriptor = os.open(stage, os.O_RDONLY)
    try:
        fcntl.flock(
            descriptor, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB)
        )
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
