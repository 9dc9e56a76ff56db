"""What the layers' tests are given."""

import pytest

from tests.families import some_events


@pytest.fixture
def events():
    return some_events()
