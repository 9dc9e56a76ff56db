"""Quantities of one cell, held or recorded while the cell runs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, ParamSpec, TypeVar

import keras

from keras_gatelstm.core.anatomy import by_name
from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell

Hold = Callable[[Tensor], Tensor]
Record = Callable[[dict[str, Tensor]], None]
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def holdable(gates: GateCell) -> tuple[str, ...]:
    """Return the names of the quantities that `hold_quantity` can hold.

    An intermediate quantity of a gate cannot be held: the gate uses it before
    it returns.
    """
    return tuple(_find_methods(gates))


@contextmanager
def hold_quantity(
    cell: keras.layers.Layer, quantity: str, hold: Hold
) -> Iterator[None]:
    """Replace a quantity by a function of it inside the block.

    Everything that is computed from the quantity uses the new value.

    Args:
        cell: A cell with gates, or one of Keras's.
        quantity: One of `holdable`.
        hold: The function, from `(batch, units)` to `(batch, units)`.
    """

    def hold_in_step(step: NamedTuple) -> NamedTuple:
        value = hold(getattr(step, quantity))
        return step._replace(**{quantity: value})

    gates = as_gate_cell(cell)
    owner, method = _find_methods(gates)[quantity]
    then = hold if method == "call" else hold_in_step
    with ExitStack() as stack:
        held = _call_then(getattr(owner, method), then)
        stack.enter_context(_replace_method(owner, method, held))
        if gates is not cell:
            step = _make_gate_step(cell)
            stack.enter_context(_replace_method(cell, "call", step))
        yield


@contextmanager
def record_step(gates: GateCell, record: Record) -> Iterator[None]:
    """Hand every quantity of each step to a function inside the block.

    Args:
        gates: The cell.
        record: A function of the quantities by name, `(batch, units)` each.
    """

    def record_and_return(step: tuple[Any, ...]) -> tuple[Any, ...]:
        record(by_name(step))
        return step

    recorded = _call_then(gates.activity, record_and_return)
    with _replace_method(gates, "activity", recorded):
        yield


def _find_methods(gates: GateCell) -> dict[str, tuple[keras.layers.Layer, str]]:
    """Return the layer and method that return each quantity to hold.

    A layer that computes a single quantity returns it from `call`. The output
    of a gate, and a memory that the cell computes itself, are in the result
    of `activity`.
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
