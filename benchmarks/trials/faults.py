"""Trials of faults: training and export are disturbed, then run once more.

What must hold each time: no half file under a final name; a disturbed training
goes on with `--resume`, or starts anew; and after the next run nothing is left
but what a run that nobody disturbs writes.
"""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.trials import Options, Outcome

TEXT = "a bad cab fed a bee\nhad a fag ebb, be a cafe\n" * 200
TRAINING = (
    "--units 12 --embedding 6 --batch-size 4 --steps 16 --epochs 3 --seed 1"
)
FAILING_WRITES = Path(__file__).with_name("failing_writes.c")


class Work(NamedTuple):
    """A command to disturb.

    Args:
        name: What it does.
        command: Module and arguments, before the output folder is known.
        seconds: How long it takes undisturbed.
        whole: Names of what it leaves in its output folder then.
        goes_on: Whether it is told `--resume` after it was disturbed.
    """

    name: str
    command: Callable[[Path], list[str]]
    seconds: float
    whole: frozenset[str]
    goes_on: bool

    def next_command(self, output: Path) -> list[str]:
        """Return what a user runs after it was disturbed."""
        if self.goes_on and any(output.glob("unfinished/checkpoint*.npz")):
            return ["recipes.char_text", "--resume", "--output", str(output)]
        return self.command(output)


def kills(options: Options) -> Outcome:
    """Kill trainings, exports and resumed trainings at random moments."""
    return _signalled(options, signal.SIGKILL)


def terminations(options: Options) -> Outcome:
    """Ask trainings, exports and resumed trainings to terminate."""
    return _signalled(options, signal.SIGTERM)


def full_disk(options: Options) -> Outcome:
    """Fill the disk at each write of a training and of an export."""
    return _failing(options, errno.ENOSPC)


def read_only(options: Options) -> Outcome:
    """Make the disk read-only at each write of a training and an export."""
    return _failing(options, errno.EROFS)


def two_at_once(options: Options) -> Outcome:
    """Run a command twice into one folder, the second a moment later."""
    chance = random.Random(6)
    broken: list[str] = []
    refused = 0
    for name, work, output in _turns(options):
        first = _start(work.command(output))
        time.sleep(chance.uniform(0, work.seconds))
        second = _start(work.command(output))
        ended = [_end(first), _end(second)]
        refused += sum(status != 0 for status, _ in ended)
        if all(status for status, _ in ended):
            broken.append(f"{name}: neither succeeded: {ended}")
        for status, said in ended:
            broken += _told(name, status, said)
        broken += _halves(name, output) + _others(name, work, output)
    return Outcome({"pairs": options.count, "refused": refused}, broken)


def _signalled(options: Options, number: signal.Signals) -> Outcome:
    """Send a signal to commands at random moments, to half of them twice."""
    chance = random.Random(5)
    broken: list[str] = []
    sent = 0
    # In the last moment; or while Python destroys an object, where it ignores
    # what a signal raises.
    unheard = 0
    for name, work, output in _turns(options):
        for _ in range(chance.choice((1, 2))):
            process = _start(work.next_command(output))
            was_sent = False
            try:
                process.wait(chance.uniform(0, work.seconds))
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                was_sent = True
            sent += was_sent
            status, said = _end(process)
            if status == 0:
                unheard += was_sent
            elif number == signal.SIGTERM and "Traceback" in said:
                broken.append(f"{name}: status {status}: {said}")
            broken += _halves(name, output)
        broken += _recovered(name, work, output)
    return Outcome(
        {"runs": options.count, "signals": sent, "ran on": unheard}, broken
    )


