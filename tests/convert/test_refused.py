"""What cannot be converted is refused, with the reason."""

import keras
import pytest

from keras_gatelstm import GateGRU, GateLSTM, GateLSTMCell, GateRNN
from keras_gatelstm.convert import from_keras, to_keras
from tests.convert.models import layers, sequential, used_by_two_models


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


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: sequential(Derived(3)), r"derived \(Derived\) cannot"),
        (lambda: MakesItsOwn(), r"lstm.* \(LSTM\) cannot be converted"),
        (lambda: sequential(layers.Dense(3)), "holds none of LSTM, LSTMCell"),
        (lambda: GateGRU(3), "nothing to convert"),
        (
            lambda: sequential(NeedsMore(1), layers.LSTM(3)),
            "cannot be copied: a layer in it cannot be made from its config",
        ),
        (used_by_two_models, "is used by two models in it"),
    ],
    ids=["derived", "makes its own", "nothing", "ours", "no config", "shared"],
)
def test_what_cannot_get_gates_is_refused(make, problem):
    with pytest.raises(ValueError, match=problem):
        from_keras(make())


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        (GateLSTM(3, name="mine"), 'mine cannot be .* variant="lesson"'),
        (GateLSTMCell(3, "standard", peephole=True), "peephole=True"),
        (GateLSTM(3, "standard", coupled=True), "coupled=True"),
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
