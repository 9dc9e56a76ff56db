"""Keras's own test case for layers: private, so named here alone."""

from keras.src.testing import TestCase as LayerChecks

__all__ = ["LayerChecks"]
