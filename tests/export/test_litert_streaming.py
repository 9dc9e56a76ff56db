"""One step a call: memories that the caller carries, by name."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import LiteRTFile, export_litert
from tests.export.models import (
    array,
    examples,
    of_symbols,
    random_weights,
    sequential,
    some_events,
    some_symbols,
)
from tests.families import FEATURES


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.tflite"


def streamed(path, sequences):
    """The outputs of every step, by name, from empty memories."""
    file = LiteRTFile(path)
    (given,) = set(file.inputs) - set(file.outputs)
    memories = {
        name: np.zeros((len(sequences), *detail["shape"][1:]), "float32")
        for name, detail in file.inputs.items()
        if name != given
    }
    steps = []
    for step in np.split(sequences, sequences.shape[1], axis=1):
        outputs = file(**{given: step}, **memories)
        memories = {name: outputs[name] for name in memories}
        steps.append(outputs)
    return {
        name: np.stack([outputs[name] for outputs in steps], axis=1)
        for name in steps[0]
    }


def test_memories_have_the_names_of_their_layers_and_start_as_zeros(path):
    model = sequential(
        GateLSTM(4, return_sequences=True, name="low"),
        layers.GRU(5, return_sequences=True, name="high"),
    )
    report = export_litert(model, path, "streaming", batch_size=None)
    memories = {"low_short_term_memory", "low_long_term_memory", "high_memory"}
    assert set(report.inputs) == {"events", *memories}
    assert set(report.outputs) == {"high", *memories}
    assert "zeros to start with" in str(report)
    events = some_events(2, 5)
    found = streamed(path, events)
    np.testing.assert_allclose(
        found["high"][:, :, 0], array(model(events)), atol=1e-5
    )
    np.testing.assert_array_equal(found["high_memory"], found["high"][:, :, 0])


def test_stacked_cells_are_told_apart_by_number(path):
    cells = [layers.LSTMCell(4), layers.SimpleRNNCell(3)]
    model = sequential(layers.RNN(cells, return_sequences=True, name="rnn"))
    report = export_litert(model, path, "streaming")
    memories = {
        "rnn_0_short_term_memory",
        "rnn_0_long_term_memory",
        "rnn_1_memory",
    }
    assert set(report.inputs) == {"events", *memories}
    events = some_events(1, 5)
    found = streamed(path, events)["rnn"][:, :, 0]
    np.testing.assert_allclose(found, array(model(events)), atol=1e-5)


def test_what_the_model_returns_and_what_it_carries_are_both_there(path):
    events = keras.Input((None, FEATURES), name="events")
    outputs = layers.LSTM(4, return_state=True, name="lstm")(events)
    model = random_weights(keras.Model(events, outputs))
    export_litert(model, path, "streaming")
    given = some_events(1, 5)
    found = streamed(path, given)
    last, short, long = map(array, model(given))
    for name, expected in [
        ("lstm", last),
        ("lstm_1", short),
        ("lstm_2", long),
        ("lstm_short_term_memory", short),
        ("lstm_long_term_memory", long),
    ]:
        np.testing.assert_allclose(found[name][:, -1], expected, atol=1e-5)


def test_memories_are_of_8_bits_where_all_is(path):
    model = sequential(GateLSTM(4, return_sequences=True, name="lstm"))
    export_litert(
        model, path, "streaming", "int8", representative_data=examples()
    )
    file = LiteRTFile(path)
    for detail in [*file.inputs.values(), *file.outputs.values()]:
        assert detail["dtype"] is np.int8
    events = examples()[:1]
    found = streamed(path, events)["lstm"][:, :, 0]
    error = np.abs(found - array(model(events))).max()
    assert 0 < error < 0.1


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (
            lambda: sequential(layers.LSTM(4, go_backwards=True, name="mine")),
            "mine reads backwards: it needs the end first",
        ),
        (
            lambda: sequential(
                *(
                    keras.Sequential(
                        [
                            keras.Input((None, FEATURES)),
                            GateLSTM(FEATURES, return_sequences=True, name="m"),
                        ]
                    )
                    for _ in range(2)
                )
            ),
            "two layers are called m",
        ),
    ],
    ids=["backwards", "two of one name"],
)
def test_what_cannot_go_step_by_step_is_refused(path, make, problem):
    with pytest.raises(ValueError, match=problem):
        export_litert(make(), path, "streaming", batch_size=None)
    assert list(path.parent.iterdir()) == []


def test_a_masked_step_repeats_the_last_output_or_is_refused(path):
    model = of_symbols(GateLSTM(4, name="lstm"))
    symbols = some_symbols(1, 5)
    try:
        export_litert(model, path, "streaming")
    except ValueError as error:
        assert "masked" in str(error)  # noqa: PT017
        return
    found = streamed(path, symbols)["lstm"][:, -1]
    np.testing.assert_allclose(found, array(model(symbols)), atol=1e-5)


def test_as_many_units_as_the_check_has_steps(path):
    assert export_litert(sequential(GateLSTM(21)), path, "streaming").bytes
