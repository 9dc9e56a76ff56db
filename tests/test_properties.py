"""Check layers of random options, shapes, masks, dtypes and memories."""

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_gatelstm.convert import from_keras, from_torch, to_keras, to_torch
from keras_gatelstm.inspect import record_gates
from tests.backends import arrays
from tests.families import LAYERS
from tests.trace.told import assert_recombines

BACKEND = keras.backend.backend()
# JAX computes in float64 only if it is told to before its start.
DTYPES = ["float32"] if BACKEND == "jax" else ["float32", "float64"]
# What a layer of Keras's or PyTorch's can compute too.
LIKE_KERAS = ["standard", "gru", "rnn"]


class Case(NamedTuple):
    """A layer, and what it is called with."""

    kind: str
    units: int
    batch: int
    time: int
    features: int
    dtype: str
    masked: bool
    starts_from_memories: bool
    go_backwards: bool
    zero_output_for_mask: bool
    use_bias: bool
    seed: int

    def layer(self):
        """Return a layer of random weights that returns all it can."""
        layer = make_layer(
            self.kind,
            self.units,
            self.features,
            self.dtype,
            self.go_backwards,
            self.zero_output_for_mask,
            self.use_bias,
        )
        random = np.random.default_rng(self.seed + 3)
        layer.set_weights(
            [random.normal(size=it.shape) / 2 for it in layer.weights]
        )
        return layer

    def events(self):
        shape = (self.batch, self.time, self.features)
        random = np.random.default_rng(self.seed)
        return random.normal(size=shape).astype(self.dtype)

    def mask(self):
        """Return a mask, or `None`."""
        if not self.masked:
            return None
        random = np.random.default_rng(self.seed + 1)
        return random.random((self.batch, self.time)) < 0.6

    def memories(self, layer):
        """Return the memories to start from, or `None`."""
        if not self.starts_from_memories:
            return None
        random = np.random.default_rng(self.seed + 2)
        shape = (self.batch, self.units)
        return [
            random.normal(size=shape).astype(self.dtype)
            for _ in keras.tree.flatten(layer.state_size)
        ]


@cache  # Half of the time would go into making them.
def make_layer(
    kind,
    units,
    features,
    dtype,
    go_backwards,
    zero_output_for_mask,
    use_bias,
):
    layer = LAYERS[kind](
        units,
        dtype=dtype,
        go_backwards=go_backwards,
        zero_output_for_mask=zero_output_for_mask,
        use_bias=use_bias,
        return_sequences=True,
        return_state=True,
    )
    layer.build((None, None, features))
    return layer


def cases(kinds=tuple(LAYERS), **fixed):
    """Return a strategy for cases, some of whose fields are given."""
    # JAX compiles each operator for each shape.
    sizes = [1, 3] if BACKEND == "jax" else [1, 2, 3]
    fields = {
        "kind": st.sampled_from(kinds),
        "units": st.sampled_from(sizes),
        "batch": st.sampled_from(sizes),
        "time": st.sampled_from([1, 4] if BACKEND == "jax" else [1, 2, 4]),
        "features": st.sampled_from([2] if BACKEND == "jax" else sizes),
        "dtype": st.sampled_from(DTYPES),
        "masked": st.booleans(),
        "starts_from_memories": st.booleans(),
        "go_backwards": st.booleans(),
        "zero_output_for_mask": st.booleans(),
        "use_bias": st.booleans(),
        "seed": st.integers(0, 2**32),
    }
    fields |= {name: st.just(value) for name, value in fixed.items()}
    return st.builds(Case, **fields)


