"""What cannot be converted is refused, with the reason."""

import keras
import pytest

from keras_gatelstm import GateGRU, GateLSTM, GateLSTMCell, GateRNN
from keras_gatelstm.convert import from_keras, to_keras
from tests.convert.models import layers, sequential, used_by_two_models
from tests.families import FEATURES, TIME, some_events


class Derived(layers.LSTM):
    pass


class MakesItsOwn(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.lstm = layers.LSTM(3)

    def call(self, x):
        return self.lstm(x)


class NeedsMore(layers.Layer):
    def __init__(self, wanted):
        super().__init__()

    def get_config(self):
        return {"name": self.name}


class TakesTwo(keras.Model):
    def __init__(self, lstm=None, **kwargs):
        super().__init__(**kwargs)
        self.lstm = lstm or layers.LSTM(3)
        self.dense = layers.Dense(3, name="dense")

    def call(self, x, y):
        return self.dense(self.lstm(x) + self.lstm(y))

    def get_config(self):
        lstm = keras.saving.serialize_keras_object(self.lstm)
        return {**super().get_config(), "lstm": lstm}

    @classmethod
    def from_config(cls, config):
        lstm = keras.saving.deserialize_keras_object(config.pop("lstm"))
        return cls(lstm, **config)


def called_with_two():
    model = TakesTwo()
    model(some_events(), some_events())
    return model


def with_a_layer_beside():
    inputs = keras.Input((TIME, FEATURES))
    model = keras.Model(inputs, layers.LSTM(3)(inputs))
    model.beside = layers.Dense(2, name="beside")
    return model


@pytest.mark.filterwarnings("ignore:Model 'takes_two' had a build config")
@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: sequential(Derived(3)), r"derived \(Derived\) cannot"),
        (lambda: MakesItsOwn(), r"lstm.* \(LSTM\) cannot be converted"),
        (lambda: sequential(layers.Dense(3)), "holds none of LSTM, LSTMCell"),
        (lambda: GateGRU(3), "nothing to convert"),
        (
            lambda: sequential(NeedsMore(1), layers.LSTM(3)),
            "cannot be copied: it, or a layer in it, cannot be made from its",
        ),
        (called_with_two, r"dense .*made its weights when it was called"),
        (with_a_layer_beside, "it holds other layers. It holds .*beside; the"),
        (used_by_two_models, "is used by two models in it"),
    ],
    ids=[
        "derived",
        "makes its own",
        "nothing",
        "ours",
        "no config",
        "two inputs",
        "beside",
        "shared",
    ],
)
def test_what_cannot_get_gates_is_refused(make, problem):
    with pytest.raises(ValueError, match=problem):
        from_keras(make())


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        (GateLSTM(3, name="mine"), 'mine cannot be .* variant="lesson"'),
        (GateLSTMCell(3, variant="standard", peephole=True), "peephole=True"),
        (GateLSTM(3, variant="standard", coupled=True), "coupled=True"),
        (
            layers.Bidirectional(GateLSTM(3)),
            "forward_gate_lstm.* cannot be carried",
        ),
        (GateRNN(3, activity_regularizer="l2"), "takes and forgets"),
        (layers.LSTM(3), "nothing to convert"),
    ],
    ids=["lesson", "peephole", "coupled", "inside", "regularizer", "keras"],
)
def test_what_keras_has_no_layer_for_is_refused(layer, problem):
    with pytest.raises(ValueError, match=problem):
        to_keras(layer)


@pytest.mark.parametrize("convert", [from_keras, to_keras])
def test_what_is_no_layer_is_refused(convert):
    with pytest.raises(TypeError, match="must be a Keras layer or model"):
        convert("model.keras")
