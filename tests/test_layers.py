"""Every layer as a Keras layer: in models, at any size, saved and loaded."""

import subprocess
import sys
from functools import partial

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
from tests.backends import array, arrays
from tests.families import BATCH, FEATURES, UNITS, randomize, some_events
from tests.keras_checks import LayerChecks

variants = pytest.mark.parametrize("variant", ["lesson", "standard"])
REFINED = partial(GateLSTM, variant="standard", peephole=True, coupled=True)
layers = pytest.mark.parametrize(
    "make",
    [
        GateLSTM,
        partial(GateLSTM, variant="standard"),
        REFINED,
        GateGRU,
        GateRNN,
    ],
    ids=["lesson", "standard", "refined", "gru", "rnn"],
)


@pytest.fixture
def events():
    return some_events()


# Keras's own checks train on a generator and leave shuffling on.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({}, 14),
        ({"variant": "standard", "peephole": True}, 15),
        ({"variant": "standard", "coupled": True}, 9),
    ],
    ids=str,
)
def test_keras_own_checks_pass(options, weights):
    """Those of the layers that are Keras's too are in test_keras_cases."""
    LayerChecks().run_layer_test(
        GateLSTM,
        init_kwargs={
            "units": 5,
            "dropout": 0.3,
            "recurrent_dropout": 0.3,
            **options,
        },
        input_shape=(3, 2, 4),
        call_kwargs={"training": True},
        expected_output_shape=(3, 5),
        expected_num_trainable_weights=weights,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=1,
        supports_masking=True,
    )


@variants
def test_weights_are_found_under_the_lessons_names(variant):
    model = keras.Sequential(
        [keras.Input((None, FEATURES)), GateLSTM(UNITS, variant, name="lstm")]
    )
    networks = [
        "learn_gate/ignore_factor",
        "learn_gate/new_information",
        "forget_gate/forget_factor",
        "use_gate/use_factor",
    ]
    expected = [
        f"lstm/cell/{network}/{weight}"
        for network in networks
        for weight in ("kernel", "recurrent_kernel", "bias")
    ]
    if variant == "lesson":
        expected += [
            f"lstm/cell/use_gate/useful_memory/{weight}"
            for weight in ("kernel", "bias")
        ]
    assert [
        weight.path.removeprefix(f"{model.name}/") for weight in model.weights
    ] == expected


@pytest.mark.parametrize(
    ("make", "networks"),
    [
        (
            GateGRU,
            [
                "update_gate/update_factor",
                "reset_gate/reset_factor",
                "candidate",
            ],
        ),
        (GateRNN, ["memory"]),
    ],
)
def test_other_weights_are_found_under_their_names(make, networks):
    model = keras.Sequential(
        [keras.Input((None, FEATURES)), make(UNITS, name="layer")]
    )
    assert [
        weight.path.removeprefix(f"{model.name}/") for weight in model.weights
    ] == [
        f"layer/cell/{network}/{weight}"
        for network in networks
        for weight in ("kernel", "recurrent_kernel", "bias")
    ]


@variants
def test_it_has_as_many_weights_as_the_lesson_says(variant):
    layer = GateLSTM(UNITS, variant)
    layer.build((None, None, FEATURES))
    expected = 4 * UNITS * (FEATURES + UNITS + 1)
    if variant == "lesson":
        expected += UNITS * (UNITS + 1)
    assert layer.count_params() == expected


# JAX without compiling, and PyTorch with it, take minutes.
compilings = {"tensorflow": [False, True], "jax": [True], "torch": [False]}


