"""Every layer saved and loaded: nothing is lost."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gatelstm import (
    GateGRU,
    GateGRUCell,
    GateLSTM,
    GateLSTMCell,
    GateRNN,
    GateRNNCell,
)
from tests.backends import array
from tests.families import FEATURES, UNITS, every_layer


@every_layer
def test_a_frozen_layer_stays_as_it_is(events, make, tmp_path):
    def assert_frozen(model):
        assert model.weights
        assert model.trainable_variables == []

    model = keras.Sequential([make(UNITS, trainable=False)])
    model(events)
    assert_frozen(model)
    model.save(tmp_path / "frozen.keras")
    assert_frozen(keras.models.load_model(tmp_path / "frozen.keras"))

    model.layers[0].trainable = True
    assert len(model.trainable_variables) == len(model.weights)
    model.layers[0].trainable = False
    assert_frozen(model)


SHARED = {
    "activation": "relu",
    "use_bias": False,
    "kernel_initializer": keras.initializers.HeNormal(seed=1),
    "recurrent_initializer": "glorot_normal",
    "bias_initializer": "ones",
    "kernel_regularizer": "l1",
    "recurrent_regularizer": keras.regularizers.L2(0.3),
    "bias_regularizer": "l2",
    "activity_regularizer": "l2",
    "kernel_constraint": "non_neg",
    "recurrent_constraint": keras.constraints.MaxNorm(2),
    "bias_constraint": "unit_norm",
    "dropout": 0.1,
    "recurrent_dropout": 0.2,
    "seed": 3,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "zero_output_for_mask": True,
    "name": "mine",
    "dtype": "mixed_bfloat16",
    "trainable": False,
}


@pytest.mark.parametrize(
    ("layer_class", "options"),
    [
        (
            GateLSTM,
            {
                "variant": "standard",
                "recurrent_activation": "hard_sigmoid",
                "unit_forget_bias": False,
                "peephole": True,
                "coupled": True,
                "use_cudnn": False,
            },
        ),
        (
            GateGRU,
            {
                "recurrent_activation": "hard_sigmoid",
                "reset_after": False,
                "use_cudnn": False,
            },
        ),
        (GateRNN, {}),
    ],
    ids=["lstm", "gru", "rnn"],
)
def test_config_has_every_argument_and_brings_it_back(layer_class, options):
    options = {"units": 3, **options, **SHARED}
    layer = layer_class(**options)
    config = layer.get_config()
    assert set(options) <= set(config)
    defaults = layer_class(5).get_config()
    assert not [name for name in options if config[name] == defaults[name]]
    back = layer_class.from_config(config)
    assert back.get_config() == config
    assert back.cell.get_config() == layer.cell.get_config()
    assert not back.cell.trainable
    for network in back.cell.small_networks():
        assert network.compute_dtype == "bfloat16"
        assert not network.trainable


def test_a_model_saved_by_an_older_version_is_loaded():
    """`saved/layers.keras` was written before `weight_config` was there."""
    path = Path(__file__).parent / "saved" / "layers.keras"
    model = keras.models.load_model(path)
    events = np.linspace(-1, 1, 15).reshape(1, 5, 3)
    expected = [[-0.1604808, -0.00030637241, -0.91101116, 0.76120919]]
    np.testing.assert_allclose(array(model(events)), expected, atol=1e-5)
    lesson = model.get_layer("lesson")
    assert isinstance(lesson.kernel_regularizer, keras.regularizers.L2)
    assert lesson.dropout == 0.1
    config = model.get_layer("network").weight_config
    assert isinstance(config.kernel_regularizer, keras.regularizers.L2)


# Keras warns of each layer that it leaves as it is.
@pytest.mark.filterwarnings("ignore:Layer .* does not have a:UserWarning")
def test_a_quantized_model_is_saved_and_loaded(events, tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None, FEATURES)),
            GateLSTM(UNITS, return_sequences=True),
            GateGRU(UNITS),
            keras.layers.Dense(2),
        ]
    )
    before = model.predict(events, verbose=0)
    with pytest.warns(UserWarning, match="is not quantized in part"):
        model.quantize("int8")
    after = model.predict(events, verbose=0)
    assert 0 < np.abs(after - before).max() < 0.1
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(events, verbose=0), after)


FRESH = """
import sys
import keras, numpy as np
import keras_gatelstm
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


def test_a_saved_model_predicts_the_same_in_a_fresh_process(events, tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None, FEATURES)),
            keras.layers.Bidirectional(
                GateLSTM(UNITS, variant="lesson", return_sequences=True)
            ),
            GateLSTM(
                UNITS,
                variant="standard",
                peephole=True,
                coupled=True,
                return_sequences=True,
            ),
            GateGRU(UNITS, reset_after=False, return_sequences=True),
            GateRNN(UNITS, return_sequences=True),
            keras.layers.RNN(
                [
                    GateLSTMCell(
                        UNITS, variant="lesson", recurrent_dropout=0.1
                    ),
                    GateGRUCell(UNITS),
                    GateRNNCell(UNITS),
                ]
            ),
            keras.layers.Dense(2),
        ]
    )
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "events.npy", events)
    files = [
        str(tmp_path / name)
        for name in ("model.keras", "events.npy", "out.npy")
    ]
    subprocess.run([sys.executable, "-c", FRESH, *files], check=True)
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"),
        model.predict(events, verbose=0),
        atol=1e-6,
    )
