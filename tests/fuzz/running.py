"""Running of commands, in this process or in one of their own."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from recipes import console
from tests.fuzz.corpus import Case

LOGGED = re.compile(r"WARNING: All log messages|[IWE]\d{4} |To enable the ")
ROOT = Path(__file__).parents[2]


def write(case: Case) -> None:
    """Write the files of a case."""
    for path, content in case.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def remove(case: Case) -> None:
    """Delete the files of a case."""
    for path in case.files:
        path.unlink(missing_ok=True)


def run_here(command: str, arguments: Sequence[str]) -> int:
    """Run a command in this process, and return its exit status."""
    try:
        if command == "export":
            from keras_gatelstm.export.__main__ import main

            return main(arguments)
        module = importlib.import_module(f"recipes.{command}")
        return console.run(command, module.main, arguments)
    except SystemExit as error:
        return int(error.code or 0)


def command_line(command: str, arguments: Sequence[str]) -> list[str]:
    """Return what runs a command in a process of its own."""
    package = "keras_gatelstm" if command == "export" else "recipes"
    return [sys.executable, "-m", f"{package}.{command}", *arguments]


def run_fresh(
    command: str, arguments: Sequence[str], folder: Path
) -> tuple[int, str]:
    """Run a command in a process of its own, in a folder.

    Returns:
        Its exit status, and what it printed on standard error, without what
        TensorFlow logs when it is loaded.
    """
    done = subprocess.run(
        command_line(command, arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, without_logs(done.stderr.splitlines(keepends=True))


def environment() -> dict[str, str]:
    """Return the environment of commands in other folders."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def without_logs(lines: Iterable[str]) -> str:
    """Return what was printed, without what TensorFlow logs."""
    return "".join(line for line in lines if not LOGGED.match(line))


def check(case: Case, status: int, said: str) -> None:
    """Assert that a command refused a malformed input in one line."""
    if status == 0:
        assert not case.certain, f"accepted: {case}"
        return
    assert status == 2, f"{case}: {said}"
    lines = said.splitlines()
    assert len(lines) == 1, f"{case}: {said}"
    assert "error: " in lines[0], f"{case}: {said}"
    if case.row:
        assert f"row {case.row}" in lines[0], f"{case}: {said}"
