"""Hold commands and exports to their promises for longer than a test can.

    python -m benchmarks.soak load --minutes 5
    python -m benchmarks.soak conversations
    python -m benchmarks.soak threads
    python -m benchmarks.soak kills --count 50
    python -m benchmarks.soak inputs --count 200

All on loopback and in temporary folders. Each prints its figures as a row of
`benchmarks/results/soak.csv`, and ends with status 1 if a promise is broken.
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.records import add_row

if TYPE_CHECKING:
    import keras

RESULTS = Path(__file__).parent / "results" / "soak.csv"
UNITS, STEPS, BATCH, FEATURES = 256, 100, 16, 32
CLIENTS = 16
MOST_SECONDS, MOST_MEGABYTES = 10, 1000

Figures = dict[str, object]


def main() -> int:
    """Run one of the trials; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trial", choices=TRIALS)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--count", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = TRIALS[arguments.trial](arguments, Path(folder))
    broken = figures.pop("broken")
    row = {
        "trial": arguments.trial,
        "broken promises": len(broken),
        "figures": "; ".join(f"{name} {it}" for name, it in figures.items()),
    }
    add_row(RESULTS, row)
    print(json.dumps(row, indent=1))
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


# Load


def load(arguments: argparse.Namespace, folder: Path) -> Figures:
    """Ask a served model from many clients at once."""
    sequences = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES))
    given = sequences.astype("float32")
    seconds: list[float] = []
    broken: list[str] = []
    memory: list[tuple[float, float]] = []
    with served(folder) as (ask, server):
        expected = ask("serving_default", events=given)["outputs"]
        end = time.monotonic() + 60 * arguments.minutes
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
    return {
        "broken": broken,
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


def conversations(arguments: argparse.Namespace, folder: Path) -> Figures:
    """Interleave conversations of `step` at random, from many threads."""
    events = np.random.default_rng(1).normal(size=(CLIENTS, STEPS, FEATURES))
    given = events.astype("float32")
    names = ["lstm_short_term_memory", "lstm_long_term_memory"]
    zeros = {name: np.zeros((1, UNITS), "float32") for name in names}
    with served(folder) as (ask, _):

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
    return {"broken": broken, "conversations": CLIENTS, "steps": len(turns)}


def threads(arguments: argparse.Namespace, folder: Path) -> Figures:
    """Run one LiteRT interpreter in each of several threads."""
    from keras_gatelstm.export import LiteRTFile, export_litert

    file = folder / "model.tflite"
    export_litert(make_model(), file, time_steps=STEPS)
    shape = (CLIENTS, arguments.count, 1, STEPS, FEATURES)
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
    calls = CLIENTS * arguments.count
    return {"broken": broken, "threads": CLIENTS, "calls": calls}


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


def status_of(process: int, name: str) -> float:
    """Return megabytes from the status of a process; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"{name}:\s+(\d+)", status)
    return int(found[1]) / 1e3 if found else 0.0


def megabytes(process: int) -> float:
    """Return the resident memory of a process."""
    return status_of(process, "VmRSS")


def cpu_seconds(process: int) -> float:
    """Return the processor time of a process."""
    times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / 100


# Faults

TRAINING = (
    "--units 12 --embedding 6 --batch-size 4 --steps 16 --epochs 3 --seed 1"
)


def kills(arguments: argparse.Namespace, folder: Path) -> Figures:
    """Kill trainings, exports and resumed trainings at random moments."""
    chance = random.Random(5)
    text = folder / "text.txt"
    text.write_text("a bad cab fed a bee\nhad a fag ebb, be a cafe\n" * 200)
    whole = folder / "whole"
    train = ["recipes.char_text", "--dataset", str(text), *TRAINING.split()]
    taken = {"train": seconds_of([*train, "--output", str(whole)])}
    names = {it.name for it in whole.iterdir()}
    model = str(whole / "model.keras")
    out = folder / "exported"
    export = ["keras_gatelstm.export", model, "--litert", str(out / "m.tflite")]
    export += ["--saved-model", str(out / "saved")]
    out.mkdir()
    taken["export"] = seconds_of(export)
    exported = {it.name for it in out.iterdir()}
    broken: list[str] = []
    for number in range(arguments.count):
        kind = ("train", "export", "resume")[number % 3]
        if kind == "export":
            shutil.rmtree(out)
            out.mkdir()
            kill_after(export, chance.uniform(0, taken["export"]))
            broken += halves(out, f"export {number}")
            if (status := run(export)) != 0:
                broken.append(f"export {number}: then status {status}")
            # A version of the SavedModel may have been written before.
            left = {it.name for it in out.iterdir()} - exported
            broken += [f"export {number}: {it} left" for it in left]
            continue
        output = folder / f"run {number}"
        begin = [*train, "--output", str(output)]
        kill_after(begin, chance.uniform(0, taken["train"]))
        broken += halves(output, f"{kind} {number}")
        resume = ["recipes.char_text", "--resume", "--output", str(output)]
        if kind == "resume" and unfinished(output):
            kill_after(resume, chance.uniform(0, taken["train"]))
            broken += halves(output, f"{kind} {number}")
        status = run(resume if unfinished(output) else begin)
        left = {it.name for it in output.iterdir()} ^ names
        if status or left:
            broken.append(f"{kind} {number}: then status {status}, {left}")
        shutil.rmtree(output, ignore_errors=True)
    return {"broken": broken, "kills": arguments.count}


def unfinished(output: Path) -> bool:
    """Return whether a training can be gone on with."""
    return bool([*output.glob("unfinished/checkpoint*.npz")])


def seconds_of(command: list[str]) -> float:
    """Run a command that must succeed; return the seconds it took."""
    start = time.monotonic()
    if status := run(command):
        raise SystemExit(f"{command} ended with status {status}")
    return time.monotonic() - start


def run(command: list[str]) -> int:
    """Run a module, and return its exit status."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    ).returncode


def kill_after(command: list[str], seconds: float) -> None:
    """Start a module, and kill it after some seconds if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def halves(output: Path, name: str) -> list[str]:
    """Return what is wrong with the files under their final names."""
    wrong = []
    for path in output.glob("**/*"):
        parts = path.relative_to(output).parts
        hidden = any(it.startswith(".") for it in parts)
        if hidden or "unfinished" in parts or path.is_dir():
            continue
        try:
            if path.suffix == ".keras":
                with zipfile.ZipFile(path) as archive:
                    assert archive.testzip() is None
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".tflite":
                from keras_gatelstm.export import LiteRTFile

                LiteRTFile(path)
            elif path.name == "saved_model.pb":
                import tensorflow as tf

                tf.saved_model.load(str(path.parent))
        except Exception as error:  # Each reader has errors of its own.
            wrong.append(f"{name}: {path} is not whole: {error!r}")
    return wrong


def inputs(arguments: argparse.Namespace, folder: Path) -> Figures:
    """Give each malformed input to a command in a process of its own."""
    from tests.fuzz import arguments as wrong_arguments
    from tests.fuzz import artefacts, corpus, running

    valid = artefacts.make(folder)
    kinds = [
        (name, of(arguments.count, valid, folder))
        for name, of in corpus.FILES.items()
    ]
    kinds += [
        (name, corpus.of_arguments(name, arguments.count, valid, folder))
        for name in wrong_arguments.COMMANDS
    ]
    broken: list[str] = []
    tried, longest, largest = 0, 0.0, 0.0
    for kind, cases in kinds:
        for case in cases:
            if any("\0" in it or "\udcff" in it for it in case.arguments):
                continue  # The operating system does not hand these over.
            running.write(case)
            start = time.monotonic()
            status, said, memory = measured(
                running.command_line(case.command, case.arguments), folder
            )
            taken = time.monotonic() - start
            running.remove(case)
            tried += 1
            longest, largest = max(longest, taken), max(largest, memory)
            try:
                running.check(case, status, said)
            except AssertionError as error:
                broken.append(f"{kind}: {error}")
            if taken > MOST_SECONDS or memory > MOST_MEGABYTES:
                broken.append(
                    f"{kind}: {case.name}: {taken:.0f} s, {memory:.0f} MB"
                )
        print(f"{kind}: {tried} tried, {len(broken)} broken", file=sys.stderr)
    return {
        "broken": broken,
        "inputs": tried,
        "longest s": f"{longest:.1f}",
        "largest MB": f"{largest:.0f}",
    }


def measured(command: list[str], folder: Path) -> tuple[int, str, float]:
    """Run a command; return its status, its errors and its peak memory."""
    from tests.fuzz import running

    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=running.environment(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, status_of(process.pid, "VmHWM"))
            time.sleep(0.02)
        errors.seek(0)
        return process.returncode, running.without_logs(errors), peak


TRIALS: dict[str, Callable[[argparse.Namespace, Path], Figures]] = {
    "load": load,
    "conversations": conversations,
    "threads": threads,
    "kills": kills,
    "inputs": inputs,
}

if __name__ == "__main__":
    sys.exit(main())
