"""Ablation: the loss of a model without a gate, or without a unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import keras

from keras_gatelstm.inspect.gate_cells import as_gate_cell
from keras_gatelstm.inspect.gradients import check_compiled, no_gradients
from keras_gatelstm.inspect.interventions import (
    Values,
    cells_by_path,
    clamp_gates,
)
from keras_gatelstm.inspect.trace import unknown


@dataclass(frozen=True)
class Ablation:
    """The loss of a model without a part of it.

    Args:
        layer: The path of the layer.
        quantity: The quantity that was held: a gate's factor, or the output.
        unit: The unit, or `None` for all of them.
        loss: The loss without the part.
        change: The loss without the part minus the loss with it.
    """

    layer: str
    quantity: str
    unit: int | None
    loss: float
    change: float


def ablate_gates(
    model: keras.Model, inputs: object, targets: object, verbose: int = 0
) -> list[Ablation]:
    """Return the loss without each gate: its factor held at 1, wide open.

    Args:
        model: A compiled model.
        inputs: The model's inputs.
        targets: The targets of its loss.
        verbose: 1 for a progress bar. Default 0.

    Returns:
        One `Ablation` for each gate, the greatest change first.

    Raises:
        ValueError: if the model is not compiled with a loss, or has no gates.

    Example:

    >>> from keras_gatelstm.inspect.ablation import ablate_gates
    >>> model = keras.Sequential([keras.Input((9, 3)), GateLSTM(4)])
    >>> model.compile(loss="mse")
    >>> found = ablate_gates(model, np.ones((2, 9, 3)), np.ones((2, 4)))
    >>> sorted(it.quantity for it in found)
    ['forget_factor', 'ignore_factor', 'use_factor']
    """
    parts = [
        (path, network.name, None, 1.0)
        for path, cell in cells_by_path(model).items()
        for network in as_gate_cell(cell).small_networks()
        if network.name in as_gate_cell(cell).anatomy.factors
    ]
    return _measure_ablations(model, inputs, targets, parts, verbose)


def ablate_units(
    model: keras.Model,
    inputs: object,
    targets: object,
    layer: str | None = None,
    units: Sequence[int] | None = None,
    verbose: int = 0,
) -> list[Ablation]:
    """Return the loss without each unit: its output held at 0.

    Args:
        model: A compiled model.
        inputs: The model's inputs.
        targets: The targets of its loss.
        layer: The path of the layer. Default: of every layer.
        units: The numbers of the units. Default: all.
        verbose: 1 for a progress bar. Default 0.

    Returns:
        One `Ablation` for each unit, the greatest change first.

    Raises:
        ValueError: as `ablate_gates`; if there is no such layer or unit.
    """
    cells = cells_by_path(model)
    if layer is not None and layer not in cells:
        raise ValueError(unknown("layer", layer, cells, model.name))
    parts = []
    for path in cells if layer is None else [layer]:
        gates = as_gate_cell(cells[path])
        for unit in range(gates.units) if units is None else units:
            parts.append((path, gates.anatomy.memories[0], unit, {unit: 0.0}))
    return _measure_ablations(model, inputs, targets, parts, verbose)


def _measure_ablations(
    model: keras.Model,
    inputs: object,
    targets: object,
    parts: Iterable[tuple[str, str, int | None, Values]],
    verbose: int,
) -> list[Ablation]:
    check_compiled(model)
    parts = list(parts)
    whole = _compute_loss(model, inputs, targets)
    progress = keras.utils.Progbar(len(parts), verbose=verbose)
    found = []
    for path, quantity, unit, value in parts:
        with clamp_gates(model, {f"{path}/{quantity}": value}):
            loss = _compute_loss(model, inputs, targets)
        found.append(Ablation(path, quantity, unit, loss, loss - whole))
        progress.add(1)
    return sorted(found, key=lambda it: -it.change)


def _compute_loss(model: keras.Model, inputs: object, targets: object) -> float:
    """Compute the loss uncompiled: compiling takes seconds per part."""
    with no_gradients():
        outputs = model(inputs, training=False)
        loss = model.compute_loss(x=inputs, y=targets, y_pred=outputs)
    return float(keras.ops.convert_to_numpy(loss))
