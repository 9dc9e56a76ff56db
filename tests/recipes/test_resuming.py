"""A training that is killed at any moment, and gone on with."""

from dataclasses import replace

import numpy as np
import pytest

from recipes.characters import training
from recipes.characters.settings import PRESETS, Settings
from recipes.console import UsageError
from recipes.data.numbers import encode, vocabulary_of
from recipes.data.text import Text
from recipes.training import resuming
from tests.recipes.killing import (
    KilledError,
    assert_same,
    checkpoints_written,
)

TEXT = Text(("To be, or not to be, that is the question:\n" * 30).encode())
SMALL = {
    "units": 8,
    "embedding": 4,
    "batch_size": 4,
    "steps": 16,
    "minutes": None,
    "epochs": 2,
    "variant": "standard",
    # All that is random, and all that is carried along.
    "embedding_dropout": 0.1,
    "recurrent_dropout": 0.2,
    "dropout": 0.3,
    "averaging": 0.9,
}


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Trains with checkpoints in a folder; killed after so many batches."""
    settings = Settings(**(PRESETS["quick"] | SMALL))
    vocabulary = vocabulary_of(TEXT)
    base = tmp_path_factory.mktemp("trainings")
    parts = [encode(TEXT, vocabulary, base / "numbers")] * 2

    def train(name, killed_after=None, every=0.0, **changed):
        folder = base / name
        folder.mkdir(exist_ok=True)
        changed = replace(settings, **changed)
        with checkpoints_written(every, killed_after):
            return training.train(parts, vocabulary, changed, folder)

    return train


@pytest.fixture(scope="module")
def whole(train):
    """The training in one go, of two epochs of 19 batches."""
    model, history = train("whole")
    assert len(history.losses) == 2 * 19
    return model, history


@pytest.mark.parametrize(
    "kills",
    [
        # Within an epoch, and in the next from a checkpoint some batches old.
        [(5, 0.0), (30, 3600.0)],
        # At the end of an epoch: before its validation.
        pytest.param([(19, 0.0)], marks=pytest.mark.thorough),
    ],
)
def test_losses_are_those_of_a_training_in_one_go(train, whole, kills):
    folder = f"killed {len(kills)} times"
    for after, every in kills:
        with pytest.raises(KilledError):
            train(folder, after, every)
    assert_same(train(folder), whole)


def test_the_weights_are_the_mean_of_those_of_the_batches(train):
    """Which they are validated with, and kept."""
    model, history = train("averaged", epochs=1)
    assert len(history.validation) == 1
    means = [
        it for it in model.optimizer.variables if it.name.endswith("_average")
    ]
    for weight, mean in zip(model.trainable_weights, means, strict=True):
        np.testing.assert_array_equal(weight, mean)


def test_one_that_was_never_validated_keeps_its_checkpoints(train):
    """And is not taken for one that diverged."""
    with pytest.raises(KilledError):
        train("never validated", 5)
    with pytest.raises(UsageError, match=r"never validated: go on with --res"):
        train("never validated", minutes=1e-9)
    _, history = train("never validated")
    assert len(history.losses) == 2 * 19


@pytest.mark.thorough
def test_the_last_validation_is_in_the_checkpoint(train):
    """Of a training whose minutes are over within an epoch."""
    with pytest.raises(UsageError, match="2 batches were trained in --minutes"):
        train("minutes over", minutes=1e-9)
    with pytest.raises(UsageError, match="2 batches were trained in --minutes"):
        train("minutes over", minutes=1e-9)


def test_a_training_that_was_done_is_not_trained_on(train, whole):
    assert_same(train("whole"), whole)


def test_one_that_diverges_is_gone_on_with(train, whole, monkeypatch):
    """From its last checkpoint of finite weights."""

    class Breaking(resuming.Budget):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            if len(self.history.losses) == 7:
                weight = self.model.trainable_weights[0]
                weight.assign(weight * float("inf"))

    with monkeypatch.context() as patch:
        patch.setattr(resuming, "Budget", Breaking)
        with pytest.raises(
            UsageError,
            match=r"the loss of batch 8 of epoch 1 is not a finite number; "
            r".* holds the last checkpoint before it",
        ):
            train("diverged")
    assert_same(train("diverged"), whole)


def test_one_that_diverges_at_once_has_nothing_to_go_on_from(train):
    with pytest.raises(UsageError, match="no checkpoint before it: start anew"):
        train("diverged at once", learning_rate=float("inf"))
