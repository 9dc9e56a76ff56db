"""Interventions: gates held at fixed values while a model runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, ParamSpec, TypeVar

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.loops import (
    layers_by_path,
    override_time_loop,
    run_by_cell,
)
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell, has_gates
from keras_gatelstm.inspect.recorder import forget_compiled
from keras_gatelstm.inspect.recording import cells_of
from keras_gatelstm.inspect.trace import unknown

Values = float | Mapping[int, float] | Sequence[float] | np.ndarray
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


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
        ValueError: if there is no such layer, quantity or unit, or the number
            of values is not the number of units.

    Example:

    >>> from keras_gatelstm.inspect.interventions import clamp_gates
    >>> model = keras.Sequential([keras.Input((5, 3)), GateLSTM(4)])
    >>> with clamp_gates(model, {"use_factor": 0}):
    ...     print(abs(model.predict_on_batch(np.ones((1, 5, 3)))))
    [[0. 0. 0. 0.]]
    """
    with ExitStack() as stack:
        for clamp in [_Clamp.of(model, *item) for item in values.items()]:
            stack.enter_context(clamp.applied())
        _discard_compiled(model)
        stack.callback(_discard_compiled, model)
        stack.enter_context(override_time_loop(model, run_by_cell))
        yield


@dataclass(frozen=True)
class _Clamp:
    """One quantity of one cell, and the function that holds it."""

    cell: keras.layers.Layer
    quantity: str
    hold: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, model: keras.layers.Layer, key: str, value: Values) -> "_Clamp":
        cells = cells_by_path(model)
        path, _, quantity = key.rpartition("/")
        if not path and len(cells) == 1:
            path = next(iter(cells))
        if path not in cells:
            raise ValueError(unknown("layer", path or key, cells, model.name))
        gates = as_gate_cell(cells[path])
        names = _find_methods(gates)
        if quantity not in names:
            raise ValueError(
                unknown("quantity to clamp", quantity, names, path)
            )
        held = _values_per_unit(value, gates.units, key)
        return cls(cells[path], quantity, _make_hold(held))

    @contextmanager
    def applied(self) -> Iterator[None]:
        gates = as_gate_cell(self.cell)
        owner, method = _find_methods(gates)[self.quantity]
        hold = self.hold if method == "call" else self._hold_in_step
        held = _call_then(getattr(owner, method), hold)
        with ExitStack() as stack:
            stack.enter_context(_replace_method(owner, method, held))
            if gates is not self.cell:
                step = _make_gate_step(self.cell)
                stack.enter_context(_replace_method(self.cell, "call", step))
            yield

    def _hold_in_step(self, step: NamedTuple) -> NamedTuple:
        value = self.hold(getattr(step, self.quantity))
        return step._replace(**{self.quantity: value})


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


def _find_methods(gates: GateCell) -> dict[str, tuple[keras.layers.Layer, str]]:
    """Return the layer and method that return each quantity to hold.

    A layer that computes a single quantity returns it from `call`. The output
    of a gate, and a memory that the cell computes itself, are in the result
    of `activity`. An intermediate quantity of a gate cannot be held: the gate
    uses it before it returns.
    """
    names: dict[str, tuple[keras.layers.Layer, str]] = {}
    for quantity in gates.anatomy.quantities:
        layer = gates.sublayer(quantity.name)
        gate = getattr(gates, quantity.gate, None)
        if layer is not None:
            names[quantity.name] = (layer, "call")
        elif hasattr(gate, "activity"):
            if quantity.name == gates.anatomy.handed_on(quantity.gate):
                names[quantity.name] = (gate, "activity")
        elif quantity.kind == "memory":
            names[quantity.name] = (gates, "activity")
    return names


def _values_per_unit(value: Values, units: int, key: str) -> np.ndarray:
    """Return the value of each unit, `(units,)`; NaN to leave it alone."""
    if isinstance(value, Mapping):
        numbers = np.full(units, np.nan, "float32")
        for unit, number in value.items():
            if not 0 <= unit < units:
                raise ValueError(
                    f"The units of {key} are from 0 to {units - 1}. "
                    f"Received: {unit}"
                )
            numbers[unit] = number
        return numbers
    numbers = np.asarray(value, "float32")
    if numbers.shape not in ((), (units,)):
        raise ValueError(
            f"The values of {key} must be a number, or one for each of its "
            f"{units} units. Received: shape {numbers.shape}"
        )
    return np.broadcast_to(numbers, (units,))


def _make_hold(values: np.ndarray) -> Callable[[Tensor], Tensor]:
    held = ~np.isnan(values)
    numbers = np.where(held, values, 0)

    def hold(tensor: Tensor) -> Tensor:
        return ops.where(held, ops.cast(numbers, tensor.dtype), tensor)

    return hold


def _call_then(
    function: Callable[Arguments, Result], then: Callable[[Result], Result]
) -> Callable[Arguments, Result]:
    return lambda *args, **kwargs: then(function(*args, **kwargs))


def _make_gate_step(
    cell: keras.layers.Layer,
) -> Callable[..., tuple[Tensor, Any]]:
    """Return the step of a Keras cell, computed by its gates."""

    def step(
        inputs: Tensor, states: Any, training: bool = False
    ) -> tuple[Tensor, Any]:
        return as_gate_cell(cell).call(inputs, states, training)

    return step


@contextmanager
def _replace_method(
    owner: keras.layers.Layer, name: str, function: Callable[..., object]
) -> Iterator[None]:
    """Replace a method of this object only."""
    before = vars(owner).get(name)
    # In vars: Keras would look for weights in an attribute.
    vars(owner)[name] = function
    try:
        yield
    finally:
        del vars(owner)[name]
        if before is not None:
            vars(owner)[name] = before


def _discard_compiled(model: keras.layers.Layer) -> None:
    """Discard the compiled functions, so that changed gates take effect."""
    forget_compiled(model)
    if isinstance(model, keras.Model):
        model.train_function = None
        model.test_function = None
        model.predict_function = None
