"""The stand-in for TensorFlow Serving: what it answers and what it refuses."""

import http.client

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip(
    "tensorflow_serving.apis.predict_pb2",
    reason="needs tensorflow-serving-api, installed with --no-deps",
)

import grpc
from google.protobuf.json_format import ParseDict
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_log_pb2,
)

from tests.serving.client import RestError, serving

X = np.array([[1, 2], [3, 4], [5, 6]], "float32")


class Scaler(tf.Module):
    """Two signatures; one has a default, the other has strings."""

    def __init__(self, offset):
        super().__init__()
        self.offset = tf.Variable(float(offset))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, "x"),
            tf.TensorSpec([], tf.float32, "factor"),
        ]
    )
    def scale(self, x, factor=tf.constant(2.0)):  # noqa: B008
        scaled = x * factor + self.offset
        return {"scaled": scaled, "sum": tf.reduce_sum(scaled, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def join(self, texts):
        joined = tf.strings.join([texts, "!"])
        return {"joined_bytes": joined}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def lower(self, texts):
        return {"lowered": tf.strings.lower(texts, "utf-8")}


def save(folder, offset):
    module = Scaler(offset)
    tf.saved_model.save(
        module,
        str(folder),
        {
            "serving_default": module.scale,
            "join": module.join,
            "lower": module.lower,
        },
    )


def request_for(inputs, name="scaler", signature="", version=None):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def record(folder, request):
    """Put the request where the server looks for some to warm up with."""
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(log.SerializeToString())


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("scaler")
    save(base_path / "9", offset=0)
    save(base_path / "10", offset=100)
    record(base_path / "10", request_for({"x": X}, name="any"))
    return base_path


@pytest.fixture(scope="module")
def server(base_path):
    with serving(base_path, "scaler") as server:
        yield server


def test_grpc_gives_arrays_for_arrays(server):
    found = server.grpc("serving_default", x=X, factor=np.float32(3))
    assert set(found) == {"scaled", "sum"}
    np.testing.assert_array_equal(found["scaled"], X * 3 + 100)
    np.testing.assert_array_equal(found["sum"], (X * 3 + 100).sum(1))


def test_grpc_fills_in_the_default(server):
    found = server.grpc("serving_default", x=X)
    np.testing.assert_array_equal(found["scaled"], X * 2 + 100)


def test_grpc_tells_what_answered_and_gives_what_is_asked_for(server):
    request = request_for({"x": X}, version=9)
    request.output_filter.append("sum")
    response = server.stub.Predict(request)
    spec = response.model_spec
    assert (spec.name, spec.version.value) == ("scaler", 9)
    assert spec.signature_name == "serving_default"
    assert list(response.outputs) == ["sum"]
    found = tf.make_ndarray(response.outputs["sum"])
    np.testing.assert_array_equal(found, (X * 2).sum(1))


def test_rest_in_columns(server):
    expected = {
        "scaled": (X * 3 + 100).tolist(),
        "sum": (X * 3 + 100).sum(1).tolist(),
    }
    assert server.rest("serving_default", x=X, factor=3) == expected
    found = server.rest("serving_default", version=9, x=X)
    assert found["scaled"] == (X * 2).tolist()
    # An only input needs no name, and an only output gets none.
    found = server.post({"signature_name": "lower", "inputs": ["A", "É"]})
    assert found == {"outputs": ["a", "é"]}


def test_rest_in_rows(server):
    rows = [{"x": x} for x in X]
    expected = [
        {"scaled": (x * 2 + 100).tolist(), "sum": (x * 2 + 100).sum()}
        for x in X
    ]
    assert server.rest_rows("serving_default", rows) == expected
    for rows in (["A", b"B"], [{"texts": "A"}, {"texts": "B"}]):
        assert server.rest_rows("lower", rows) == ["a", "b"]


def test_bytes_pass_whatever_they_are(server):
    texts = np.array([b"\xff\x00", "é".encode()], object)
    found = server.grpc("join", texts=texts)["joined_bytes"]
    assert found.tolist() == [b"\xff\x00!", "é!".encode()]
    expected = [{"b64": "/wAh"}, {"b64": "w6kh"}]
    assert server.rest("join", texts=texts) == expected
    assert server.rest_rows("join", texts.tolist()) == expected


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (request_for({"x": X}, "other"), "NOT_FOUND", r"Latest\(other\)"),
        (request_for({"x": X}, version=3), "NOT_FOUND", r"scaler, 3"),
        (request_for({"x": X}, signature="no"), "NOT_FOUND", '"no" not found'),
        (request_for({}), "INVALID_ARGUMENT", "x is missing"),
        (request_for({"x": X, "y": X}), "INVALID_ARGUMENT", "{y}"),
        (
            request_for({"x": X.astype("float64")}),
            "INVALID_ARGUMENT",
            "x must be float32. Received: float64",
        ),
        (request_for({"x": X[0]}), "INVALID_ARGUMENT", "shape"),
    ],
)
def test_grpc_refuses(server, request_, code, message):
    with pytest.raises(grpc.RpcError, match=message) as error:
        server.stub.Predict(request_)
    assert error.value.code().name == code


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 400, "Give one of"),
        ({"inputs": {"x": []}, "instances": []}, 400, "Give one of"),
        ({"instances": []}, 400, "not empty"),
        ({"inputs": {"factor": 1}}, 400, "x is missing"),
        ({"inputs": {"x": X, "y": 1}}, 400, "{y}"),
        ({"inputs": X}, 400, "Name the inputs: {factor,x}"),
        ({"inputs": {"x": [[1, 2], [3]]}}, 400, "must have 2 items"),
        ({"inputs": {"x": [["1", "2"]]}}, 400, "of type float32"),
        ({"inputs": {"x": [[1, True]]}}, 400, "of type float32"),
        ({"instances": [{"x": [1, 2]}, {"y": 1}]}, 400, "must be equal to"),
        ({"inputs": ["a"], "signature_name": "no"}, 404, '"no" not found'),
        ({"inputs": [1], "signature_name": "lower"}, 400, "of type string"),
    ],
)
def test_rest_refuses(server, body, status, message):
    with pytest.raises(RestError, match=message) as error:
        server.post(body)
    assert error.value.status == status


