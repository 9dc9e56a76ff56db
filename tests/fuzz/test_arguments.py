"""Malformed arguments: one line on standard error, and status 2."""

import pytest

from tests.fuzz import corpus, running
from tests.fuzz.arguments import COMMANDS

EACH = 200
# In processes of their own, which take a second each.
FRESH = 5


@pytest.mark.parametrize("command", COMMANDS)
def test_malformed_arguments_are_refused_in_one_line(
    command, valid_files, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    cases = list(corpus.of_arguments(command, EACH, valid_files, tmp_path))
    assert len(cases) == EACH
    for case in cases:
        status = running.run_here(command, case.arguments)
        running.check(case, status, capsys.readouterr().err)
    assert not list(tmp_path.rglob("model*"))


@pytest.mark.parametrize("command", COMMANDS)
def test_so_are_they_in_a_fresh_process(command, valid_files, tmp_path):
    cases = [
        case
        for case in corpus.of_arguments(command, EACH, valid_files, tmp_path)
        # The operating system hands no others over.
        if not any("\0" in it or "\udcff" in it for it in case.arguments)
    ]
    for case in cases[:: len(cases) // FRESH]:
        status, said = running.run_fresh(command, case.arguments, tmp_path)
        running.check(case, status, said)
