"""Gates in a streaming file: quantities as outputs, and inputs to hold them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.loops import layers_by_path
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.errors import FormError
from keras_gatelstm.export.memories import named_cells
from keras_gatelstm.inspect.holding import (
    Hold,
    hold_quantity,
    holdable,
    record_step,
)

HOLD = "hold_"


def gate_cells(model: keras.Model) -> dict[str, GateCell]:
    """Return the cells with gates, by the first part of their names in a file.

    Raises:
        FormError: if there are none.
    """
    found = {
        name: cell
        for layer in layers_by_path(model).values()
        for name, cell in named_cells(layer).items()
        if isinstance(cell, GateCell)
    }
    if not found:
        raise FormError(f"{model.name} has no recurrent layer with gates")
    return found


def hold_inputs(model: keras.Model) -> dict[str, int]:
    """Return the size of each input that holds a quantity, by name."""
    return {
        f"{HOLD}{name}_{quantity}": cell.units
        for name, cell in gate_cells(model).items()
        for quantity in holdable(cell)
    }


@contextmanager
def with_gates(
    model: keras.Model, holds: dict[str, Tensor]
) -> Iterator[dict[str, Tensor]]:
    """Hold and record quantities of a model that runs inside the block.

    Args:
        model: A model that `prepare` returned.
        holds: A value for each of `hold_inputs`, `(batch, units)`: NaN for the
            units to leave alone.

    Returns:
        Every quantity of the last step, by `<layer>_<quantity>`, when the
        model has run.
    """
    recorded: dict[str, Tensor] = {}
    with ExitStack() as stack:
        for name, cell in gate_cells(model).items():
            for quantity in holdable(cell):
                hold = _hold_where_given(holds[f"{HOLD}{name}_{quantity}"])
                stack.enter_context(hold_quantity(cell, quantity, hold))

            def record(quantities: dict[str, Tensor], name: str = name) -> None:
                recorded.update(
                    (f"{name}_{quantity}", value)
                    for quantity, value in quantities.items()
                )

            stack.enter_context(record_step(cell, record))
        yield recorded


def nothing_held(sizes: dict[str, int], rows: int) -> dict[str, np.ndarray]:
    """Return the value of each input that holds nothing."""
    return {
        name: np.full((rows, size), np.nan, np.float32)
        for name, size in sizes.items()
    }


def _hold_where_given(value: Tensor) -> Hold:
    return lambda tensor: tf.where(tf.math.is_nan(value), tensor, value)
