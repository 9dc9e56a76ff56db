"""Ask the stand-in for TensorFlow Serving, which is a process of its own."""

import base64
import contextlib
import http.client
import json
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.child_process import ChildProcess

_program = ChildProcess(str(Path(__file__).parent / "server.py"))


class RestError(Exception):
    """What REST answers to a request that it refuses."""

    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status = status


@contextlib.contextmanager
def serving(base_path, name, strict=False):
    """Serve the versions in `base_path`; gives what to ask them with.

    Args:
        base_path: The folder with a folder for each version.
        name: The model's name.
        strict: Refuse also what only TensorFlow Serving's own code refuses:
            see `server.py`.

    Raises:
        RuntimeError: The model cannot be served; the message says why.
    """
    ports = _program.ask(base_path=str(base_path), name=name, strict=strict)
    if "error" in ports:
        raise RuntimeError(ports["error"])
    try:
        with asking(name, ports) as server:
            yield server
    finally:
        _program.ask(stop=ports["grpc"])


@contextlib.contextmanager
def asking(name, ports):
    options = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_receive_message_length", -1),
    ]
    address = f"127.0.0.1:{ports['grpc']}"
    with grpc.insecure_channel(address, options) as channel:
        grpc.channel_ready_future(channel).result()
        yield Server(name, channel, address, ports["rest"])


class Server:
    """A server's model, by gRPC and by REST."""

    def __init__(self, name, channel, address, port):
        self.name = name
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self.address = address
        self.port = port

    def grpc(self, signature, /, **arrays):
        """The outputs, by name, for arrays that keep their dtype."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.name
        request.model_spec.signature_name = signature
        for name, array in arrays.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        outputs = self.stub.Predict(request).outputs
        return {name: tf.make_ndarray(o) for name, o in outputs.items()}

    def signatures(self):
        """The signatures by name, as gRPC tells them."""
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = self.name
        request.metadata_field.append("signature_def")
        found = self.stub.GetModelMetadata(request).metadata["signature_def"]
        signatures = get_model_metadata_pb2.SignatureDefMap()
        assert found.Unpack(signatures)
        return dict(signatures.signature_def)

    def rest(self, signature, /, version=None, **inputs):
        """The outputs for inputs in columns."""
        body = {"signature_name": signature, "inputs": inputs}
        return self.post(body, version)["outputs"]

    def rest_rows(self, signature, instances):
        """The predictions for inputs in rows."""
        body = {"signature_name": signature, "instances": instances}
        return self.post(body)["predictions"]

    def metadata(self):
        """All that REST tells about the last version."""
        return self.ask("GET", f"/v1/models/{self.name}/metadata")

    def post(self, body, version=None):
        """The answer to the body of a request to predict."""
        path = f"/v1/models/{self.name}"
        if version is not None:
            path += f"/versions/{version}"
        return self.ask(
            "POST", f"{path}:predict", json.dumps(body, default=in_json)
        )

    def ask(self, method, path, body=None):
        """The JSON that REST answers with; RestError where it is an error."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        with contextlib.closing(connection):
            connection.request(method, path, body)
            response = connection.getresponse()
            found = json.loads(response.read())
        if response.status != http.HTTPStatus.OK:
            raise RestError(response.status, found["error"])
        return found


def in_json(value):
    """Arrays as lists, bytes as TensorFlow Serving wants them."""
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return np.asarray(value).tolist()
