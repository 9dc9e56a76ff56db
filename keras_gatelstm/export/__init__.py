"""Export to TensorFlow Serving and LiteRT. Requires TensorFlow."""

from keras_gatelstm.export.litert.check import Report
from keras_gatelstm.export.litert.export import ExportError, export_litert
from keras_gatelstm.export.litert.file import LiteRTFile, run_litert
from keras_gatelstm.export.serving.saved_model import (
    SavedModel,
    export_saved_model,
    next_version,
)
from keras_gatelstm.export.serving.scaling import Scaling

__all__ = [
    "ExportError",
    "LiteRTFile",
    "Report",
    "SavedModel",
    "Scaling",
    "export_litert",
    "export_saved_model",
    "next_version",
    "run_litert",
]
