"""Training by several workers on Ray, on one machine or a cluster.

Ray Train starts the workers, joins them by `jax.distributed`, and notices when
one dies. All workers then start anew, from the last checkpoint.
"""

import secrets
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from recipes.console import UsageError, one_line, stop_on_signal
from recipes.options import Settings
from recipes.training import checkpoints
from recipes.training.board import POLL_SECONDS, Board
from recipes.training.budget import History
from recipes.training.cluster import ray_cluster
from recipes.training.progress import Bar
from recipes.training.strategy import Strategy
from recipes.training.worker import Job, WorkerResult, work

if TYPE_CHECKING:
    import keras
    from ray.actor import ActorHandle

# Trains as one of the processes of a strategy.
TrainProcess = Callable[[Strategy], tuple["keras.Model", History]]

# Folder for Ray in that of an unfinished training.
FOLDER = "ray"
# Seconds until the user is told that Ray has not started the workers yet.
PATIENCE = 60
# Attempts without a new checkpoint until a training is given up.
MAX_ATTEMPTS = 3
# What Ray and JAX say where a worker is lost. The errors of the others, which
# wait for it, are of several classes.
LOST_WORKER_MESSAGES = ("worker health check failed", "Gloo", "JaxRuntimeError")


def train(
    train_process: TrainProcess,
    settings: Settings,
    folder: Path,
    threads: int | None = None,
) -> WorkerResult:
    """Train by `settings.workers` workers.

    Args:
        train_process: What each worker does; it is pickled and sent to them.
        settings: The recipe's settings.
        folder: Folder of the checkpoints, on a disk of all workers.
        threads: Threads of each worker; `None` to share the CPUs out.

    Raises:
        UsageError: if Ray or JAX is missing, there is no cluster at the
            address, the training cannot go on, or workers are lost again and
            again.
        KeyboardInterrupt: if the training is stopped before its first batch,
            or at once.
    """
    with ray_cluster(settings.workers or 1, settings.address) as share:
        import ray
        from ray import cloudpickle

        job = Job(
            # In bytes: Ray's own processes need not load Keras to read it.
            cloudpickle.dumps(train_process),
            folder.absolute() / FOLDER,
            secrets.token_hex(),
        )
        job.write_token()
        stop = _Stop()
        try:
            with stop_on_signal(stop):
                result = _until_done(job, settings, threads or share, stop)
        except KeyboardInterrupt:
            # Else the thread of an attempt would wait for it.
            ray.shutdown()
            raise
    result.history.stopped |= stop.asked
    return result


class _Stop:
    """Function that asks the training to stop.

    Attributes:
        asked: Whether it was called.
        started: Whether the training has begun; before, it is stopped at once.
        board: Handle of the board of the workers.
    """

    def __init__(self) -> None:
        self.asked = False
        self.started = False
        self.board: ActorHandle = None

    def __call__(self) -> None:
        if not self.started:
            raise KeyboardInterrupt
        self.asked = True
        self.board.stop.remote()


def _until_done(
    job: Job, settings: Settings, threads: int, stop: _Stop
) -> WorkerResult:
    """Train, and go on from the last checkpoint when workers are lost."""
    import ray
    from ray.train import TrainingFailedError

    folder = job.folder.parent
    attempts = 0
    while True:
        before = checkpoints.written_at(folder)
        stop.board = _start_board(stop.asked)
        try:
            return _attempt(job, settings, threads, stop)
        except TrainingFailedError as error:
            failure = ray.get(stop.board.read.remote()).failure
            if failure is not None:
                raise UsageError(failure) from error
            if not any(it in str(error) for it in LOST_WORKER_MESSAGES):
                raise
            if checkpoints.written_at(folder) != before:
                attempts = 0
            attempts += 1
            if attempts == MAX_ATTEMPTS:
                raise UsageError(
                    f"workers died {attempts} times before a new checkpoint "
                    f"was written to {folder}: go on with --resume "
                    f"({one_line(error)})"
                ) from error
            print(
                "a worker was lost: going on from the last checkpoint",
                file=sys.stderr,
            )


def _start_board(stopping: bool) -> "ActorHandle":
    """Start a board in a process of this machine, and return its handle."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    actor = ray.remote(
        num_cpus=0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
    )(Board)
    return actor.remote(stopping)


def _attempt(
    job: Job, settings: Settings, threads: int, stop: _Stop
) -> WorkerResult:
    """Train until the end, or until a worker is lost."""
    import ray
    from ray import cloudpickle
    from ray.train.v2.api.config import RunConfig, ScalingConfig
    from ray.train.v2.jax import JaxConfig, JaxTrainer

    trainer = JaxTrainer(
        partial(work, job, stop.board),
        # On CPUs too: otherwise it does not start jax.distributed.
        jax_config=JaxConfig(use_gpu=True),
        scaling_config=ScalingConfig(
            num_workers=settings.workers or 1,
            resources_per_worker={"CPU": threads},
        ),
        run_config=RunConfig(
            name="training",
            storage_path=str(job.folder),
            worker_runtime_env={"env_vars": _environment(threads)},
        ),
    )
    bar = Bar()
    began = time.monotonic()
    waiting = True
    # In a thread, so that Ray does not handle Ctrl-C: it would lose what was
    # trained since the last checkpoint.
    running = _run_in_thread(trainer.fit)
    try:
        while not wait([running], POLL_SECONDS).done:
            progress = ray.get(stop.board.read.remote()).progress
            if progress is not None:
                stop.started, waiting = True, False
                bar.show(progress)
            elif waiting and time.monotonic() - began > PATIENCE:
                waiting = False
                print("Ray has not started the workers yet", file=sys.stderr)
        result: WorkerResult = cloudpickle.loads(running.result().return_value)
        return result
    finally:
        bar.close()


def _run_in_thread(function: Callable[[], Any]) -> Future[Any]:
    """Run a function in a thread that does not keep the program from ending."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _environment(threads: int) -> dict[str, str]:
    """Return the environment variables of a worker."""
    return {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        # The number of threads of XLA.
        "NPROC": str(threads),
    }
