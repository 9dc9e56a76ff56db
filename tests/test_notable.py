"""The units that pictures show first, and what is said of them."""

import numpy as np
import pytest

from keras_gatelstm.inspect import GateTrace, LayerTrace, statistics
from keras_gatelstm.inspect.notable import (
    best_properties,
    describe_units,
    notable_units,
    title_of,
    units_of_properties,
)
from tests.plot_traces import wide_trace

TEXT = "The end.\nHe said it.\nNo, it is not.\n" * 3


def trace_of_memory(values, text=None, mask=None):
    """A trace of one row, with these memories `(time, units)`."""
    layer = LayerTrace("rnn", {"memory": values[np.newaxis]}, mask)
    tokens = None if text is None else np.array([list(text)])
    return GateTrace({"rnn": layer}, tokens)


def trace_of_properties():
    """Units 1, 3 and 4 go with the line's position, a vowel, and the former."""
    properties = statistics.text_properties(TEXT)
    position, vowel = properties["line_position"], properties["vowel"]
    noise = np.random.default_rng(1).normal(size=(5, len(TEXT)))
    memories = [
        noise[0] * 10,
        -position,
        noise[2] * 20,
        vowel + noise[3] / 2,
        position + noise[4],
    ]
    return trace_of_memory(np.stack(memories, axis=1), TEXT)


def test_units_that_go_with_the_text_come_first():
    trace = trace_of_properties()
    found = units_of_properties(trace)
    assert [(it.unit, it.property) for it in found[:3]] == [
        (1, "line_position"),
        (3, "vowel"),
        # Stronger than that of unit 3, but the property is not new.
        (4, "line_position"),
    ]
    assert found[0].correlation == pytest.approx(-1)
    assert abs(found[1].correlation) < abs(found[2].correlation)
    assert notable_units(trace, count=5) == [1, 3, 4, 2, 0]
    for count in range(1, 5):
        assert notable_units(trace, count=count) == [1, 3, 4, 2][:count]


def test_each_unit_is_told_by_the_best_of_its_properties():
    trace = wide_trace()
    properties = statistics.text_properties("".join(trace.tokens[0]))
    best = best_properties(trace)
    assert [it.unit for it in best] == list(range(40))
    for it in best:
        table = {
            name: statistics.correlations(trace, "long_term_memory", property_)[
                it.unit
            ]
            for name, property_ in properties.items()
        }
        strongest = max(table, key=lambda name: abs(table[name]))
        assert (it.property, it.correlation) == pytest.approx(
            (strongest, table[strongest])
        )


def test_what_is_found_in_words():
    trace = trace_of_properties()
    found = describe_units(trace)
    assert found[1] == "line position, r = \N{MINUS SIGN}1.00"
    variance = trace["rnn/memory"][0, :, 2].var()
    assert found[2] == f"variance of memory {variance:.2g}, rank 1 of 5"


def test_a_unit_alone_has_no_rank():
    trace = trace_of_memory(np.array([[0.0], [2.0]]))
    assert describe_units(trace) == [""]
    assert title_of(0, "") == "unit 0"
    assert title_of(0, "vowel") == "unit 0: vowel"


def test_only_the_row_counts():
    layer = LayerTrace("rnn", {"memory": np.zeros((2, 9, 3))})
    layer["memory"][0, ::2, 2] = layer["memory"][1, ::2, 1] = 1
    trace = GateTrace({"rnn": layer})
    assert notable_units(trace, row=0, count=1) == [2]
    assert notable_units(trace, row=1, count=1) == [1]
    assert notable_units(trace, row=-1, count=1) == [1]


def test_units_that_repeat_another_come_last():
    random = np.random.default_rng(2)
    one, other = random.normal(size=(2, 50))
    memories = [3 * one, 1 - 2 * one, other, 4 * one + other / 10]
    trace = trace_of_memory(np.stack(memories, axis=1))
    assert notable_units(trace, count=4) == [3, 2, 0, 1]


def test_masked_steps_do_not_count():
    values = np.zeros((6, 2))
    values[:3, 0], values[3:, 1] = [9, 0, 9], [1, 2, 3]
    mask = np.array([[False] * 3 + [True] * 3])
    assert notable_units(trace_of_memory(values, mask=mask), count=1) == [1]
    nothing = np.zeros((1, 6), bool)
    for text in (None, "to be."):
        trace = trace_of_memory(values, text, nothing)
        assert notable_units(trace) == [0, 1]
        assert describe_units(trace)[0] == "variance of memory 0, rank 1 of 2"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("text", [None, TEXT])
def test_values_that_are_no_numbers_are_not_notable(bad, text):
    values = np.random.default_rng(3).normal(size=(len(TEXT), 3))
    values[5, 1] = bad
    found = notable_units(trace_of_memory(values, text), count=3)
    assert found[-1] == 1


@pytest.mark.parametrize(
    "tokens", [["to", "be", "or"], ["2026", "2027", "2028"]]
)
def test_words_and_times_are_not_a_text(tokens):
    values = np.random.default_rng(3).normal(size=(3, 2))
    assert best_properties(trace_of_memory(values, tokens)) == []
    layer = trace_of_memory(values, "abc")["rnn"]
    assert best_properties(layer) == []
    pooled = GateTrace({"rnn": layer}, np.array([list("abcdef")]))
    assert best_properties(pooled) == []