@pytest.mark.parametrize(
    ("path", "status"),
    [("other", 404), ("scaler/versions/3", 404), ("scaler/what", 400)],
)
def test_rest_refuses_what_is_not_there(server, path, status):
    with pytest.raises(RestError) as error:
        server.ask("GET", f"/v1/models/{path}")
    assert error.value.status == status


def test_metadata_is_the_signatures_with_their_defaults(server):
    signatures = server.signatures()
    assert {"serving_default", "join", "lower"} <= set(signatures)
    default = signatures["serving_default"].defaults["factor"]
    assert tf.make_ndarray(default) == 2
    found = server.metadata()
    assert found["model_spec"] == {
        "name": "scaler",
        "version": "10",
        "signature_name": "",
    }
    by_rest = get_model_metadata_pb2.SignatureDefMap()
    ParseDict(found["metadata"]["signature_def"], by_rest)
    assert dict(by_rest.signature_def) == signatures


def test_status_has_all_versions(server):
    good = {"error_code": "OK", "error_message": ""}
    expected = [
        {"version": version, "state": "AVAILABLE", "status": good}
        for version in ("9", "10")
    ]
    found = server.ask("GET", "/v1/models/scaler")
    assert found == {"model_version_status": expected}


def test_strict_is_as_unforgiving_as_the_real_server(base_path):
    with serving(base_path, "scaler", strict=True) as server:
        with pytest.raises(RestError, match="Missing named inputs"):
            server.rest("serving_default", x=X)
        with pytest.raises(RestError, match="400"):
            server.rest("no", x=X)
        with pytest.raises(grpc.RpcError, match="FAILED_PRECONDITION"):
            server.grpc("no", x=X)
        found = server.grpc("serving_default", x=X)
        np.testing.assert_array_equal(found["sum"], (X * 2 + 100).sum(1))
        port = server.port
    # With the block, the server is gone too.
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", port).connect()


def test_what_fails_in_its_warm_up_is_not_served(tmp_path):
    save(tmp_path / "1", offset=0)
    record(tmp_path / "1", request_for({"x": X.astype("int32")}))
    with (
        pytest.raises(
            RuntimeError,
            match="warm-up of version 1 failed: input x must be float32",
        ),
        serving(tmp_path, "scaler"),
    ):
        pass
