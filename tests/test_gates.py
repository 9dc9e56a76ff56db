"""Each gate alone: its equation, its names, its use as a Keras layer."""

from functools import partial

import keras
import numpy as np
import pytest

from keras_gatelstm import (
    Candidate,
    ForgetGate,
    LearnGate,
    RememberGate,
    ResetGate,
    SmallNetwork,
    UpdateGate,
    UseGate,
    WeightConfig,
)
from tests import lesson
from tests.backends import array
from tests.families import randomize

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


def by_lesson(step, gates, event, memories):
    weights = {}
    for gate in gates:
        randomize(gate)
        weights.update(lesson.weights_by_name(gate))
    return step(weights, event, memories)


def all_gates(given, variant="lesson"):
    learn = LearnGate(UNITS, name="learn_gate")
    forget = ForgetGate(UNITS, name="forget_gate")
    use = UseGate(UNITS, variant=variant, name="use_gate")
    learn(given["event"], given["short"])
    forget(given["event"], given["short"], given["long"])
    use(given["event"], given["short"], given["long"])
    return learn, forget, use


@pytest.mark.parametrize("variant", ["lesson", "standard"])
def test_gates_follow_the_lesson(given, variant):
    learn, forget, use = gates = all_gates(given, variant)
    event, short, long = given.values()
    step = partial(lesson.lstm_step, variant=variant)
    expected = by_lesson(step, gates, event, [short, long])

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


@pytest.mark.parametrize("coupled", [False, True])
def test_refined_gates_follow_the_lesson(given, coupled):
    event, short, long = given.values()
    learn = LearnGate(UNITS, peephole=True, coupled=coupled, name="learn_gate")
    forget = ForgetGate(UNITS, peephole=True, name="forget_gate")
    use = UseGate(UNITS, variant="standard", peephole=True, name="use_gate")
    factor = long if coupled else None
    learn(event, short, long, factor)
    forget(event, short, long)
    use(event, short, long)
    step = partial(lesson.lstm_step, variant="standard", coupled=coupled)
    expected = by_lesson(step, (learn, forget, use), event, [short, long])

    factor = np.float32(expected["forget_factor"]) if coupled else None
    learned = learn(event, short, long, factor)
    kept = forget(event, short, long)
    used = use(event, short, kept + learned)

    np.testing.assert_allclose(array(learned), expected["learned"], atol=1e-6)
    np.testing.assert_allclose(array(kept), expected["kept"], atol=1e-6)
    np.testing.assert_allclose(
        array(used), expected["short_term_memory"], atol=1e-6
    )


@pytest.mark.parametrize("reset_after", [False, True])
def test_the_grus_gates_follow_its_equations(given, reset_after):
    event, memory, other = given.values()
    reset = ResetGate(UNITS, recurrent_bias=reset_after, name="reset_gate")
    update = UpdateGate(UNITS, recurrent_bias=reset_after, name="update_gate")
    candidate = Candidate(UNITS, reset_after=reset_after, name="candidate")
    reset(event, memory)
    candidate(event, memory, other)
    update(event, memory, other)
    step = partial(lesson.gru_step, reset_after=reset_after)
    expected = by_lesson(step, (reset, update, candidate), event, [memory])

    reset_factor = reset(event, memory)
    new = candidate(event, memory, reset_factor)
    updated = update(event, memory, new)

    np.testing.assert_allclose(
        array(reset_factor), expected["reset_factor"], atol=1e-6
    )
    np.testing.assert_allclose(array(new), expected["candidate"], atol=1e-6)
    np.testing.assert_allclose(array(updated), expected["memory"], atol=1e-6)


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
    update = UpdateGate(UNITS)(
        event,
        short,
        Candidate(UNITS)(event, short, ResetGate(UNITS)(event, short)),
    )
    coupled = LearnGate(UNITS, coupled=True)(event, short, forget_factor=long)
    peeping = LearnGate(UNITS, peephole=True)(event, short, long)
    model = keras.Model(
        [event, short, long], [used, remembered, update, coupled, peeping]
    )
    randomize(model)

    model.save(tmp_path / "gates.keras")
    loaded = keras.models.load_model(tmp_path / "gates.keras")

    for before, after in zip(model(given), loaded(given), strict=True):
        np.testing.assert_array_equal(array(before), array(after))


@pytest.mark.parametrize(
    "gate",
    [
        SmallNetwork(
            3,
            None,
            weight_config=WeightConfig(use_bias=False, kernel_regularizer="l2"),
        ),
        SmallNetwork(3, None, peephole=True, recurrent_bias=True),
        LearnGate(
            3,
            "relu",
            "hard_sigmoid",
            weight_config=WeightConfig(bias_constraint="non_neg"),
        ),
        LearnGate(3, peephole=True, coupled=True),
        ForgetGate(
            3,
            "hard_sigmoid",
            weight_config=WeightConfig(bias_initializer="ones"),
            name="f",
        ),
        ForgetGate(3, peephole=True),
        UpdateGate(
            3,
            "hard_sigmoid",
            recurrent_bias=True,
            weight_config=WeightConfig(use_bias=False),
        ),
        ResetGate(3, "hard_sigmoid", recurrent_bias=True),
        Candidate(3, "relu", reset_after=False),
        RememberGate(name="r"),
        UseGate(
            3,
            variant="standard",
            weight_config=WeightConfig(kernel_initializer="he_normal"),
            dtype="float16",
        ),
        UseGate(3, variant="standard", peephole=True),
    ],
    ids=lambda gate: type(gate).__name__,
)
def test_gates_come_back_from_their_config(gate):
    config = gate.get_config()
    assert type(gate).from_config(config).get_config() == config


def test_a_seed_shared_by_two_networks_does_not_make_them_alike(given):
    seeded = keras.initializers.GlorotUniform(seed=1)
    gate = LearnGate(
        UNITS, weight_config=WeightConfig(kernel_initializer=seeded)
    )
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
        UseGate(3, variant="lessons")


def test_an_unknown_number_of_features_is_refused():
    with pytest.raises(ValueError, match="number of features"):
        ForgetGate(3).build((None, None))


def test_a_peephole_without_a_memory_to_look_at_is_refused(given):
    gate = LearnGate(UNITS, peephole=True)
    with pytest.raises(ValueError, match="long_term_memory to look at"):
        gate(given["event"], given["short"])


def test_a_coupled_gate_without_a_forget_factor_is_refused(given):
    gate = LearnGate(UNITS, coupled=True)
    with pytest.raises(ValueError, match="forget gate's forget_factor"):
        gate(given["event"], given["short"])
