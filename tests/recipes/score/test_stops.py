"""Scorings that are stopped, and workers that are killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from threading import Event, Thread

import pandas as pd
import pytest

from recipes import score
from recipes.console import UsageError
from recipes.data.vocabulary import Vocabulary
from recipes.scoring import documents, folder, parts, running
from tests.recipes.score.texts import (
    CHUNK,
    POEM,
    write_texts,
)


def test_a_scoring_that_was_stopped_goes_on(
    model, score_texts, tmp_path, monkeypatch
):
    data = tmp_path / "long.txt"
    data.write_text(POEM * 20)
    monkeypatch.setattr(parts, "LEAST_BYTES", CHUNK)
    monkeypatch.setattr(documents, "LEAST_BYTES", CHUNK)
    whole = score_texts(data, "--gates", name="whole")
    scored = []
    score_one = running.Worker.score

    def stop_soon(worker, part):
        scored.append(part)
        if len(scored) == 5:
            raise KeyboardInterrupt
        return score_one(worker, part)

    with monkeypatch.context() as patch:
        patch.setattr(running.Worker, "score", stop_soon)
        with pytest.raises(KeyboardInterrupt):
            score_texts(data, "--gates")
    output = tmp_path / "scores"
    assert len(list((output / "chunks").iterdir())) == 4
    for options, message in (
        ([], "holds an unfinished scoring: go on with it with --resume"),
        (["--resume"], "gates was True when the scoring in"),
    ):
        with pytest.raises(UsageError, match=message):
            score_texts(data, *options)
    # As if it had been killed while it wrote.
    damaged = output / "chunks" / "part-000002.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    scored.clear()
    with monkeypatch.context() as patch:
        patch.setattr(
            running.Worker,
            "score",
            lambda worker, part: scored.append(part) or score_one(worker, part),
        )
        score_texts(data, "--gates", "--resume")
    assert scored == [2, *range(4, len(list((whole / "chunks").iterdir())))]
    assert_same_files(output, whole)
    with pytest.raises(UsageError, match="is there already: name another"):
        score_texts(data)
    with pytest.raises(UsageError, match="there is no unfinished scoring"):
        score_texts(data, "--resume")


def assert_same_files(one, other):
    """Two scorings gave the same, to the last bit."""
    names = sorted(str(it.relative_to(other)) for it in other.rglob("*.*"))
    assert "summary.json" in names
    assert sorted(str(it.relative_to(one)) for it in one.rglob("*.*")) == names
    for name in names:
        if name.endswith(".parquet"):
            found = pd.read_parquet(one / name)
            pd.testing.assert_frame_equal(
                found, pd.read_parquet(other / name), check_exact=True
            )
        else:
            assert (one / name).read_bytes() == (other / name).read_bytes()


def test_a_program_that_was_killed_goes_on(model, tmp_path):
    data = tmp_path / "long.txt"
    data.write_text(POEM * 60_000)
    given = [str(model.folder / "serving"), str(data), "--output"]
    output = tmp_path / "scores"
    program = [sys.executable, "-m", "recipes.score", *given, str(output)]
    with subprocess.Popen(program, stderr=subprocess.DEVNULL) as process:
        while len(list(output.glob("chunks/*"))) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    done = len(list(output.glob("chunks/*")))
    score.main([*given, str(output), "--resume"])
    score.main([*given, str(tmp_path / "whole")])
    assert 2 <= done < len(list((output / "chunks").iterdir()))
    chunks, whole = (
        pd.read_parquet(tmp_path / name / "chunks")
        for name in ("scores", "whole")
    )
    # Another process may have other threads.
    pd.testing.assert_frame_equal(chunks, whole, rtol=1e-6)
    assert not (output / "unfinished-scores").exists()


def test_a_file_that_changed_meanwhile_is_refused(
    model, score_texts, tmp_path, monkeypatch
):
    data = write_texts(tmp_path / "texts")

    def change(worker, part):
        (data / "a.txt").write_text(POEM)
        return score_one(worker, part)

    score_one = running.Worker.score
    monkeypatch.setattr(running.Worker, "score", change)
    with pytest.raises(UsageError, match=r"a\.txt is not the file any more"):
        score_texts(data)
    monkeypatch.undo()
    # There was nothing to go on with.
    score_texts(data)


def test_a_part_that_ends_its_workers_is_given_up(
    model, score_texts, tmp_path, monkeypatch
):
    data = tmp_path / "deadly.txt"
    data.write_text(POEM)
    begin = folder.Folder.begin_attempt
    monkeypatch.setattr(
        folder.Folder,
        "begin_attempt",
        lambda it, part: [begin(it, part) for _ in range(6)][-1],
    )
    with pytest.raises(UsageError, match="5 workers died while they scored"):
        score_texts(data)


def test_a_stop_at_the_very_end_is_made_up_for(
    model, score_texts, tmp_path, monkeypatch
):
    data = write_texts(tmp_path / "texts")
    whole = score_texts(data, "--gates", name="whole")

    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder.Path, "unlink", stop)
    with pytest.raises(KeyboardInterrupt):
        score_texts(data, "--gates")
    monkeypatch.undo()
    score_texts(data, "--gates", "--resume")
    assert_same_files(tmp_path / "scores", whole)


def test_another_vocabulary_is_refused(
    model, score_texts, tmp_path, monkeypatch
):
    data = tmp_path / "long.txt"
    data.write_text(POEM * 20)
    score_one = running.Worker.score

    def stop_soon(worker, part):
        if part:
            raise KeyboardInterrupt
        return score_one(worker, part)

    for module in (parts, documents):
        monkeypatch.setattr(module, "LEAST_BYTES", CHUNK)
    monkeypatch.setattr(running.Worker, "score", stop_soon)
    with pytest.raises(KeyboardInterrupt):
        score_texts(data)
    path = model.folder / "vocabulary.json"
    before = path.read_text()
    try:
        Vocabulary(model.vocabulary.characters[:0:-1]).save(path)
        with pytest.raises(UsageError, match=r"has changed .* vocabulary"):
            score_texts(data, "--resume")
    finally:
        path.write_text(before)


def test_workers_of_which_one_is_killed_give_what_one_process_gives(
    model, score_texts, tmp_path, monkeypatch
):
    pytest.importorskip("ray")
    data = tmp_path / "long.txt"
    data.write_text(POEM * 20)
    for module in (parts, documents):
        monkeypatch.setattr(module, "LEAST_BYTES", CHUNK)
    whole = score_texts(data, "--gates", name="whole")
    output = tmp_path / "scores"
    killed = []
    ended = Event()

    def kill():
        """Kill a worker at a part, once some have been scored."""
        while not (killed or ended.wait(0.01)):
            if len(list(output.glob("chunks/*"))) < 4:
                continue
            for path in output.glob("unfinished-scores/attempts-*"):
                with suppress(OSError, ValueError):
                    pid = int(path.read_text())
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    break

    Thread(target=kill, daemon=True).start()
    try:
        score_texts(data, "--gates", "--workers", "2")
    finally:
        ended.set()
    assert killed
    assert_same_files(output, whole)
    chunks = pd.read_parquet(output / "chunks")
    assert len(chunks) == -(-len(data.read_bytes()) // CHUNK)
    assert chunks["start"].is_unique


def test_lost_workers_are_told_of(score_texts, tmp_path, monkeypatch, capsys):
    def lose_one(task, folder, left, *_):
        for part in left:
            outcome = running.Worker(task, folder).score(part)
            yield outcome._replace(attempts=2)

    monkeypatch.setattr(running, "_on_ray", lose_one)
    (tmp_path / "a.txt").write_text(POEM)
    score_texts(tmp_path / "a.txt", "--workers", "1")
    told = "a worker was lost: going on with part 0"
    assert told in capsys.readouterr().out


def test_workers_need_ray(score_texts, tmp_path, monkeypatch):
    monkeypatch.setattr("recipes.training.cluster.find_spec", lambda _: None)
    (tmp_path / "a.txt").write_text(POEM)
    with pytest.raises(UsageError, match="--workers need Ray and JAX, and ray"):
        score_texts(tmp_path / "a.txt", "--workers", "1")
    assert not (tmp_path / "scores").exists()
