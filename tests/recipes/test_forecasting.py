"""Forecasters, and what they stand beside."""

import keras
import numpy as np
import pandas as pd
import pytest

from recipes.console import UsageError
from recipes.data.scaling import Scaling
from recipes.data.windows import Windows
from recipes.forecasting import (
    baselines,
    deployed,
    evaluation,
    exporting,
    models,
    training,
)
from recipes.forecasting.settings import CELLS, Settings
from tests.recipes.killing import (
    KilledError,
    assert_same,
    checkpoints_written,
)


def settings(**given):
    return Settings(
        **{
            "units": 8,
            "lookback": 48,
            "horizon": 12,
            "dropout": 0.5,
            "batch_size": 16,
            "learning_rate": 1e-2,
            "batches": 30,
        }
        | given
    )


@pytest.mark.parametrize("form", ["segments", "plain"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_form_of_every_cell_forecasts_and_learns(form, cell):
    model = models.build(settings(form=form, cell=cell), columns=3)
    seen = np.random.default_rng(1).normal(size=(5, 48, 3)).astype("float32")
    assert model(seen).shape == (5, 12, 3)
    # Eager, for a step is less than a graph.
    model.compile("adam", "mae", run_eagerly=True)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.train_on_batch(seen, seen[:, :12])
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path


def test_what_is_added_to_a_series_is_added_to_its_forecast():
    model = models.build(settings(), columns=2)
    seen = np.random.default_rng(1).normal(size=(4, 48, 2)).astype("float32")
    np.testing.assert_allclose(model(seen + 3.0), model(seen) + 3.0, atol=1e-5)


def test_a_column_is_forecast_from_itself_alone():
    model = models.build(settings(), columns=2)
    seen = np.random.default_rng(1).normal(size=(4, 48, 2)).astype("float32")
    other = seen.copy()
    other[:, :, 1] = 9.0
    np.testing.assert_allclose(
        model(seen)[:, :, 0], model(other)[:, :, 0], atol=1e-6
    )


@pytest.mark.parametrize(
    ("lookback", "horizon", "size"),
    [(720, 96, 24), (96, 96, 24), (208, 52, 13), (7, 5, 1), (48, 720, 24)],
)
def test_segments_are_as_long_as_both_allow(lookback, horizon, size):
    assert models.segment_size(lookback, horizon) == size


@pytest.mark.parametrize(
    ("unit", "offset"), [(1.0, 0.0), (1e-9, 0.0), (1.0, 1e7), (1e-30, -1e-24)]
)
def test_the_scaling_is_inside(unit, offset):
    model = models.build(settings(), columns=2)
    mean = np.array([100.0, -5.0]) * unit + offset
    deviation = np.array([10.0, 0.1]) * unit
    whole = models.in_own_units(model, Scaling(mean, deviation))
    scaled = np.random.default_rng(1).normal(size=(4, 48, 2))
    found = (whole(scaled * deviation + mean) - mean) / deviation
    np.testing.assert_allclose(found, model(scaled), atol=1e-5)


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e-300])
def test_the_scale_of_a_series_is_found(unit):
    random = np.random.default_rng(1)
    values = np.stack([random.normal(3, 2, 1000), np.full(1000, 5.0)], 1)
    mean, deviation = Scaling.of(values * unit)
    np.testing.assert_allclose(mean, values.mean(0) * unit)
    np.testing.assert_allclose(deviation, [values[:, 0].std() * unit, 1.0])


def test_a_training_that_is_killed_is_gone_on_with(tmp_path):
    """Within its second epoch of 12 batches, with dropout."""
    args = settings(cell="rnn", lookback=8, horizon=4)
    series = np.random.default_rng(1).normal(size=(320, 2)).astype("float32")
    parts = [Windows(series, *part, 8, 4) for part in ((0, 210), (210, 320))]

    def train(name, killed_after=None):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with checkpoints_written(0.0, killed_after):
            return training.train(*parts, 2, args, folder)

    with pytest.raises(KilledError):
        train("killed", 17)
    found = train("killed")
    assert len(found[1].losses) == 30
    assert_same(found, train("whole"))


@pytest.mark.parametrize(
    ("count", "batches", "each"), [(178, 2, 89), (100, 1, 100), (257, 3, 85)]
)
def test_hardly_a_window_is_left_out_of_validation(count, batches, each):
    series = np.zeros((count + 11, 1))
    windows = Windows(series, 0, len(series), 8, 4)
    assert len(windows) == count
    inputs, targets = training.batched(windows, 128)
    assert inputs.shape == (batches, each, 8, 1)
    assert targets.shape == (batches, each, 4, 1)


def test_naive_forecasts():
    seen = np.arange(12.0).reshape(1, 6, 2)
    np.testing.assert_array_equal(
        baselines.last_value(2)(seen), [[[10, 11], [10, 11]]]
    )
    np.testing.assert_array_equal(
        baselines.seasonal_naive(5, 2)(seen)[0, :, 0], [8, 10, 8, 10, 8]
    )
    # A season longer than what is seen is all that is seen.
    np.testing.assert_array_equal(
        baselines.seasonal_naive(2, 50)(seen)[0, :, 0], [0, 2]
    )


