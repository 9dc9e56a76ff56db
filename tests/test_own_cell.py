"""A cell that is not the library's: its description is enough for the rest.

The minimal gated unit of Zhou et al., "Minimal Gated Unit for Recurrent Neural
Networks", 2016.
"""

from typing import Annotated, Any, NamedTuple

import keras
import numpy as np
import pytest

from keras_gatelstm import (
    Anatomy,
    GateCell,
    GateSequence,
    Quantity,
    WeightConfig,
    ablation,
    gradient_flow,
    gradients,
    interventions,
    record_gates,
    statistics,
)
from tests.backends import array
from tests.backends import gradients as weight_gradients
from tests.families import randomize, some_events

UNITS, TIME = 4, 6


class MinimalStep(NamedTuple):
    forget_factor: Annotated[Any, Quantity("f", "factor")]
    candidate: Annotated[Any, Quantity("M̃")]
    memory: Annotated[
        Any,
        Quantity("M", "memory", made_of=("candidate", "forget_factor")),
    ]


@keras.saving.register_keras_serializable("tests")
class MinimalCell(GateCell):
    anatomy = Anatomy.of(
        MinimalStep,
        networks=("forget_factor", "candidate"),
        memories=("memory",),
    )

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.forget_factor = self.small_network("forget_factor", "sigmoid")
        self.candidate = self.small_network("candidate", "tanh")

    def activity(self, event, memory, dropout_masks=None):
        factor = self.forget_factor.call(
            event, memory, dropout_masks=dropout_masks
        )
        candidate = self.candidate.call(
            event, factor * memory, dropout_masks=dropout_masks
        )
        after = (1 - factor) * memory + factor * candidate
        return MinimalStep(factor, candidate, after)


def by_numpy(layer, events):
    """Every quantity, from the paper's equations."""
    factor_weights, candidate_weights = (
        [array(it) for it in (net.kernel, net.recurrent_kernel, net.bias)]
        for net in (layer.cell.forget_factor, layer.cell.candidate)
    )

    def total(event, memory, weights):
        kernel, recurrent_kernel, bias = weights
        return event @ kernel + memory @ recurrent_kernel + bias

    memory = np.zeros((len(events), UNITS))
    steps = []
    for event in events.swapaxes(0, 1):
        factor = 1 / (1 + np.exp(-total(event, memory, factor_weights)))
        candidate = np.tanh(total(event, factor * memory, candidate_weights))
        memory = (1 - factor) * memory + factor * candidate
        steps.append((factor, candidate, memory))
    return [np.stack(it, axis=1) for it in zip(*steps, strict=True)]


@pytest.fixture
def events():
    return some_events(2, TIME)


@pytest.fixture(params=[keras.layers.RNN, GateSequence])
def model(request, events):
    cell = MinimalCell(UNITS, name="cell")
    layer = request.param(cell, return_sequences=True, name="minimal")
    model = keras.Sequential([keras.Input(events.shape[1:]), layer])
    randomize(model)
    model.compile(loss="mse")
    return model


def test_it_computes_its_equations(model, events):
    expected = by_numpy(model.layers[0], events)
    np.testing.assert_allclose(array(model(events)), expected[-1], atol=1e-6)
    trace = record_gates(model, events)
    assert list(trace["minimal"]) == ["forget_factor", "candidate", "memory"]
    for name, values in zip(trace["minimal"], expected, strict=True):
        np.testing.assert_allclose(trace[name], values, atol=1e-6)


def test_its_trace_knows_what_each_quantity_is(model, events):
    trace = record_gates(model, events).only_layer()
    assert trace.factors == ["forget_factor"]
    assert trace.main_memory == "memory"
    with pytest.raises(ValueError, match="has no gate that forgets"):
        statistics.half_life(trace)


