"""Mistakes in calls: an error that says what was received and expected."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateGRU, GateLSTM, GateTrace, record_gates
from keras_gatelstm.inspect.interventions import clamp_gates

EVENTS = np.ones((2, 5, 3), "float32")


def zeros(*shape):
    return np.zeros(shape, "float32")


@pytest.mark.parametrize(
    ("make", "call", "said"),
    [
        (GateLSTM, {"mask": zeros(2, 4) > 0}, r"mask .*\(2, 5\).*\(2, 4\)"),
        (GateLSTM, {"mask": zeros(3, 5) > 0}, r"mask .*\(2, 5\).*\(3, 5\)"),
        (GateLSTM, {"mask": zeros(5) > 0}, r"mask .*\(2, 5\).*\(5,\)"),
        (GateLSTM, {"initial_state": [zeros(2, 4)]}, "long_term_memory, "),
        (
            GateLSTM,
            {"initial_state": [zeros(2, 3), zeros(2, 4)]},
            r"\(2, 4\), \(2, 4\).* shapes \[\(2, 3\), \(2, 4\)\]",
        ),
        (GateLSTM, {"initial_state": zeros(2, 4)}, "an initial_state of "),
        (GateGRU, {"initial_state": zeros(2, 3)}, r"\[\(2, 4\)\].*\(2, 3\)"),
        (GateGRU, {"initial_state": [zeros(2, 4)] * 2}, "an initial_state of "),
    ],
)
def test_masks_and_states_of_other_shapes_are_refused(make, call, said):
    layer = make(4)
    layer(EVENTS)
    with pytest.raises(ValueError, match=said):
        layer(EVENTS, **call)


def test_sequences_without_a_step_are_refused():
    layer = GateLSTM(4)
    with pytest.raises(ValueError, match=r"a step at least.*\(2, 0, 3\)"):
        layer(zeros(2, 0, 3))


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ([("use_factor", 0)], TypeError, "values must be a dictionary"),
        ("use_factor", TypeError, "values must be a dictionary"),
        (None, TypeError, "values must be a dictionary"),
        ({1: 0}, TypeError, "names of quantities as keys. Received: 1"),
        ({"use_factor": "x"}, ValueError, "must be numbers. Received: 'x'"),
        ({"use_factor": {0: "x"}}, ValueError, "must be numbers"),
        ({"use_factor": {"a": 1}}, ValueError, "from 0 to 3. Received: 'a'"),
        ({"use_factor": {0.5: 1}}, ValueError, "from 0 to 3. Received: 0.5"),
    ],
)
def test_what_is_held_is_numbers_by_quantity(values, kind, said):
    model = keras.Sequential([keras.Input((5, 3)), GateLSTM(4)])
    with pytest.raises(kind, match=said), clamp_gates(model, values):
        pass


def test_only_a_model_can_be_held():
    with (
        pytest.raises(TypeError, match="Received: 'model'"),
        clamp_gates("model", {}),
    ):
        pass


@pytest.fixture(scope="module")
def two_layers():
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            GateLSTM(4, return_sequences=True, name="lower"),
            GateLSTM(4, name="upper"),
        ]
    )


def test_a_quantity_of_several_layers_is_named_with_its_path(two_layers):
    trace = record_gates(two_layers, EVENTS)
    both = "'lower/forget_factor' or 'upper/forget_factor'"
    with pytest.raises(KeyError, match=f"name one, {both}"):
        trace["forget_factor"]
    with pytest.raises(KeyError, match=f"Did you mean {both}"):
        trace["forget_factr"]
    with (
        pytest.raises(ValueError, match=f"name one, {both}"),
        clamp_gates(two_layers, {"forget_factor": 1}),
    ):
        pass


def test_datasets_are_no_inputs_to_record(two_layers):
    with pytest.raises(TypeError, match="take a batch without its targets"):
        record_gates(two_layers, (batch for batch in [EVENTS]))


def test_a_text_for_each_row_labels_its_steps(two_layers):
    trace = record_gates(two_layers, EVENTS, tokens=["seven", "eight"])
    assert trace.tokens.tolist() == [list("seven"), list("eight")]
    labels = record_gates(two_layers, EVENTS, tokens=["a"] * 5).tokens
    assert labels.tolist() == [["a"] * 5] * 2


def empty_traces():
    whole = record_gates(GateLSTM(4, name="lstm"), EVENTS)
    nothing = slice(0, 0)
    return {
        "no layers": GateTrace({}),
        "no rows": whole.select(batch=nothing),
        "no steps": whole.select(time=nothing),
        "no units": whole.select(units=nothing),
    }


@pytest.mark.parametrize(
    "draw", ["plot_cell", "plot_gates", "plot_memory", "plot_saturation"]
)
def test_an_empty_trace_is_not_drawn(draw):
    plots = pytest.importorskip("keras_gatelstm.inspect.plots")
    for trace in empty_traces().values():
        with pytest.raises(ValueError, match="is empty"):
            getattr(plots, draw)(trace)


def test_an_empty_trace_has_no_report_and_no_statistics(tmp_path):
    from keras_gatelstm.inspect.report import write_report
    from keras_gatelstm.inspect.statistics import half_life

    traces = empty_traces()
    for trace in traces.values():
        with pytest.raises(ValueError, match="is empty"):
            write_report(trace, tmp_path / "report.html")
        with pytest.raises(ValueError, match="is empty"):
            half_life(trace)
    with pytest.raises(ValueError, match="is empty"):
        traces["no layers"].save(tmp_path / "trace.npz")
    assert not list(tmp_path.iterdir())
