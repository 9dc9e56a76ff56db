"""Files that appear whole, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".writing-"


@contextmanager
def stage_in(folder: Path) -> Iterator[Path]:
    """Gives a new, hidden folder inside `folder` to write in.

    It is gone at the end, with all that was not moved out of it; and so are
    `folder` and its parents, where they were made for it and stayed empty.
    What killed processes left of theirs is deleted.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    clear_left_over(folder)
    stage, descriptor = _locked_stage(folder)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)
        for path in made:
            # Another process may have filled or deleted it meanwhile.
            with suppress(OSError):
                path.rmdir()


def clear_left_over(folder: Path) -> None:
    """Deletes what killed processes left of their `stage_in(folder)`.

    Who still writes holds a lock of the operating system, which ends with its
    process. On Windows, and where a file system has no locks, nothing is
    deleted.
    """
    for stage in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            descriptor = _lock(stage, blocking=False)
            if descriptor is not None:
                shutil.rmtree(stage, ignore_errors=True)
                os.close(descriptor)


def move_into(folder: Path, target: Path) -> None:
    """Moves what is in a folder into another, over what is there.

    A file, or a folder that `target` does not have yet, appears whole.
    """
    for source in sorted(folder.iterdir()):
        goal = target / source.name
        if source.is_dir() and goal.is_dir():
            move_into(source, goal)
        else:
            os.replace(source, goal)


def _locked_stage(folder: Path) -> tuple[Path, int | None]:
    """A new folder, and what holds its lock until it is closed."""
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
        # Before it was locked, another process took it for left over.
        if descriptor is not None:
            os.close(descriptor)


def _lock(stage: Path, blocking: bool) -> int | None:
    """Locks a folder; gives the descriptor that holds the lock.

    Raises:
        OSError: if there are no locks, or another process has it.
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
