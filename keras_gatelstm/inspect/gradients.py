"""Gradients of a model's loss, alike on Keras's three backends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell
from keras_gatelstm.inspect.interventions import cells_by_path


def weight_gradients(
    model: keras.Model, inputs: Any, targets: Any
) -> list[np.ndarray]:
    """The gradient of a compiled model's loss, for each trainable weight.

    Args:
        model: A compiled model.
        inputs: What it is called with.
        targets: What its loss compares the outputs to.

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
    loss_of: Callable[[list[Tensor]], Tensor], tensors: list[Tensor]
) -> list[np.ndarray]:
    """The gradient of a number by each of the tensors it is made of.

    Args:
        loss_of: Gives the number, on any of Keras's backends.
        tensors: What it is given.
    """
    found = _GRADIENTS[keras.backend.backend()](loss_of, tensors)
    return [np.asarray(ops.convert_to_numpy(gradient)) for gradient in found]


def stateless_loss(
    model: keras.Model,
    inputs: Any,
    targets: Any,
    weights: list[Tensor] | None = None,
    sample_weight: Any = None,
) -> Tensor:
    """A compiled model's loss; nothing in the model changes.

    Args:
        model: The model.
        inputs: What it is called with.
        targets: What its loss compares the outputs to.
        weights: In the place of its trainable ones. Default: those.
        sample_weight: As in Keras. Default: all alike.
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
    model: keras.Model, inputs: Any, targets: Any
) -> dict[str, float]:
    """The norm of the gradient of the loss, for each gate.

    ```
    norm = sqrt(sum of the squares of dLoss/dw, over the gate's weights w)
    ```

    Args:
        model: A compiled model, with layers of ours or of Keras.
        inputs: What it is called with.
        targets: What its loss compares the outputs to.

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
        for gate, gradient in _by_gate(cell, by_weight):
            key = f"{path}/{gate}"
            squares[key] = squares.get(key, 0.0) + float(np.sum(gradient**2))
    return {key: square**0.5 for key, square in squares.items()}


def _by_gate(
    cell: Any, gradients: dict[int, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """The name of a gate and a gradient of it, for all of a cell's weights."""
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
    """Refuses a model without a loss."""
    if not getattr(model, "compiled", False) or model.loss is None:
        raise ValueError(
            f"{model.name} has no loss: call model.compile(loss=...) first."
        )


def prepare(model: keras.Model, inputs: Any) -> None:
    """Refuses a model without a loss, and builds one that is not built."""
    check_compiled(model)
    if not model.built:
        with no_gradients():
            model(ops.convert_to_tensor(inputs), training=False)


@contextmanager
def no_gradients() -> Iterator[None]:
    """Does without gradients, where the backend notes them all the time."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    with torch.no_grad():
        yield


def _tensorflow(loss_of: Any, tensors: list[Tensor]) -> list[Tensor]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = loss_of(tensors)
    nothing = tf.UnconnectedGradients.ZERO
    found = tape.gradient(loss, tensors, unconnected_gradients=nothing)
    # Those of embeddings come as rows and their places.
    return [tf.convert_to_tensor(it) for it in found]


def _jax(loss_of: Any, tensors: list[Tensor]) -> list[Tensor]:
    import jax

    return list(jax.grad(loss_of)(tensors))


def _torch(loss_of: Any, tensors: list[Tensor]) -> list[Tensor]:
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
