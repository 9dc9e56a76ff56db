"""Gate statistics during training, for TensorBoard."""

from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np

from keras_gatelstm import statistics
from keras_gatelstm.inspect import record_gates
from keras_gatelstm.inspect.gradients import gradient_norms

Logs = dict[str, float] | None


class GateStatistics(keras.callbacks.Callback):
    """Callback that writes statistics of gates, epoch by epoch.

    For each layer with gates, of this package or of Keras, these scalars are
    computed on a fixed batch and written at the end of an epoch:

    ```
    gates/<layer>/<factor>/open      share of steps and units above 0.9
    gates/<layer>/<factor>/shut      share of steps and units below 0.1
    gates/<layer>/half_life          median of the units', in steps
    gates/<layer>/<gate>/gradient_norm    where targets are given
    ```

    and histograms of every factor, and of the half-lives.
    `callback.history` has the scalars too: lists by the same names.

    Args:
        inputs: A batch of the model's inputs; 32 sequences are enough. For a
            stateful model, the model's own batch size.
        targets: `None`, or the batch's targets, for the norms of gradients.
        log_dir: TensorBoard's log folder. Default `"logs"`; the events are
            written to `gates` in it.
        every: The number of epochs between two measurements. Default 1.

    Raises:
        ImportError: when training begins, if TensorFlow or TensorBoard,
            which write the events, is not installed.
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
        inputs: object,
        targets: object = None,
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

    def on_train_begin(self, logs: Logs = None) -> None:
        self._writer = _import_summary().create_file_writer(
            str(self.log_dir / "gates")
        )

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if (epoch + 1) % self.every:
            return
        scalars, histograms = self._measure()
        summary = _import_summary()
        with self._writer.as_default():
            for name, value in scalars.items():
                summary.scalar(name, value, step=epoch)
            for name, values in histograms.items():
                summary.histogram(name, values, step=epoch)
        self._writer.flush()
        for name, value in scalars.items():
            self.history.setdefault(name, []).append(value)

    def on_train_end(self, logs: Logs = None) -> None:
        self._writer.close()

    def _measure(self) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Return the scalars and the histograms of the current model."""
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


def _import_summary() -> ModuleType:
    try:
        # TensorFlow needs it to write, but does not install it.
        import tensorboard  # noqa: F401
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "GateStatistics writes its events with TensorFlow and "
            "TensorBoard: pip install tensorflow tensorboard"
        ) from error
    return tf.summary
