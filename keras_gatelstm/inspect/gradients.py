"""Gradients of a model's loss, on all three backends of Keras."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell
from keras_gatelstm.inspect.interventions import cells_by_path

LossFunction = Callable[[list[Tensor]], Tensor]


def weight_gradients(
    model: keras.Model, inputs: object, targets: object
) -> list[np.ndarray]:
    """Return the gradient of a model's loss, for each trainable weight.

    Args:
        model: A compiled model.
        inputs: The model's inputs.
        targets: The targets of its loss.

    Returns:
        Arrays, in the order of `model.trainable_variables`.

    Raises:
        ValueError: if the model is not compiled with a loss.
    """
    prepare(model, inputs)

    def loss_of(weights: list[Tensor]) -> Tensor:
        return stateless_loss(model, inputs, targets, weights)

    weights = [weight.value for weight in model.trainable_variables]
    return gradients_of(loss_of, weights)


def gradients_of(
    loss_of: LossFunction, tensors: list[Tensor]
) -> list[np.ndarray]:
    """Return the gradient of a scalar function by each of its tensors.

    Args:
        loss_of: The function, differentiable on the current backend.
        tensors: Its argument.
    """
    found = _GRADIENTS[keras.backend.backend()](loss_of, tensors)
    return [np.asarray(ops.convert_to_numpy(gradient)) for gradient in found]


def stateless_loss(
    model: keras.Model,
    inputs: object,
    targets: object,
    weights: list[Tensor] | None = None,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """Return a compiled model's loss, without changing the model.

    Args:
        model: The model.
        inputs: The model's inputs.
        targets: The targets of its loss.
        weights: Values for its trainable weights. Default: the current ones.
        sample_weight: As in Keras. Default: all equal.
    """
    inputs, targets, sample_weight = keras.tree.map_structure(
        lambda it: None if it is None else ops.convert_to_tensor(it),
        (inputs, targets, sample_weight),
    )
    if weights is None:
        weights = [weight.value for weight in model.trainable_variables]
    fixed = [weight.value for weight in model.non_trainable_variables]
    outputs, _ = model.stateless_call(weights, fixed, inputs, training=False)
    return model.compute_loss(
        x=inputs, y=targets, y_pred=outputs, sample_weight=sample_weight
    )


def gradient_norms(
    model: keras.Model, inputs: object, targets: object
) -> dict[str, float]:
    """Return the norm of the gradient of the loss, for each gate.

    ```
    norm = sqrt(sum of the squares of dLoss/dw, over the gate's weights w)
    ```

    Args:
        model: A compiled model, with layers of this package or of Keras.
        inputs: The model's inputs.
        targets: The targets of its loss.

    Returns:
        Norms, by `layer/gate`: the gates of the lesson, `learn_gate` to
        `use_gate`; of a GRU, `reset_gate`, `candidate` and `update_gate`; of
        a plain RNN, `memory`.

    Raises:
        ValueError: if the model is not compiled with a loss.

    Example:

    >>> from keras_gatelstm.inspect.gradients import gradient_norms
    >>> model = keras.Sequential([keras.Input((9, 3)), GateLSTM(4, name="it")])
    >>> model.compile(loss="mse")
    >>> list(gradient_norms(model, np.ones((2, 9, 3)), np.ones((2, 4))))
    ['it/learn_gate', 'it/forget_gate', 'it/use_gate']
    """
    gradients = weight_gradients(model, inputs, targets)
    by_weight = {
        id(weight): gradient
        for weight, gradient in zip(
            model.trainable_variables, gradients, strict=True
        )
    }
    squares: dict[str, float] = {}
    for path, cell in cells_by_path(model).items():
        for gate, gradient in _gradients_by_gate(cell, by_weight):
            key = f"{path}/{gate}"
            squares[key] = squares.get(key, 0.0) + float(np.sum(gradient**2))
    return {key: square**0.5 for key, square in squares.items()}


def _gradients_by_gate(
    cell: keras.layers.Layer, gradients: dict[int, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the gate's name and the gradient of each of a cell's weights."""
    gates = as_gate_cell(cell)
    if gates is cell:
        for gate in gates.anatomy.gates:
            part = getattr(gates, gate, None)
            for weight in part.trainable_variables if part else []:
                yield gate, gradients[id(weight)]
        return
    networks = gates.anatomy.networks
    for weight in cell.trainable_variables:
        parts = np.split(gradients[id(weight)], len(networks), axis=-1)
        for network, part in zip(networks, parts, strict=True):
            yield gates.anatomy[network].gate, part


def check_compiled(model: keras.Model) -> None:
    """Raise if a model has no loss."""
    if not getattr(model, "compiled", False) or model.loss is None:
        raise ValueError(
            f"{model.name} has no loss: call model.compile(loss=...) first."
        )


def prepare(model: keras.Model, inputs: object) -> None:
    """Raise if a model has no loss, and build it if necessary."""
    check_compiled(model)
    if not model.built:
        with no_gradients():
            tensors = keras.tree.map_structure(ops.convert_to_tensor, inputs)
            model(tensors, training=False)


@contextmanager
def no_gradients() -> Iterator[None]:
    """Disable gradients on PyTorch, which records them by default."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    with torch.no_grad():
        yield


def _tensorflow(loss_of: LossFunction, tensors: list[Tensor]) -> list[Tensor]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = loss_of(tensors)
    nothing = tf.UnconnectedGradients.ZERO
    found = tape.gradient(loss, tensors, unconnected_gradients=nothing)
    # The gradients of embeddings are sparse: tf.IndexedSlices.
    return [tf.convert_to_tensor(it) for it in found]


def _jax(loss_of: LossFunction, tensors: list[Tensor]) -> list[Tensor]:
    import jax

    return list(jax.grad(loss_of)(tensors))


def _torch(loss_of: LossFunction, tensors: list[Tensor]) -> list[Tensor]:
    import torch

    leaves = [it.detach().clone().requires_grad_() for it in tensors]
    found = torch.autograd.grad(loss_of(leaves), leaves, allow_unused=True)
    return [
        torch.zeros_like(leaf) if it is None else it.detach()
        for leaf, it in zip(leaves, found, strict=True)
    ]


_GRADIENTS: dict[str, Callable[..., list[Tensor]]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
