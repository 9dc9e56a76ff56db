"""What gates do while a model trains, for TensorBoard."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gatelstm import statistics
from keras_gatelstm.inspect import record_gates
from keras_gatelstm.inspect.gradients import gradient_norms


class GateStatistics(keras.callbacks.Callback):
    """Writes how open gates are, and how long they remember, epoch by epoch.

    For each layer with gates, ours or Keras's, on a batch that stays the
    same, these scalars are written at the end of an epoch:

    ```
    gates/<layer>/<factor>/open      share of steps and units above 0.9
    gates/<layer>/<factor>/shut      share of steps and units below 0.1
    gates/<layer>/half_life          median of the units', in steps
    gates/<layer>/<gate>/gradient_norm    where targets are given
    ```

    and histograms of every factor, and of the half-lives. They are in
    `callback.history` too: lists by the same names.

    Args:
        inputs: A batch to look at the gates with, as the model is called
            with; 32 sequences will do. Of as many rows as a stateful model's.
        targets: `None`, or the batch's targets, for the norms of gradients.
        log_dir: The folder that TensorBoard is shown. Default `"logs"`; the
            events go to `gates` in it.
        every: After how many epochs to look. Default 1.

    Raises:
        ImportError: when training begins, if TensorFlow and TensorBoard,
            which write the events, are not installed.
        ValueError: if `every` is not a positive integer; when training
            begins, if the model has no layer with gates.

    Example:

    >>> from keras_gatelstm.inspect.callbacks import GateStatistics
    >>> callback = GateStatistics(np.ones((2, 9, 3)), log_dir="logs")
    >>> callback.every
    1

    References:
        Karpathy, Johnson and Li, "Visualizing and Understanding Recurrent
        Networks", 2015, section 4.2: gates open and shut.
    """

    def __init__(
        self,
        inputs: Any,
        targets: Any = None,
        log_dir: str | Path = "logs",
        every: int = 1,
    ) -> None:
        super().__init__()
        if not isinstance(every, int) or every < 1:
            raise ValueError(
                f"every must be a positive integer. Received: every={every!r}"
            )
        self.inputs = inputs
        self.targets = targets
        self.log_dir = Path(log_dir)
        self.every = every
        self.history: dict[str, list[float]] = {}
        self._writer: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._writer = _summary().create_file_writer(
            str(self.log_dir / "gates")
        )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self.every:
            return
        scalars, histograms = self._looked_at()
        summary = _summary()
        with self._writer.as_default():
            for name, value in scalars.items():
                summary.scalar(name, value, step=epoch)
            for name, values in histograms.items():
                summary.histogram(name, values, step=epoch)
        self._writer.flush()
        for name, value in scalars.items():
            self.history.setdefault(name, []).append(value)

    def on_train_end(self, logs: Any = None) -> None:
        self._writer.close()

    def _looked_at(self) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """The scalars and the histograms of the model as it is."""
        scalars: dict[str, float] = {}
        histograms: dict[str, np.ndarray] = {}
        for path, layer in record_gates(self.model, self.inputs).items():
            place = f"gates/{path}"
            for name in layer.factors:
                share = statistics.saturation(layer, name)
                scalars[f"{place}/{name}/open"] = float(share.high.mean())
                scalars[f"{place}/{name}/shut"] = float(share.low.mean())
                values = layer.unmasked(name).astype("float32")
                histograms[f"{place}/{name}"] = values.reshape(-1)
            if layer.keeping_factor:
                half_lives = statistics.half_life(layer)
                scalars[f"{place}/half_life"] = float(np.median(half_lives))
                finite = half_lives[np.isfinite(half_lives)]
                histograms[f"{place}/half_lives"] = finite
        if self.targets is not None:
            norms = gradient_norms(self.model, self.inputs, self.targets)
            for gate, norm in norms.items():
                scalars[f"gates/{gate}/gradient_norm"] = norm
        return scalars, histograms


def _summary() -> Any:
    try:
        # TensorFlow writes with it, and does not bring it.
        import tensorboard  # noqa: F401
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "GateStatistics writes its events with TensorFlow and "
            "TensorBoard: pip install tensorflow tensorboard"
        ) from error
    return tf.summary
