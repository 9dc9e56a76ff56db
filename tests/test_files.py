"""Files that appear whole, or not at all."""

import subprocess
import sys

import pytest

from keras_gatelstm.core.files import clear_left_over, move_into, stage_in

STAGE = """
import sys
from pathlib import Path
from keras_gatelstm.core.files import stage_in

with stage_in(Path(sys.argv[1])) as stage:
    (stage / "half.txt").write_text("half")
    print(stage, flush=True)
    input()
"""


def test_what_is_moved_out_stays_alone(tmp_path):
    folder = tmp_path / "new" / "folder"
    with stage_in(folder) as stage:
        (stage / "kept.txt").write_text("kept")
        move_into(stage, folder)
        (stage / "left.txt").write_text("left")
    assert [path.name for path in folder.iterdir()] == ["kept.txt"]


def test_where_nothing_is_moved_there_is_nothing(tmp_path):
    with pytest.raises(OSError, match="full"), stage_in(tmp_path / "a" / "b"):
        raise OSError("full")
    assert not (tmp_path / "a").exists()


def test_what_a_killed_process_left_is_cleared(tmp_path):
    writing = [
        subprocess.Popen(
            [sys.executable, "-c", STAGE, tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    stages = [process.stdout.readline().strip() for process in writing]
    killed, living = writing
    killed.kill()
    killed.communicate()
    with stage_in(tmp_path) as stage:
        names = {str(path) for path in tmp_path.iterdir()}
        assert names == {str(stage), stages[1]}
        # Its own neither.
        clear_left_over(tmp_path)
        assert stage.is_dir()
    living.communicate("\n")
    assert living.returncode == 0
    assert not any(tmp_path.iterdir())
