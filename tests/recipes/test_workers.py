"""Training by several workers on Ray, of which some are killed."""

import hashlib
import os
import shutil
import signal
import sys
from dataclasses import replace
from functools import partial
from threading import Event, Thread

import keras
import numpy as np
import pytest

from recipes import char_text, time_series
from recipes.characters import models, training
from recipes.characters.settings import PRESETS, Settings
from recipes.console import UsageError
from recipes.data.numbers import encode, vocabulary_of
from recipes.data.text import Text
from recipes.training import checkpoints, on_ray
from recipes.training.budget import Budget
from recipes.training.running import run
from tests.recipes.killing import assert_same, checkpoints_written

ray = pytest.importorskip("ray")

TEXT = Text(("To be, or not to be, that is the question:\n" * 60).encode())
SMALL = {
    "units": 16,
    "embedding": 8,
    "batch_size": 8,
    "steps": 4,
    "minutes": None,
    "epochs": 3,
    "variant": "lesson",
    "averaging": 0.9,
}
# Batches of an epoch of that text.
EPOCH = 79
SAMPLED = 40


def train_and_note(parts, vocabulary, settings, folder, strategy):
    """Trains, with a checkpoint each batch, and notes weights and a sample."""
    (folder / f"pid{strategy.rank}").write_text(str(os.getpid()))
    with checkpoints_written():
        model, history = training.train_process(
            parts, vocabulary, settings, folder, strategy
        )
    found = hashlib.sha256()
    for weight in model.weights:
        found.update(np.asarray(weight).tobytes())
    (folder / f"rank{strategy.rank}").write_text(found.hexdigest())
    sample = models.sample(model, vocabulary, settings, SAMPLED)
    (folder / f"sample{strategy.rank}").write_text(sample)
    dropped = train_by_dropout()
    if strategy.rank == 0:
        np.save(folder / "dropped.npy", dropped)
    return model, history


def train_by_dropout():
    """Trains a weight for each of many ones, of which half are dropped."""
    model = keras.Sequential(
        [
            keras.Input((1000,), 1),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros"),
        ]
    )
    model.compile(keras.optimizers.SGD(1.0), loss=lambda _, y: y)
    ones = np.ones((1, 1000), "float32"), np.ones((1, 1), "float32")

    from recipes.training.data_parallel import DataParallel

    budget = Budget(1.0, None, 1)
    DataParallel(lambda _: False).train_on_batch(model, ones, budget.clock)
    (weights,) = model.get_weights()
    return weights


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Trains by so many workers, with checkpoints in a folder."""
    settings = Settings(**(PRESETS["quick"] | SMALL))
    vocabulary = vocabulary_of(TEXT)
    base = tmp_path_factory.mktemp("trainings")
    parts = [encode(TEXT, vocabulary, base / "numbers")] * 2

    def train(name, workers, **changed):
        folder = base / name
        folder.mkdir(exist_ok=True)
        changed = replace(settings, workers=workers, **changed)
        if workers is None:
            return training.train(parts, vocabulary, changed, folder)
        return run(
            partial(train_and_note, parts, vocabulary, changed, folder),
            partial(training.compiled, len(vocabulary), changed, 8),
            changed,
            folder,
        )

    train.base = base
    train.vocabulary = vocabulary
    train.settings = settings
    return train


@pytest.fixture(scope="module")
def whole(train):
    """The training by one worker, of more than 200 batches."""
    model, history = train("whole", 1)
    assert len(history.losses) == 3 * EPOCH
    return model, history


@pytest.fixture(scope="module")
def killed(train):
    """The training by two workers, of which the first is killed.

    That is the one which writes, reports and coordinates. A copy of the
    checkpoint that it goes on from is in the folder "changed".
    """
    folder = train.base / "killed"
    ended = Event()

    def kill():
        while not checkpoints.exist(folder):
            if ended.wait(0.01):
                return
        os.kill(int((folder / "pid0").read_text()), signal.SIGKILL)
        shutil.copytree(folder, train.base / "changed")

    Thread(target=kill, daemon=True).start()
    try:
        return train("killed", 2)
    finally:
        ended.set()


def test_two_workers_train_as_one(killed, whole):
    """The losses of one, and of a training in one go."""
    assert_same(killed, whole)


def test_the_workers_have_the_same_weights(train, killed):
    told = [path.read_text() for path in (train.base / "killed").glob("rank*")]
    assert len(told) == 2
    assert len(set(told)) == 1


def test_a_sample_on_jax_remembers(train, whole):
    """The logs of a training hold such samples."""
    text = (train.base / "whole" / "sample0").read_text()
    assert text == models.sample(
        whole[0], train.vocabulary, train.settings, SAMPLED
    )


def test_the_number_of_workers_may_change(train, killed, whole):
    """From two to none, and so from JAX to TensorFlow."""
    done = len(checkpoints.load(train.base / "changed").facts["losses"])
    _, history = train("changed", None)
    losses = whole[1].losses
    assert 0 < done < len(losses) == len(history.losses)
    np.testing.assert_allclose(
        history.losses[: done + 1], losses[: done + 1], rtol=1e-5
    )
    # Adam makes large steps of the smallest differences.
    np.testing.assert_allclose(history.losses[-20:], losses[-20:], rtol=0.1)


def test_each_worker_has_its_own_dropout(train, killed):
    weights = np.load(train.base / "killed" / "dropped.npy")
    # Of ones, what is kept is doubled; of both workers the mean is taken.
    kept, count = np.unique(-weights, return_counts=True)
    np.testing.assert_array_equal(kept, [0, 1, 2])
    np.testing.assert_allclose(count, [250, 500, 250], atol=100)


@pytest.mark.parametrize("recipe", [char_text, time_series])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--workers", "3"], "--batch-size 64 must be a multiple of --wor"),
        (["--address", "auto"], "--address is for --workers: say how many"),
        (["--workers", "0"], "--workers: expected a whole number above zero"),
    ],
)
def test_mistakes(recipe, given, message, tmp_path):
    given = ["--batch-size", "64", "--output", str(tmp_path / "out"), *given]
    with pytest.raises(UsageError, match=message):
        recipe.main(given)


def test_without_ray(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    settings = Settings(**(PRESETS["quick"] | SMALL), workers=2)
    with pytest.raises(UsageError, match=r"ray is not installed: pip install"):
        on_ray.train(print, settings, tmp_path)


def test_without_a_cluster(tmp_path):
    settings = Settings(**(PRESETS["quick"] | SMALL), workers=2)
    settings.address = "127.0.0.1:1"
    with pytest.raises(UsageError, match=r"no Ray cluster can be joined"):
        on_ray.train(print, settings, tmp_path)
