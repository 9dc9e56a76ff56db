"""What export_litert refuses: in one line of our own, with nothing left."""

import keras
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import export_litert
from tests.export.models import of_symbols, random_weights, sequential
from tests.families import FEATURES


def refused(folder, model, *args, **options):
    """What the error says."""
    with pytest.raises((OSError, TypeError, ValueError)) as info:
        export_litert(model, folder / "made" / "m.tflite", *args, **options)
    assert list(folder.iterdir()) == []
    return str(info.value)


def returning_memories():
    events = keras.Input((None, FEATURES), name="events")
    lstm = layers.LSTM(4, return_state=True, name="mine")
    return keras.Model(events, lstm(events))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            lambda: sequential(
                GateLSTM(4, variant="standard", peephole=True, name="mine")
            ),
            "it has peephole=True",
        ),
        (
            lambda: sequential(
                GateLSTM(4, variant="standard", coupled=True, name="mine")
            ),
            "it has coupled=True",
        ),
        (
            lambda: sequential(
                layers.LSTM(4, recurrent_activation="hard_sigmoid", name="mine")
            ),
            "its recurrent_activation is not sigmoid",
        ),
        (
            lambda: sequential(
                layers.LSTM(4, return_sequences=True),
                GateLSTM(4, name="mine"),
            ),
            'it has variant="lesson"',
        ),
        (returning_memories, "it returns its memories"),
        (
            lambda: sequential(layers.LSTM(4, "relu", name="mine")),
            "its activation is not tanh",
        ),
        (
            lambda: sequential(layers.GRU(4, name="mine")),
            "it is not an LSTM",
        ),
    ],
    ids=[
        *("peephole", "coupled", "squish", "second", "return_state"),
        *("activation", "gru"),
    ],
)
def test_the_layer_that_cannot_be_fused_is_named(tmp_path, make, reason):
    found = refused(tmp_path, make(), "fused", time_steps=4)
    assert found.startswith(f"mine cannot be fused: {reason}")


class Written(keras.Model):
    """A model of a class of its own, with no graph to copy."""

    def __init__(self):
        super().__init__()
        self.lstm = GateLSTM(4)

    def call(self, events):
        return self.lstm(events)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: "model.keras", "must be a keras.Sequential or functional"),
        (lambda: [GateLSTM(4)], "must be a keras.Sequential or functional"),
        (Written, "must be built"),
        (lambda: keras.Sequential([layers.LSTM(4)]), "must be built"),
        (lambda: sequential(layers.Dense(4)), "has no recurrent layer in it"),
    ],
    ids=["path", "layers", "subclass", "unbuilt", "dense"],
)
def test_what_is_no_built_recurrent_model(tmp_path, make, problem):
    assert problem in refused(tmp_path, make())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"form": "rolled"}, "form must be"),
        ({"quantize": "int4"}, "quantize must be"),
        ({"target": "macro"}, "target must be"),
        ({"time_steps": 0}, "time_steps must be a positive integer"),
        ({"batch_size": True}, "batch_size must be a positive integer"),
        ({"form": "fused", "batch_size": None}, "needs a fixed batch_size"),
        ({"quantize": "int8", "time_steps": 5}, "needs representative_data"),
        (
            {"target": "micro", "quantize": "dynamic", "time_steps": 5},
            "not for microcontrollers",
        ),
    ],
    ids=str,
)
def test_wrong_arguments(tmp_path, options, problem):
    model = sequential(layers.LSTM(4, name="memory"))
    assert problem in refused(tmp_path, model, **options)


@pytest.mark.parametrize("value", [0, -1, 1.5, "1", True])
@pytest.mark.parametrize("name", ["batch_size", "time_steps"])
def test_impossible_sizes(tmp_path, name, value):
    found = refused(tmp_path, sequential(GateLSTM(4)), **{name: value})
    assert found == (
        f"{name} must be a positive integer, or None for any. "
        f"Received: {name}={value!r}"
    )


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "made").write_text("not a folder")
    with pytest.raises(OSError, match="made"):
        export_litert(sequential(layers.LSTM(4)), tmp_path / "made/m.tflite")
    assert (tmp_path / "made").read_text() == "not a folder"


def test_any_name_will_do_for_the_file(tmp_path):
    path = tmp_path / "mémoire à long terme"
    assert export_litert(sequential(layers.LSTM(4)), str(path)).path == path


def test_the_name_of_what_is_in_between_will_do_too(tmp_path):
    assert export_litert(sequential(layers.LSTM(4)), tmp_path / "saved_model")


def used_at_two_places():
    one, two = (keras.Input((None, FEATURES), name=name) for name in "ab")
    lstm = GateLSTM(4, name="mine")
    return random_weights(keras.Model([one, two], lstm(one) + lstm(two)))


@pytest.mark.parametrize(
    ("make", "form", "problem"),
    [
        (
            lambda: of_symbols(layers.LSTM(4, name="mine")),
            "fused",
            "mine cannot be fused: its input is masked",
        ),
        (
            lambda: sequential(GateLSTM(4, name="mine")),
            "unrolled",
            "mine cannot be unrolled: how many steps there are is not known",
        ),
        (used_at_two_places, "streaming", "mine is used more than once"),
        (
            lambda: sequential(layers.Conv1D(4, 3), GateLSTM(4)),
            "streaming",
            "Negative dimension size",
        ),
    ],
    ids=["masked", "steps", "twice", "convolution"],
)
def test_what_a_layer_says_is_all_that_is_said(tmp_path, make, form, problem):
    found = refused(tmp_path, make(), form)
    assert problem in found
    for untidy in ("Exception encountered", "Arguments received", "\x1b", "\n"):
        assert untidy not in found