@layers
@pytest.mark.parametrize("jit_compile", compilings[keras.backend.backend()])
def test_it_learns(events, make, jit_compile):
    model = keras.Sequential(
        [
            keras.layers.Masking(),
            make(16, dropout=0.1, recurrent_dropout=0.1),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", jit_compile=jit_compile)
    model.optimizer.learning_rate = 0.03
    events[:2, -2:] = 0  # What Masking takes for steps that are not there.
    targets = events.sum(axis=(1, 2))[:, None]
    history = model.fit(events, targets, epochs=30, verbose=0).history["loss"]
    assert history[-1] < history[0] / 4


@layers
def test_batch_and_time_are_free(events, make):
    model = keras.Sequential(
        [
            keras.Input((None, FEATURES)),
            make(UNITS, return_sequences=True),
        ]
    )
    assert model.output_shape == (None, None, UNITS)
    whole = model.predict(events, verbose=0)
    part = model.predict(events[:2, :3], verbose=0)
    np.testing.assert_allclose(part, whole[:2, :3], atol=1e-6)
    assert model.predict(events[:, :1], verbose=0).shape == (BATCH, 1, UNITS)


@layers
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(events, make, policy):
    full = make(UNITS, return_sequences=True)
    mixed = make(UNITS, return_sequences=True, dtype=policy)
    full.build(events.shape)
    mixed.build(events.shape)
    randomize(full)
    mixed.set_weights(full.get_weights())

    outputs = mixed(events)

    assert {str(w.dtype) for w in mixed.weights} == {"float32"}
    assert keras.backend.standardize_dtype(outputs.dtype) == policy[6:]
    np.testing.assert_allclose(
        np.float32(array(keras.ops.cast(outputs, "float32"))),
        array(full(events)),
        atol=0.05,
    )


@layers
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(events, make, policy):
    layer = make(8, dropout=0.1, recurrent_dropout=0.1, dtype=policy)
    model = keras.Sequential([layer, keras.layers.Dense(1, dtype="float32")])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    targets = events.sum(axis=(1, 2))[:, None]
    history = model.fit(events, targets, epochs=30, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


@layers
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


@pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="Keras's RNN keeps no state between calls of a model on JAX",
)
def test_a_stateful_model_carries_memories_from_batch_to_batch(events):
    model = keras.Sequential(
        [
            keras.Input((3, FEATURES), BATCH),
            GateLSTM(UNITS, stateful=True, return_sequences=True),
        ]
    )
    halves = [
        model.predict(part, verbose=0, batch_size=BATCH)
        for part in (events[:, :3], events[:, 3:])
    ]
    whole = GateLSTM(UNITS, return_sequences=True)
    whole.build(events.shape)
    whole.set_weights(model.get_weights())
    np.testing.assert_allclose(
        np.concatenate(halves, axis=1), array(whole(events)), atol=1e-6
    )


def test_no_two_networks_start_alike():
    layer = GateLSTM(4, kernel_initializer="glorot_uniform")
    layer.build((None, None, 4))
    kernels = [array(w) for w in layer.weights if w.ndim == 2]
    for place, kernel in enumerate(kernels):
        for other in kernels[:place]:
            assert not np.allclose(kernel, other)


def test_keras_chooses_where_no_initializer_is_named():
    layer = GateLSTM(4, kernel_initializer=None, bias_initializer=None)
    layer.build((None, None, 3))
    assert np.any(array(layer.cell.learn_gate.ignore_factor.kernel))


@layers
def test_stateful_batches_continue(events, make):
    whole = make(UNITS, return_sequences=True)
    parts = make(UNITS, return_sequences=True, stateful=True)
    whole.build(events.shape)
    parts.build(events.shape)
    randomize(whole)
    parts.set_weights(whole.get_weights())
    expected = array(whole(events))

    for _ in range(2):
        halves = [array(parts(events[:, :3])), array(parts(events[:, 3:]))]
        np.testing.assert_allclose(
            np.concatenate(halves, axis=1), expected, atol=1e-6
        )
        parts.reset_state()


@pytest.mark.parametrize(
    "samples", [[0, 2], (2, 0), [True, False, True, False]]
)
def test_chosen_rows_of_a_stateful_layer_are_emptied(events, samples):
    layer = GateLSTM(UNITS, stateful=True)
    layer(events)
    before = arrays([memory.value for memory in layer.states])
    layer.reset_state(samples=samples)
    after = arrays([memory.value for memory in layer.states])
    for memory, was in zip(after, before, strict=True):
        np.testing.assert_array_equal(memory[[0, 2]], 0)
        np.testing.assert_array_equal(memory[[1, 3]], was[[1, 3]])


def test_emptying_rows_empties_what_is_not_a_number(events):
    layer = GateLSTM(UNITS, stateful=True)
    events[1] = np.nan
    layer(events)
    layer.reset_state(samples=[1])
    assert not np.isnan(arrays([m.value for m in layer.states])).any()


@pytest.mark.parametrize("samples", [[4], [-1], [True, False], [0.5]])
def test_rows_that_are_not_there_are_refused(events, samples):
    layer = GateLSTM(UNITS, stateful=True)
    layer(events)
    with pytest.raises(ValueError, match=r"samples must be .* batch has 4"):
        layer.reset_state(samples=samples)


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
    "use_cudnn": False,
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
            },
        ),
        (
            GateGRU,
            {"recurrent_activation": "hard_sigmoid", "reset_after": False},
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


FRESH = """
import sys
import keras, numpy as np
import keras_gatelstm
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


@variants
def test_a_saved_model_predicts_the_same_in_a_fresh_process(
    events, variant, tmp_path
):
    model = keras.Sequential(
        [
            keras.Input((None, FEATURES)),
            keras.layers.Bidirectional(
                GateLSTM(UNITS, variant, return_sequences=True)
            ),
            GateLSTM(
                UNITS,
                "standard",
                peephole=True,
                coupled=True,
                return_sequences=True,
            ),
            GateGRU(UNITS, reset_after=False, return_sequences=True),
            GateRNN(UNITS, return_sequences=True),
            keras.layers.RNN(
                [
                    GateLSTMCell(UNITS, variant, recurrent_dropout=0.1),
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


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), "half", None])
def test_impossible_rates_are_refused(name, rate):
    with pytest.raises(ValueError, match=f"{name} must be a number between"):
        GateLSTM(3, **{name: rate})


def test_an_unknown_cudnn_choice_is_refused():
    with pytest.raises(ValueError, match='must be "auto" or True or False'):
        GateLSTM(3, use_cudnn="maybe")


def test_another_number_of_features_is_refused(events):
    layer = GateLSTM(UNITS)
    layer(events)
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(events[..., :2])
