"""Gradients and arrays, alike on Keras's three backends."""

import keras
import numpy as np
from keras import ops


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def arrays(tensors):
    return [array(tensor) for tensor in keras.tree.flatten(tensors)]


def gradients(layer, inputs, slope, **call):
    """d sum(outputs * slope) / d weight, for each trainable weight.

    Args:
        layer: A built layer.
        inputs: What it is called with.
        slope: What its first output is multiplied with before the sum.
        **call: Further arguments of the call.
    """

    def loss_of(outputs):
        return ops.sum(ops.multiply(keras.tree.flatten(outputs)[0], slope))

    return arrays(
        _GRADIENTS[keras.backend.backend()](layer, inputs, loss_of, call)
    )


def _tensorflow(layer, inputs, loss_of, call):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = loss_of(layer(inputs, **call))
    return tape.gradient(loss, [w.value for w in layer.trainable_variables])


def _jax(layer, inputs, loss_of, call):
    import jax

    fixed = [w.value for w in layer.non_trainable_variables]

    def loss(trainable):
        outputs, _ = layer.stateless_call(trainable, fixed, inputs, **call)
        return loss_of(outputs)

    return jax.grad(loss)([w.value for w in layer.trainable_variables])


def _torch(layer, inputs, loss_of, call):
    import torch

    loss = loss_of(layer(ops.convert_to_tensor(inputs), **call))
    trainable = [w.value for w in layer.trainable_variables]
    return [g.detach() for g in torch.autograd.grad(loss, trainable)]


_GRADIENTS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
