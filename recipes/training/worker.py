"""A worker of a training on Ray.

Ray's own processes load this module, and so it does not load Keras.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipes.console import UsageError, one_line
from recipes.memory import raise_memory_error
from recipes.training.board import POLL_SECONDS, Progress

if TYPE_CHECKING:
    from ray.actor import ActorHandle

    from recipes.training.budget import History

TOKEN = "token"


class Job(NamedTuple):
    """Work of each worker.

    Args:
        train_process: The pickled function that trains, given a strategy.
        folder: Folder for Ray, on a disk of all workers.
        token: Text in a file of that folder, by which they recognize it.
    """

    train_process: bytes
    folder: Path
    token: str

    def write_token(self) -> None:
        """Write the token, for the workers."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / TOKEN).write_text(self.token)

    def check_token(self) -> None:
        """Refuse a folder of the same name on another disk.

        Raises:
            UsageError: if it is another.
        """
        path = self.folder / TOKEN
        if not path.is_file() or path.read_text() != self.token:
            raise UsageError(
                f"the workers do not share {self.folder.parent}: name an "
                "--output on a disk that all machines see"
            )


class WorkerResult(NamedTuple):
    """Result of a training.

    Args:
        weights: Trainable weights of the best validation loss.
        history: The training's history.
    """

    weights: list[np.ndarray]
    history: "History"


def work(job: Job, board: "ActorHandle") -> bytes:
    """Train as one of several workers.

    Args:
        job: The work.
        board: Handle of a `Board`.

    Returns:
        The pickled `WorkerResult`.
    """
    import ray
    from ray import cloudpickle

    shown = 0.0

    def report(progress: Progress) -> bool:
        nonlocal shown
        if time.monotonic() - shown < POLL_SECONDS:
            return False
        shown = time.monotonic()
        stopping: bool = ray.get(board.report.remote(progress))
        return stopping

    try:
        job.check_token()
        from recipes.training.data_parallel import DataParallel

        train_process = cloudpickle.loads(job.train_process)
        with raise_memory_error():
            model, history = train_process(DataParallel(report))
        weights = [np.asarray(weight) for weight in model.trainable_weights]
        return cloudpickle.dumps(WorkerResult(weights, history))
    except (UsageError, OSError, MemoryError, ImportError) as error:
        # The others may wait for this one: Ray must end them.
        message = one_line(error) or "not enough memory"
        ray.get(board.fail.remote(message))
        raise
