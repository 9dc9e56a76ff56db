"""What TensorBoard shows of a character model while it trains."""

import argparse
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.inspect.callbacks import GateStatistics
from recipes.characters import models
from recipes.console import UsageError
from recipes.data.vocabulary import Vocabulary
from recipes.training import Logs

CHARACTERS = 300
# Batches between two points of a curve.
EVERY = 50


def logging(
    inputs: np.ndarray,
    targets: np.ndarray,
    vocabulary: Vocabulary,
    args: argparse.Namespace,
) -> list[keras.callbacks.Callback]:
    """Callbacks that log losses, learning rate, samples and gates.

    Args:
        inputs: A batch to look at the gates with.
        targets: Its targets.
        vocabulary: The model's characters.
        args: The recipe's settings; `logs` is the folder to write to.

    Raises:
        UsageError: if TensorBoard is not installed.
    """
    try:
        import tensorboard  # noqa: F401 - TensorFlow writes with it.
    except ImportError:
        raise UsageError(
            "--logs are written with TensorBoard: pip install tensorboard"
        ) from None
    return [
        keras.callbacks.TensorBoard(args.logs, write_graph=False),
        Progress(vocabulary, args),
        GateStatistics(inputs, targets, args.logs),
    ]


class Progress(keras.callbacks.Callback):
    """Writes loss and learning rate on the way, and text after each epoch."""

    def __init__(
        self, vocabulary: Vocabulary, args: argparse.Namespace
    ) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.args = args
        self.writer = tf.summary.create_file_writer(
            str(Path(args.logs) / "progress")
        )

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        # How many batches there were, those before a --resume too.
        step = int(self.model.optimizer.iterations)
        if step % EVERY == 0:
            with self.writer.as_default(step):
                rate = self.model.optimizer.learning_rate
                tf.summary.scalar("loss", (logs or {})["loss"])
                tf.summary.scalar("learning_rate", rate)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        text = models.sample(self.model, self.vocabulary, self.args, CHARACTERS)
        with self.writer.as_default():
            # Indented, TensorBoard's Markdown keeps its lines.
            lines = "\n".join(f"    {line}" for line in text.splitlines())
            tf.summary.text("sample", lines, step=epoch)
        self.writer.flush()
