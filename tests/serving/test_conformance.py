"""What is exported, asked as a client of TensorFlow Serving asks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

pytest.importorskip(
    "tensorflow_serving", reason="tensorflow-serving-api is not installed"
)
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import Scaling, export_saved_model
from tests.serving.client import serving

ROOT = Path(__file__).parents[2]
VOCABULARY = ["�", *"\n abcdefghijklmnopqrstuvwxyz.'"]
SYMBOLS = len(VOCABULARY)
TEXTS = ["the first citizen", "we are", "é?"]


def random_weights(model):
    random = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) / 2)


@pytest.fixture(scope="module")
def texts_model():
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="characters"),
            keras.layers.Embedding(SYMBOLS, 8),
            keras.layers.LSTM(12, return_sequences=True, name="first"),
            GateLSTM(16, return_sequences=True, name="second"),
            keras.layers.Dense(SYMBOLS, name="logits"),
        ]
    )
    random_weights(model)
    return model


@pytest.fixture(scope="module")
def char_text(texts_model, tmp_path_factory):
    base = tmp_path_factory.mktemp("models") / "char_text"
    export_saved_model(texts_model, base, vocabulary=VOCABULARY)
    shutil.copytree(base / "1", base / "2")
    with serving(base, "char_text", strict=True) as server:
        server.base = base
        yield server


def numbers_of(text):
    known = {character: place for place, character in enumerate(VOCABULARY)}
    return np.array([[known.get(one, 0) for one in text]], "int32")


def test_sequences_to_predictions(char_text, texts_model):
    given = np.random.default_rng(1).integers(0, SYMBOLS, (3, 7), "int32")
    expected = texts_model(given)
    by_grpc = char_text.grpc("serving_default", characters=given)["logits"]
    by_rows = char_text.rest_rows("serving_default", given.tolist())
    by_columns = char_text.rest("serving_default", version=1, characters=given)
    for found in (by_grpc, by_rows, by_columns):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_padded_row_gives_what_it_gives_alone(char_text, texts_model):
    given = np.random.default_rng(1).integers(0, SYMBOLS, (3, 7), "int32")
    lengths = np.array([7, 4, 1], "int32")
    found = char_text.grpc("padded", characters=given, lengths=lengths)
    for row, length in enumerate(lengths):
        alone = texts_model(given[row : row + 1, :length])
        np.testing.assert_allclose(
            found["logits"][row, :length], alone[0], atol=1e-5
        )


def test_the_client_carries_the_memories(char_text, texts_model):
    given = np.random.default_rng(1).integers(0, SYMBOLS, (2, 5), "int32")
    sizes = {"first": 12, "second": 16}
    memories = {
        f"{layer}_{kind}_term_memory": np.zeros((2, size), "float32")
        for layer, size in sizes.items()
        for kind in ("short", "long")
    }
    found = []
    for step in range(5):
        after = char_text.grpc("step", characters=given[:, step], **memories)
        found.append(after.pop("logits"))
        memories = after
    np.testing.assert_allclose(
        np.stack(found, axis=1), texts_model(given), atol=1e-5
    )


def test_every_gate_tells(char_text, texts_model):
    given = np.random.default_rng(1).integers(0, SYMBOLS, (2, 6), "int32")
    told = char_text.grpc("gates", characters=given)
    second = texts_model.layers[2]
    outputs = keras.Model(texts_model.inputs[0], second.output)(given)

    def of(quantity):
        return told[f"second_{quantity}"]

    np.testing.assert_allclose(of("short_term_memory"), outputs, atol=1e-5)
    np.testing.assert_allclose(
        of("useful_memory") * of("use_factor"), outputs, atol=1e-5
    )
    np.testing.assert_allclose(
        of("kept") + of("learned"), of("long_term_memory"), atol=1e-5
    )
    np.testing.assert_allclose(
        of("kept")[:, 1:],
        of("long_term_memory")[:, :-1] * of("forget_factor")[:, 1:],
        atol=1e-5,
    )
    assert told["first_ignore_factor"].shape == (2, 6, 12)


def test_texts_are_gone_on_with_as_keras_would(char_text, texts_model):
    found = char_text.grpc(
        "generate",
        text=np.array([text.encode() for text in TEXTS]),
        length=np.int32(12),
        temperature=np.float32(0),
        seed=np.int32(0),
    )["text"]
    for text, written in zip(TEXTS, found, strict=True):
        expected = text
        for _ in range(12):
            logits = np.array(texts_model(numbers_of(expected)))[0, -1]
            expected += VOCABULARY[1 + logits[1:].argmax()]
        assert written.decode() == expected[len(text) :]


def test_the_same_seed_writes_the_same(char_text):
    first, again, other = (
        char_text.rest(
            "generate", text=TEXTS, length=60, temperature=1.0, seed=seed
        )
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert [len(text) for text in first] == [60] * 3
    assert VOCABULARY[0] not in "".join(first)
    by_default = char_text.grpc("generate", text=np.array([b""]))["text"]
    assert len(by_default[0].decode()) == 200


def test_texts_are_scored(char_text, texts_model):
    found = char_text.rest_rows("score", [{"text": it} for it in TEXTS])
    for text, nats in zip(TEXTS, found, strict=True):
        numbers = numbers_of(text)
        expected = keras.losses.sparse_categorical_crossentropy(
            numbers[:, 1:], texts_model(numbers)[:, :-1], from_logits=True
        )
        assert nats == pytest.approx(float(np.mean(expected)), rel=1e-4)


def test_a_forecaster_speaks_in_the_units_of_its_series(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((24, 2), name="series"),
            keras.layers.GRU(8, name="gru"),
            keras.layers.Dense(2, name="next"),
        ]
    )
    random_weights(model)
    mean, scale = np.array([20.0, -3.0]), np.array([5.0, 0.5])
    series = mean + scale * np.random.default_rng(1).normal(size=(3, 30, 2))
    export_saved_model(
        model, tmp_path / "weather", scaling=Scaling(mean, scale)
    )
    with serving(tmp_path / "weather", "weather", strict=True) as server:
        for time in (24, 30):
            given = series[:, :time]
            scaled = ((given - mean) / scale).astype("float32")
            gru, dense = model.layers
            expected = np.array(dense(gru(scaled))) * scale + mean
            found = server.rest_rows("serving_default", given.tolist())
            np.testing.assert_allclose(found, expected, rtol=1e-4)
        memory = np.zeros((3, 8), "float32")
        for step in range(24):
            after = server.grpc(
                "step",
                series=series[:, step].astype("float32"),
                gru_memory=memory,
            )
            memory = after["gru_memory"]
        whole = server.rest_rows("serving_default", series[:, :24].tolist())
        np.testing.assert_allclose(after["next"], whole, rtol=1e-4)


def test_a_server_is_told_of_each_signature(char_text):
    (version,) = char_text.metadata()["metadata"].values()
    signatures = set(version["signature_def"]) - {"__saved_model_init_op"}
    expected = {
        "serving_default",
        "padded",
        "step",
        "gates",
        "generate",
        "score",
    }
    assert signatures == expected
    path = char_text.base / "1/assets.extra/tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    asked = [it.predict_log.request.model_spec for it in logs]
    assert {it.signature_name for it in asked} == expected
    assert {it.name for it in asked} == {"char_text"}


def test_the_settings_are_a_servers(char_text):
    config = text_format.Parse(
        (char_text.base / "models.config").read_text(),
        model_server_config_pb2.ModelServerConfig(),
    )
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("char_text", "/models/char_text")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "run --tag_set=serve --signature_def=score "
            "--input_exprs=text=[b'the_first']",
            "Result for output key nats_per_character",
        ),
        pytest.param(
            "show --all",
            "inputs['first_short_term_memory'] tensor_info",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_the_command_line_of_tensorflow_reads_it(char_text, command, said):
    program = shutil.which("saved_model_cli", path=Path(sys.executable).parent)
    verb, *arguments = command.split()
    done = subprocess.run(
        [program, verb, "--dir", char_text.base / "1", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said in done.stdout


def test_the_client_in_the_docs_prints_a_text(char_text, capsys, monkeypatch):
    monkeypatch.setenv("no_grpc_proxy", "127.0.0.1")
    page = (ROOT / "docs/how-to/serving.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.S)
    assert "localhost:8500" in code
    exec(code.replace("localhost:8500", char_text.address), {})
    written = capsys.readouterr().out.removesuffix("\n")
    assert len(written) == 200


def test_the_requests_in_the_docs_are_answered(char_text):
    page = (ROOT / "docs/how-to/serving.md").read_text("utf-8")
    calls = re.findall(r"localhost:8501(\S+) \\\n +-d '(.*?)'", page, re.S)
    assert len(calls) >= 3
    for path, body in calls:
        assert char_text.ask("POST", path, body)
