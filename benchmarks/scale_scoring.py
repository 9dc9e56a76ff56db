"""Scoring by several workers: how fast, and whether kills lose anything."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.scale_results import UNITS, WORKERS, write_row
from keras_gatelstm.export import export_saved_model
from recipes.characters import models
from recipes.characters.settings import PRESETS, Settings
from recipes.data.numbers import vocabulary_of
from recipes.data.text import Text
from recipes.scoring import running
from recipes.scoring.characters import TextTask
from recipes.scoring.documents import Corpus
from recipes.scoring.folder import Folder
from recipes.scoring.settings import CHUNK, CONTEXT

# How much faster two workers are to score.
ASKED_RATE = 1.6
# Workers that are killed, and seconds after which another one has started.
KILLS, SETTLED = 10, 5


def measure_scoring(path: Path, rounds: int) -> None:
    """Score by one and two workers in turns."""
    rates: dict[int, list[float]] = {count: [] for count in WORKERS}
    chunks: dict[int, pd.DataFrame] = {}
    with tempfile.TemporaryDirectory() as scratch:
        task = scoring_task(path, Path(scratch) / "model")
        for number in range(rounds):
            for count in WORKERS:
                output = Path(scratch) / f"scores-{number}-{count}"
                folder = score(task, output, count)
                rates[count].append(rate_after_start(folder, count))
                chunks[count] = pd.read_parquet(folder.rows_path)
    median = {count: np.median(rates[count]) for count in WORKERS}
    ratio = median[2] / median[1]
    difference = (chunks[1]["nats"] - chunks[2]["nats"]).abs().max()
    for count in WORKERS:
        print(f"{count} workers: {median[count]:,.0f} bytes a second")
    print(
        f"two beside one: {ratio:.2f} times as fast (asked {ASKED_RATE}); "
        f"{len(chunks[1]):,} chunks differ by {difference:.1e} at most"
    )
    write_row(
        "scoring",
        rounds,
        one=f"{median[1]:.0f}",
        two=f"{median[2]:.0f}",
        ratio=f"{ratio:.3f}",
        largest=f"{max(rates[2]) / min(rates[1]):.3f}",
        difference=f"{difference:.1e}",
    )


def measure_kills(path: Path, rounds: int) -> None:
    """Score by two workers, of which one is killed now and then.

    In the midst, the program is killed, too, and goes on with `--resume`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model, output = Path(scratch) / "model", Path(scratch) / "scores"
        task = scoring_task(path, model)
        folder = Folder(output, task.rows)
        given = [str(task.model), str(path), "--output", str(output)]
        program = [sys.executable, "-m", "recipes.score", *given]
        killed = 0
        for most, more in ((KILLS // 2, []), (KILLS, ["--resume"])):
            command = [*program, "--workers", "2", *more]
            with subprocess.Popen(command) as process:
                while process.poll() is None and killed < most:
                    killed += kill_a_worker(folder)
                    time.sleep(random.uniform(0, 4))
                if most < KILLS:
                    process.kill()
            # Until its workers have noticed.
            time.sleep(SETTLED)
        assert process.returncode == 0
        found = pd.read_parquet(folder.rows_path)
    different = len(found[["document", "start"]].drop_duplicates())
    expected = -(-path.stat().st_size // CHUNK)
    wrong = abs(expected - different) + abs(expected - len(found))
    print(
        f"{killed} workers and the program killed: {len(found):,} chunks, "
        f"{different:,} different, of {expected:,}"
    )
    write_row(
        "kills",
        killed,
        one=str(expected),
        two=f"{len(found)} {different}",
        difference=str(wrong),
    )


def kill_a_worker(folder: Folder) -> bool:
    """Kill a worker that scores a part, and return whether there was one."""
    begun = list(folder.unfinished.glob("attempts-*"))
    # A file may have been deleted, or be empty yet.
    with suppress(OSError, IndexError):
        pid = int(random.choice(begun).read_text().split()[-1])
        os.kill(pid, signal.SIGKILL)
        # Until the next has started.
        time.sleep(SETTLED)
        return True
    return False


def scoring_task(path: Path, folder: Path) -> TextTask:
    """Export a model of random weights, and return its scoring of a text."""
    vocabulary = vocabulary_of(Text(path))
    settings = Settings(**PRESETS["quick"] | {"units": UNITS})
    saved = export_saved_model(
        models.build(len(vocabulary), settings),
        folder,
        vocabulary=vocabulary.characters,
    )
    vocabulary.save(folder / "vocabulary.json")
    corpus = Corpus(path.absolute(), CHUNK, CONTEXT)
    return TextTask(saved.path.absolute(), vocabulary, corpus, gates=False)


def score(task: TextTask, output: Path, workers: int) -> Folder:
    """Score a text by workers of one thread, and return the folder."""
    folder = Folder(output, task.rows)
    folder.begin(task.parts(), {})
    parts = folder.load_parts()
    running.run(task, folder, parts, workers, threads=1)
    return folder


def rate_after_start(folder: Folder, workers: int) -> float:
    """Return bytes per second since each worker has scored a part or two."""
    parts = folder.load_parts()
    ended = sorted(
        (folder.rows_of(it).stat().st_mtime, sum(p.bytes for p in part))
        for it, part in enumerate(parts)
    )
    start, later = ended[2 * workers - 1][0], ended[2 * workers :]
    return sum(bytes_ for _, bytes_ in later) / (later[-1][0] - start)
