"""Windows of a series."""

import numpy as np
import pytest

from recipes.data import windows as windows_of_series
from recipes.data.windows import ColumnWindows, Shuffled, Windows

SERIES = np.stack([np.arange(30.0), -np.arange(30.0)], 1)


def test_every_window_of_a_part_is_there():
    windows = Windows(SERIES, start=10, stop=20, lookback=4, horizon=3)
    assert len(windows) == 8
    for number in range(8):
        [seen], [after] = windows.take(slice(number, number + 1))
        np.testing.assert_array_equal(seen, SERIES[6 + number : 10 + number])
        np.testing.assert_array_equal(after, SERIES[10 + number : 13 + number])


def test_a_part_without_room_for_what_is_seen_starts_later():
    windows = Windows(SERIES, start=0, stop=20, lookback=4, horizon=3)
    assert len(windows) == 14
    [seen], _ = windows.take(slice(0, 1))
    np.testing.assert_array_equal(seen, SERIES[:4])


@pytest.mark.parametrize(("stop", "count"), [(12, 0), (13, 1), (14, 2)])
def test_a_part_too_short_has_no_window(stop, count):
    assert len(Windows(SERIES, 10, stop, lookback=4, horizon=3)) == count


def test_batches_are_all_in_order(monkeypatch):
    monkeypatch.setattr(windows_of_series, "COLUMN_WINDOWS", 10)
    windows = Windows(SERIES, 0, 30, lookback=4, horizon=3)
    found = [seen for seen, _ in windows.batches()]
    assert [len(it) for it in found] == [5, 5, 5, 5, 4]
    found = np.concatenate(found)
    every = np.concatenate([seen for seen, _ in windows.batches(7)])
    np.testing.assert_array_equal(every, found[::7])
    np.testing.assert_array_equal(found[:, 0, 0], np.arange(24))


def test_windows_of_each_column_are_told_by_its_number():
    windows = ColumnWindows(Windows(SERIES, 10, 20, lookback=4, horizon=3))
    assert len(windows) == 16
    inputs, after = windows.take(np.array([0, 5]))
    np.testing.assert_array_equal(inputs["column"], [0, 1])
    np.testing.assert_array_equal(
        inputs["series"], [SERIES[6:10, 0], SERIES[8:12, 1]]
    )
    np.testing.assert_array_equal(after, [SERIES[10:13, 0], SERIES[12:15, 1]])


def test_each_epoch_has_an_order_of_its_own_and_can_be_gone_on_with():
    series = np.arange(306.0)[:, np.newaxis]
    shuffled = Shuffled(Windows(series, 0, 306, 4, 3), size=5, seed=3)
    assert len(shuffled) == 60
    epochs = [list(shuffled.batches(epoch)) for epoch in (0, 1, 0)]
    starts = [np.concatenate([s[:, 0, 0] for s, _ in it]) for it in epochs]
    assert len(set(starts[0])) == 300
    assert starts[0].tolist() == starts[2].tolist() != starts[1].tolist()
    rest = list(shuffled.batches(1, first=2))
    np.testing.assert_array_equal(rest[0][0], epochs[1][2][0])


def test_few_windows_are_read_several_times_in_an_epoch():
    shuffled = Shuffled(Windows(SERIES, 0, 30, 4, 3), size=5, seed=3)
    assert len(shuffled) == 52
    starts = [seen[:, 0, 0] for seen, _ in shuffled.batches()]
    _, counts = np.unique(np.concatenate(starts), return_counts=True)
    assert len(counts) == 24
    assert set(counts) <= {10, 11}
