"""Trials of load: a served model, and one interpreter in each thread."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.trials import Options, Outcome
from benchmarks.trials.processes import cpu_seconds, megabytes

if TYPE_CHECKING:
    import keras

UNITS, STEPS, BATCH, FEATURES = 256, 100, 16, 32
CLIENTS = 16


def load(options: Options) -> Outcome:
    """Ask a served model from many clients at once."""
    sequences = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES))
    given = sequences.astype("float32")
    seconds: list[float] = []
    broken: list[str] = []
    memory: list[tuple[float, float]] = []
    with served(options.folder) as (ask, server):
        expected = ask("serving_default", events=given)["outputs"]
        end = time.monotonic() + 60 * options.minutes
        clients, servers = time.process_time(), cpu_seconds(server)

        def client(number: int) -> None:
            while time.monotonic() < end:
                start = time.perf_counter()
                try:
                    found = ask("serving_default", events=given)["outputs"]
                except Exception as error:  # Any is a broken promise.
                    broken.append(f"client {number}: {error!r}")
                    return
                seconds.append(time.perf_counter() - start)
                if not np.allclose(found, expected, atol=1e-6):
                    broken.append(f"client {number}: another answer")

        start = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            done = [pool.submit(client, number) for number in range(CLIENTS)]
            while not all(it.done() for it in done):
                memory.append((time.monotonic() - start, megabytes(server)))
                time.sleep(1)
        elapsed = time.monotonic() - start
        clients = time.process_time() - clients
        servers = cpu_seconds(server) - servers
    # What is allocated once is allocated in the first minute.
    warm = min(60, elapsed / 5)
    first = np.median([mb for at, mb in memory if warm <= at < warm + 10])
    last = np.median([mb for _, mb in memory[-10:]])
    growth = 100 * (last / first - 1)
    if growth > 2:
        broken.append(f"memory grew by {growth:.1f} %")
    figures = {
        "minutes": f"{elapsed / 60:.1f}",
        "clients": CLIENTS,
        "requests": len(seconds),
        "requests/s": f"{len(seconds) / elapsed:.1f}",
        "p50 ms": f"{1e3 * np.percentile(seconds, 50):.0f}",
        "p99 ms": f"{1e3 * np.percentile(seconds, 99):.0f}",
        "memory MB": f"{last:.0f}",
        "memory growth %": f"{growth:.2f}",
        "server CPU s": f"{servers:.0f}",
        "clients CPU s": f"{clients:.0f}",
    }
    return Outcome(figures, broken)


def conversations(options: Options) -> Outcome:
    """Interleave conversations of `step` at random, from many threads."""
    events = np.random.default_rng(1).normal(size=(CLIENTS, STEPS, FEATURES))
    given = events.astype("float32")
    names = ["lstm_short_term_memory", "lstm_long_term_memory"]
    zeros = {name: np.zeros((1, UNITS), "float32") for name in names}
    with served(options.folder) as (ask, _):

        def go_on(number: int, step: int, memories: dict) -> dict:
            event = given[number : number + 1, step]
            return ask("step", events=event, **memories)

        expected = []
        for number in range(CLIENTS):
            after = zeros
            for step in range(STEPS):
                answer = go_on(number, step, after)
                after = {name: answer[name] for name in names}
            expected.append(answer["outputs"])
        found = [zeros] * CLIENTS
        turns = [number for number in range(CLIENTS) for _ in range(STEPS)]
        random.Random(2).shuffle(turns)
        steps = [0] * CLIENTS
        last = [np.zeros(0)] * CLIENTS
        locks = [threading.Lock() for _ in range(CLIENTS)]

        def turn(number: int) -> None:
            with locks[number]:
                answer = go_on(number, steps[number], found[number])
                found[number] = {name: answer[name] for name in names}
                last[number] = answer["outputs"]
                steps[number] += 1

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(turn, turns))
    broken = [
        f"conversation {number} ended otherwise"
        for number in range(CLIENTS)
        if not np.array_equal(last[number], expected[number])
    ]
    figures = {"conversations": CLIENTS, "steps": len(turns)}
    return Outcome(figures, broken)


def threads(options: Options) -> Outcome:
    """Run one LiteRT interpreter in each of several threads."""
    from keras_gatelstm.export import LiteRTFile, export_litert

    file = options.folder / "model.tflite"
    export_litert(make_model(), file, time_steps=STEPS)
    shape = (CLIENTS, options.count, 1, STEPS, FEATURES)
    events = np.random.default_rng(3).normal(size=shape).astype("float32")

    def run(number: int) -> list[np.ndarray]:
        interpreter = LiteRTFile(file)
        answers = [interpreter(events=it) for it in events[number]]
        return [next(iter(it.values())) for it in answers]

    expected = [run(number) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = list(pool.map(run, range(CLIENTS)))
    broken = [
        f"thread {number} answered otherwise"
        for number in range(CLIENTS)
        if not np.array_equal(found[number], expected[number])
    ]
    calls = CLIENTS * options.count
    return Outcome({"threads": CLIENTS, "calls": calls}, broken)


def make_model() -> "keras.Sequential":
    """Return the model of the trials of load."""
    import keras

    from keras_gatelstm import GateLSTM

    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [
            keras.Input((None, FEATURES), name="events"),
            GateLSTM(UNITS, name="lstm"),
            keras.layers.Dense(1, name="outputs"),
        ]
    )


@contextmanager
def served(folder: Path) -> Iterator[tuple[Callable, int]]:
    """Serve the model by gRPC; give what asks it, and the server's process."""
    from keras_gatelstm.export import export_saved_model
    from tests.serving import client

    export_saved_model(make_model(), folder / "model")
    with client.serving(folder / "model", "model") as server:
        yield server.grpc, client._program.process.pid
