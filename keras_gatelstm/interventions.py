"""Holding a gate at a value, to see what it does by taking it away."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gatelstm.cell import GateCell
from keras_gatelstm.gates_of import gates_of, has_gates
from keras_gatelstm.keras_internals import layers_inside
from keras_gatelstm.loops import layers_by_path, looping, run_by_cell
from keras_gatelstm.recording import cells_of
from keras_gatelstm.trace.gate_trace import unknown
from keras_gatelstm.trace.run import forget_compiled
from keras_gatelstm.types import Tensor

Values = float | Mapping[int, float] | Sequence[float] | np.ndarray
# What no network gives, by the gate that does.
_GIVEN_BY = {
    "learned": "learn_gate",
    "kept": "forget_gate",
    "long_term_memory": "remember_gate",
    "short_term_memory": "use_gate",
    "memory": "update_gate",
}


@contextmanager
def clamp_gates(
    model: keras.layers.Layer, values: Mapping[str, Values]
) -> Iterator[None]:
    """Holds quantities of gates at values, as long as the block lasts.

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

    >>> from keras_gatelstm.interventions import clamp_gates
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
        stack.enter_context(looping(model, run_by_cell))
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
        gates = gates_of(cells[path])
        names = _names(gates)
        if quantity not in names:
            available = dict.fromkeys(names)
            raise ValueError(
                unknown("quantity to clamp", quantity, available, path)
            )
        held = _at_every_unit(value, gates.units, key)
        return cls(cells[path], quantity, _holding(held))

    @contextmanager
    def applied(self) -> Iterator[None]:
        gates = gates_of(self.cell)
        network = _network(gates, self.quantity)
        with ExitStack() as stack:
            if network is not None:
                held = _after(network.call, self.hold)
                stack.enter_context(_instead(network, "call", held))
            else:
                gate = getattr(gates, _GIVEN_BY[self.quantity])
                held = _after(gate.activity, self._in_activity)
                stack.enter_context(_instead(gate, "activity", held))
            if gates is not self.cell:
                step = _by_gates(self.cell)
                stack.enter_context(_instead(self.cell, "call", step))
            yield

    def _in_activity(self, activity: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**activity, self.quantity: self.hold(activity[self.quantity])}


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


def _network(gates: GateCell, quantity: str) -> Any:
    """The part of a cell that gives a quantity, if it is one by itself."""
    parts = layers_inside(gates, recursive=True)
    return next((it for it in parts if it.name == quantity), None)


def _names(gates: GateCell) -> list[str]:
    """The quantities of a cell that can be held."""
    of_networks = [network.name for network in gates.small_networks()]
    if _network(gates, "useful_memory") is not None:
        of_networks.append("useful_memory")
    of_gates = [
        quantity
        for quantity, gate in _GIVEN_BY.items()
        if hasattr(gates, gate) and quantity not in of_networks
    ]
    return of_networks + of_gates


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
        return gates_of(cell).call(inputs, states, training)

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