def _failing(options: Options, error: int) -> Outcome:
    """Let all writes fail from one of them on, for each of them in turn."""
    library = options.folder / "failing_writes.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", library, FAILING_WRITES, "-ldl"],
        check=True,
    )
    counter = options.folder / "count"

    def run(work: Work, output: Path, at: int) -> tuple[int, str, int]:
        counter.write_bytes(bytes(8))
        environment = {
            "LD_PRELOAD": str(library),
            "FAIL_BELOW": str(output),
            "FAIL_FROM": str(at),
            "FAIL_WITH": str(error),
            "FAIL_COUNT": str(counter),
        }
        status, said = _end(_start(work.command(output), environment))
        return status, said, int.from_bytes(counter.read_bytes(), "little")

    writes: dict[str, int] = {}
    tried: dict[str, int] = {}
    broken: list[str] = []
    for name, work, output in _turns(options):
        if work.name not in writes:
            status, said, writes[work.name] = run(work, output, 0)
            if status:
                raise SystemExit(f"{work.name} ended with {status}: {said}")
            shutil.rmtree(output)
        # Evenly, from the first to the last.
        each = max(1, options.count // 2 - 1)
        turn = tried.get(work.name, 0)
        tried[work.name] = turn + 1
        at = 1 + turn * (writes[work.name] - 1) // each
        status, said, _ = run(work, output, at)
        if status == 0:
            broken.append(f"{name}: write {at} failed, and it says nothing")
        broken += _told(f"{name}, write {at}", status, said)
        broken += _halves(name, output) + _recovered(name, work, output)
    figures: dict[str, object] = {"runs": options.count}
    for kind, number in writes.items():
        figures[f"writes of {kind}"] = number
    return Outcome(figures, broken)


def _turns(options: Options) -> Iterator[tuple[str, Work, Path]]:
    """Yield a training, then an export, each with a folder of its own."""
    text = options.folder / "text.txt"
    text.write_text(TEXT)

    def train(output: Path) -> list[str]:
        given = ["recipes.char_text", "--dataset", str(text)]
        return [*given, *TRAINING.split(), "--output", str(output)]

    whole = options.folder / "whole"
    model = str(whole / "model.keras")

    def export(output: Path) -> list[str]:
        given = ["keras_gatelstm.export", model, "--steps", "20"]
        given += ["--litert", str(output / "model.tflite")]
        return [*given, "--saved-model", str(output / "serving")]

    training = _timed("training", train, whole, goes_on=True)
    exported = options.folder / "exported"
    exporting = _timed("export", export, exported, goes_on=False)
    for number in range(options.count):
        work = (training, exporting)[number % 2]
        name = f"{work.name} {number}"
        print(name, file=sys.stderr)
        output = options.folder / name
        yield name, work, output
        shutil.rmtree(output, ignore_errors=True)


def _timed(
    name: str, command: Callable[[Path], list[str]], output: Path, goes_on: bool
) -> Work:
    """Run a command that must succeed, and return it as work."""
    start = time.monotonic()
    status, said = _end(_start(command(output)))
    if status:
        raise SystemExit(f"{name} ended with status {status}: {said}")
    taken = time.monotonic() - start
    return Work(name, command, taken, _names(output), goes_on)


def _start(
    command: list[str], environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process; return its status and what it said of an error."""
    _, said = process.communicate()
    lines = said.splitlines()
    if "Traceback (most recent call last):" in said:
        return process.returncode, said
    return process.returncode, "\n".join(it for it in lines if "error:" in it)


def _told(name: str, status: int, said: str) -> list[str]:
    """Return what is wrong with how a command failed."""
    lines = said.splitlines()
    if status == 0 or (status == 2 and len(lines) == 1):
        return []
    return [f"{name}: status {status}: {said}"]


def _recovered(name: str, work: Work, output: Path) -> list[str]:
    """Run a disturbed command once more; return what is wrong after it."""
    status, said = _end(_start(work.next_command(output)))
    if status:
        return [f"{name}: the next run ended with status {status}: {said}"]
    return _halves(name, output) + _others(name, work, output)


def _others(name: str, work: Work, output: Path) -> list[str]:
    """Return which files are missing, or left over."""
    others = _names(output) ^ work.whole
    return [f"{name}: {it} is missing or left over" for it in others]


def _names(output: Path) -> frozenset[str]:
    return frozenset(path.name for path in output.iterdir())


def _halves(name: str, output: Path) -> list[str]:
    """Return which files under their final names are not whole."""
    wrong = []
    for path in output.glob("**/*"):
        parts = path.relative_to(output).parts
        hidden = any(it.startswith(".") for it in parts)
        if hidden or "unfinished" in parts or path.is_dir():
            continue
        try:
            _read(path)
        except Exception as error:  # Each reader has errors of its own.
            wrong.append(f"{name}: {path} is not whole: {error!r}")
    return wrong


def _read(path: Path) -> None:
    """Read a file; any error means that it is not whole."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise OSError(damaged)
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".png":
        from matplotlib import image

        image.imread(path)
    elif path.suffix == ".tflite":
        from keras_gatelstm.export import LiteRTFile

        LiteRTFile(path)
    elif path.name == "saved_model.pb":
        import tensorflow as tf

        tf.saved_model.load(str(path.parent))
