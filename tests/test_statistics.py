"""Statistics of gates whose values are known."""

import numpy as np
import pytest

from keras_gatelstm import statistics
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
