"""Trainings that are killed."""

from contextlib import contextmanager

import numpy as np
import pytest

from recipes.training import resuming


class KilledError(Exception):
    """As if by SIGKILL: nothing of the program's own runs after it."""


@contextmanager
def checkpoints_written(every=0.0, killed_after=None):
    """Trainings write checkpoints so often, and are killed after a batch."""

    class Every(resuming.Resumable):
        def on_train_batch_end(self, batch, logs=None):
            self.every = every
            super().on_train_batch_end(batch, logs)
            if len(self.budget.history.losses) == killed_after:
                raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resuming, "Resumable", Every)
        yield


def assert_same(one, other):
    """Two trainings gave the same losses and weights."""
    np.testing.assert_allclose(one[1].losses, other[1].losses, rtol=1e-5)
    np.testing.assert_allclose(
        one[1].validation, other[1].validation, rtol=1e-5
    )
    for found, expected in zip(
        one[0].trainable_weights, other[0].trainable_weights, strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-5)
