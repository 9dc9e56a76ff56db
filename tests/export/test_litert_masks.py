"""Masked steps in LiteRT files: what Keras makes of them."""

import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import export_litert
from tests.export.models import (
    assert_like_keras,
    of_symbols,
    sequential,
    some_events,
    some_symbols,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.tflite"


def test_events_that_are_masked_from_the_first_to_the_last(path):
    model = sequential(
        layers.Masking(),
        layers.LSTM(4, return_sequences=True),
        GateLSTM(3, go_backwards=True),
    )
    export_litert(model, path, "unrolled", time_steps=6, batch_size=3)
    events = some_events(3, 6)
    events[0, [0, 3, 5]] = 0
    events[1] = 0
    assert_like_keras(model, path, events)


def test_zeros_for_masked_steps_are_not_for_those_that_fill_a_round(path):
    model = of_symbols(GateLSTM(4, zero_output_for_mask=True))
    export_litert(model, path, "looped")
    for time in (5, 8, 9):
        assert_like_keras(model, path, some_symbols(1, time))
