"""The trainings of a comparison, one after the other."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from tqdm.auto import tqdm

from recipes import checkpoints, options, resuming
from recipes.checkpoints import Checkpoint
from recipes.comparing.task import Run, Task
from recipes.console import UsageError
from recipes.training import Logs, enough_memory

Row = dict[str, Any]


def planned(task: Task, args: argparse.Namespace) -> Iterator[Run]:
    """Every training, a length after the other, a seed after the other."""
    units = {cell: units_of(task, cell, args) for cell in args.cells}
    for length in task.lengths:
        for seed in args.seeds:
            for cell in args.cells:
                yield Run(cell, units[cell], length, seed)


def units_of(task: Task, cell: str, args: argparse.Namespace) -> int:
    """How many units a layer gets.

    For the same time, each gets `args.units`. For the same parameters, as many
    as come nearest to those of Keras's LSTM with `args.units`.
    """
    if args.budget == "minutes" or cell == "keras":
        return args.units

    def parameters(cell: str, units: int) -> int:
        run = Run(cell, units, task.lengths[0], seed=0)
        return task.model(run).count_params()

    asked = parameters("keras", args.units)
    # No layer has fewer than a quarter of an LSTM's, or twice as many.
    low, high = max(1, args.units // 2), 4 * args.units
    while low < high:
        middle = (low + high) // 2
        if parameters(cell, middle) < asked:
            low = middle + 1
        else:
            high = middle
    nearest = [max(1, low - 1), low]
    return min(nearest, key=lambda it: abs(parameters(cell, it) - asked))


def rows(task: Task, args: argparse.Namespace, folder: Path) -> list[Row]:
    """Trains all that is not trained yet.

    Args:
        task: What to learn.
        args: The recipe's settings.
        folder: Where the rows are kept, and gone on from.

    Returns:
        A row for each training.

    Raises:
        KeyboardInterrupt: if it is stopped.
    """
    checkpoint = checkpoints.load(folder)
    done: list[Row] = checkpoint.facts["rows"] if checkpoint else []
    if checkpoint is None:
        # What is in `folder` is of these settings from now on.
        _save(folder, args, done)
    runs = list(planned(task, args))
    for number, run in enumerate(runs, 1):
        if number <= len(done):
            continue
        length = f", {run.length} steps" * bool(run.length)
        print(
            f"{number} of {len(runs)}: {args.task}{length}, {run.cell} of "
            f"{run.units} units, seed {run.seed}"
        )
        try:
            done.append(trained(task, run, args, folder / "training"))
        except UsageError:
            if not done:
                checkpoints.remove(folder)
            raise
        print(f"   {task.score}: {done[-1]['score']:.4f}")
        _save(folder, args, done)
    return done


def _save(folder: Path, args: argparse.Namespace, done: list[Row]) -> None:
    facts = {"settings": options.kept(args), "rows": done}
    checkpoints.save(folder, Checkpoint({}, facts))


def trained(
    task: Task, run: Run, args: argparse.Namespace, folder: Path
) -> Row:
    """Trains once, and gives a row of the table."""
    keras.utils.set_random_seed(run.seed)
    with checkpoints.kept_in(folder), enough_memory():
        model = task.model(run)
        budget = resuming.train(
            model,
            task.batches(run),
            task.validation(run),
            args.batches,
            args,
            folder,
            [Solved(task.solved)],
        )
        if budget.stopped:
            raise KeyboardInterrupt
        if args.minutes and len(budget.losses) < resuming.LEAST_BATCHES:
            checkpoints.remove(folder)
            raise UsageError(
                f"--minutes {args.minutes:g} were enough for "
                f"{len(budget.losses)} batches only, too few to compare: give "
                "more --minutes"
            )
        return {
            **run._asdict(),
            "parameters": model.count_params(),
            "score": task.measure(model, run),
            "batches": len(budget.losses),
            "seconds": round(budget.seconds, 1),
        }


class Solved(keras.callbacks.Callback):
    """Ends a training when there is no more to learn.

    Args:
        loss: The validation loss at which that is so.
    """

    def __init__(self, loss: float) -> None:
        super().__init__()
        self.loss = loss

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if (logs or {})["val_loss"] < self.loss:
            self.model.stop_training = True
            tqdm.write("   solved")
