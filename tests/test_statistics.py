"""Statistics of gates whose values are known."""

import numpy as np
import pytest

from keras_gatelstm import statistics
from keras_gatelstm.core.anatomy import Anatomy, Quantity
from keras_gatelstm.inspect import GateTrace, LayerTrace
from tests.plot_traces import anatomy_of


def layer(mask=None, **quantities):
    values = {
        name: np.asarray(value, "float32")[None]
        for name, value in quantities.items()
    }
    return LayerTrace("lstm", values, mask, anatomy_of(quantities))


def test_saturation_counts_the_steps():
    factors = [[0.05, 0.95], [0.5, 0.99], [0.02, 0.2], [0.91, 0.95]]
    found = statistics.saturation(layer(use_factor=factors), "use_factor")
    np.testing.assert_allclose(found.low, [0.5, 0])
    np.testing.assert_allclose(found.high, [0.25, 0.75])


def test_half_life_is_when_half_is_left():
    factors = np.full((40, 2), [0.5**0.1, 0.5])
    found = statistics.half_life(layer(forget_factor=factors))
    np.testing.assert_allclose(found, [10, 1], rtol=1e-5)
    memory = np.prod(factors[:10, 0])
    np.testing.assert_allclose(memory, 0.5)
    always = statistics.half_life(layer(update_factor=np.ones((3, 1))))
    assert np.isinf(always).all()
    with pytest.raises(ValueError, match="has no gate that forgets"):
        statistics.half_life(layer(memory=factors))


def test_masked_steps_are_left_out():
    mask = np.array([[True, True, False]])
    of = layer(mask, use_factor=[[0.99], [0.99], [0.01]])
    assert statistics.saturation(of, "use_factor").high == 1
    found = statistics.correlations(
        layer(mask, memory=[[1], [2], [-9]]), "memory", [1, 2, 3]
    )
    np.testing.assert_allclose(found, 1)


def test_correlations_are_those_of_numpy():
    random = np.random.default_rng(0)
    values, wanted = random.normal(size=(30, 4)), random.normal(size=30)
    found = statistics.correlations(layer(memory=values), "memory", wanted)
    expected = [np.corrcoef(it, wanted)[0, 1] for it in values.T]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(ValueError, match="a value for each of 30 steps"):
        statistics.correlations(layer(memory=values), "memory", wanted[1:])


def test_the_unit_that_counts_quotes_is_found():
    text = 'He said "no, no" and "go" now.'
    random = np.random.default_rng(1)
    memory = random.normal(size=(len(text), 5))
    properties = statistics.text_properties(text)
    memory[:, 3] = 2 * properties["inside_quotes"] - 1
    best, *others = statistics.characterful_units(
        layer(long_term_memory=memory), properties, top=4
    )
    assert (best.unit, best.property) == (3, "inside_quotes")
    assert best.correlation > 0.99
    assert len(others) == 3


def test_properties_of_a_text():
    found = statistics.text_properties('Ab (c)\n  "D." e\n')
    marks = {
        name: "".join(f"{v:.0f}" for v in it) for name, it in found.items()
    }
    assert marks["inside_quotes"] == "0000000001110000"
    assert marks["inside_brackets"] == "0001110000000000"
    assert marks["upper_case"] == "1000000000100000"
    assert marks["line_end"] == "0000001000000001"
    assert marks["line_position"] == "1234560123456780"
    assert marks["indentation"] == "0000000110000000"
    assert marks["word_start"] == "1000100000100010"
    assert "digit" not in marks


def test_a_trace_of_one_layer_does_as_the_layer():
    factors = np.full((40, 2), [0.5**0.1, 0.5])
    alone = layer(forget_factor=factors)
    trace = GateTrace({"lstm": alone})
    np.testing.assert_array_equal(
        statistics.half_life(trace), statistics.half_life(alone)
    )
    share = statistics.saturation(trace, "forget_factor")
    np.testing.assert_array_equal(share.high, [1, 0])
    with pytest.raises(ValueError, match="has several layers"):
        statistics.half_life(GateTrace({"a": alone, "b": alone}))
    with pytest.raises(TypeError, match="must be a GateTrace"):
        statistics.half_life({"forget_factor": factors})


