"""Trainings of a comparison, one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from tqdm.auto import tqdm

from recipes.comparing.settings import Settings
from recipes.comparing.task import Run, Task
from recipes.console import UsageError
from recipes.memory import raise_memory_error
from recipes.training import checkpoints, resuming
from recipes.training.budget import Logs
from recipes.training.checkpoints import Checkpoint
from recipes.training.strategy import SINGLE_PROCESS

Row = dict[str, Any]


def planned_runs(task: Task, settings: Settings) -> Iterator[Run]:
    """Yield every training, ordered by length, seed and cell."""
    units = {cell: units_of(task, cell, settings) for cell in settings.cells}
    for length in task.lengths:
        for seed in settings.seeds:
            for cell in settings.cells:
                yield Run(cell, units[cell], length, seed)


def units_of(task: Task, cell: str, settings: Settings) -> int:
    """Return the number of units of a layer.

    For equal minutes, all layers have `settings.units`. For equal parameters,
    the number whose parameter count is nearest to that of Keras's LSTM with
    `settings.units`.
    """
    if settings.budget == "minutes" or cell == "keras":
        return settings.units

    def parameters(cell: str, units: int) -> int:
        run = Run(cell, units, task.lengths[0], seed=0)
        return task.model(run).count_params()

    asked = parameters("keras", settings.units)
    # Per unit, no layer has fewer than a quarter of an LSTM's parameters, or
    # more than twice as many.
    low, high = max(1, settings.units // 2), 4 * settings.units
    while low < high:
        middle = (low + high) // 2
        if parameters(cell, middle) < asked:
            low = middle + 1
        else:
            high = middle
    nearest = [max(1, low - 1), low]
    return min(nearest, key=lambda it: abs(parameters(cell, it) - asked))


def rows(task: Task, settings: Settings, folder: Path) -> list[Row]:
    """Run all trainings that are not done yet.

    Args:
        task: The task.
        settings: The recipe's settings.
        folder: Folder of the checkpoint with the finished rows.

    Returns:
        A row for each training.

    Raises:
        KeyboardInterrupt: if the comparison is stopped.
    """
    checkpoint = checkpoints.load(folder)
    done: list[Row] = checkpoint.facts["rows"] if checkpoint else []
    if checkpoint is None:
        # Ties the folder to these settings before the first training.
        _save_rows(folder, settings, done)
    runs = list(planned_runs(task, settings))
    for number, run in enumerate(runs, 1):
        if number <= len(done):
            continue
        length = f", {run.length} steps" * bool(run.length)
        print(
            f"{number} of {len(runs)}: {settings.task}{length}, {run.cell} of "
            f"{run.units} units, seed {run.seed}"
        )
        try:
            done.append(train_run(task, run, settings, folder / "training"))
        except UsageError:
            if not done:
                checkpoints.remove(folder)
            raise
        print(f"   {task.score}: {done[-1]['score']:.4f}")
        _save_rows(folder, settings, done)
    return done


def _save_rows(folder: Path, settings: Settings, done: list[Row]) -> None:
    facts = {"settings": settings.to_json(), "rows": done}
    checkpoints.save(folder, Checkpoint({}, facts))


def train_run(task: Task, run: Run, settings: Settings, folder: Path) -> Row:
    """Run one training, and return its row of the table."""
    keras.utils.set_random_seed(run.seed)
    with checkpoints.remove_when_done(folder), raise_memory_error():
        model = task.model(run)
        try:
            history = resuming.train(
                model,
                task.batches(run),
                task.validation(run),
                settings.batches,
                settings,
                folder,
                SINGLE_PROCESS,
                [Solved(task.solved)],
            )
        except resuming.DivergedError as error:
            checkpoints.remove(folder)
            raise UsageError(
                f"{error.loss} is not a finite number: compare anew, in "
                "another --output, with a smaller --learning-rate than "
                f"{settings.learning_rate:g}"
            ) from error
        if history.stopped:
            raise KeyboardInterrupt
        if settings.minutes and len(history.losses) < resuming.LEAST_BATCHES:
            checkpoints.remove(folder)
            raise UsageError(
                f"--minutes {settings.minutes:g} were enough for "
                f"{len(history.losses)} batches only, too few to compare: give "
                "more --minutes"
            )
        return {
            **run._asdict(),
            "parameters": model.count_params(),
            "score": task.measure(model, run),
            # On validation, the best: that of the weights that are scored.
            "loss": round(min(loss for _, loss in history.validation), 5),
            "batches": len(history.losses),
            "seconds": round(history.seconds, 1),
        }


class Solved(keras.callbacks.Callback):
    """Callback that ends a training once its task is solved.

    Args:
        loss: Validation loss below which the task is solved.
    """

    def __init__(self, loss: float) -> None:
        super().__init__()
        self.loss = loss

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if (logs or {})["val_loss"] < self.loss:
            self.model.stop_training = True
            tqdm.write("   solved")
