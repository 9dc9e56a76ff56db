"""Conversion of models from and to Keras and PyTorch."""

from keras_gatelstm.convert.from_torch import from_torch
from keras_gatelstm.convert.keras_models import from_keras, to_keras
from keras_gatelstm.convert.to_torch import to_torch

__all__ = ["from_keras", "from_torch", "to_keras", "to_torch"]
