"""Versions of a model, each loaded and run in a session of TensorFlow's."""

import dataclasses
from pathlib import Path

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

WARM_UP = "assets.extra/tf_serving_warmup_requests"
MOST_WARM_UPS = 1000
CODES = {code.value[0]: code for code in grpc.StatusCode}
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


class LoadError(Exception):
    """Why a model cannot be served."""


class Refusal(Exception):  # noqa: N818
    """A request's refusal, with the status code that gRPC has for it."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def listed(names):
    return "{" + ",".join(sorted(names)) + "}"


def feeds(signature, given):
    """Values by the names of the graph's tensors; defaults fill the gaps."""
    if unknown := set(given) - set(signature.inputs):
        raise Refusal(
            INVALID_ARGUMENT,
            f"inputs not in the signature: {listed(unknown)}. "
            f"It has: {listed(signature.inputs)}",
        )
    fed = {}
    for name, info in signature.inputs.items():
        if name not in given and name not in signature.defaults:
            raise Refusal(
                INVALID_ARGUMENT,
                f"input {name} is missing and has no default. "
                f"Received: {listed(given)}",
            )
        proto = (given if name in given else signature.defaults)[name]
        fed[info.name] = array_of(name, proto, info.dtype)
    return fed


def array_of(name, proto, expected):
    if proto.dtype != expected:
        received, expected = map(tf.dtypes.as_dtype, (proto.dtype, expected))
        raise Refusal(
            INVALID_ARGUMENT,
            f"input {name} must be {expected.name}. Received: {received.name}",
        )
    try:
        return tf.make_ndarray(proto)
    except ValueError as error:
        raise Refusal(
            INVALID_ARGUMENT, f"input {name} is no tensor: {error}"
        ) from error


def wanted(signature, output_filter):
    """The outputs asked for: all of them when nothing is."""
    names = list(output_filter) or list(signature.outputs)
    if unknown := set(names) - set(signature.outputs):
        raise Refusal(
            INVALID_ARGUMENT,
            f"outputs not in the signature: {listed(unknown)}. "
            f"It has: {listed(signature.outputs)}",
        )
    if len(set(names)) < len(names):
        raise Refusal(
            INVALID_ARGUMENT, f"outputs asked for twice: {', '.join(names)}"
        )
    return {name: signature.outputs[name] for name in names}


class Model:
    """One version of a model."""

    def __init__(self, name, folder, strict):
        self.name = name
        self.version = int(folder.name)
        self.strict = strict
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        loaded = tf.compat.v1.saved_model.load(
            self.session, ["serve"], str(folder)
        )
        self.signatures = loaded.signature_def

    def named(self, spec):
        """`spec` with this version's name and number."""
        spec.name = self.name
        spec.version.value = self.version

    def signature(self, name):
        if name not in self.signatures:
            # TensorFlow Serving's own code for it is not what one expects.
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION
                if self.strict
                else NOT_FOUND,
                f'Serving signature key "{name}" not found.',
            )
        return self.signatures[name]

    def predict(self, request):
        """The answer to a PredictRequest."""
        name = request.model_spec.signature_name or "serving_default"
        signature = self.signature(name)
        outputs = wanted(signature, request.output_filter)
        found = self.run(
            {name: info.name for name, info in outputs.items()},
            feeds(signature, request.inputs),
        )
        response = predict_pb2.PredictResponse()
        self.named(response.model_spec)
        response.model_spec.signature_name = name
        for name, value in found.items():
            proto = tf.make_tensor_proto(value, outputs[name].dtype)
            response.outputs[name].CopyFrom(proto)
        return response

    def run(self, fetches, fed):
        try:
            return self.session.run(fetches, fed)
        except tf.errors.OpError as error:
            raise Refusal(CODES[error.error_code], error.message) from error
        except ValueError as error:  # A shape that the input cannot have.
            raise Refusal(INVALID_ARGUMENT, str(error)) from error

    def warm_up(self, path):
        """Answer each recorded request, whatever model it names."""
        records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        for number, record in enumerate(records, 1):
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if number > MOST_WARM_UPS:
                raise ValueError(f"more than {MOST_WARM_UPS} requests")
            if log.WhichOneof("log_type") != "predict_log":
                raise ValueError(f"request {number} is no predict_log")
            self.predict(log.predict_log.request)


@dataclasses.dataclass
class Models:
    """A model's versions, each in the folder that is named by its number."""

    name: str
    versions: dict
    strict: bool

    @classmethod
    def load(cls, base_path, name, strict):
        """Load and warm up all versions.

        Raises:
            LoadError: There are none, or a request to warm up with fails.
        """
        versions = {}
        folders = [f for f in Path(base_path).iterdir() if f.name.isdigit()]
        for folder in sorted(folders, key=lambda folder: int(folder.name)):
            model = Model(name, folder, strict)
            versions[model.version] = model
            warm(model, folder / WARM_UP)
        if not versions:
            raise LoadError(f"no versions of {name} in {base_path}")
        return cls(name, versions, strict)

    def find(self, spec):
        """The version that a ModelSpec names: without a number, the last."""
        if spec.version_label:
            raise Refusal(
                INVALID_ARGUMENT,
                f"Unrecognized servable version label: {spec.version_label}",
            )
        numbered = spec.HasField("version")
        version = spec.version.value if numbered else max(self.versions)
        if spec.name != self.name or version not in self.versions:
            sought = (
                f"Specific({spec.name}, {version})"
                if numbered
                else f"Latest({spec.name})"
            )
            raise Refusal(
                NOT_FOUND, f"Servable not found for request: {sought}"
            )
        return self.versions[version]


def warm(model, path):
    if not path.exists():
        return
    try:
        model.warm_up(path)
    except (Refusal, ValueError, DecodeError, tf.errors.OpError) as error:
        raise LoadError(
            f"warm-up of version {model.version} failed: {error}"
        ) from error
