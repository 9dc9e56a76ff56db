"""Hold gates at values, to see what a model does without them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

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
from keras_gatelstm.inspect.recording import cells_of, forget_compiled
from keras_gatelstm.inspect.trace import unknown

Values = float | Mapping[int, float] | Sequence[float] | np.ndarray


@contextmanager
def clamp_gates(
    model: keras.layers.Layer, values: Mapping[str, Values]
) -> Iterator[None]:
    """Hold quantities of gates at values, as long as the block lasts.

    ```
    with clamp_gates(model, {"gate_lstm/forget_factor": 1.0}):
        model.predict(inputs)  # A model that never forgets.
    ```

    Whatever comes after a quantity in the equations sees the value held.
    Works on layers of ours and on Keras's LSTM, GRU and SimpleRNN, in
    `predict`, `evaluate`, `fit`, plain calls and `record_gates`; clamps can be
    nested. At the end, and also after an error, all is as it was.

    Args:
        model: The model or layer; where `predict` or `evaluate` is to see it,
            the model that they are called on.
        values: What to hold at what. The names are those of a `GateTrace`:
            `layer/quantity`, or where there is one layer, the quantity alone.
            The values are a number for all units, a dictionary of numbers by
            unit, or `(units,)` numbers, with NaN for the units left alone.

    Raises:
        ValueError: if there is no such layer, quantity or unit, or not a
            number for each unit.

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
        _forget(model)
        stack.callback(_forget, model)
        stack.enter_context(override_time_loop(model, run_by_cell))
        yield


@dataclass(frozen=True)
class _Clamp:
    """What holds one quantity of one cell."""

    cell: Any
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
        names = _names(gates)
        if quantity not in names:
            raise ValueError(
                unknown("quantity to clamp", quantity, names, path)
            )
        held = _at_every_unit(value, gates.units, key)
        return cls(cells[path], quantity, _holding(held))

    @contextmanager
    def applied(self) -> Iterator[None]:
        gates = as_gate_cell(self.cell)
        owner, method = _names(gates)[self.quantity]
        hold = self.hold if method == "call" else self._hold_in
        held = _after(getattr(owner, method), hold)
        with ExitStack() as stack:
            stack.enter_context(_instead(owner, method, held))
            if gates is not self.cell:
                step = _by_gates(self.cell)
                stack.enter_context(_instead(self.cell, "call", step))
            yield

    def _hold_in(self, step: Any) -> Any:
        value = self.hold(getattr(step, self.quantity))
        return step._replace(**{self.quantity: value})


def cells_by_path(model: keras.layers.Layer) -> dict[str, Any]:
    """The cells with gates in a model, by their path in a `GateTrace`."""
    cells: dict[str, Any] = {}
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


def _names(gates: GateCell) -> dict[str, tuple[Any, str]]:
    """The quantities that can be held: object and method that return each.

    A layer that computes a quantity by itself returns it from `call`; a
    quantity that its gate hands on, and a memory that the cell computes
    itself, are in what `activity` returns. What comes in between in a gate
    is used there before it could be held.
    """
    names: dict[str, tuple[Any, str]] = {}
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


def _at_every_unit(value: Values, units: int, key: str) -> np.ndarray:
    """The value of each unit, `(units,)`; NaN where it is left alone."""
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


def _holding(values: np.ndarray) -> Callable[[Tensor], Tensor]:
    held = ~np.isnan(values)
    numbers = np.where(held, values, 0)

    def hold(tensor: Tensor) -> Tensor:
        return ops.where(held, ops.cast(numbers, tensor.dtype), tensor)

    return hold


def _after(
    function: Callable[..., Any], then: Callable[[Any], Any]
) -> Callable[..., Any]:
    return lambda *args, **kwargs: then(function(*args, **kwargs))


def _by_gates(cell: Any) -> Callable[..., Any]:
    """The step of a Keras cell, done by its gates."""

    def step(inputs: Tensor, states: Any, training: bool = False) -> Any:
        return as_gate_cell(cell).call(inputs, states, training)

    return step


@contextmanager
def _instead(owner: Any, name: str, function: Any) -> Iterator[None]:
    """Puts a function in the place of a method, of this object only."""
    before = vars(owner).get(name)
    # Keras would look for weights in what is set as an attribute.
    vars(owner)[name] = function
    try:
        yield
    finally:
        del vars(owner)[name]
        if before is not None:
            vars(owner)[name] = before


def _forget(model: keras.layers.Layer) -> None:
    """Has the model compiled anew: what it compiled knows of no clamp."""
    forget_compiled(model)
    if isinstance(model, keras.Model):
        model.train_function = None
        model.test_function = None
        model.predict_function = None
