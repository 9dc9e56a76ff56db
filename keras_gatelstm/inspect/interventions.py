"""Interventions: gates held at fixed values while a model runs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from numbers import Integral
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.loops import (
    layers_by_path,
    override_time_loop,
    run_by_cell,
)
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell, has_gates
from keras_gatelstm.inspect.holding import Hold, hold_quantity, holdable
from keras_gatelstm.inspect.recorder import forget_compiled
from keras_gatelstm.inspect.recording import cells_of
from keras_gatelstm.inspect.trace import unknown, unknown_key

Values = float | Mapping[int, float] | Sequence[float] | np.ndarray


@contextmanager
def clamp_gates(
    model: keras.layers.Layer, values: Mapping[str, Values]
) -> Iterator[None]:
    """Hold quantities of gates at fixed values inside the block.

    ```
    with clamp_gates(model, {"gate_lstm/forget_factor": 1.0}):
        model.predict(inputs)  # A model that never forgets.
    ```

    Everything that is computed from a quantity uses the held value. Works on
    this package's layers and on Keras's LSTM, GRU and SimpleRNN, in
    `predict`, `evaluate`, `fit`, plain calls and `record_gates`; clamps can be
    nested. The model is restored at the end, also after an error.

    Args:
        model: The model or layer; for `predict` and `evaluate`, the model
            that they are called on.
        values: The values to hold, by quantity. The names are those of a
            `GateTrace`: `layer/quantity`, or with a single layer, the
            quantity alone. A value is a number for all units, a dictionary
            of numbers by unit, or `(units,)` numbers, with NaN for the units
            to leave alone.

    Raises:
        TypeError: if `model` is no Keras layer, or `values` no dictionary.
        ValueError: if there is no such layer, quantity or unit, if a value is
            no number, or the number of values is not the number of units.

    Example:

    >>> from keras_gatelstm.inspect.interventions import clamp_gates
    >>> model = keras.Sequential([keras.Input((5, 3)), GateLSTM(4)])
    >>> with clamp_gates(model, {"use_factor": 0}):
    ...     print(abs(model.predict_on_batch(np.ones((1, 5, 3)))))
    [[0. 0. 0. 0.]]
    """
    _check_arguments(model, values)
    if not values:
        yield
        return
    with ExitStack() as stack:
        for clamp in [_read_clamp(model, *item) for item in values.items()]:
            stack.enter_context(hold_quantity(*clamp))
        _discard_compiled(model)
        stack.callback(_discard_compiled, model)
        stack.enter_context(override_time_loop(model, run_by_cell))
        yield


def _check_arguments(model: object, values: object) -> None:
    if not isinstance(model, keras.layers.Layer):
        raise TypeError(
            "model must be a Keras model or layer. "
            f"Received: {model!r} (of type {type(model).__name__})"
        )
    if not isinstance(values, Mapping):
        raise TypeError(
            "values must be a dictionary of values by quantity, such as "
            '{"forget_factor": 1.0}. '
            f"Received: {values!r} (of type {type(values).__name__})"
        )
    for key in values:
        if not isinstance(key, str):
            raise TypeError(
                "values must have names of quantities as keys. "
                f"Received: {key!r} (of type {type(key).__name__})"
            )


class _Clamp(NamedTuple):
    """A quantity of a cell to hold at fixed values."""

    cell: keras.layers.Layer
    quantity: str
    hold: Hold


def _read_clamp(model: keras.layers.Layer, key: str, value: Values) -> _Clamp:
    cells = cells_by_path(model)
    path, _, quantity = key.rpartition("/")
    if not path and len(cells) == 1:
        path = next(iter(cells))
    if path not in cells:
        gates_of = {it: as_gate_cell(cell) for it, cell in cells.items()}
        available = {it: holdable(gates) for it, gates in gates_of.items()}
        raise ValueError(unknown_key(key, available, model.name))
    gates = as_gate_cell(cells[path])
    if quantity not in holdable(gates):
        raise ValueError(
            unknown("quantity to clamp", quantity, holdable(gates), path)
        )
    held = _values_per_unit(value, gates.units, key)
    return _Clamp(cells[path], quantity, _make_hold(held))


def cells_by_path(model: keras.layers.Layer) -> dict[str, keras.layers.Layer]:
    """Return the cells with gates in a model, by their path in a trace."""
    cells: dict[str, keras.layers.Layer] = {}
    for path, layer in layers_by_path(model).items():
        its_cells = cells_of(layer)
        for cell in filter(has_gates, its_cells):
            stacked = len(its_cells) > 1
            cells[f"{path}/{cell.name}" if stacked else path] = cell
    for path, cell in cells.items():
        if not cell.built:
            raise ValueError(
                f"{path} has no weights yet: call the model once, or build it."
            )
    return cells


def _values_per_unit(value: Values, units: int, key: str) -> np.ndarray:
    """Return the value of each unit, `(units,)`; NaN to leave it alone."""
    if isinstance(value, Mapping):
        numbers = np.full(units, np.nan, "float32")
        for unit, number in value.items():
            if not isinstance(unit, Integral) or not 0 <= unit < units:
                raise ValueError(
                    f"The units of {key} are from 0 to {units - 1}. "
                    f"Received: {unit!r}"
                )
            numbers[unit] = _as_numbers(number, key)
        return numbers
    numbers = _as_numbers(value, key)
    if numbers.shape not in ((), (units,)):
        raise ValueError(
            f"The values of {key} must be a number, or one for each of its "
            f"{units} units. Received: shape {numbers.shape}"
        )
    return np.broadcast_to(numbers, (units,))


def _as_numbers(value: object, key: str) -> np.ndarray:
    try:
        return np.asarray(value, "float32")
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"The values of {key} must be numbers. Received: {value!r}"
        ) from error


def _make_hold(values: np.ndarray) -> Hold:
    held = ~np.isnan(values)
    numbers = np.where(held, values, 0)

    def hold(tensor: Tensor) -> Tensor:
        return ops.where(held, ops.cast(numbers, tensor.dtype), tensor)

    return hold


def _discard_compiled(model: keras.layers.Layer) -> None:
    """Discard the compiled functions, so that changed gates take effect."""
    forget_compiled(model)
    if isinstance(model, keras.Model):
        model.train_function = None
        model.test_function = None
        model.predict_function = None
