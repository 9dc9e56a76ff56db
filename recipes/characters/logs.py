"""TensorBoard logs of a character model's training."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.inspect.callbacks import GateStatistics
from recipes.characters import models
from recipes.characters.settings import Settings
from recipes.console import UsageError
from recipes.data.vocabulary import Vocabulary
from recipes.training.budget import Logs

CHARACTERS = 300
# Batches between two points of a curve.
EVERY = 50


def logging(
    inputs: np.ndarray,
    targets: np.ndarray,
    vocabulary: Vocabulary,
    settings: Settings,
) -> list[keras.callbacks.Callback]:
    """Return callbacks that log losses, learning rate, samples and gates.

    Args:
        inputs: Batch on which the gates are recorded.
        targets: Targets of that batch.
        vocabulary: The model's characters.
        settings: The recipe's settings; `logs` is the folder to write to.

    Raises:
        UsageError: if TensorBoard is not installed.
    """
    try:
        import tensorboard  # noqa: F401 - TensorFlow needs it to write logs.
    except ImportError:
        raise UsageError(
            "--logs are written with TensorBoard: pip install tensorboard"
        ) from None
    return [
        keras.callbacks.TensorBoard(settings.logs, write_graph=False),
        Progress(vocabulary, settings),
        GateStatistics(inputs, targets, settings.logs),
    ]


class Progress(keras.callbacks.Callback):
    """Callback that logs loss, learning rate, and a sample per epoch."""

    def __init__(self, vocabulary: Vocabulary, settings: Settings) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.settings = settings
        self.writer = tf.summary.create_file_writer(
            str(Path(settings.logs) / "progress")
        )

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        # The optimizer also counts the batches before a --resume.
        step = int(self.model.optimizer.iterations)
        if step % EVERY == 0:
            with self.writer.as_default(step):
                rate = self.model.optimizer.learning_rate
                tf.summary.scalar("loss", (logs or {})["loss"])
                tf.summary.scalar("learning_rate", rate)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        text = models.sample(
            self.model, self.vocabulary, self.settings, CHARACTERS
        )
        with self.writer.as_default():
            # Indentation makes Markdown keep the line breaks.
            lines = "\n".join(f"    {line}" for line in text.splitlines())
            tf.summary.text("sample", lines, step=epoch)
        self.writer.flush()
