"""Layers that `benchmarks.layers` times, each in the same small model.

The model is the layer, which returns all its outputs, and a Dense with as many
units as features. It trains with Adam on the mean squared error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import torch

from keras_gatelstm import GateLSTM

FEATURES = 64


@dataclass(frozen=True)
class Shape:
    """Size of a layer and of its inputs."""

    units: int
    batch: int = 64
    steps: int = 100
    both_directions: bool = False

    def sequences(self, seed: int) -> np.ndarray:
        """Return random sequences, `(batch, steps, features)`."""
        random = np.random.default_rng(seed)
        shape = self.batch, self.steps, FEATURES
        return random.normal(size=shape).astype("float32")


@dataclass(frozen=True)
class Programs:
    """Synchronous functions for a training step and a forward pass."""

    train: Callable[[], object]
    infer: Callable[[], object]


class DensePerGate(keras.layers.Layer):
    """Typical hand-written LSTM cell, with a Dense layer per gate."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.state_size = [units, units]
        self.new_values = keras.layers.Dense(units, "tanh")
        self.input_gate = keras.layers.Dense(units, "sigmoid")
        self.forget_gate = keras.layers.Dense(units, "sigmoid")
        self.output_gate = keras.layers.Dense(units, "sigmoid")

    def build(self, shape: tuple[int, int]) -> None:
        joined = shape[0], shape[1] + self.state_size[0]
        for dense in (
            self.new_values,
            self.input_gate,
            self.forget_gate,
            self.output_gate,
        ):
            dense.build(joined)

    def call(
        self, inputs: keras.KerasTensor, states: list[keras.KerasTensor]
    ) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
        short, long = states
        joined = keras.ops.concatenate([inputs, short], axis=-1)
        learned = self.input_gate(joined) * self.new_values(joined)
        long = self.forget_gate(joined) * long + learned
        short = self.output_gate(joined) * keras.ops.tanh(long)
        return short, [short, long]


def in_keras(
    layer: Callable[[int], keras.layers.Layer],
    shape: Shape,
    jit_compile: bool | str = "auto",
) -> Programs:
    """Return the programs of a Keras layer, on Keras's backend."""
    recurrent = layer(shape.units)
    if shape.both_directions:
        recurrent = keras.layers.Bidirectional(recurrent)
    model = keras.Sequential(
        [
            keras.Input((shape.steps, FEATURES)),
            recurrent,
            keras.layers.Dense(FEATURES),
        ]
    )
    model.compile("adam", "mse", jit_compile=jit_compile)
    given, wanted = shape.sequences(1), shape.sequences(2)
    return Programs(
        lambda: model.train_on_batch(given, wanted),
        lambda: model.predict_on_batch(given),
    )


def in_torch(shape: Shape) -> Programs:
    """Return the programs of `torch.nn.LSTM`, in plain PyTorch."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    lstm = torch.nn.LSTM(
        FEATURES,
        shape.units,
        batch_first=True,
        bidirectional=shape.both_directions,
    ).to(device)
    outputs = shape.units * (1 + shape.both_directions)
    dense = torch.nn.Linear(outputs, FEATURES).to(device)
    adam = torch.optim.Adam([*lstm.parameters(), *dense.parameters()])
    given, wanted = shape.sequences(1), shape.sequences(2)

    def predict() -> torch.Tensor:
        return dense(lstm(torch.from_numpy(given).to(device))[0])

    def train() -> float:
        adam.zero_grad()
        right = torch.from_numpy(wanted).to(device)
        loss = torch.nn.functional.mse_loss(predict(), right)
        loss.backward()
        adam.step()
        return loss.item()

    def infer() -> np.ndarray:
        with torch.inference_mode():
            return predict().cpu().numpy()

    return Programs(train, infer)


def products_alone(shape: Shape) -> Programs:
    """Return programs with nothing but an LSTM's matrix products.

    The products of the events are joined over all steps, and so are those of
    the weights' gradients. The products of the memories, forwards and
    backwards, are separate for each step. Each gate has its own products.
    """
    rows, all_rows = shape.batch, shape.batch * shape.steps
    units = shape.units
    of_memories = (shape.steps, (rows, units), 4, (units, units))
    forwards = [
        (1, (all_rows, FEATURES), 4, (FEATURES, units)),
        of_memories,
        (1, (all_rows, units), 1, (units, FEATURES)),
    ]
    backwards = [
        (1, (FEATURES, all_rows), 4, (all_rows, units)),
        (1, (units, all_rows), 4, (all_rows, units)),
        of_memories,
        (1, (units, all_rows), 1, (all_rows, FEATURES)),
        (1, (all_rows, FEATURES), 1, (FEATURES, units)),
    ]
    return Programs(multiplied(forwards + backwards), multiplied(forwards))


def multiplied(shapes: list[Any]) -> Callable[[], object]:
    """Return a compiled function that computes matrix products.

    Args:
        shapes: Number and shape of the left factors, then of the right ones;
            every left factor is multiplied by every right one.
    """
    matrices = [
        (
            keras.random.normal((lefts, *left)),
            keras.random.normal((rights, *right)),
        )
        for lefts, left, rights, right in shapes
    ]

    def multiply(matrices: list[Any]) -> list[Any]:
        return [
            keras.ops.matmul(left, right)
            for lefts, rights in matrices
            for left in keras.ops.unstack(lefts)
            for right in keras.ops.unstack(rights)
        ]

    multiply = compiled(multiply)
    return lambda: keras.ops.convert_to_numpy(multiply(matrices)[-1])


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function with Keras's backend; PyTorch runs it eagerly."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        return tensorflow.function(function)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


def lstm(units: int) -> keras.layers.Layer:
    return keras.layers.LSTM(units, return_sequences=True)


def lstm_cell(units: int) -> keras.layers.Layer:
    cell = keras.layers.LSTMCell(units)
    return keras.layers.RNN(cell, return_sequences=True)


def dense_per_gate(units: int) -> keras.layers.Layer:
    return keras.layers.RNN(DensePerGate(units), return_sequences=True)


def gate_lstm(variant: str, units: int) -> keras.layers.Layer:
    return GateLSTM(units, variant=variant, return_sequences=True)


STANDARD = "GateLSTM, standard"
LESSON = "GateLSTM, lesson"
KERAS = "keras.layers.LSTM"
KERAS_JIT = "keras.layers.LSTM, jit_compile=True"
TORCH = "torch.nn.LSTM"
PRODUCTS = "the matrix products alone"

BOTH_DIRECTIONS = (STANDARD, LESSON, KERAS, KERAS_JIT, TORCH)
CONTENDERS: dict[str, Callable[[Shape], Programs]] = {
    STANDARD: partial(in_keras, partial(gate_lstm, "standard")),
    LESSON: partial(in_keras, partial(gate_lstm, "lesson")),
    KERAS: partial(in_keras, lstm),
    KERAS_JIT: partial(in_keras, lstm, jit_compile=True),
    "keras.layers.RNN(LSTMCell)": partial(in_keras, lstm_cell),
    "a Dense per gate, by hand": partial(in_keras, dense_per_gate),
    TORCH: in_torch,
    PRODUCTS: products_alone,
}
