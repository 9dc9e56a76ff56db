"""Each gate alone: its equation, its names, its use as a Keras layer."""

import keras
import numpy as np
import pytest

from keras_gatelstm import (
    ForgetGate,
    LearnGate,
    RememberGate,
    SmallNetwork,
    UseGate,
)
from tests import lesson
from tests.backends import array

BATCH, FEATURES, UNITS = 3, 4, 5


@pytest.fixture
def given():
    """An event and memories, of random numbers."""
    random = np.random.default_rng(1)
    return {
        "event": random.normal(size=(BATCH, FEATURES)).astype("float32"),
        "short": random.normal(size=(BATCH, UNITS)).astype("float32"),
        "long": random.normal(size=(BATCH, UNITS)).astype("float32"),
    }


def randomize(layer):
    random = np.random.default_rng(2)
    for weight in layer.weights:
        weight.assign(random.normal(size=weight.shape) / 2)


def by_lesson(gates, given, variant="lesson"):
    weights = {}
    for gate in gates:
        randomize(gate)
        weights.update(lesson.weights_by_name(gate))
    return lesson.step(
        weights, given["event"], given["short"], given["long"], variant
    )


def all_gates(given, variant="lesson"):
    learn = LearnGate(UNITS, name="learn_gate")
    forget = ForgetGate(UNITS, name="forget_gate")
    use = UseGate(UNITS, variant, name="use_gate")
    learn(given["event"], given["short"])
    forget(given["event"], given["short"], given["long"])
    use(given["event"], given["short"], given["long"])
    return learn, forget, use


@pytest.mark.parametrize("variant", ["lesson", "standard"])
def test_gates_follow_the_lesson(given, variant):
    learn, forget, use = gates = all_gates(given, variant)
    expected = by_lesson(gates, given, variant)
    event, short, long = given.values()

    learned = learn(event, short)
    kept = forget(event, short, long)
    remembered = RememberGate()(kept, learned)
    used = use(event, short, kept if variant == "lesson" else remembered)

    np.testing.assert_allclose(array(learned), expected["learned"], atol=1e-6)
    np.testing.assert_allclose(array(kept), expected["kept"], atol=1e-6)
    np.testing.assert_allclose(
        array(remembered), expected["long_term_memory"], atol=1e-6
    )
    np.testing.assert_allclose(
        array(used), expected["short_term_memory"], atol=1e-6
    )


def test_weights_are_found_under_the_lessons_names(given):
    names = {
        weight.path for gate in all_gates(given) for weight in gate.weights
    }
    networks = [
        "learn_gate/new_information",
        "learn_gate/ignore_factor",
        "forget_gate/forget_factor",
        "use_gate/use_factor",
    ]
    expected = {
        f"{network}/{weight}"
        for network in networks
        for weight in ("kernel", "recurrent_kernel", "bias")
    }
    expected |= {
        "use_gate/useful_memory/kernel",
        "use_gate/useful_memory/bias",
    }
    assert names == expected


def test_standard_use_gate_has_no_useful_memory_weights(given):
    *_, use = all_gates(given, "standard")
    assert {weight.path.split("/")[1] for weight in use.weights} == {
        "use_factor"
    }


def test_gates_build_a_functional_model_that_saves(given, tmp_path):
    event = keras.Input((FEATURES,), name="event")
    short = keras.Input((UNITS,), name="short")
    long = keras.Input((UNITS,), name="long")
    kept = ForgetGate(UNITS)(event, short, long)
    remembered = RememberGate()(kept, LearnGate(UNITS)(event, short))
    used = UseGate(UNITS)(event, short, kept)
    model = keras.Model([event, short, long], [used, remembered])
    randomize(model)

    model.save(tmp_path / "gates.keras")
    loaded = keras.models.load_model(tmp_path / "gates.keras")

    for before, after in zip(model(given), loaded(given), strict=True):
        np.testing.assert_array_equal(array(before), array(after))


@pytest.mark.parametrize(
    "gate",
    [
        SmallNetwork(3, None, kernel_regularizer="l2", use_bias=False),
        LearnGate(3, "relu", "hard_sigmoid", bias_constraint="non_neg"),
        ForgetGate(3, "hard_sigmoid", bias_initializer="ones", name="f"),
        RememberGate(name="r"),
        UseGate(3, "standard", kernel_initializer="he_normal", dtype="float16"),
    ],
    ids=lambda gate: type(gate).__name__,
)
def test_gates_come_back_from_their_config(gate):
    config = gate.get_config()
    assert type(gate).from_config(config).get_config() == config


def test_a_seed_shared_by_two_networks_does_not_make_them_alike(given):
    seeded = keras.initializers.GlorotUniform(seed=1)
    gate = LearnGate(UNITS, kernel_initializer=seeded)
    gate(given["event"], given["short"])
    assert not np.allclose(
        array(gate.new_information.kernel), array(gate.ignore_factor.kernel)
    )


@pytest.mark.parametrize("units", [0, -1, 2.5, "8", None, True])
def test_units_that_are_no_positive_integer_are_refused(units):
    with pytest.raises(ValueError, match=r"positive integer.*Received: units="):
        LearnGate(units)


def test_an_unknown_variant_is_refused():
    with pytest.raises(
        ValueError,
        match=r'must be "lesson" or "standard"\. Received: variant=.lessons',
    ):
        UseGate(3, "lessons")


def test_an_unknown_number_of_features_is_refused():
    with pytest.raises(ValueError, match="number of features"):
        ForgetGate(3).build((None, None))
