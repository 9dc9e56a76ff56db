"""The folder a recipe writes to, held by one run at a time."""

import subprocess
import sys

import pytest

from recipes.console import UsageError
from recipes.output_folder import (
    lock_folder,
    refuse_if_in_use,
    refuse_replacing,
)
from recipes.training import checkpoints

HOLD = """
import sys
from pathlib import Path
from recipes.output_folder import lock_folder

with lock_folder(Path(sys.argv[1])) as unfinished:
    (unfinished / "train.numbers").write_text("the first's")
    print("held", flush=True)
    input()
"""


def test_it_is_gone_where_nothing_is_written(tmp_path):
    with lock_folder(tmp_path / "new" / "out") as folder:
        assert folder == tmp_path / "new" / "out" / "unfinished"
        assert folder.is_dir()
    assert not (tmp_path / "new").exists()


def test_what_is_written_stays_alone(tmp_path):
    with lock_folder(tmp_path / "out"):
        (tmp_path / "out" / "model.keras").write_text("model")
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert names == ["model.keras"]


def test_a_second_run_is_refused_until_the_first_ends(tmp_path):
    output = tmp_path / "out"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, output],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout.readline() == "held\n"
    message = rf"another run is writing to {output}: let it end, or name"
    with pytest.raises(UsageError, match=message), lock_folder(output):
        pass
    with pytest.raises(UsageError, match=message):
        refuse_if_in_use(output)
    numbers = output / "unfinished" / "train.numbers"
    assert numbers.read_text() == "the first's"
    # What the first is killed within is no lock any more.
    left_over = output / ".writing-before"
    left_over.mkdir()
    first.kill()
    first.communicate()
    refuse_if_in_use(output)
    with lock_folder(output) as folder:
        assert folder == numbers.parent
        assert not left_over.exists()
    assert not any(output.iterdir())


@pytest.mark.parametrize("resume", [False, True])
def test_what_another_run_did_meanwhile_is_seen(tmp_path, resume):
    folder = tmp_path / "unfinished"
    folder.mkdir()
    if not resume:
        checkpoints.save(folder, checkpoints.Checkpoint({}, {}))
    with (
        pytest.raises(
            UsageError, match=r"has written to .* since this one beg"
        ),
        lock_folder(tmp_path, resume),
    ):
        pass


def test_what_others_put_there_meanwhile_is_not_deleted(tmp_path):
    with lock_folder(tmp_path) as folder:
        (folder / "train.numbers").write_text("")
        (folder / "mine.txt").write_text("mine")
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_what_is_not_of_a_training_is_not_deleted(tmp_path):
    mine = tmp_path / "unfinished" / "symphony.txt"
    mine.parent.mkdir()
    mine.write_text("in B minor")
    with (
        pytest.raises(UsageError, match=r"symphony\.txt is not of an unf"),
        lock_folder(tmp_path),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["unfinished"]
    assert mine.read_text() == "in B minor"


@pytest.mark.parametrize("kind", ["file", "symlink", "hard link", "within"])
def test_what_is_read_is_not_written_over(tmp_path, kind):
    output = tmp_path / "out"
    file = output / "deep" / "series.csv"
    file.parent.mkdir(parents=True)
    file.write_text("1, 2")
    given = tmp_path / "given.csv"
    if kind == "symlink":
        given.symlink_to(file)
    elif kind == "hard link":
        given.hardlink_to(file)
    else:
        given = file
    written = ["other.csv", "deep" if kind == "within" else "deep/series.csv"]
    with pytest.raises(UsageError, match=f"{given} would be lost: this writes"):
        refuse_replacing(given, output, written)
    refuse_replacing(given, output, ["other.csv", "deep/series"])
    refuse_replacing(tmp_path / "none", output, written)
