"""The folder a recipe writes to, one run at a time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from recipes import checkpoints
from recipes.console import UsageError

# Where unfinished trainings are kept, in the output folder.
UNFINISHED = "unfinished"

LOCK = ".keras_gatelstm.lock"


@contextmanager
def held(output: Path, resume: bool = False) -> Iterator[Path]:
    """Keeps other runs from writing to a folder.

    The lock is the operating system's, and ends with the process, however
    that ends. Under it, what killed runs left half-written is deleted.

    Args:
        output: The folder.
        resume: Whether this run goes on with an unfinished training there.

    Returns:
        The folder for what an unfinished training is gone on with. It is gone
        at the end, unless there is an error after a checkpoint.

    Raises:
        UsageError: if another run writes to the folder, or has begun or ended
            a training there since this one looked; or if files of the user's
            own are where unfinished trainings are kept.
    """
    made = [path for path in (output, *output.parents) if not path.exists()]
    output.mkdir(parents=True, exist_ok=True)
    lock = _lock(output)
    try:
        lock.acquire()
    except Timeout:
        raise in_use(output) from None
    try:
        if checkpoints.exist(output / UNFINISHED) != resume:
            raise UsageError(
                f"another run has written to {output / UNFINISHED} since this "
                "one began: start again"
            )
        if any(output.glob(".writing-*")):
            # It loads Keras, which takes seconds.
            from keras_gatelstm.core.files import clear_left_over

            clear_left_over(output)
        with checkpoints.kept_in(output / UNFINISHED) as folder:
            yield folder
    finally:
        # Still locked: who has opened it meanwhile sees that it is gone.
        # Windows does not delete what is open.
        with suppress(OSError):
            (output / LOCK).unlink()
        lock.release()
        for path in made:
            # Not empty, where there is what was written.
            with suppress(OSError):
                path.rmdir()


def refuse_if_in_use(output: Path) -> None:
    """Looks whether another run writes to a folder.

    Raises:
        UsageError: if one does.
    """
    if (output / LOCK).exists():
        try:
            with _lock(output):
                pass
        except Timeout:
            raise in_use(output) from None


def _lock(output: Path) -> FileLock:
    # A lock that is a file, as its library takes where there is none of the
    # operating system, would outlast a kill.
    return FileLock(output / LOCK, blocking=False, fallback_to_soft=False)


def in_use(output: Path) -> UsageError:
    """The error of a second run."""
    return UsageError(
        f"another run is writing to {output}: let it end, or name another "
        "--output"
    )


def refuse_replacing(given: Path, output: Path, written: Iterable[str]) -> None:
    """Looks whether a file that is read would be written over; follows links.

    Args:
        given: The file that is read; it need not be there.
        output: The folder that is written to.
        written: What is written there, or deleted with all that is in it.

    Raises:
        UsageError: if it would be.
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