def test_the_linear_forecast_finds_what_is_linear():
    """x(t) = x(t-1) + x(t-4) - x(t-5), to rounding."""
    series = np.random.default_rng(1).normal(size=(400, 2))
    for row in range(5, 400):
        series[row] = series[row - 1] + series[row - 4] - series[row - 5]
    windows = [Windows(series, *part, 8, 3) for part in ((0, 300), (300, 400))]
    linear = baselines.Linear(*windows)
    inputs, targets = windows[1].take(slice(0, 50))
    np.testing.assert_allclose(linear(inputs), targets, atol=0.05)


def test_errors_are_means_over_every_window():
    random = np.random.default_rng(1)
    series = random.normal(size=(600, 2))
    windows = Windows(series, 100, 600, 6, 4)
    deviation = np.array([2.0, 5.0])
    rows, by_step = evaluation.errors(
        {"last": baselines.last_value(4)}, windows, deviation
    )
    inputs, targets = windows.take(slice(None))
    apart = inputs[:, -1:] - targets
    assert rows["last"] == pytest.approx(
        {
            "mse": np.mean(apart**2),
            "mae": np.mean(np.abs(apart)),
            "mse_own_units": np.mean((apart * deviation) ** 2),
            "mae_own_units": np.mean(np.abs(apart * deviation)),
        }
    )
    np.testing.assert_allclose(by_step["last"], np.abs(apart).mean((0, 2)))


def test_intervals_cover_what_they_were_asked_to():
    random = np.random.default_rng(1)
    series = random.normal(size=(20_000, 1))
    held_out = Windows(series, 0, 10_000, 6, 4)
    unseen = Windows(series, 10_000, 20_000, 6, 4)
    forecast = baselines.last_value(4)
    for coverage in (0.5, 0.9):
        widths = evaluation.half_widths(forecast, held_out, coverage)
        assert widths.shape == (4, 1)
        assert evaluation.coverage(forecast, unseen, widths) == pytest.approx(
            coverage, abs=0.02
        )


def test_a_forecaster_is_saved_and_loaded(tmp_path):
    model = models.in_own_units(
        models.build(settings(), 2), Scaling(np.zeros(2), np.ones(2))
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    seen = np.random.default_rng(1).normal(size=(4, 48, 2)).astype("float32")
    np.testing.assert_allclose(loaded(seen), model(seen), atol=1e-6)


def exported(folder, offset):
    """An untrained forecaster of a series so far from zero, in every form."""
    args = settings(lookback=8, horizon=4, cell="standard", dropout=0.0)
    random = np.random.default_rng(1)
    values = random.normal(size=(60, 2)) * [1.0, 1e-9] + [offset, 0.0]
    scaling = Scaling.of(values)
    series = pd.DataFrame(values, columns=["north", "south"])
    model = models.build(args, columns=2)
    windows = exporting.forecast_windows(
        model, series, np.array([8, 50]), 8, scaling
    )
    return windows, exporting.export(model, series, windows, scaling, folder, 3)


def test_exports_far_from_zero_forecast_what_was_evaluated(tmp_path):
    windows, written = exported(tmp_path, offset=1e7)
    reason = written.left_out[exporting.LITERT]
    assert "column north would be rounded by" in reason
    assert not (tmp_path / "litert").exists()
    assert set(written.differences) == {"model.keras", "serving/3"}
    for name, difference in written.differences.items():
        assert difference < 1e-5
        found = deployed.forecaster(tmp_path / name)(windows.seen)
        apart = (found - windows.forecasts) / [1.0, 1e-9]
        np.testing.assert_allclose(apart, 0, atol=1e-4)


def test_exports_that_forecast_otherwise_are_refused(tmp_path, monkeypatch):
    def wrong(path):
        return lambda seen: np.full((len(seen), 4, 2), np.nan)

    monkeypatch.setattr(deployed, "forecaster", wrong)
    with pytest.raises(UsageError, match=r"model\.keras would .* inf standard"):
        exported(tmp_path, offset=1e7)


def test_forecasts_that_are_better_are_named():
    rows = {
        "this model": {"mse": 2.0, "mae": 1.0},
        "linear": {"mse": 1.0, "mae": 0.9},
        "last value": {"mse": 1.0, "mae": 1.0},
        "seasonal naive": {"mse": 3.0, "mae": 2.0},
    }
    better = evaluation.better_than(rows)
    assert better == {"linear": ["mse", "mae"], "last value": ["mse"]}
    rows["this model"] = {"mse": np.nan, "mae": np.nan}
    rows["linear"]["mae"] = np.nan
    assert len(evaluation.better_than(rows)) == 3
    assert evaluation.better_than(rows)["linear"] == ["mse"]