def test_it_is_looked_into(model, events):
    targets = np.zeros((2, TIME, UNITS), "float32")
    norms = gradients.gradient_norms(model, events, targets)
    assert norms.keys() == {"minimal/forget_factor", "minimal/candidate"}
    flow = gradient_flow.gradient_flow(model, events, targets)
    assert flow["minimal/memory"].shape == (2, TIME)
    (lost,) = ablation.ablate_gates(model, events, targets)
    assert lost.quantity == "forget_factor"


def test_its_gradients_are_those_of_small_differences(model, events):
    slope = np.ones((2, TIME, UNITS), "float32")
    found = weight_gradients(model, events, slope)
    assert len(found) == len(model.trainable_variables) == 6
    for weight, gradient in zip(model.trainable_variables, found, strict=True):
        before = array(weight)
        sums = []
        for change in (1e-2, -1e-2):
            changed = before.copy()
            changed.flat[1] += change
            weight.assign(changed)
            sums.append(by_numpy(model.layers[0], events)[-1].sum())
        weight.assign(before)
        expected = (sums[0] - sums[1]) / 2e-2
        assert gradient.flat[1] == pytest.approx(expected, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("quantity", ["forget_factor", "memory"])
def test_it_is_held(model, events, quantity):
    with interventions.clamp_gates(model, {f"minimal/{quantity}": 0.0}):
        held = model.predict_on_batch(events)
        assert not record_gates(model, events)["memory"].any()
    np.testing.assert_array_equal(array(held), 0)


def test_its_pictures_and_its_page(model, events, tmp_path):
    plots = pytest.importorskip("keras_gatelstm.inspect.plots")
    from keras_gatelstm.inspect.report import write_report

    trace = record_gates(model, events, tokens="minima")
    assert plots.plot_gates(trace).axes
    assert plots.plot_saturation(trace).axes
    lines = plots.plot_memory(trace).axes[0].lines
    assert [it.get_label() for it in lines[:3]] == [
        "candidate",
        "forget_factor",
        "memory",
    ]
    assert write_report(trace, tmp_path / "report.html").is_file()
    path = trace.save(tmp_path / "trace.npz")
    assert type(trace).load(path).only_layer().factors == ["forget_factor"]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="exports are TensorFlow's"
)
@pytest.mark.parametrize("model", [keras.layers.RNN], indirect=True)
def test_it_is_exported(model, tmp_path):
    from keras_gatelstm import export

    saved = export.export_saved_model(model, tmp_path / "serving")
    assert list(saved.signatures) == [
        "serving_default",
        "padded",
        "step",
        "gates",
    ]
    path = tmp_path / "model.tflite"
    report = export.export_litert(model, path, time_steps=TIME)
    assert report.form == "unrolled"


def test_a_step_that_is_not_described_is_refused():
    class Undescribed(NamedTuple):
        memory: Any

    with pytest.raises(TypeError, match="memory of Undescribed must be"):
        Anatomy.of(Undescribed, networks=(), memories=("memory",))
    with pytest.raises(ValueError, match="Received: cell, which it does not"):
        Anatomy.of(MinimalStep, networks=("candidate",), memories=("cell",))


def test_it_is_loaded_with_its_options(tmp_path, events):
    options = WeightConfig(use_bias=False, kernel_regularizer="l2")
    cell = MinimalCell(UNITS, weight_config=options, dropout=0.5, seed=3)
    layer = keras.layers.RNN(cell, name="minimal")
    model = keras.Sequential([keras.Input(events.shape[1:]), layer])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    loaded = again.layers[0].cell
    assert loaded.weight_config.get_config() == options.get_config()
    assert (loaded.dropout, loaded.seed) == (0.5, 3)
    np.testing.assert_array_equal(array(again(events)), array(model(events)))


def test_dropout_is_that_of_its_networks(events):
    cell = MinimalCell(UNITS, dropout=0.5, recurrent_dropout=0.5, seed=3)
    layer = keras.layers.RNN(cell)
    same, dropped = layer(events), layer(events, training=True)
    assert np.abs(array(same) - array(dropped)).max() > 0
