"""Malformed files: one line on standard error, and status 2."""

import numpy as np
import pytest

from keras_gatelstm import GateTrace
from tests.fuzz import corpus, damage, running

EACH = 200


@pytest.mark.parametrize("kind", corpus.FILES)
def test_a_malformed_file_is_refused_in_one_line(
    kind, valid_files, tmp_path, monkeypatch, capsys
):
    """Or it is still valid, and the command succeeds."""
    monkeypatch.chdir(tmp_path)
    statuses = []
    for case in corpus.FILES[kind](EACH, valid_files, tmp_path):
        running.write(case)
        status = running.run_here(case.command, case.arguments)
        said = capsys.readouterr().err
        running.check(case, status, said)
        running.remove(case)
        statuses.append(status)
    assert len(statuses) == EACH
    # The corpus is no list of files that are missing.
    assert statuses.count(2) >= EACH / 2


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_a_damaged_trace_is_a_value_error(suffix, valid_files, tmp_path):
    right = valid_files.trace.with_suffix(suffix)
    expected = GateTrace.load(right).to_dict()
    random = np.random.default_rng(corpus.SEED)
    path = tmp_path / f"trace{suffix}"
    for wrong in damage.damaged_bytes(right.read_bytes(), EACH, random):
        path.write_bytes(wrong.content)
        try:
            found = GateTrace.load(path).to_dict()
        except ValueError:
            continue
        assert not wrong.certain, wrong.name
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name], wrong.name)


@pytest.mark.parametrize(
    ("member", "array"),
    [
        ("lstm/forget_factor", np.array({}, object)),
        ("lstm/forget_factor", np.zeros((1, 4, 2), "datetime64[s]")),
        ("lstm/forget_factor", np.zeros((1, 4, 2), "int64")),
        ("lstm/forget_factor", np.zeros((1, 4))),
        ("lstm/forget_factor", np.zeros((1, 9, 2))),
        ("lstm/mask", np.zeros((1, 4))),
        ("lstm/anatomy", np.array("{}")),
        ("lstm/anatomy", np.array("[" * 100_000)),
        ("lstm/anatomy", np.array(7)),
        ("tokens", np.array(7)),
        ("tokens", np.zeros((3, 3))),
        ("more", np.zeros(3)),
    ],
)
def test_an_archive_of_something_else_is_a_value_error(
    member, array, valid_files, tmp_path
):
    with np.load(valid_files.trace.with_suffix(".npz")) as archive:
        members = dict(archive)
    path = tmp_path / "trace.npz"
    np.savez(path, **members | {member: array})
    with pytest.raises(ValueError, match="cannot be read as a trace"):
        GateTrace.load(path)
