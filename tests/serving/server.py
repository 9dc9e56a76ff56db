"""A stand-in for TensorFlow Serving, on loopback, for tests.

    python tests/serving/server.py

reads requests from its standard input and answers each, a line of JSON each:

- `{"base_path": ..., "name": ..., "strict": false}` serves the versions of a
  model by gRPC and by REST; the answer has the two ports, or an `error`.
- `{"stop": PORT}` ends what is served by gRPC at that port.

What is `strict` also refuses what TensorFlow Serving itself refuses although
the signature would let it pass: by REST, requests that leave an input to its
default. An unknown signature is then FAILED_PRECONDITION, and 400 by REST.
"""

import sys

if __name__ == "__main__":
    # A served model must need neither: importing them is an error now.
    sys.modules["keras"] = sys.modules["keras_gatelstm"] = None

import json
import threading
from concurrent import futures

import grpc
import rest
from models import INVALID_ARGUMENT, LoadError, Models, Refusal
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    prediction_service_pb2_grpc,
)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """TensorFlow Serving's gRPC, as far as models that predict need it."""

    def __init__(self, models):
        self.models = models

    def Predict(self, request, context):  # noqa: N802
        return answer(self.predict, request, context)

    def GetModelMetadata(self, request, context):  # noqa: N802
        return answer(self.metadata, request, context)

    def predict(self, request):
        return self.models.find(request.model_spec).predict(request)

    def metadata(self, request):
        if list(request.metadata_field) != ["signature_def"]:
            raise Refusal(
                INVALID_ARGUMENT,
                'metadata_field must be "signature_def". '
                f"Received: {', '.join(request.metadata_field)}",
            )
        model = self.models.find(request.model_spec)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        model.named(response.model_spec)
        response.metadata["signature_def"].Pack(
            get_model_metadata_pb2.SignatureDefMap(
                signature_def=model.signatures
            )
        )
        return response


def answer(method, request, context):
    try:
        return method(request)
    except Refusal as error:
        context.abort(error.code, str(error))


def start_grpc(models):
    """Serve on a free port of loopback; gives the server and the port."""
    server = grpc.server(
        futures.ThreadPoolExecutor(2),
        options=[("grpc.max_receive_message_length", -1)],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class Served:
    """A model by gRPC and by REST, until it is stopped."""

    def __init__(self, base_path, name, strict):
        models = Models.load(base_path, name, strict)
        self.by_grpc, grpc_port = start_grpc(models)
        self.by_rest = rest.start(models)
        self.ports = {"grpc": grpc_port, "rest": self.by_rest.server_port}
        threading.Thread(target=self.by_rest.serve_forever, daemon=True).start()

    def stop(self):
        self.by_grpc.stop(None).wait()
        self.by_rest.shutdown()
        self.by_rest.server_close()


def main():
    running = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "stop" in request:
                running.pop(request["stop"]).stop()
                said = {}
            else:
                served = Served(**request)
                said = served.ports
                running[served.ports["grpc"]] = served
        except LoadError as error:
            said = {"error": str(error)}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
