"""Forecasting a series, as a task."""

import argparse

import keras

from recipes import time_series
from recipes.comparing.task import Run, Task
from recipes.data.frames import load
from recipes.data.windows import Shuffled
from recipes.forecasting import baselines, evaluation, training
from recipes.training import Batch


class Series(Task):
    """The model of the series recipe, with any recurrent layer."""

    score = "mean absolute error, standard units"

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        frame = load(
            args.dataset,
            args.time_column,
            args.target,
            args.data_dir,
            args.manual_dir,
        )
        time_series.check_series(frame, args)
        self.parts = time_series.windows_of(frame, args)
        self.columns = len(frame.values.columns)
        naive = baselines.seasonal_naive(args.horizon, frame.season)
        self.chance = ("as a season before", self.error(naive))

    def error(self, forecast: baselines.Forecast) -> float:
        """A forecast's score."""
        rows, _ = evaluation.errors(
            {"it": forecast}, self.parts.test, self.parts.scaling.deviation
        )
        return rows["it"]["mae"]

    def model(self, run: Run) -> keras.Model:
        chosen = {"cell": run.cell, "units": run.units}
        settings = argparse.Namespace(**vars(self.args) | chosen)
        return training.compiled(settings, self.columns)

    def batches(self, run: Run) -> Shuffled:
        size = min(self.args.batch_size, len(self.parts.train))
        return Shuffled(self.parts.train, size, run.seed)

    def validation(self, run: Run) -> Batch:
        return training.batched(self.parts.validation, self.args.batch_size)

    def measure(self, model: keras.Model, run: Run) -> float:
        return self.error(model.predict_on_batch)
