"""SavedModels: whole, named, free in size, loadable by TensorFlow alone."""

import stat

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gatelstm import GateLSTM, record_gates
from keras_gatelstm.export import export_saved_model
from tests.tensorflow_alone import served


def make_model(**options):
    return keras.Sequential(
        [
            keras.Input((None, 3), name="events"),
            GateLSTM(4, return_sequences=True, **options),
            keras.layers.Dense(2, name="guess"),
        ]
    )


@pytest.mark.parametrize(
    "options",
    [{"recurrent_dropout": 0.5}],
    ids=str,
)
def test_tensorflow_alone_gives_what_keras_gives(tmp_path, options):
    model = make_model(**options)
    events = np.random.default_rng(1).normal(size=(5, 7, 3)).astype("float32")
    folder = export_saved_model(model, tmp_path).path
    for given in (events, events[:1, :2]):
        found = served(folder, events=given)
        assert list(found) == ["guess"]
        np.testing.assert_allclose(
            found["guess"], model(given), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("variant", ["standard", "lesson"])
def test_a_sequence_alone_gives_what_it_gives_beside_others(tmp_path, variant):
    # By a loop of its own.
    events = np.random.default_rng(0).normal(size=(3, 13, 2)).astype("float32")
    layers = [GateLSTM(4, variant=variant, return_sequences=True), GateLSTM(3)]
    model = keras.Sequential([keras.Input((None, 2), name="events"), *layers])
    folder = export_saved_model(model, tmp_path).path
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    for rows in (events, events[:2], events[:1], events[:0]):
        (found,) = serve(events=tf.constant(rows)).values()
        expected = np.asarray(model(events))[: len(rows)]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_inputs_and_outputs_keep_their_names(tmp_path):
    one = keras.Input((None, 3), name="one")
    two = keras.Input((2,), name="two")
    memory = GateLSTM(4)(one)
    sums = keras.layers.Dense(1, name="sum")(
        keras.layers.Concatenate()([memory, two])
    )
    signs = keras.layers.Dense(1, name="sign")(memory)
    model = keras.Model([one, two], [sums, signs])
    given = {"one": np.ones((2, 4, 3)), "two": np.ones((2, 2))}
    found = served(export_saved_model(model, tmp_path).path, **given)
    expected = model([given["one"], given["two"]])
    for name, value in zip(["sum", "sign"], expected, strict=True):
        np.testing.assert_allclose(found[name], value, atol=1e-6)


def test_every_output_is_there_when_layers_give_several(tmp_path):
    events = keras.Input((None, 3), name="events")
    lstm = GateLSTM(4, return_state=True, name="lstm")
    model = keras.Model(events, lstm(events))
    given = np.ones((2, 4, 3))
    found = served(export_saved_model(model, tmp_path).path, events=given)
    assert set(found) == {"lstm", "lstm_1", "lstm_2"}
    for name, expected in zip(sorted(found), model(given), strict=True):
        np.testing.assert_allclose(found[name], expected, atol=1e-6)


def test_the_gates_of_a_layer_used_twice_are_told_twice(tmp_path):
    lstm = GateLSTM(4, return_sequences=True, name="lstm")
    events = keras.Input((None, 4), name="events")
    model = keras.Model(events, lstm(lstm(events)))
    given = np.random.default_rng(1).normal(size=(2, 5, 4)).astype("float32")
    loaded = tf.saved_model.load(export_saved_model(model, tmp_path).path)
    found = loaded.signatures["gates"](events=tf.constant(given))
    trace = record_gates(model, given)
    for path, name in (("lstm", "lstm"), ("lstm:2", "lstm_2")):
        for quantity, expected in trace[path].items():
            np.testing.assert_allclose(
                found[f"{name}_{quantity}"], expected, atol=1e-6
            )


def encoder_and_decoder(attends):
    """From two sequences; the decoder starts with the encoder's memories."""
    read, written = (keras.Input((None, 3), name=it) for it in ("en", "de"))
    encoder = keras.layers.LSTM(4, return_sequences=True, return_state=True)
    seen, *memories = encoder(read)
    decoder = GateLSTM(4, return_sequences=True)
    outputs = decoder(written, initial_state=memories)
    if attends:
        scores = keras.layers.Dot(axes=2)([outputs, seen])
        context = keras.layers.Dot(axes=(2, 1))([scores, seen])
        outputs = keras.layers.Concatenate()([outputs, context])
    outputs = keras.layers.LSTM(4, return_sequences=True)(outputs)
    return keras.Model([read, written], outputs)


def beside_each_other():
    """Two sequences of one length."""
    one, two = (keras.Input((None, 3), name=name) for name in ("en", "de"))
    joined = keras.layers.Concatenate()([one, two])
    return keras.Model([one, two], GateLSTM(4)(joined))


@pytest.mark.parametrize(
    ("make", "alike"),
    [
        (lambda: encoder_and_decoder(attends=False), False),
        (beside_each_other, True),
    ],
    ids=["encoder and decoder", "beside each other"],
)
def test_sequences_are_padded_each_to_a_length_of_its_own(
    tmp_path, make, alike
):
    model = make()
    random = np.random.default_rng(1)
    read, written = random.normal(size=(2, 3, 7, 3)).astype("float32")
    lengths = {"en": [7, 2, 4], "de": [7, 2, 4] if alike else [3, 7, 1]}
    loaded = tf.saved_model.load(export_saved_model(model, tmp_path).path)
    (found,) = loaded.signatures["padded"](
        en=tf.constant(read),
        de=tf.constant(written),
        **{f"{name}_lengths": tf.constant(it) for name, it in lengths.items()},
    ).values()
    for row in range(3):
        of_read, of_written = (lengths[name][row] for name in ("en", "de"))
        expected = model(
            [read[row : row + 1, :of_read], written[row : row + 1, :of_written]]
        )
        one = found[row : row + 1]
        if expected.shape != one.shape:
            one = one[:, :of_written]
        np.testing.assert_allclose(one, expected, atol=1e-5)


def test_padding_that_a_layer_looks_at_is_not_promised(tmp_path):
    saved = export_saved_model(encoder_and_decoder(attends=True), tmp_path)
    assert "padded" not in saved.signatures
    assert "padded" in saved.left_out


def test_versions_count_on_and_are_never_overwritten(tmp_path):
    model = make_model()
    for name in ("1", "7", "old"):
        (tmp_path / name).mkdir()
    assert export_saved_model(model, tmp_path).path == tmp_path / "8"
    with pytest.raises(ValueError, match="version 7 is already in"):
        export_saved_model(model, tmp_path, 7)
    assert list((tmp_path / "7").iterdir()) == []


@pytest.mark.parametrize("version", [0, -1, "new", 1.5, True])
def test_impossible_versions_are_refused(tmp_path, version):
    with pytest.raises(ValueError, match="version must be a positive integer"):
        export_saved_model(make_model(), tmp_path, version)


def test_servers_of_other_users_can_read_it(tmp_path):
    folder = export_saved_model(make_model(), tmp_path).path
    assert stat.S_IMODE(folder.stat().st_mode) & 0o555 == 0o555


@pytest.mark.parametrize(
    "error",
    [
        OSError("No space left on device"),
        tf.errors.ResourceExhaustedError(None, None, "No space left"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_export_leaves_nothing(tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="No space"):
        export_saved_model(make_model(), tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_stateful_model_starts_with_empty_memories(tmp_path):
    given = keras.Input((7, 3), 2, name="events")
    inner = keras.Sequential([given, GateLSTM(4, stateful=True, dropout=0.1)])
    model = keras.Sequential([given, inner])
    events = np.ones((2, 7, 3), "float32")
    expected = model(events)
    model(events)  # Its memories are others now.
    found = served(export_saved_model(model, tmp_path).path, events=events)
    (values,) = found.values()
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_a_model_that_is_not_built_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be built"):
        export_saved_model(keras.Sequential([GateLSTM(4)]), tmp_path)
