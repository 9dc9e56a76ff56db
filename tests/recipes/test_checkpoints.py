"""Checkpoints, and what can happen to them."""

import os

import numpy as np
import pytest

from recipes.training import checkpoints
from recipes.training.checkpoints import BEFORE, LAST, Checkpoint


def numbered(number):
    arrays = {"model": [np.full((3, 2), number), np.arange(12.0)], "best": []}
    return Checkpoint(arrays, {"epoch": number, "losses": [0.1, 1e-300]})


def assert_number(checkpoint, number):
    expected = numbered(number)
    assert checkpoint.facts == expected.facts
    for found, array in zip(
        checkpoint.arrays["model"], expected.arrays["model"], strict=True
    ):
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype


def test_the_last_two_are_kept(tmp_path):
    assert not checkpoints.exist(tmp_path)
    assert checkpoints.load(tmp_path) is None
    for number in range(3):
        checkpoints.save(tmp_path, numbered(number))
    assert_number(checkpoints.load(tmp_path), 2)
    (tmp_path / LAST).unlink()
    assert_number(checkpoints.load(tmp_path), 1)
    assert [path.name for path in tmp_path.iterdir()] == [BEFORE]


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_one_that_is_not_whole_is_passed_over(tmp_path, capsys, damage):
    for number in range(2):
        checkpoints.save(tmp_path, numbered(number))
    path = tmp_path / LAST
    content = path.read_bytes()
    changed = bytearray(content)
    place = content.index(np.full((3, 2), 1).tobytes()) + 8
    changed[place] ^= 1
    path.write_bytes(
        {"cut": content[:-40], "changed": changed, "emptied": b""}[damage]
    )
    assert_number(checkpoints.load(tmp_path), 0)
    assert f"{path} is not whole" in capsys.readouterr().err


def test_none_that_is_whole_is_an_error(tmp_path):
    (tmp_path / LAST).write_bytes(b"nothing")
    with pytest.raises(OSError, match=r"no checkpoint in .* is whole"):
        checkpoints.load(tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_those_that_were_there(tmp_path, monkeypatch, step):
    checkpoints.save(tmp_path, numbered(0))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=r"No space left .* is whole, in .*--res"):
        checkpoints.save(tmp_path, numbered(1))
    assert_number(checkpoints.load(tmp_path), 0)
    assert [path.name for path in tmp_path.iterdir()] == [LAST]
