"""TensorFlow Serving's REST, as its RESTful API page documents it."""

import base64
import http.server
import json
import re
import urllib.parse

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from models import INVALID_ARGUMENT, NOT_FOUND, Refusal, listed
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

MODEL = r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d+))?"
PREDICT = re.compile(MODEL + ":predict", re.IGNORECASE)
LOOK = re.compile(MODEL + "(?P<metadata>/metadata)?", re.IGNORECASE)

# The types that have a form in JSON, and what Python's json makes of it.
INTEGERS = "int8 uint8 int16 int32 uint32 int64 uint64"
TYPES = {
    "bool": bool,
    "string": str,
    "float32": (int, float),
    "float64": (int, float),
    **dict.fromkeys(INTEGERS.split(), int),
}

HTTP_STATUS = {
    INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    NOT_FOUND: 404,
    grpc.StatusCode.UNIMPLEMENTED: 501,
}


def refuse(message):
    raise Refusal(INVALID_ARGUMENT, message)


def is_base64(value):
    return (
        isinstance(value, dict)
        and list(value) == ["b64"]
        and isinstance(value["b64"], str)
    )


def shape_of(value):
    """The shape of nested lists, by the first of each."""
    if not isinstance(value, list):
        return ()
    return len(value), *(shape_of(value[0]) if value else ())


def leaves(value, shape):
    """The values in nested lists that have this shape."""
    if isinstance(value, list) != bool(shape):
        refuse(f"JSON lists must be nested alike. Received: {value!r}")
    if not shape:
        return [value]
    if len(value) != shape[0]:
        refuse(f"JSON lists must have {shape[0]} items. Received: {value!r}")
    return [leaf for item in value for leaf in leaves(item, shape[1:])]


def scalar(value, dtype):
    """One JSON value, if it is one that `dtype` has."""
    if dtype == tf.string and is_base64(value):
        return base64.b64decode(value["b64"], validate=True)
    # To Python, but not to JSON, True is a number.
    if not isinstance(value, TYPES[dtype.name]) or (
        isinstance(value, bool) and dtype != tf.bool
    ):
        refuse(f"JSON value must be of type {dtype.name}. Received: {value!r}")
    return value.encode() if dtype == tf.string else value


def tensor_of(value, dtype):
    """A JSON value, or nested lists of such, as a TensorProto."""
    dtype = tf.dtypes.as_dtype(dtype)
    if dtype.name not in TYPES:
        raise Refusal(
            grpc.StatusCode.UNIMPLEMENTED, f"JSON has no type {dtype.name}"
        )
    shape = shape_of(value)
    try:
        flat = [scalar(leaf, dtype) for leaf in leaves(value, shape)]
        array = np.array(flat, dtype.as_numpy_dtype)
    except (OverflowError, ValueError) as error:
        refuse(str(error))
    return tf.make_tensor_proto(array, dtype, shape)


def json_of(name, proto):
    """A tensor as a JSON value."""
    dtype = tf.dtypes.as_dtype(proto.dtype)
    if dtype.name not in TYPES:
        refuse(f"JSON has no type {dtype.name}, which output {name} is of")

    def written(value):
        if isinstance(value, list):
            return [written(item) for item in value]
        if name.endswith("_bytes"):
            return {"b64": base64.b64encode(value).decode()}
        # Bytes that are no text go out as they are, as in the real server.
        return value.decode(errors="surrogateescape")

    value = tf.make_ndarray(proto).tolist()
    return written(value) if dtype == tf.string else value


def columns(body, signature):
    """The inputs of a request in either format, by name; is it in rows?"""
    if ("instances" in body) == ("inputs" in body):
        refuse("Give one of 'inputs' and 'instances'")
    if "inputs" in body:
        values = body["inputs"]
        if isinstance(values, dict) and not is_base64(values):
            return values, False
        return {only(signature): values}, False
    rows = body["instances"]
    if not isinstance(rows, list) or not rows:
        refuse("'instances' must be a list that is not empty")
    if not isinstance(rows[0], dict) or is_base64(rows[0]):
        return {only(signature): rows}, True
    names = set(rows[0])
    for row in rows:
        if not isinstance(row, dict) or set(row) != names:
            refuse(f"keys must be equal to: {listed(names)}. Received: {row}")
    return {name: [row[name] for row in rows] for name in names}, True