def examples(tensorflow, torch, jax):
    """Try a property on so many examples, ten times in the longer form."""
    count = {"tensorflow": tensorflow, "torch": torch, "jax": jax}[BACKEND]
    longer = "THOROUGH" in os.environ
    return settings(
        max_examples=count * 10 if longer else count,
        deadline=None,  # No test depends on how busy the machine is.
        derandomize=not longer,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


@pytest.fixture(autouse=True, scope="module")
def uncompiled():
    """JAX would compile each example; other tests hold what it compiles."""
    if BACKEND != "jax":
        yield
        return
    import jax

    with jax.disable_jit():
        yield


def assert_equal(found, expected):
    for one, other in zip(arrays(found), arrays(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6, rtol=1e-6)


def call(layer, events, mask, memories):
    """Return the outputs and the last memories, as arrays."""
    return arrays(layer(events, mask=mask, initial_state=memories))


def step_by_step(layer, events, mask, memories):
    """Do what a layer does, with NumPy around its cell."""
    batch, time, _ = events.shape
    shape = (batch, layer.units)
    memories = memories or [
        np.zeros(shape, events.dtype)
        for _ in keras.tree.flatten(layer.state_size)
    ]
    mask = np.ones((batch, time), bool) if mask is None else mask
    # Until the first step that is not masked, Keras gives zeros; on JAX, the
    # first memory.
    last = memories[0] if BACKEND == "jax" else np.zeros(shape, events.dtype)
    outputs = []
    order = range(time)[::-1] if layer.go_backwards else range(time)
    for step in order:
        output, states = layer.cell(events[:, step], memories)
        output, *states = arrays([output, states])
        now = mask[:, step, None]
        memories = [
            np.where(now, new, old)
            for new, old in zip(states, memories, strict=True)
        ]
        last = np.where(now, output, last)
        held = np.zeros(shape) if layer.zero_output_for_mask else last
        outputs.append(np.where(now, output, held))
    return [np.stack(outputs, axis=1), *memories]


@examples(150, 300, 60)
@given(cases())
def test_a_layer_is_its_cell_step_by_step(case):
    layer, mask = case.layer(), case.mask()
    given = case.events(), mask, case.memories(layer)
    assert_equal(call(layer, *given), step_by_step(layer, *given))


@examples(80, 220, 30)
@given(cases(), st.data())
def test_rows_do_not_know_of_each_other(case, data):
    """They may be in any order, and alone."""
    layer, events, mask = case.layer(), case.events(), case.mask()
    memories = case.memories(layer)
    whole = call(layer, events, mask, memories)
    order = data.draw(st.permutations(range(case.batch)))
    rows = order[: data.draw(st.integers(1, case.batch))]
    found = call(
        layer,
        events[rows],
        None if mask is None else mask[rows],
        None if memories is None else [it[rows] for it in memories],
    )
    assert_equal(found, [it[rows] for it in whole])


@examples(80, 220, 30)
@given(cases(go_backwards=False), st.integers(1, 3), st.booleans())
def test_padding_changes_nothing(case, steps, left):
    layer, events, mask = case.layer(), case.events(), case.mask()
    memories = case.memories(layer)
    outputs, *last = call(layer, events, mask, memories)
    if mask is None:
        mask = np.ones((case.batch, case.time), bool)
    ends = (steps, 0) if left else (0, steps)
    padded, *padded_last = call(
        layer,
        np.pad(events, [(0, 0), ends, (0, 0)], constant_values=1e3),
        np.pad(mask, [(0, 0), ends]),
        memories,
    )
    padding = slice(steps, None) if left else slice(case.time)
    assert_equal([padded[:, padding], *padded_last], [outputs, *last])


@examples(80, 220, 40)
@given(cases(go_backwards=False, masked=False, time=4), st.integers(1, 3))
def test_parts_are_the_whole(case, place):
    """If the memories are handed on."""
    layer, events = case.layer(), case.events()
    whole, *last = call(layer, events, None, case.memories(layer))
    first, *between = call(layer, events[:, :place], None, case.memories(layer))
    second, *found_last = call(layer, events[:, place:], None, between)
    found = np.concatenate([first, second], axis=1)
    assert_equal([found, *found_last], [whole, *last])


@examples(30, 100, 10)
@given(cases())
def test_it_comes_back_from_its_config(case):
    layer = case.layer()
    given = case.events(), case.mask(), case.memories(layer)
    copy = type(layer).from_config(layer.get_config())
    copy.build(given[0].shape)
    assert copy.get_config() == layer.get_config()
    copy.set_weights(layer.get_weights())
    assert_equal(call(copy, *given), call(layer, *given))


@examples(12, 30, 2)
@given(cases(masked=False, starts_from_memories=False))
def test_it_comes_back_from_a_file_and_a_clone(case):
    model, events = model_of(case), case.events()
    expected = model(events)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_equal(clone(events), expected)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        assert_equal(keras.models.load_model(file)(events), expected)


def model_of(case):
    """Return a model of the layer, whose outputs are all of the layer's."""
    events = keras.Input(
        (case.time, case.features), dtype=case.dtype, name="events"
    )
    return keras.Model(events, case.layer()(events))


@examples(60, 140, 20)
@given(cases(LIKE_KERAS))
def test_it_is_keras_layer_there_and_back(case):
    layer = case.layer()
    given = case.events(), case.mask(), case.memories(layer)
    theirs = to_keras(layer)
    expected = call(layer, *given)
    assert_equal(call(theirs, *given), expected)
    assert_equal(call(from_keras(theirs), *given), expected)


@examples(30, 60, 4)
@given(
    cases(
        LIKE_KERAS,
        masked=False,
        starts_from_memories=False,
        go_backwards=False,
        zero_output_for_mask=False,
        dtype="float32",
    )
)
def test_it_is_pytorchs_module_there_and_back(case):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    layer, events = case.layer(), case.events()
    outputs, *_ = call(layer, events, None, None)
    modules = {
        "standard": torch.nn.LSTM,
        "gru": torch.nn.GRU,
        "rnn": torch.nn.RNN,
    }
    module = modules[case.kind](
        case.features, case.units, bias=case.use_bias, batch_first=True
    )
    module.load_state_dict(to_torch(layer))
    with torch.no_grad():
        found = module(torch.tensor(events))[0].numpy()
    assert_equal(found, outputs)
    assert_equal(from_torch(module)(events), outputs)


@examples(14, 20, 4)
@given(cases(masked=False, starts_from_memories=False, dtype="float32"))
def test_a_trace_recombines(case):
    model, events = model_of(case), case.events()
    recorded = record_gates(model, events).layer()
    order = slice(None, None, -1 if case.go_backwards else 1)
    layer = {name: values[:, order] for name, values in recorded.items()}
    outputs, *_ = arrays(model(events))
    lstm = "short_term_memory" in layer
    assert_equal(layer["short_term_memory" if lstm else "memory"], outputs)
    assert_recombines(layer)
