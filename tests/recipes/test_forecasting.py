"""Forecasters, and what they stand beside."""

import keras
import numpy as np
import pandas as pd
import pytest

from recipes.console import UsageError
from recipes.data import windows as windows_of_series
from recipes.data.columns import Covariates
from recipes.data.frames import Frame
from recipes.data.scaling import Scaling
from recipes.data.windows import Windows
from recipes.forecasting import (
    baselines,
    deployed,
    evaluation,
    exporting,
    linear,
    models,
    training,
)
from recipes.forecasting.settings import CELLS, FORMS, Settings
from tests.recipes.forecasters import settings
from tests.recipes.killing import (
    KilledError,
    assert_same,
    checkpoints_written,
)


def forecaster(args, columns):
    """Return an untrained recurrent forecaster of all columns."""
    trained = training.compiled(args, layout(columns))
    return training.whole(trained, args, layout(columns))


def layout(columns):
    """Return the layout of columns without covariates."""
    return Windows(np.zeros((1, columns)), 0, 1, 1, 1).layout


def values(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


@pytest.mark.parametrize("form", ["segments", "plain"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_form_of_every_cell_forecasts_and_learns(form, cell):
    """With segments that have to be filled up."""
    lookback, horizon = 50, 13
    args = settings(form=form, cell=cell, lookback=lookback, horizon=horizon)
    model = forecaster(args, columns=3)
    seen = values(5, lookback, 3)
    assert model(seen).shape == (5, horizon, 3)
    # Eager, for a step is less than a graph.
    model.compile("adam", "mae", run_eagerly=True)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.train_on_batch(seen, seen[:, :horizon])
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path


@pytest.mark.parametrize("level", ["last", "mean"])
def test_what_is_added_to_a_series_is_added_to_its_forecast(level):
    model = forecaster(settings(level=level, lookback=45), columns=2)
    seen = values(4, 45, 2)
    np.testing.assert_allclose(model(seen + 3.0), model(seen) + 3.0, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_as_many_series_as_steps_are_forecast_as_fewer(form):
    """Keras's sum would take their levels for a bias."""
    args = settings(form=form)
    model = forecaster(args, columns=1)
    if form == "averaged":
        line = linear.LinearForecast(values(1, 48, 12))
        model = models.averaged(line, model, 0.5)
    seen = values(12, 48, 1)
    np.testing.assert_allclose(model(seen)[:5], model(seen[:5]), atol=1e-5)


def test_a_column_is_forecast_from_itself_alone():
    model = forecaster(settings(), columns=2)
    seen = values(4, 48, 2)
    other = seen.copy()
    other[:, :, 1] = 9.0
    np.testing.assert_allclose(
        model(seen)[:, :, 0], model(other)[:, :, 0], atol=1e-6
    )


def test_all_columns_are_forecast_as_each_is():
    args = settings(horizon=13)
    each = training.compiled(args, layout(3))
    seen = values(4, 48, 3)
    found = training.whole(each, args, layout(3))(seen)
    for column in range(3):
        one = each({"series": seen[:, :, column], "column": np.full(4, column)})
        np.testing.assert_allclose(found[:, :, column], one, atol=1e-6)


@pytest.mark.parametrize(
    ("lookback", "horizon", "size"),
    [
        (720, 96, 48),
        (96, 96, 48),
        (208, 52, 26),
        (7, 5, 2),
        (48, 720, 24),
        (1, 1, 1),
        (100, 97, 25),
    ],
)
def test_segments_are_those_with_the_least_to_fill_up(lookback, horizon, size):
    assert models.segment_size(lookback, horizon) == size


@pytest.mark.parametrize(
    ("unit", "offset"), [(1.0, 0.0), (1e-9, 0.0), (1.0, 1e7), (1e-30, -1e-24)]
)
def test_the_scaling_is_inside(unit, offset):
    model = forecaster(settings(), columns=2)
    mean = np.array([100.0, -5.0]) * unit + offset
    deviation = np.array([10.0, 0.1]) * unit
    whole = models.in_own_units(model, {"series": Scaling(mean, deviation)})
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


@pytest.mark.thorough  # In short: of character models, in test_resuming.py.
@pytest.mark.parametrize("form", ["averaged", "plain"])
def test_a_training_that_is_killed_is_gone_on_with(form, tmp_path, monkeypatch):
    """Within its second epoch of 12 batches, with dropout, means of weights."""
    monkeypatch.setattr(windows_of_series, "LEAST_BATCHES", 1)
    args = settings(
        cell="rnn",
        lookback=8,
        horizon=4,
        period=4,
        form=form,
        batch_size=32 if form == "averaged" else 16,
        batches=24,
    )
    series = values(320, 2)
    parts = [Windows(series, *part, 8, 4) for part in ((0, 210), (210, 320))]

    def train(name, killed_after=None):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with checkpoints_written(0.0, killed_after):
            found, history = training.train(*parts, args, folder)
        return found.model, history

    with pytest.raises(KilledError):
        train("killed", 17)
    found = train("killed")
    assert len(found[1].losses) == args.batches
    assert len(found[1].validation) == 2
    assert_same(found, train("whole"))


@pytest.mark.parametrize(
    ("count", "batches", "each"), [(89, 2, 89), (50, 1, 100), (128, 2, 128)]
)
def test_hardly_a_window_is_left_out_of_validation(count, batches, each):
    series = np.arange(2.0 * (count + 11)).reshape(-1, 2)
    windows = Windows(series, 0, len(series), 8, 4)
    assert len(windows) == count
    args = settings(batch_size=128)
    inputs, targets = training.validation(windows, args)
    assert inputs["series"].shape == (batches, each, 8)
    assert targets.shape == (batches, each, 4)
    first = inputs["series"][..., 0].ravel()
    np.testing.assert_array_equal(first % 2, inputs["column"].ravel())
    assert len(set(first)) == len(first)
    inputs, targets = training.validation(
        windows, settings(batch_size=128, form="plain")
    )
    assert inputs.shape[0] * inputs.shape[1] == count
    assert targets.shape[2:] == (4, 2)


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


def series_by_recursion(rows):
    """Return x(t) = x(t-1) + x(t-4) - x(t-5), from noise."""
    series = np.random.default_rng(1).normal(size=(rows, 2))
    for row in range(5, rows):
        series[row] = series[row - 1] + series[row - 4] - series[row - 5]
    return series


@pytest.mark.parametrize("period", [1, 4, 3, 100])
def test_the_linear_map_finds_what_is_linear(period):
    series = series_by_recursion(400)
    windows = [Windows(series, *part, 9, 3) for part in ((0, 300), (300, 400))]
    line = linear.fit(*windows, period)
    inputs, targets = windows[1].take(slice(0, 50))
    np.testing.assert_allclose(line(inputs), targets, atol=0.05)


@pytest.mark.parametrize(
    ("period", "lookback", "horizon"), [(4, 12, 8), (4, 14, 10), (5, 9, 3)]
)
def test_the_seasonal_map_is_the_equations_ridge(
    period, lookback, horizon, monkeypatch
):
    """Solved row by row, with a penalty that is given."""
    penalty = 0.1
    monkeypatch.setattr(linear, "SEASONAL_PENALTIES", [penalty])
    monkeypatch.setattr(linear, "PENALTIES", [1e12])
    series = np.cumsum(np.random.default_rng(1).normal(size=(90, 2)), 0)
    windows = Windows(series, 0, 90, lookback, horizon)
    line = linear.fit(windows, windows, period)
    inputs, targets = windows.take(slice(None))
    last = inputs[:, -1:]
    days = lookback // period
    seen = (inputs - last)[:, lookback - days * period :]
    seen = seen.reshape(len(seen), days, period, 2)
    expected = np.empty_like(targets)
    for day in range(0, horizon, period):
        phases = range(min(period, horizon - day))
        rows = [
            [*seen[n, :, p, c], *seen[n, :, :, c].mean(1), *seen[n, -1, :, c]]
            for p in phases
            for n in range(len(seen))
            for c in range(2)
        ]
        changes = [
            targets[n, day + p, c] - last[n, 0, c]
            for p in phases
            for n in range(len(seen))
            for c in range(2)
        ]
        rows, changes = np.array(rows), np.array(changes)
        weights = np.linalg.solve(
            rows.T @ rows + penalty * len(rows) * np.eye(rows.shape[1]),
            rows.T @ changes,
        )
        found = (rows @ weights).reshape(len(phases), len(seen), 2)
        steps = slice(day, day + len(phases))
        expected[:, steps] = found.swapaxes(0, 1) + last
    np.testing.assert_allclose(line(inputs), expected, atol=1e-4)


def test_many_columns_share_a_map():
    series = np.tile(series_by_recursion(200), (1, 20))
    windows = Windows(series, 0, 200, 8, 3)
    line = linear.fit(windows, windows, 4)
    assert line.kernel.shape == (1, 8, 3)
    few = Windows(series[:, :2], 0, 200, 8, 3)
    assert linear.fit(few, few, 4).kernel.shape == (2, 8, 3)
    inputs, targets = windows.take(slice(0, 50))
    np.testing.assert_allclose(line(inputs), targets, atol=0.05)


@pytest.mark.parametrize("columns", [3, 40])
def test_the_average_is_of_both_parts_and_is_saved(columns, tmp_path):
    recurrent = forecaster(settings(units=4), columns)
    maps = columns if columns <= linear.OWN_MAPS else 1
    line = linear.LinearForecast(values(maps, 48, 12))
    model = models.averaged(line, recurrent, 0.3)
    seen = values(4, 48, columns)
    expected = 0.3 * line(seen) + 0.7 * recurrent(seen).numpy()
    np.testing.assert_allclose(model(seen), expected, atol=1e-4)
    trained = [weight.path for weight in model.trainable_weights]
    assert trained == [weight.path for weight in recurrent.trainable_weights]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(seen), model(seen), atol=1e-5)


def test_the_weight_of_the_linear_map_is_chosen_on_validation(tmp_path):
    """On a series that is linear but for noise, of an untrained model."""
    args = settings(
        lookback=8,
        horizon=4,
        period=4,
        form="averaged",
        cell="rnn",
        batches=1,
    )
    series = series_by_recursion(400) + 0.1 * values(400, 2)
    series = series.astype("float32")
    parts = [Windows(series, *part, 8, 4) for part in ((0, 300), (300, 400))]
    found, _ = training.train(*parts, args, tmp_path)
    assert found.linear_weight == 1.0
    inputs, targets = parts[1].take(slice(None))
    errors = (found.model(inputs) - targets) ** 2
    assert found.validation_mse == pytest.approx(np.mean(errors), rel=1e-3)
    weights = [0.0, 0.5]
    errors = training.averaged_errors(
        found.linear, found.recurrent, np.array(weights), parts[1]
    )
    for weight, error in zip(weights, errors, strict=True):
        mixed = models.averaged(found.linear, found.recurrent, weight)
        expected = np.mean((mixed(inputs) - targets) ** 2)
        assert error == pytest.approx(expected, rel=1e-4)


def test_settings_follow_from_look_back_horizon_and_period():
    args = Settings(dataset="ett/h1")
    assert (args.lookback, args.horizon) == (720, 96)
    args.complete(24)
    assert (args.form, args.period) == ("averaged", 24)
    assert (args.units, args.loss, args.batches) == (64, "mae", 1000)
    args = Settings(dataset="ett/h1", horizon=720)
    args.complete(24)
    assert args.level == "mean"
    args = Settings(dataset="ett/h1", lookback=96, units=7, minutes=1.0)
    args.complete(24)
    assert (args.units, args.loss, args.batches) == (7, "mse", None)
    args = Settings(lookback=40)
    args.complete(52)
    assert args.form == "segments"
    args = Settings(lookback=40, period=13)
    args.complete(52)
    assert (args.form, args.period) == ("averaged", 13)
    for period in (1, 52):
        args = Settings(lookback=40, form="averaged")
        with pytest.raises(UsageError, match="a --period of 2 or more"):
            args.complete(period)


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
    by_hand = np.abs(apart * deviation).mean(0)
    assert by_hand.shape == (4, 2)
    np.testing.assert_allclose(by_step["last"], by_hand)


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
        forecaster(settings(), 2),
        {"series": Scaling(np.zeros(2), np.ones(2))},
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
    none = series[[]]
    covariates = Covariates(none, none, *[np.empty((2, 0), int)] * 2)
    frame = Frame(series, covariates, 40, 50, 1, 0, (), ())
    model = forecaster(args, columns=2)
    scalings = {"series": scaling}
    windows = exporting.forecast_windows(
        model, frame, np.array([8, 50]), args, scalings
    )
    written = exporting.export(model, series, windows, scalings, folder, 3)
    return windows, written


@pytest.mark.thorough
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
