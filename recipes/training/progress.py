"""Progress of a training, on a terminal."""

from collections.abc import Callable

import keras
import numpy as np
from tqdm.auto import tqdm

from recipes.training.board import Progress
from recipes.training.budget import Budget, Logs

# Number of batches in the running mean of the loss.
SHOWN = 50


class Bar:
    """Progress bar of a training, with its losses."""

    def __init__(self) -> None:
        self._bar = tqdm(
            total=100,
            desc="training",
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}",
        )

    def show(self, progress: Progress) -> None:
        """Update the bar and the losses."""
        shown = {name: f"{loss:.3f}" for name, loss in progress.losses.items()}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(100 * progress.spent - self._bar.n)

    def close(self) -> None:
        """End the bar's line."""
        self._bar.close()


class ShowProgress(keras.callbacks.Callback):
    """Callback that shows the spent share of the budget and the losses.

    Args:
        budget: Budget of the training; it must come before this callback.
        show: Function that shows the progress.
    """

    def __init__(
        self, budget: Budget, show: Callable[[Progress], None]
    ) -> None:
        super().__init__()
        self.budget = budget
        self.show = show

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float(np.mean(self.budget.history.losses[-SHOWN:]))
        self.show(Progress(self.budget.spent(), {"loss": loss}))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.show(Progress(self.budget.spent(), dict(logs or {})))
