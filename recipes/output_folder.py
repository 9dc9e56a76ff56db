"""Locking of output folders, so that one run at a time writes to each."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from recipes.console import UsageError
from recipes.training import checkpoints

# Subfolder of the output folder for unfinished trainings.
UNFINISHED = "unfinished"

LOCK = ".keras_gatelstm.lock"


@contextmanager
def lock(output: Path) -> Iterator[None]:
    """Lock a folder against other runs, and create it.

    The lock belongs to the operating system, which releases it when the
    process ends, even if it is killed. Partial files of killed runs are
    deleted.

    Args:
        output: Folder to lock.

    Raises:
        UsageError: if another run holds the lock.
    """
    made = [path for path in (output, *output.parents) if not path.exists()]
    output.mkdir(parents=True, exist_ok=True)
    file_lock = _file_lock(output)
    try:
        file_lock.acquire()
    except Timeout:
        raise in_use_error(output) from None
    try:
        if any(output.glob(".writing-*")):
            # Imported late: Keras takes seconds to load.
            from keras_gatelstm.core.files import clear_left_over

            clear_left_over(output)
        yield
    finally:
        # Deleted while locked, so that a run that has opened the file
        # notices. Windows cannot delete an open file.
        with suppress(OSError):
            (output / LOCK).unlink()
        file_lock.release()
        for path in made:
            # Folders that hold results are not empty, and stay.
            with suppress(OSError):
                path.rmdir()


@contextmanager
def lock_folder(output: Path, resume: bool = False) -> Iterator[Path]:
    """Lock a folder against other runs, and create its `unfinished` folder.

    Args:
        output: Folder to lock.
        resume: Whether this run continues an unfinished training.

    Returns:
        Folder for the files of an unfinished training. It is removed at the
        end, unless an error occurs after the first checkpoint.

    Raises:
        UsageError: if another run holds the lock, or has begun or ended a
            training there since this run checked; or if the user's own files
            are in the folder for unfinished trainings.
    """
    with lock(output):
        if checkpoints.exist(output / UNFINISHED) != resume:
            raise UsageError(
                f"another run has written to {output / UNFINISHED} since this "
                "one began: start again"
            )
        with checkpoints.remove_when_done(output / UNFINISHED) as folder:
            yield folder


def refuse_if_in_use(output: Path) -> None:
    """Refuse a folder that another run is writing to.

    Raises:
        UsageError: if the folder is locked.
    """
    if (output / LOCK).exists():
        try:
            with _file_lock(output):
                pass
        except Timeout:
            raise in_use_error(output) from None


def _file_lock(output: Path) -> FileLock:
    # The library's fallback, a plain lock file, would outlast a killed run.
    return FileLock(output / LOCK, blocking=False, fallback_to_soft=False)


def in_use_error(output: Path) -> UsageError:
    """Return the error for a folder that another run has locked."""
    return UsageError(
        f"another run is writing to {output}: let it end, or name another "
        "--output"
    )


def refuse_replacing(given: Path, output: Path, written: Iterable[str]) -> None:
    """Refuse to overwrite an input file. Links are followed.

    Args:
        given: Input file; it may be missing.
        output: Output folder.
        written: Names in the output folder that are written, or deleted with
            their contents.

    Raises:
        UsageError: if the input file would be overwritten or deleted.
    """
    if not given.exists():
        return
    read = given.resolve()
    for path in (output / name for name in written):
        same = path.exists() and path.samefile(given)
        if same or path.resolve() in read.parents:
            raise UsageError(
                f"{given} would be lost: this writes to {path}; name another "
                "--output, or move the file"
            )
