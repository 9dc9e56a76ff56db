"""Run the parts of a scoring in this process, or by workers on Ray."""

import logging
import os
from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Any, NamedTuple

from tqdm.auto import tqdm

from recipes.console import UsageError, one_line
from recipes.memory import raise_memory_error
from recipes.scoring.folder import Folder
from recipes.scoring.parts import Part
from recipes.scoring.task import Scorer, Task
from recipes.training.cluster import ray_cluster

# Workers that one part may end, until it is given up.
MOST_ATTEMPTS = 5
# Blocks of parts, each given to one worker.
MOST_BLOCKS = 10_000


class Outcome(NamedTuple):
    """Outcome of a part.

    Args:
        part: Its number.
        attempts: Workers that have begun it.
        failure: Why it cannot be scored; empty if it was.
    """

    part: int
    attempts: int
    failure: str = ""


Outcomes = Generator[Outcome, None, None]


class Worker:
    """Process that scores parts, one after the other.

    Args:
        task: The task.
        folder: The output folder, on a disk of all workers.
    """

    def __init__(self, task: Task, folder: Folder) -> None:
        self.task, self.folder = task, folder
        # Loaded with the first part.
        self.parts: list[Part] = []
        self.scorer: Scorer | None = None

    def score(self, part: int) -> Outcome:
        """Score a part and write its rows, unless that has been done.

        A worker that dies is started anew, and given the same parts again.
        """
        if self.folder.is_done(part):
            return Outcome(part, 0)
        attempts = 0
        try:
            self.parts = self.parts or self.folder.load_parts()
            attempts = self.folder.begin_attempt(part)
            if attempts > MOST_ATTEMPTS:
                return Outcome(part, attempts, self._deadly(part))
            with raise_memory_error():
                if self.scorer is None:
                    self.scorer = self.task.scorer()
                self.folder.write(part, self.scorer(self.parts[part]))
        except MemoryError:
            return Outcome(part, attempts, "not enough memory")
        except (UsageError, OSError) as error:
            return Outcome(part, attempts, one_line(error))
        return Outcome(part, attempts)

    def _deadly(self, part: int) -> str:
        first = self.parts[part][0]
        return (
            f"{MOST_ATTEMPTS} workers died while they scored part {part}, "
            f"which begins in {first.file.name} at {first.start:,}: is there "
            "enough memory? Go on with --resume"
        )


class RayWorker:
    """Worker for Ray Data, which hands out numbers of parts.

    Args:
        pickled: A task and a folder, in bytes: Ray's own processes need not
            load Keras to read it.
    """

    def __init__(self, pickled: bytes) -> None:
        from ray import cloudpickle

        self.worker = Worker(*cloudpickle.loads(pickled))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        (part,) = batch["part"].tolist()
        outcome = self.worker.score(part)
        return {name: [it] for name, it in outcome._asdict().items()}


def run(
    task: Task,
    folder: Folder,
    parts: list[Part],
    workers: int | None,
    address: str | None = None,
    threads: int | None = None,
) -> None:
    """Score the parts that have not been scored, and show the progress.

    Args:
        task: The task.
        folder: The output folder, which holds the parts.
        parts: All parts.
        workers: Number of processes on Ray; `None` for this process alone.
        address: Address of a Ray cluster; `None` to start one here.
        threads: Threads of each worker; `None` to share the CPUs out.

    Raises:
        UsageError: if a part cannot be scored, or Ray is missing.
    """
    left = [it for it in range(len(parts)) if not folder.is_done(it)]
    bytes_of = [sum(piece.bytes for piece in part) for part in parts]
    total = sum(bytes_of)
    if not left:
        return
    outcomes = (
        _here(task, folder, left)
        if workers is None
        else _on_ray(task, folder, left, workers, address, threads)
    )
    bar = tqdm(
        desc="scoring",
        total=total,
        initial=total - sum(bytes_of[it] for it in left),
        unit="B",
        unit_scale=True,
    )
    # Whatever happens, no worker writes when this ends.
    with bar, closing(outcomes):
        for outcome in outcomes:
            if outcome.failure:
                raise UsageError(outcome.failure)
            # None, if it had been written when its worker died.
            if outcome.attempts != 1:
                bar.write(
                    f"a worker was lost: going on with part {outcome.part}"
                )
            bar.update(bytes_of[outcome.part])


def _here(task: Task, folder: Folder, left: list[int]) -> Outcomes:
    """Yield the outcomes of parts that this process scores."""
    worker = Worker(task, folder)
    for part in left:
        yield worker.score(part)


def _on_ray(
    task: Task,
    folder: Folder,
    left: list[int],
    workers: int,
    address: str | None,
    threads: int | None,
) -> Outcomes:
    """Yield the outcomes of parts, in any order."""
    # Else Ray writes an error of its own making for each worker.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    with ray_cluster(workers, address) as share:
        import ray
        from ray import cloudpickle

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        # Set by Ray Data when it is imported.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        threads = threads or share
        pickled = cloudpickle.dumps((task, folder))
        dataset = ray.data.from_items(
            [{"part": it} for it in left],
            override_num_blocks=min(len(left), MOST_BLOCKS),
        ).map_batches(
            RayWorker,
            fn_constructor_args=[pickled],
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(left))),
            num_cpus=threads,
            runtime_env={"env_vars": _environment(threads)},
        )
        rows: Iterable[dict[str, Any]] = dataset.iter_rows()
        for row in rows:
            yield Outcome(**row)


def _environment(threads: int) -> dict[str, str]:
    """Return the environment variables of a worker."""
    return {
        "KERAS_BACKEND": "tensorflow",
        # They compute on CPUs: together they would not fit on a GPU.
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
    }
