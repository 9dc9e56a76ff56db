"""Task of predicting the next character of a text."""

from dataclasses import replace

import keras
import numpy as np

from recipes import options
from recipes.characters import models, training
from recipes.characters import settings as characters
from recipes.comparing.settings import Settings
from recipes.comparing.task import Run, Task
from recipes.console import UsageError
from recipes.data import text
from recipes.data.numbers import Reading
from recipes.data.vocabulary import Vocabulary
from recipes.data.windows import Batch

# Characters per row of a batch.
STEPS: int = characters.PRESETS["quick"]["steps"]


class Text(Task):
    """Task of the character recipe, with any recurrent layer."""

    recipe: characters.Settings
    score = "nats per character"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        preset = characters.PRESETS["quick"] | {
            "dataset": settings.dataset,
            "output": settings.output,
            "units": settings.units,
            "batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate,
            "minutes": settings.minutes,
        }
        self.recipe = characters.Settings(**preset)
        parts = text.load(
            settings.dataset, settings.data_dir, settings.manual_dir
        )
        self.vocabulary = Vocabulary.of(parts.train.pieces())
        self.train, self.held_out, self.test = (
            self.vocabulary.encode(str(part)) for part in parts
        )
        data = [str(part).encode() for part in parts]
        options.check_same_data(settings, data, settings.dataset)
        least = settings.batch_size * self.recipe.steps + 1
        shortest = min(map(len, (self.train, self.held_out, self.test)))
        if shortest < least:
            raise UsageError(
                f"{settings.dataset} is too short: one of its parts has "
                f"{shortest:,} characters, and a batch of "
                f"{settings.batch_size} rows by {self.recipe.steps} steps "
                f"needs {least:,}; take a longer text, or a smaller "
                "--batch-size"
            )
        self.chance = ("by how common a character is", self.common())

    def common(self) -> float:
        """Return the score of a unigram model, nats per character."""
        counts = 1 + np.bincount(self.train, minlength=len(self.vocabulary))
        costs = -np.log(counts / counts.sum())
        return float(costs[self.test].mean())

    def model(self, run: Run) -> keras.Model:
        return training.compiled(
            len(self.vocabulary), self.character(run), self.settings.batch_size
        )

    def character(self, run: Run) -> characters.Settings:
        """Return the character recipe's settings for a run."""
        return replace(self.recipe, variant=run.cell, units=run.units)

    def batches(self, run: Run) -> Reading:
        return self.reading(self.train, run.seed)

    def validation(self, run: Run) -> Batch:
        windows = self.reading(self.held_out).batches()
        inputs, targets = map(np.stack, zip(*windows, strict=True))
        return inputs, targets

    def reading(self, numbers: np.ndarray, seed: int | None = None) -> Reading:
        """Return a part of the text, cut into windows."""
        size, steps = self.recipe.batch_size, self.recipe.steps
        return Reading(numbers, size, steps, seed)

    def measure(self, model: keras.Model, run: Run) -> float:
        streams = models.streams(self.test)
        reader = models.copy_of(
            model, self.character(run), streams, stateful=True
        )
        return float(models.nats(reader, self.test).mean())
