"""What is carried with the weights, from Keras's models and back."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateRNN
from keras_gatelstm.convert import from_keras, to_keras
from tests.backends import array
from tests.convert.models import layers, random_weights, sequential
from tests.families import assert_alike, families, three_families


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
    if hasattr(theirs, "use_cudnn"):
        expected["use_cudnn"] = theirs.use_cudnn
    assert ours.get_config() == expected
    back = to_keras(ours)
    assert type(back) is type(theirs)
    assert back.get_config() == theirs.get_config()
    assert back.cell.seed == theirs.cell.seed
    assert getattr(back, "use_cudnn", None) == getattr(
        theirs, "use_cudnn", None
    )


@three_families
def test_the_memories_of_a_stateful_layer_are_carried(family, events):
    theirs = family.theirs(stateful=True)
    theirs(events)
    ours = from_keras(theirs)
    assert_alike(ours, theirs, events, atol=1e-6)
    assert_alike(to_keras(ours), theirs, events, atol=1e-6)


@three_families
def test_dropout_goes_on_where_it_was(family, events):
    theirs = sequential(
        family.theirs(dropout=0.3, seed=3, return_sequences=True),
        layers.Dropout(0.3, seed=4),
        family.theirs(dropout=0.3, recurrent_dropout=0.3, seed=5),
    )
    theirs(events, training=True)
    ours = from_keras(theirs)
    back = to_keras(ours)
    expected = array(theirs(events, training=True))
    for model in (ours, back):
        outputs = array(model(events, training=True))
        np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_what_is_frozen_stays_frozen(events):
    theirs = sequential(
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(3)),
        layers.GRU(3),
    )
    theirs.layers[0].backward_layer.trainable = False
    theirs.layers[1].layer.trainable = False
    theirs.layers[2].cell.trainable = False
    ours = from_keras(theirs)
    assert [it.path for it in ours.trainable_variables] == [
        it.path for it in ours.layers[0].forward_layer.weights
    ]
    assert len(to_keras(ours).trainable_variables) == 3
    ours.layers[0].forward_layer.cell.forget_gate.trainable = False
    with pytest.raises(ValueError, match="a part of it is frozen"):
        to_keras(ours)


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