def only(signature):
    if len(signature.inputs) != 1:
        refuse(f"Name the inputs: {listed(signature.inputs)}")
    return next(iter(signature.inputs))


def rows_of(outputs):
    """The outputs' columns as a list of rows."""
    columns = {name: json_of(name, o) for name, o in outputs.items()}
    sizes = {
        len(column) if isinstance(column, list) else None
        for column in columns.values()
    }
    if len(sizes) > 1 or None in sizes:
        refuse(f"outputs {listed(outputs)} must have as many rows each")
    rows = zip(*columns.values(), strict=True)
    if len(columns) == 1:
        return [value for (value,) in rows]
    return [dict(zip(columns, row, strict=True)) for row in rows]


def predict(models, spec, body):
    """The answer to a request to predict."""
    if not isinstance(body, dict):
        refuse("the request must be a JSON object")
    model = models.find(spec)
    name = body.get("signature_name", "serving_default")
    if not isinstance(name, str):
        refuse(f"'signature_name' must be a string. Received: {name!r}")
    spec.signature_name = name
    signature = model.signature(name)
    given, by_row = columns(body, signature)
    inputs = signature.inputs
    if models.strict and (missing := set(inputs) - set(given)):
        # In the real server, defaults are for gRPC alone.
        refuse(f"Missing named inputs: {listed(missing)}")
    if unknown := set(given) - set(inputs):
        refuse(f"JSON object: does not have named inputs: {listed(unknown)}")
    request = predict_pb2.PredictRequest(model_spec=spec)
    for name, value in given.items():
        request.inputs[name].CopyFrom(tensor_of(value, inputs[name].dtype))
    outputs = dict(model.predict(request).outputs)
    if by_row:
        return {"predictions": rows_of(outputs)}
    found = {name: json_of(name, o) for name, o in outputs.items()}
    return {"outputs": next(iter(found.values())) if len(found) == 1 else found}


def metadata(models, spec):
    """The signatures of a version."""
    model = models.find(spec)
    answer = model_pb2.ModelSpec()
    model.named(answer)
    signatures = get_model_metadata_pb2.SignatureDefMap(
        signature_def=model.signatures
    )
    return {
        "model_spec": proto_json(answer),
        "metadata": {"signature_def": proto_json(signatures)},
    }


def proto_json(message):
    return MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )


def status(models, spec):
    """The state of the version, or of all where none is named."""
    model = models.find(spec)
    numbered = spec.HasField("version")
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in [model.version] if numbered else models.versions:
        one = response.model_version_status.add(version=version)
        one.state = one.AVAILABLE
        one.status.SetInParent()
    return proto_json(response)


def answer(models, method, path, body):
    """The HTTP status and the JSON that a request gets."""
    matched = (PREDICT if method == "POST" else LOOK).fullmatch(path)
    try:
        if not matched:
            refuse(f"Malformed request: {method} {path}")
        spec = model_pb2.ModelSpec(name=urllib.parse.unquote(matched["name"]))
        if matched["version"]:
            spec.version.value = int(matched["version"])
        if method == "POST":
            return 200, predict(models, spec, json.loads(body))
        if matched["metadata"]:
            return 200, metadata(models, spec)
        return 200, status(models, spec)
    except Refusal as error:
        return HTTP_STATUS.get(error.code, 500), {"error": str(error)}
    except json.JSONDecodeError as error:
        return 400, {"error": f"JSON Parse error: {error}"}


def start(models):
    """Serve on a free port of loopback, in threads; gives the server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply("GET", b"")

        def do_POST(self):
            size = int(self.headers["Content-Length"])
            self.reply("POST", self.rfile.read(size))

        def reply(self, method, body):
            status, found = answer(models, method, self.path, body)
            text = json.dumps(found, ensure_ascii=False)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(text.encode(errors="surrogateescape"))

        def log_message(self, *_):
            """Nobody reads it."""

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
