"""Ways out: TensorFlow Serving and LiteRT. Needs TensorFlow."""

from keras_gatelstm.export.litert import ExportError, export_litert
from keras_gatelstm.export.litert_file import LiteRTFile, run_litert
from keras_gatelstm.export.report import Report
from keras_gatelstm.export.saved_model import (
    SavedModel,
    export_saved_model,
    next_version,
)
from keras_gatelstm.export.scaling import Scaling

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
