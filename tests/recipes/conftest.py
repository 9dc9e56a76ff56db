"""Data that only some machines have."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_shakespeare():
    """The folder of Tiny Shakespeare's `input.txt`."""
    folder = os.environ.get("TINY_SHAKESPEARE_DIR")
    if not folder or not (Path(folder) / "input.txt").is_file():
        pytest.skip("TINY_SHAKESPEARE_DIR names no folder with input.txt")
    return folder
