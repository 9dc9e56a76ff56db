"""Task of forecasting a series."""

from dataclasses import replace

import keras

from recipes.comparing.settings import Settings
from recipes.comparing.task import Run, Task
from recipes.data.columns import ColumnChoice
from recipes.data.frames import load
from recipes.data.windows import Batch, Shuffled
from recipes.forecasting import baselines, evaluation, models, training
from recipes.forecasting import settings as forecasting
from recipes.forecasting.parts import check_series, windows_of


class Series(Task):
    """Task of the series recipe, with any recurrent layer."""

    recipe: forecasting.Settings
    score = "mean absolute error, standard units"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.recipe = forecasting.Settings(
            dataset=settings.dataset,
            target=settings.target,
            data_dir=settings.data_dir,
            manual_dir=settings.manual_dir,
            horizon=settings.horizon,
            lookback=settings.lookback,
            output=settings.output,
            units=settings.units,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            form="segments",
            **vars(settings.file_format()),
        )
        settings.lookback = self.recipe.lookback
        settings.horizon = self.recipe.horizon
        frame = load(
            settings.dataset,
            settings,
            ColumnChoice(target=settings.target, only_target=True),
            settings.data_dir,
            settings.manual_dir,
        )
        check_series(frame, settings, settings.dataset)
        self.parts = windows_of(frame, self.recipe)
        self.recipe.complete(frame.season)
        naive = baselines.seasonal_naive(self.recipe.horizon, frame.season)
        self.chance = ("as a season before", self.error(naive))

    def error(self, forecast: baselines.Forecast) -> float:
        """Return the mean absolute error of a forecast, in standard units."""
        rows, _ = evaluation.errors(
            {"it": forecast},
            self.parts.test,
            self.parts.scalings["series"].deviation,
        )
        return rows["it"]["mae"]

    def model(self, run: Run) -> keras.Model:
        return training.compiled(self.settings_of(run), self.parts.train.layout)

    def batches(self, run: Run) -> Shuffled:
        return training.shuffled(self.parts.train, self.settings_of(run))

    def validation(self, run: Run) -> Batch:
        return training.validation(self.parts.validation, self.recipe)

    def measure(self, model: keras.Model, run: Run) -> float:
        whole = training.whole(
            model, self.settings_of(run), self.parts.train.layout
        )
        return self.error(models.forecast_of(whole))

    def settings_of(self, run: Run) -> forecasting.Settings:
        """Return the recipe's settings for a run."""
        return replace(
            self.recipe, cell=run.cell, units=run.units, seed=run.seed
        )
