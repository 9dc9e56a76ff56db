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
    Quantity,
    SmallNetwork,
    WeightConfig,
    ablation,
    gradient_flow,
    gradients,
    interventions,
    record_gates,
    statistics,
)
from tests.backends import array

UNITS, TIME = 4, 7


class Step(NamedTuple):
    forget_factor: Annotated[Any, Quantity("f", "factor")]
    candidate: Annotated[Any, Quantity("c")]
    memory: Annotated[
        Any,
        Quantity("M", "memory", made_of=("candidate", "forget_factor")),
    ]


@keras.saving.register_keras_serializable("tests")
class MinimalCell(GateCell):
    anatomy = Anatomy.of(
        Step, networks=("forget_factor", "candidate"), memories=("memory",)
    )

    def __init__(self, units, **kwargs):
        super().__init__(units, WeightConfig(), **kwargs)
        self.forget_factor = self.network("forget_factor", "sigmoid")
        self.candidate = self.network("candidate", "tanh")

    def network(self, name, activation):
        return SmallNetwork(
            self.units,
            activation,
            weight_config=self.weights_for(name),
            **self.sublayer_kwargs(name),
        )

    def activity(self, event, *memories, dropout_masks=None):
        (memory,) = memories
        forget = self.forget_factor(event, memory)
        candidate = self.candidate(event, forget * memory)
        return Step(
            forget, candidate, (1 - forget) * memory + forget * candidate
        )

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in ("name", "dtype", "units")}


@pytest.fixture
def model():
    layer = keras.layers.RNN(
        MinimalCell(UNITS), return_sequences=True, name="mgu"
    )
    model = keras.Sequential([keras.Input((None, 3)), layer])
    model.compile(loss="mse")
    return model


@pytest.fixture
def events():
    return np.random.default_rng(1).normal(size=(2, TIME, 3)).astype("float32")


def by_hand(model, events):
    """The equations in NumPy: forget factors, candidates and memories."""
    weights = [array(it) for it in model.layers[0].cell.weights]
    (f_kernel, f_recurrent, f_bias), (kernel, recurrent, bias) = (
        weights[:3],
        weights[3:],
    )
    memory, steps = np.zeros((len(events), UNITS)), []
    for event in events.swapaxes(0, 1):
        forget = event @ f_kernel + memory @ f_recurrent + f_bias
        forget = 1 / (1 + np.exp(-forget))
        candidate = np.tanh(
            event @ kernel + (forget * memory) @ recurrent + bias
        )
        memory = (1 - forget) * memory + forget * candidate
        steps.append((forget, candidate, memory))
    return [np.stack(it, axis=1) for it in zip(*steps, strict=True)]


def test_its_trace_has_every_quantity(model, events):
    trace = record_gates(model, events).only_layer()
    expected = by_hand(model, events)
    assert list(trace) == ["forget_factor", "candidate", "memory"]
    for found, value in zip(trace.values(), expected, strict=True):
        np.testing.assert_allclose(found, value, atol=1e-5)
    assert trace.factors == ["forget_factor"]
    assert trace.main_memory == "memory"
    with pytest.raises(ValueError, match="has no gate that forgets"):
        statistics.half_life(trace)


def test_it_is_looked_into(model, events):
    targets = np.zeros((2, TIME, UNITS), "float32")
    norms = gradients.gradient_norms(model, events, targets)
    assert norms.keys() == {"mgu/forget_factor", "mgu/candidate"}
    flow = gradient_flow.gradient_flow(model, events, targets)
    assert flow["mgu/memory"].shape == (2, TIME)
    (lost,) = ablation.ablate_gates(model, events, targets)
    assert lost.quantity == "forget_factor"


@pytest.mark.parametrize("quantity", ["forget_factor", "memory"])
def test_it_is_clamped(model, events, quantity):
    with interventions.clamp_gates(model, {quantity: 0}):
        assert not record_gates(model, events)["memory"].any()


def test_its_pictures_and_its_page(model, events, tmp_path):
    plots = pytest.importorskip("keras_gatelstm.inspect.plots")
    from keras_gatelstm.inspect.report import write_report

    trace = record_gates(model, events, tokens="minimal")
    assert plots.plot_gates(trace).axes
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
def test_it_is_exported(model, events, tmp_path):
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
        Anatomy.of(Step, networks=("candidate",), memories=("cell",))
