"""Guessing the next character of a text, as a task."""

import argparse

import keras
import numpy as np

from recipes import options
from recipes.characters import models, training
from recipes.comparing.task import Run, Task
from recipes.console import UsageError
from recipes.data import text
from recipes.data.numbers import Reading
from recipes.data.vocabulary import Vocabulary
from recipes.training import Batch


class Text(Task):
    """The model of the character recipe, with any recurrent layer."""

    score = "nats per character"

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        parts = text.load(args.dataset, args.data_dir, args.manual_dir)
        self.vocabulary = Vocabulary.of(parts.train.pieces())
        self.train, self.held_out, self.test = (
            self.vocabulary.encode(str(part)) for part in parts
        )
        data = [str(part).encode() for part in parts]
        options.check_same_data(args, data, args.dataset)
        least = args.batch_size * args.steps + 1
        shortest = min(map(len, (self.train, self.held_out, self.test)))
        if shortest < least:
            raise UsageError(
                f"{args.dataset} is too short: one of its parts has "
                f"{shortest:,} characters, and a batch of {args.batch_size} "
                f"rows by {args.steps} steps needs {least:,}; take a longer "
                "text, or a smaller --batch-size"
            )
        self.chance = ("by how common a character is", self.common())

    def common(self) -> float:
        """The score of who knows no more than how common characters are."""
        counts = 1 + np.bincount(self.train, minlength=len(self.vocabulary))
        costs = -np.log(counts / counts.sum())
        return float(costs[self.test].mean())

    def model(self, run: Run) -> keras.Model:
        return training.compiled(len(self.vocabulary), self.settings(run))

    def settings(self, run: Run) -> argparse.Namespace:
        """Those of the character recipe."""
        chosen = {"variant": run.cell, "units": run.units}
        return argparse.Namespace(**vars(self.args) | chosen)

    def batches(self, run: Run) -> Reading:
        return self.reading(self.train, run.seed)

    def validation(self, run: Run) -> Batch:
        windows = self.reading(self.held_out).batches()
        inputs, targets = map(np.stack, zip(*windows, strict=True))
        return inputs, targets

    def reading(self, numbers: np.ndarray, seed: int | None = None) -> Reading:
        """A part of the text in windows."""
        size, steps = self.args.batch_size, self.args.steps
        return Reading(numbers, size, steps, seed)

    def measure(self, model: keras.Model, run: Run) -> float:
        streams = models.streams(self.test)
        reader = models.copy_of(
            model, self.settings(run), streams, stateful=True
        )
        return float(models.nats(reader, self.test).mean())
