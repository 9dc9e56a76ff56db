"""Ways out: TensorFlow Serving and LiteRT. Needs TensorFlow."""

from keras_gatelstm.export.litert import export_litert, run_litert
from keras_gatelstm.export.saved_model import (
    export_saved_model,
    next_version,
)

__all__ = [
    "export_litert",
    "export_saved_model",
    "next_version",
    "run_litert",
]
