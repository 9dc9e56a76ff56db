"""A training that is killed at any moment, and gone on with."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from recipes.characters import settings, training
from recipes.data.numbers import encode, vocabulary_of
from recipes.data.text import Text
from recipes.resuming import Resumable

ROOT = Path(__file__).parents[2]
TEXT = Text(("To be, or not to be, that is the question:\n" * 60).encode())
SMALL = {
    "units": 8,
    "embedding": 4,
    "batch_size": 4,
    "steps": 16,
    "minutes": None,
    "epochs": 3,
    # All that is random, and all that is carried along.
    "embedding_dropout": 0.1,
    "recurrent_dropout": 0.2,
    "dropout": 0.3,
    "averaging": 0.9,
    "layers": 2,
}


class KilledError(Exception):
    """As if by SIGKILL: nothing of the program's own runs after it."""


@pytest.fixture
def train(tmp_path):
    """Trains with checkpoints in a folder; killed after so many batches."""
    args = argparse.Namespace(
        **(settings.EVERY | settings.PRESETS["quick"] | SMALL)
    )
    vocabulary = vocabulary_of(TEXT)
    parts = [encode(TEXT, vocabulary, tmp_path / "numbers")] * 2

    def train(name, killed_after=None, every=0.0):
        class Every(Resumable):
            def on_train_batch_end(self, batch, logs=None):
                self.every = every
                super().on_train_batch_end(batch, logs)
                if len(self.budget.losses) == killed_after:
                    raise KilledError

        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training, "Resumable", Every)
            return training.train(parts, vocabulary, args, folder)

    return train


def assert_same_weights(one, other):
    for found, expected in zip(
        one.trainable_weights, other.trainable_weights, strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("kills", [[5], [39, 40], [41, 77, 117]])
def test_losses_are_those_of_a_training_in_one_go(train, kills):
    model, budget = train("whole")
    assert len(budget.losses) == 3 * 39
    for kill in kills:
        with pytest.raises(KilledError):
            train("killed", kill)
    resumed, found = train("killed")
    np.testing.assert_allclose(found.losses, budget.losses, rtol=1e-5)
    np.testing.assert_allclose(found.validation, budget.validation, rtol=1e-5)
    assert_same_weights(resumed, model)


def test_it_goes_on_from_a_checkpoint_that_is_some_batches_old(train):
    _, budget = train("whole")
    with pytest.raises(KilledError):
        train("killed", 20)
    with pytest.raises(KilledError):
        train("killed", 27, every=3600.0)
    _, found = train("killed")
    np.testing.assert_allclose(found.losses, budget.losses, rtol=1e-5)


def test_a_training_that_was_done_is_not_trained_on(train):
    model, budget = train("done")
    again, found = train("done")
    assert found.losses == budget.losses
    for one, other in zip(
        again.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
