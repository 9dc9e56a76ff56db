"""The rows that each of several processes takes, beside those of one."""

import pickle

import numpy as np
import pytest

from recipes.console import UsageError
from recipes.data.numbers import Reading
from recipes.data.windows import Windows
from recipes.forecasting import training
from recipes.training.strategy import SingleProcess, own_rows
from tests.recipes import forecasters


class OneOf(SingleProcess):
    """A process of several."""

    def __init__(self, rank, processes):
        self.rank = rank
        self.processes = processes


def settings(**given):
    return forecasters.settings(lookback=8, horizon=4, period=4, **given)


def windows(count, columns=2):
    values = np.arange(float((count + 11) * columns)).reshape(-1, columns)
    return Windows(values, 0, len(values), 8, 4)


def test_rows_of_a_text():
    whole = [*Reading(np.arange(200), 6, 5, seed=3).batches()]
    shares = [
        [*Reading(np.arange(200), 6, 5, 3, own_rows(OneOf(r, 3), 6)).batches()]
        for r in range(3)
    ]
    assert len(whole) == len(shares[0])
    for number, (inputs, targets) in enumerate(whole):
        both = [share[number] for share in shares]
        np.testing.assert_array_equal(
            np.concatenate([it for it, _ in both]), inputs
        )
        np.testing.assert_array_equal(
            np.concatenate([it for _, it in both]), targets
        )


@pytest.mark.parametrize("form", ["segments", "plain"])
def test_windows_to_train_on(form):
    args = settings(form=form)
    whole = training.shuffled(windows(60), args)
    shares = [
        training.shuffled(windows(60), args, OneOf(rank, 4))
        for rank in range(4)
    ]
    assert len(whole) == len(shares[0])
    for number, (_, targets) in enumerate(whole.batches()):
        found = [next(it.batches(0, number))[1] for it in shares]
        np.testing.assert_array_equal(np.concatenate(found), targets)


@pytest.mark.parametrize("count", [1, 3, 20, 129])
@pytest.mark.parametrize("processes", [1, 2, 8, 16])
def test_windows_to_validate_on(count, processes):
    """All processes have as many; fewer than a batch are left out."""
    args = settings(form="plain")
    if count < processes:
        return
    shares = [
        training.validation(windows(count), args, OneOf(rank, processes))[1]
        for rank in range(processes)
    ]
    assert len({it.shape for it in shares}) == 1
    batches, rows = shares[0].shape[:2]
    assert 0 < rows * processes <= args.batch_size
    assert count - batches * rows * processes < max(batches, 1) * processes
    firsts = np.concatenate([it[:, :, 0, 0].ravel() for it in shares])
    assert len(set(firsts)) == len(firsts)


def test_too_few_windows_for_the_workers(tmp_path):
    args = settings(form="plain", workers=4)
    with pytest.raises(UsageError, match=r"--workers 4 share 3 windows"):
        training.train(windows(60), windows(3), args, tmp_path)


def test_windows_are_sent_as_the_series_that_they_are_of():
    """And not as many times as it is long."""
    some = windows(1000, 3)
    sent = pickle.dumps(some)
    assert len(sent) < 2 * 1011 * 3 * 8
    for found, given in zip(
        pickle.loads(sent).take(slice(3, 9)),
        some.take(slice(3, 9)),
        strict=True,
    ):
        np.testing.assert_array_equal(found, given)
