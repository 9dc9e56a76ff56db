"""SavedModels run by TensorFlow alone, without our layers."""

import numpy as np

from tests.child_process import ChildProcess

PROGRAM = """
import json, sys
sys.modules["keras_gatelstm"] = None  # Importing it is an error now.
import tensorflow as tf
for line in sys.stdin:
    request = json.loads(line)
    model = tf.saved_model.load(request["folder"])
    serve = model.signatures["serving_default"]
    _, specs = serve.structured_input_signature
    given = {
        name: tf.constant(value, specs[name].dtype)
        for name, value in request["inputs"].items()
    }
    found = {name: it.numpy().tolist() for name, it in serve(**given).items()}
    print(json.dumps(found), flush=True)
"""
_alone = ChildProcess("-c", PROGRAM)


def served(folder, **inputs):
    """What TensorFlow, in a process of its own, makes of the inputs."""
    given = {name: np.array(value).tolist() for name, value in inputs.items()}
    return _alone.ask(folder=str(folder), inputs=given)
