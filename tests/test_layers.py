"""Every layer as a Keras layer: in models, at any size, saved and loaded."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateGRU, GateLSTM, GateRNN
from tests.backends import array
from tests.families import (
    BATCH,
    FEATURES,
    UNITS,
    every_layer,
    randomize,
    some_layers,
    variants,
)
from tests.keras_checks import LayerChecks


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
        [
            keras.Input((None, FEATURES)),
            GateLSTM(UNITS, variant=variant, name="lstm"),
        ]
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
    layer = GateLSTM(UNITS, variant=variant)
    layer.build((None, None, FEATURES))
    expected = 4 * UNITS * (FEATURES + UNITS + 1)
    if variant == "lesson":
        expected += UNITS * (UNITS + 1)
    assert layer.count_params() == expected


@some_layers("lesson")
def test_it_learns(events, make):
    # JAX takes minutes without compiling.
    check_it_learns(events, make, jit_compile=keras.backend.backend() == "jax")


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="is about XLA's compiler"
)
@pytest.mark.thorough
def test_it_learns_when_xla_compiles_it(events):
    check_it_learns(events, GateLSTM, jit_compile=True)


def check_it_learns(events, make, jit_compile):
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


@every_layer
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


@every_layer
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


@some_layers("standard")
def test_mixed_precision_trains(events, make):
    layer = make(8, dropout=0.1, recurrent_dropout=0.1, dtype="mixed_float16")
    model = keras.Sequential([layer, keras.layers.Dense(1, dtype="float32")])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    targets = events.sum(axis=(1, 2))[:, None]
    history = model.fit(events, targets, epochs=30, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


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


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), "half", None])
def test_impossible_rates_are_refused(name, rate):
    with pytest.raises(ValueError, match=f"{name} must be a number between"):
        GateLSTM(3, **{name: rate})


@pytest.mark.parametrize("make", [GateLSTM, GateGRU])
def test_kerass_choice_of_implementation_is_taken_and_ignored(make):
    config = {**make(3).get_config(), "implementation": 1}
    layer = make.from_config(config)
    assert layer.get_config() == make(3, name=layer.name).get_config()
    type(layer.cell)(3, implementation=1)


def test_an_unknown_cudnn_choice_is_refused():
    with pytest.raises(ValueError, match='must be "auto" or True or False'):
        GateLSTM(3, use_cudnn="maybe")


def test_another_number_of_features_is_refused(events):
    layer = GateLSTM(UNITS)
    layer(events)
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(events[..., :2])
