"""Files beside a SavedModel for TensorFlow Serving: warm-up and settings."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from keras_gatelstm.export.errors import as_system_errors

# A server runs the requests in this file before it answers any.
WARM_UP_FILE = Path("assets.extra", "tf_serving_warmup_requests")

MODELS_CONFIG = """\
# tensorflow_model_server --model_config_file=/models/{name}/models.config
model_config_list {{
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
    # The latest version is served. To go back to another, name it:
    # model_version_policy {{ specific {{ versions: 1 }} }}
  }}
}}
"""

BATCHING_CONFIG = """\
# tensorflow_model_server --enable_batching
#     --batching_parameters_file=/models/{name}/batching.config
# Requests are served together where their sequences are of one length.
max_batch_size {{ value: 64 }}
batch_timeout_micros {{ value: 1000 }}
num_batch_threads {{ value: 2 }}
max_enqueued_batches {{ value: 1000 }}
"""

Requests = Mapping[str, Mapping[str, np.ndarray]]


def write_warm_up(folder: Path, name: str, requests: Requests) -> None:
    """Write a warm-up request for each signature.

    Args:
        folder: The folder of the SavedModel.
        name: The name of the model on the server.
        requests: Signature -> input -> array.
    """
    path = folder / WARM_UP_FILE
    path.parent.mkdir()
    prediction_log = _prediction_log_class()
    with as_system_errors(), tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in requests.items():
            log = prediction_log()
            request = log.predict_log.request
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for key, array in inputs.items():
                tensor = tf.make_tensor_proto(array).SerializeToString()
                entry = request.inputs.add()
                entry.key, entry.value = key, tensor
            file.write(log.SerializeToString())


def write_configs(folder: Path, base_path: Path, name: str) -> None:
    """Write example server settings, unless `base_path` has them already."""
    folder.mkdir()
    for file, text in (
        ("models.config", MODELS_CONFIG),
        ("batching.config", BATCHING_CONFIG),
    ):
        if not (base_path / file).exists():
            (folder / file).write_text(text.format(name=name), "utf-8")


def _prediction_log_class() -> type[Message]:
    """Return a class for the fields of `PredictionLog` that are written.

    Its package, `tensorflow-serving-api`, would install a second TensorFlow
    where the installed one has another name. In the wire format, a map is a
    repeated message of key and value, and an embedded message is bytes.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="keras_gatelstm/prediction_log.proto",
        package="keras_gatelstm",
        syntax="proto3",
    )
    field = descriptor_pb2.FieldDescriptorProto
    fields: dict[str, list[tuple[str, int, int, str | None]]] = {
        "ModelSpec": [
            ("name", 1, field.TYPE_STRING, None),
            ("signature_name", 3, field.TYPE_STRING, None),
        ],
        "Input": [
            ("key", 1, field.TYPE_STRING, None),
            ("value", 2, field.TYPE_BYTES, None),
        ],
        "PredictRequest": [
            ("model_spec", 1, field.TYPE_MESSAGE, "ModelSpec"),
            ("inputs", 2, field.TYPE_MESSAGE, "Input"),
        ],
        "PredictLog": [
            ("request", 1, field.TYPE_MESSAGE, "PredictRequest"),
        ],
        "PredictionLog": [
            ("predict_log", 6, field.TYPE_MESSAGE, "PredictLog"),
        ],
    }
    for message, parts in fields.items():
        message_type = file.message_type.add(name=message)
        for name, number, kind, of in parts:
            message_type.field.add(
                name=name,
                number=number,
                type=kind,
                type_name=f".keras_gatelstm.{of}" if of else None,
                label=field.LABEL_REPEATED
                if name == "inputs"
                else field.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("keras_gatelstm.PredictionLog")
    return message_factory.GetMessageClass(descriptor)
