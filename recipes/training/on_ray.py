"""Training by several workers on Ray, on one machine or a cluster.

Ray Train starts the workers, joins them by `jax.distributed`, and notices when
one dies. All workers then start anew, from the last checkpoint.
"""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import keras_gatelstm
import recipes
from recipes.console import UsageError, one_line, shown
from recipes.options import Settings
from recipes.training import checkpoints
from recipes.training.board import LOOK, Board
from recipes.training.budget import History
from recipes.training.progress import Bar
from recipes.training.strategy import Strategy, stop_on_signal
from recipes.training.worker import Learned, work

if TYPE_CHECKING:
    import keras

# What is trained: given a strategy, it returns the model and its history.
Learn = Callable[[Strategy], tuple["keras.Model", History]]

# Folder for Ray in that of an unfinished training.
FOLDER = "ray"
# Seconds in which a cluster must answer.
ANSWER = 5
# The token by which Ray's clusters know their users.
TOKEN = Path.home() / ".ray" / "auth_token"
# What Ray and JAX say where a worker is lost. The errors of the others, which
# wait for it, are of several classes.
SIGNS_OF_LOSS = ("worker health check failed", "Gloo", "JaxRuntimeError")
# Attempts without a new checkpoint until a training is given up.
MOST_LOST = 3

# Read by Ray when it is imported.
RAY_SETTINGS = {
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    # After Ctrl-C, no second cluster is started by accident.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    # Paths stay relative to the folder the program was started in.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def train(
    learn: Learn,
    settings: Settings,
    folder: Path,
    threads: int | None = None,
) -> Learned:
    """Train by `settings.workers` workers.

    Args:
        learn: What each worker does; it is pickled and sent to them.
        settings: The recipe's settings.
        folder: Folder of the checkpoints, which all workers can write to.
        threads: Threads of each worker; `None` to share the CPUs out.

    Raises:
        UsageError: if Ray or JAX is missing, there is no cluster at the
            address, the training cannot go on, or workers are lost again and
            again.
        KeyboardInterrupt: if the training is stopped before its first batch,
            or at once.
    """
    with cluster(settings) as share:
        learned = _until_done(
            learn, settings, folder.absolute(), threads or share
        )
    if learned is None:
        raise KeyboardInterrupt
    return learned


@contextmanager
def cluster(settings: Settings) -> Iterator[int]:
    """Start a cluster on this machine, or join the one at an address.

    Returns:
        Number of threads for each worker.

    Raises:
        UsageError: if Ray or JAX is missing, or there is no such cluster.
    """
    for name, value in RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    if settings.address is not None and TOKEN.exists():
        # As Ray's own commands do.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import jax  # noqa: F401 - the workers need it.
        import ray
        import ray.train
    except ImportError as error:
        raise UsageError(
            f"--workers trains with Ray and JAX, and {error.name} is not "
            "installed: pip install -e '.[ray]'"
        ) from None
    workers = settings.workers or 1
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as scratch:
        try:
            if settings.address is None:
                threads = _share_cpus(workers)
                _start_ray(
                    num_cpus=threads * workers,
                    include_dashboard=False,
                    _temp_dir=scratch,
                )
            else:
                threads = _join(settings.address, workers)
            yield threads
        finally:
            ray.shutdown()


def _share_cpus(workers: int) -> int:
    """Return the number of threads for each worker on this machine.

    Raises:
        UsageError: if there are fewer CPUs than workers.
    """
    cpus = len(os.sched_getaffinity(0))
    if workers > cpus:
        raise UsageError(
            f"--workers {workers}: this machine has {cpus} CPUs; ask for that "
            "many at most, or name a cluster with --address"
        )
    return cpus // workers


def _join(address: str, workers: int) -> int:
    """Join a cluster, and return the number of threads for each worker."""
    import ray

    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if address != "auto":
            # Ray would wait for minutes.
            socket.create_connection((host, int(port)), ANSWER).close()
        # Its machines need not have the checkout.
        modules = [it.__path__[0] for it in (recipes, keras_gatelstm)]
        _start_ray(address=address, runtime_env={"py_modules": modules})
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Ray cluster answers at --address {shown(address)}: start one "
            f"with ray start --head ({one_line(error)})"
        ) from error
    cores = int(ray.cluster_resources().get("CPU", 0))
    if cores < workers:
        print(
            f"{address} has {cores} CPUs: waiting until there are {workers}",
            file=sys.stderr,
        )
    return max(1, cores // workers)


def _start_ray(**options: Any) -> None:
    import ray

    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(logging_level="error", log_to_driver=False, **options)
    finally:
        # Ray would end the program by it, without a word.
        signal.signal(signal.SIGTERM, handler)


def _until_done(
    learn: Learn, settings: Settings, folder: Path, threads: int
) -> Learned | None:
    """Train, and go on from the last checkpoint when workers are lost."""
    import ray
    from ray.train import TrainingFailedError

    lost = 0
    while True:
        before = checkpoints.written_at(folder)
        board = ray.remote(num_cpus=0)(Board).remote()
        try:
            return _attempt(learn, settings, folder, threads, board)
        except TrainingFailedError as error:
            notice = ray.get(board.read.remote())
            if notice.failure is not None:
                raise UsageError(notice.failure) from error
            if not any(sign in str(error) for sign in SIGNS_OF_LOSS):
                raise
            lost = lost + 1 if checkpoints.written_at(folder) == before else 1
            if lost >= MOST_LOST:
                raise UsageError(
                    f"workers were lost {lost} times in a row before a new "
                    f"checkpoint; {folder} holds the last one: go on with "
                    f"--resume ({one_line(error)})"
                ) from error
            print(
                "a worker was lost: going on from the last checkpoint",
                file=sys.stderr,
            )


def _attempt(
    learn: Learn,
    settings: Settings,
    folder: Path,
    threads: int,
    board: Any,
) -> Learned | None:
    """Train until the end, or until a worker is lost."""
    import ray
    from ray import cloudpickle
    from ray.train.v2.api.config import RunConfig, ScalingConfig
    from ray.train.v2.jax import JaxConfig, JaxTrainer

    trainer = JaxTrainer(
        work,
        train_loop_config={
            # In bytes: Ray's own processes need not load Keras to read it.
            "learn": cloudpickle.dumps(learn),
            "board": board,
        },
        # On CPUs too: otherwise it does not start jax.distributed.
        jax_config=JaxConfig(use_gpu=True),
        scaling_config=ScalingConfig(
            num_workers=settings.workers or 1,
            resources_per_worker={"CPU": threads},
        ),
        run_config=RunConfig(
            name="training",
            storage_path=str(folder / FOLDER),
            worker_runtime_env={"env_vars": _environment(threads)},
        ),
    )
    bar = Bar()
    # In a thread, so that Ray does not handle Ctrl-C: it would lose what was
    # trained since the last checkpoint.
    running = _run_in_thread(trainer.fit)
    try:
        with stop_on_signal(lambda: board.stop.remote()):
            while not wait([running], LOOK).done:
                progress = ray.get(board.read.remote()).progress
                if progress is not None:
                    bar.show(progress)
        learned: Learned | None = cloudpickle.loads(
            running.result().return_value
        )
        return learned
    except KeyboardInterrupt:
        ray.shutdown()
        raise
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
