"""Ray's cluster: one on this machine for a while, or one that is there."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras_gatelstm
import recipes
from recipes.console import UsageError, one_line, shown

# Seconds in which a cluster must answer.
CONNECT_SECONDS = 5

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


@contextmanager
def ray_cluster(workers: int, address: str | None = None) -> Iterator[int]:
    """Start a cluster on this machine, or join the one at an address.

    Args:
        workers: Number of workers that it must have room for.
        address: `"auto"` or `"HOST:PORT"`; `None` to start one.

    Yields:
        Number of threads for each worker.

    Raises:
        UsageError: if Ray or JAX is missing, there is no such cluster, or this
            machine has too few CPUs.
    """
    for name, value in RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    if address is not None and _token().exists():
        # As Ray's own commands do.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    for name in ("ray", "jax"):
        if find_spec(name) is None:
            raise UsageError(
                f"--workers need Ray and JAX, and {name} is not installed: "
                "pip install -e '.[ray]'"
            )
    import ray

    with tempfile.TemporaryDirectory(
        prefix="ray-", dir="/tmp", ignore_cleanup_errors=True
    ) as scratch:
        try:
            if address is None:
                threads = _share_cpus(workers)
                _init(
                    "local",
                    num_cpus=threads * workers,
                    include_dashboard=False,
                    _temp_dir=scratch,
                )
            else:
                _join(address)
                threads = _threads(workers, address)
            yield threads
        finally:
            ray.shutdown()


def _token() -> Path:
    """Return the file of the token by which Ray's clusters know their users."""
    return Path("~/.ray/auth_token").expanduser()


def _share_cpus(workers: int) -> int:
    """Return the number of threads for each worker on this machine.

    Raises:
        UsageError: if there are fewer CPUs than workers.
    """
    if workers > recipes.CORES:
        raise UsageError(
            f"--workers {workers}: this machine has {recipes.CORES} CPUs; ask "
            "for that many at most, or name a cluster with --address"
        )
    return recipes.CORES // workers


def _join(address: str) -> None:
    """Join a cluster.

    Raises:
        UsageError: if there is none at the address.
    """
    import ray

    host, _, port = address.rpartition(":")
    try:
        if address != "auto":
            # Ray would wait for minutes.
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        # Its machines need not have the checkout.
        modules = [it.__path__[0] for it in (recipes, keras_gatelstm)]
        _init(address, runtime_env={"py_modules": modules})
    except (
        OSError,
        ValueError,
        OverflowError,
        RuntimeError,
        ray.exceptions.RayError,
    ) as error:
        raise UsageError(
            f"no Ray cluster can be joined at --address {shown(address)}: "
            "start one with ray start --head, and name it by auto or HOST:PORT "
            f"({one_line(error)})"
        ) from error


def _threads(workers: int, address: str) -> int:
    """Return the number of threads for each worker of a cluster.

    It is the largest with which all find room, each on one machine.
    """
    import ray

    cpus = [
        int(node["Resources"].get("CPU", 0))
        for node in ray.nodes()
        if node["Alive"]
    ]
    for threads in range(max(cpus, default=1), 0, -1):
        if sum(it // threads for it in cpus) >= workers:
            return threads
    print(
        f"{address} has {sum(cpus)} CPUs: waiting until there are {workers}",
        file=sys.stderr,
    )
    return 1


def _init(address: str, **options: Any) -> None:
    import ray

    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, logging_level="error", log_to_driver=False, **options)
    finally:
        # Ray would end the program by it, without a word.
        signal.signal(signal.SIGTERM, handler)
