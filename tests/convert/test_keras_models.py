"""Keras's models with gates, and back: the same outputs, nothing lost."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateGRU, GateLSTM, GateLSTMCell, GateRNN
from keras_gatelstm.convert import from_keras, to_keras
from tests.backends import array, arrays
from tests.families import (
    BATCH,
    FAMILIES,
    FEATURES,
    LSTM,
    TIME,
    assert_alike,
    families,
    some_events,
)

layers = keras.layers


@pytest.fixture
def events():
    return some_events()


def random_weights(layer):
    """All positive for variances; seeds and counters are left alone."""
    random = np.random.default_rng(2)
    for weight in layer.weights:
        if "float" in str(weight.dtype):
            low = 0.1 if "variance" in weight.path else -0.5
            weight.assign(random.uniform(low, 0.5, weight.shape))


def sequential(*parts):
    return keras.Sequential([keras.Input((TIME, FEATURES)), *parts])


def functional(family):
    """Encoder and decoder, with memories that go from one to the other."""
    inputs = keras.Input((TIME, FEATURES), name="events")
    embedded = layers.Dense(4, name="embed")(inputs)
    encoded, *memories = family.theirs(return_state=True, name="encode")(
        embedded
    )
    repeated = layers.RepeatVector(3)(encoded)
    decoded = family.theirs(return_sequences=True, name="decode")(
        repeated, initial_state=memories
    )
    return keras.Model(inputs, {"all": decoded, "first": encoded})


def used_twice(family):
    inputs = keras.Input((TIME, FEATURES))
    layer = family.theirs(return_sequences=True)
    return keras.Model(inputs, layer(inputs) - layer(2 * inputs))


def used_by_two_models():
    layer = layers.LSTM(3)
    inputs = keras.Input((TIME, FEATURES))
    first = keras.Sequential([keras.Input((TIME, FEATURES)), layer])
    second = keras.Sequential([keras.Input((TIME, FEATURES)), layer])
    return keras.Model(inputs, first(inputs) - second(2 * inputs))


PLACES = {
    "alone": lambda family: family.theirs(),
    "sequential": lambda family: sequential(
        layers.Dense(4), family.theirs(), layers.Dense(2)
    ),
    "stacked": lambda family: sequential(
        family.theirs(3, return_sequences=True, go_backwards=True),
        layers.BatchNormalization(),
        family.theirs(4),
    ),
    "nested": lambda family: sequential(
        keras.Sequential(
            [keras.Sequential([family.theirs(return_sequences=True)])]
        ),
        family.theirs(),
    ),
    "functional": functional,
    "used_twice": used_twice,
    "bidirectional": lambda family: sequential(
        layers.Bidirectional(family.theirs(return_sequences=True)),
        layers.Bidirectional(family.theirs(), merge_mode="sum"),
    ),
    "time_distributed": lambda family: keras.Sequential(
        [
            keras.Input((2, TIME, FEATURES)),
            layers.TimeDistributed(
                keras.Sequential([family.theirs(), layers.Dense(2)])
            ),
            layers.TimeDistributed(layers.Dense(1)),
        ]
    ),
    "rnn": lambda family: sequential(layers.RNN(family.their_cell())),
    "stacked_cells": lambda family: sequential(
        layers.RNN([family.their_cell(3), family.their_cell(4)])
    ),
}


@families
@pytest.mark.parametrize("place", PLACES)
def test_there_and_back_outputs_and_all_weights_are_the_same(family, place):
    theirs = PLACES[place](family)
    if not theirs.built:
        theirs.build((BATCH, TIME, FEATURES))
    random_weights(theirs)
    events = some_events()
    if place == "time_distributed":
        events = np.stack([events, -events], axis=1)

    ours = from_keras(theirs)
    back = to_keras(ours)

    assert_alike(ours, theirs, events, atol=1e-6)
    assert_alike(back, theirs, events, atol=0)
    assert ours.count_params() == theirs.count_params()
    assert ours.name == back.name == theirs.name
    for one, other in zip(back.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(array(one), array(other))
        assert one is not other
    assert any(isinstance(part, OURS) for part in inside(ours))
    assert not any(isinstance(part, OURS) for part in inside(back))


OURS = tuple(
    kind for family in FAMILIES.values() for kind in (family.layer, family.cell)
)


def inside(layer):
    return layer._flatten_layers()


@pytest.mark.parametrize(
    "options",
    [
        {
            "activation": "softsign",
            "use_bias": False,
            "kernel_initializer": keras.initializers.HeNormal(seed=1),
            "recurrent_regularizer": "l2",
            "kernel_constraint": "non_neg",
            "dtype": "mixed_bfloat16",
            "name": "mine",
        },
        {
            "dropout": 0.1,
            "recurrent_dropout": 0.2,
            "seed": 3,
            "return_state": True,
            "trainable": False,
        },
        {
            "return_sequences": True,
            "go_backwards": True,
            "unroll": True,
            "zero_output_for_mask": True,
        },
    ],
)
@families
def test_every_option_is_carried(family, events, options):
    theirs = family.theirs(**options)
    theirs.build(events.shape)
    ours = from_keras(theirs)
    expected = {**family.ours(**options).get_config(), "name": theirs.name}
    assert {**ours.get_config(), "use_cudnn": True, "seed": 3} == {
        **expected,
        "use_cudnn": True,
        "seed": 3,
    }
    assert ours.cell.seed == theirs.cell.seed
    back = to_keras(ours)
    assert type(back) is type(theirs)
    assert back.get_config() == theirs.get_config()


@families
def test_what_is_not_built_stays_so(family):
    ours = from_keras(keras.Sequential([family.theirs(), layers.Dense(1)]))
    assert not ours.built
    assert not ours.layers[0].built
    assert isinstance(ours.layers[0], family.layer)
    assert type(to_keras(family.ours())) is family.keras_layer


@families
def test_cells_are_carried_alone(family):
    theirs = family.their_cell()
    theirs.build((BATCH, FEATURES))
    random_weights(theirs)
    ours = from_keras(theirs)
    events, memories = some_events()[:, 0], family.some_memories()
    found, expected = (
        arrays(cell(events, memories)) for cell in (ours, theirs)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert type(to_keras(ours)) is family.keras_cell


@families
def test_masks_go_through(family):
    theirs = keras.Sequential(
        [
            layers.Embedding(5, FEATURES, mask_zero=True),
            layers.Bidirectional(family.theirs(return_sequences=True)),
            family.theirs(),
        ]
    )
    words = np.array([[3, 1, 2, 0, 0], [1, 2, 3, 4, 0]])
    theirs(words)
    random_weights(theirs)
    assert_alike(from_keras(theirs), theirs, words, atol=1e-6)


@families
def test_the_memories_of_a_stateful_layer_are_carried(family, events):
    theirs = family.theirs(stateful=True)
    theirs(events)
    ours = from_keras(theirs)
    assert_alike(ours, theirs, events, atol=1e-6)
    assert_alike(to_keras(ours), theirs, events, atol=1e-6)


@families
def test_dropout_goes_on_where_it_was(family, events):
    theirs = sequential(
        family.theirs(dropout=0.3, return_sequences=True),
        layers.Dropout(0.3),
        family.theirs(dropout=0.3, recurrent_dropout=0.3, seed=5),
    )
    theirs(events, training=True)
    ours = from_keras(theirs)
    back = to_keras(ours)
    expected = array(theirs(events, training=True))
    for model in (ours, back):
        outputs = array(model(events, training=True))
        np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_a_compiled_model_trains_on(events):
    def off_by(targets, outputs):
        return keras.ops.mean((targets - outputs) ** 2, axis=-1)

    theirs = sequential(layers.LSTM(4), layers.Dense(1))
    theirs.compile(keras.optimizers.SGD(0.25), off_by, metrics=["mae"])
    ours = from_keras(theirs)
    targets = events.sum(axis=(1, 2))[:, None]
    losses = [
        model.fit(events, targets, epochs=3, shuffle=False, verbose=0)
        for model in (ours, theirs)
    ]
    np.testing.assert_allclose(
        losses[0].history["loss"], losses[1].history["loss"], rtol=1e-4
    )
    assert losses[0].history.keys() == losses[1].history.keys()


def test_what_other_layers_have_learnt_is_carried(events):
    normalize = layers.Normalization()
    normalize.adapt(events)
    theirs = sequential(normalize, layers.GRU(4), layers.BatchNormalization())
    random_weights(theirs.layers[-1])
    assert_alike(from_keras(theirs), theirs, events, atol=1e-6)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="texts are TensorFlow's",
)
def test_a_vocabulary_is_carried():
    import tensorflow as tf

    texts = tf.constant([["to be or not"], ["to see"]])
    vectorize = layers.TextVectorization(output_sequence_length=4)
    vectorize.adapt(texts)
    theirs = keras.Sequential(
        [vectorize, layers.Embedding(9, 3, mask_zero=True), layers.LSTM(4)]
    )
    theirs(texts)
    assert_alike(from_keras(theirs), theirs, texts, atol=1e-6)


def twice(x):
    return 2 * x


def test_classes_and_functions_of_ones_own_are_carried(events):
    class Local(layers.Layer):
        def call(self, x):
            return -x

    theirs = sequential(
        Local(),
        layers.LSTM(4, activation=twice, return_sequences=True),
        layers.Lambda(lambda x: x + 1),
        layers.GRU(3),
    )
    assert_alike(from_keras(theirs), theirs, events, atol=1e-6)


def test_layers_in_the_config_of_ones_own_layer_are_found(events):
    class Scaled(layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],))
            self.inner.build(shape)

        def call(self, x):
            return self.inner(x * self.scale)

        def get_config(self):
            inner = keras.saving.serialize_keras_object(self.inner)
            return {**super().get_config(), "inner": inner}

        @classmethod
        def from_config(cls, config):
            inner = keras.saving.deserialize_keras_object(config.pop("inner"))
            return cls(inner, **config)

    theirs = sequential(Scaled(layers.SimpleRNN(4)))
    random_weights(theirs)
    ours = from_keras(theirs)
    assert isinstance(ours.layers[0].inner, GateRNN)
    assert_alike(ours, theirs, events, atol=1e-6)


def test_a_converted_model_saves_and_loads(events, tmp_path):
    ours = from_keras(PLACES["bidirectional"](LSTM))
    ours.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_alike(loaded, ours, events, atol=0)


def test_what_has_gates_already_stays_beside_what_gets_them(events):
    theirs = sequential(
        GateLSTM(4, return_sequences=True), layers.LSTM(3, name="theirs")
    )
    random_weights(theirs)
    ours = from_keras(theirs)
    assert [layer.variant for layer in ours.layers] == ["lesson", "standard"]
    assert_alike(ours, theirs, events, atol=1e-6)


class Derived(layers.LSTM):
    pass


class MakesItsOwn(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.lstm = layers.LSTM(3)

    def call(self, x):
        return self.lstm(x)


class NeedsMore(layers.Layer):
    def __init__(self, wanted):
        super().__init__()

    def get_config(self):
        return {"name": self.name}


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: sequential(Derived(3)), r"derived \(Derived\) cannot"),
        (lambda: MakesItsOwn(), r"lstm.* \(LSTM\) cannot be converted"),
        (lambda: sequential(layers.Dense(3)), "holds none of LSTM, LSTMCell"),
        (lambda: GateGRU(3), "nothing to convert"),
        (
            lambda: sequential(NeedsMore(1), layers.LSTM(3)),
            "cannot be copied: a layer in it cannot be made from its config",
        ),
        (used_by_two_models, "is used by two models in it"),
    ],
    ids=["derived", "makes its own", "nothing", "ours", "no config", "shared"],
)
def test_what_cannot_get_gates_is_refused(make, problem):
    with pytest.raises(ValueError, match=problem):
        from_keras(make())


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        (GateLSTM(3, name="mine"), 'mine cannot be .* variant="lesson"'),
        (GateLSTMCell(3, "standard", peephole=True), "peephole=True"),
        (GateLSTM(3, "standard", coupled=True), "coupled=True"),
        (
            layers.Bidirectional(GateLSTM(3)),
            "forward_gate_lstm.* cannot be carried",
        ),
        (GateRNN(3, activity_regularizer="l2"), "takes and forgets"),
        (layers.LSTM(3), "nothing to convert"),
    ],
    ids=["lesson", "peephole", "coupled", "inside", "regularizer", "keras"],
)
def test_what_keras_has_no_layer_for_is_refused(layer, problem):
    with pytest.raises(ValueError, match=problem):
        to_keras(layer)


@pytest.mark.parametrize("convert", [from_keras, to_keras])
def test_what_is_no_layer_is_refused(convert):
    with pytest.raises(TypeError, match="must be a Keras layer or model"):
        convert("model.keras")
