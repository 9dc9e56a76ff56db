"""The valid files that malformed ones are made of."""

import os

import pytest
from filelock import FileLock

from tests.fuzz import artefacts


@pytest.fixture(scope="session")
def valid_files(tmp_path_factory):
    """Those of the first worker that needs them."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder /= "valid"
    with FileLock(folder.with_suffix(".lock")):
        if folder.exists():
            return artefacts.in_folder(folder)
        folder.mkdir()
        return artefacts.make(folder)