def random_layer(random, steps, mask=None):
    """A layer whose factor is 0, 1, and in between, and its properties."""
    factor = np.clip(random.normal(0.5, 0.4, (2, steps, 3)), 0, 1)
    memory = random.normal(5, 1, (2, steps, 3))
    quantities = {
        "forget_factor": factor.astype("float32"),
        "memory": memory.astype("float32"),
    }
    anatomy = Anatomy(
        (
            Quantity("f", "factor", name="forget_factor", gate="forget_gate"),
            Quantity(
                "M",
                "memory",
                kept_by="forget_factor",
                name="memory",
                gate="memory",
            ),
        ),
        memories=("memory",),
    )
    properties = {
        "odd": memory[..., 0] + random.normal(0, 1, (2, steps)),
        "same": np.ones((2, steps)),
    }
    return LayerTrace("lstm", quantities, mask, anatomy), properties


def test_sums_of_parts_are_those_of_the_whole():
    random = np.random.default_rng(0)
    mask = random.random((2, 500)) > 0.2
    whole, properties = random_layer(random, 500, mask)
    parts = []
    for start in range(0, 500, 90):
        some = slice(start, start + 90)
        part = LayerTrace(
            "lstm",
            {name: it[:, some] for name, it in whole.items()},
            mask[:, some],
            whole.anatomy,
        )
        of = {name: it[:, some] for name, it in properties.items()}
        parts.append(statistics.GateSums.of(part, of))
    first, *others = parts
    found = sum(others, first)
    assert found.steps == mask.sum()
    expected = statistics.saturation(whole, "forget_factor")
    share = found.saturation("forget_factor")
    np.testing.assert_array_equal(share.low, expected.low)
    np.testing.assert_array_equal(share.high, expected.high)
    half_life = statistics.half_life(whole)
    np.testing.assert_allclose(found.half_life(), half_life, rtol=1e-12)
    units = statistics.characterful_units(whole, properties, top=6)
    for one, other in zip(found.characterful_units(6), units, strict=True):
        assert (one.unit, one.property) == (other.unit, other.property)
        np.testing.assert_allclose(one.correlation, other.correlation)
    correlated = np.corrcoef(
        whole["memory"][mask][:, 0], properties["odd"][mask]
    )[0, 1]
    assert units[0].correlation == pytest.approx(correlated, abs=1e-6)


def test_sums_of_no_step_add_nothing():
    random = np.random.default_rng(0)
    layer_, properties = random_layer(random, 20)
    nothing = LayerTrace(
        "lstm",
        layer_.quantities,
        np.zeros((2, 20), bool),
        layer_.anatomy,
    )
    empty = statistics.GateSums.of(nothing, properties)
    assert empty.steps == 0
    whole = statistics.GateSums.of(layer_, properties)
    for found in (empty + whole, whole + empty):
        assert found.steps == 40
        np.testing.assert_array_equal(
            found.moments.products, whole.moments.products
        )


def test_sums_of_other_layers_are_refused():
    random = np.random.default_rng(0)
    layer_, properties = random_layer(random, 20)
    one = statistics.GateSums.of(layer_, properties)
    with pytest.raises(ValueError, match="same layer and properties"):
        one + statistics.GateSums.of(layer_)
    with pytest.raises(KeyError, match="Available: forget_factor"):
        one.saturation("memory")
    alone = layer(memory=np.ones((5, 2)))
    with pytest.raises(ValueError, match="no gate that forgets"):
        statistics.GateSums.of(alone).half_life()


def test_all_texts_have_the_same_properties_if_constant_ones_are_kept():
    short = statistics.text_properties("a", keep_constant=True)
    long = statistics.text_properties('"A (1)."\n x', keep_constant=True)
    assert list(short) == list(long)
    assert list(statistics.text_properties("", keep_constant=True)) == list(
        long
    )
