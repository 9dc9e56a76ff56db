"""The valid files that malformed ones are made of."""

import pytest

from tests.fuzz import artefacts


@pytest.fixture(scope="session")
def valid_files(tmp_path_factory):
    return artefacts.make(tmp_path_factory.mktemp("valid"))
