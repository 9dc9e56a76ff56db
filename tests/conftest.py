"""What the tests are given."""

import os

import pytest


@pytest.fixture
def events():
    from tests.families import some_events

    return some_events()


@pytest.fixture(autouse=True, scope="session")
def exports_timed_by_one_call():
    """No test looks at how fast an exported file is."""
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        yield
        return
    from keras_gatelstm.export.litert import check

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check, "SECONDS_TO_MEASURE", 0)
        yield
