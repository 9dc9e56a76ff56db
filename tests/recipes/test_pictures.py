"""Pictures of forecasts, errors and gates: what is drawn, and where."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from keras_gatelstm.inspect.notable import notable_units
from recipes.forecasting import gate_pictures, pictures, reading
from tests.report.traces import some_trace

NAMES = ["load, MW", "price, $ of $"]
HORIZON = 24


def series(columns=NAMES, zone="Europe/Berlin"):
    times = pd.date_range("2020-03-20", periods=240, freq="h", tz=zone)
    random = np.random.default_rng(1)
    numbers = random.normal(100, 5, (240, len(columns)))
    return pd.DataFrame(numbers, times, columns)


@pytest.fixture
def figures(monkeypatch, tmp_path):
    """The figures that are saved."""
    saved = []
    save = Figure.savefig

    def keep(figure, path, **options):
        save(figure, path, **options)
        saved.append(figure)

    monkeypatch.setattr(Figure, "savefig", keep)
    return saved


def legend(figure):
    [found] = figure.legends
    return [it.get_text() for it in found.get_texts()]


def panels(figure):
    return [it for it in figure.axes if it.get_label() != "<colorbar>"]


def now(axes):
    """The x of the line that is labelled as now."""
    [label] = [it for it in axes.texts if it.get_text() == "now"]
    [line] = [it for it in axes.lines if list(it.get_ydata()) == [0, 1]]
    assert line.get_xdata()[0] == label.xy[0]
    return label.xy[0]


def test_windows_say_when_is_now_and_what_is_drawn(figures, tmp_path):
    truth = series()
    widths = np.full((HORIZON, 2), 3.0)
    forecasts = {
        start: truth.iloc[start : start + HORIZON].to_numpy() + 1
        for start in (60, 200)
    }
    pictures.draw_windows(truth, forecasts, widths, 0.9, tmp_path / "a.png")
    [figure] = figures
    assert legend(figure) == ["series", "forecast", "90 % interval"]
    grid = np.reshape(panels(figure), (2, 2))
    for start, column in ((60, 0), (200, 1)):
        for row, name in enumerate(NAMES):
            axes = grid[row, column]
            assert axes.get_ylabel() == name
            # So matplotlib takes no dollars for mathematics.
            assert not axes.yaxis.label.get_parse_math()
            assert now(axes) == date2num(truth.index[start - 1 : start])[0]
            forecast = axes.lines[1]
            np.testing.assert_array_equal(
                forecast.get_ydata(), forecasts[start][:, row]
            )
            np.testing.assert_array_equal(
                forecast.get_xdata(),
                date2num(truth.index[start : start + HORIZON]),
            )
    assert grid[0, 0].get_title() == "from 2020-03-22 12:00"


def test_a_continuation_ends_the_series_at_now(figures, tmp_path):
    known = series().iloc[:100]
    times = series().index[100 : 100 + HORIZON]
    widths = np.full((HORIZON, 2), 3.0)
    pictures.draw_continuation(
        known, times, widths * 10, widths, 0.975, tmp_path / "a.png"
    )
    [figure] = figures
    assert legend(figure) == ["series", "forecast", "97.5 % interval"]
    for axes, name in zip(panels(figure), NAMES, strict=True):
        assert axes.get_ylabel() == name
        assert now(axes) == axes.lines[0].get_xdata()[-1]
        assert now(axes) < axes.lines[1].get_xdata()[0]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "Asia/Kolkata"])
def test_times_are_shown_in_their_own_zone(figures, tmp_path, zone):
    known = series(NAMES[:1], zone)
    midnights = known.index[::24]
    pictures.draw_continuation(
        known.iloc[:-HORIZON],
        known.index[-HORIZON:],
        np.ones((HORIZON, 1)),
        np.ones((HORIZON, 1)),
        0.9,
        tmp_path / "a.png",
    )
    [axes] = panels(figures[0])
    formatter = axes.xaxis.get_major_formatter()
    labels = formatter.format_ticks(date2num(midnights[2:5]))
    assert labels == ["22", "23", "24"]
    ticks = axes.get_xticks()
    assert set(date2num(midnights)) & set(ticks)
    assert axes.get_xlabel() == ("" if zone is None else f"time, {zone}")


def test_a_single_step_and_many_columns_are_drawn(figures, tmp_path):
    many = series([f"column {number}" for number in range(23)])
    ones = np.ones((1, 23))
    pictures.draw_continuation(
        many.iloc[:-1], many.index[-1:], ones, ones, 0.9, tmp_path / "a.png"
    )
    [figure] = figures
    assert len(panels(figure)) == 20
    assert "3 are left out" in figure.get_suptitle()
    assert panels(figure)[0].lines[1].get_marker() == "o"
    [interval] = panels(figure)[0].collections
    [[(_, low), (_, high)]] = interval.get_segments()
    assert (low, high) == (0, 2)


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (2, 2), (6, 6), (9, 6)])
def test_errors_have_a_panel_for_each_column(figures, tmp_path, count, shown):
    random = np.random.default_rng(1)
    names = ["this model", "lesson alone", "linear", "last value"]
    errors = {name: random.random((HORIZON, count)) for name in names}
    columns = [f"column {number}, MW" for number in range(count)]
    pictures.draw_errors(errors, columns, tmp_path / "a.png")
    [figure] = figures
    assert legend(figure) == names
    assert len(panels(figure)) == shown
    for number, axes in enumerate(panels(figure)):
        label = axes.get_ylabel().replace("\n", " ")
        assert label == f"mean absolute error, column {number}, MW"
        assert axes.get_xlabel() == "steps ahead"
        for line, name in zip(axes.lines, names, strict=True):
            np.testing.assert_array_equal(
                line.get_ydata(), errors[name][:, number]
            )
            assert line.get_xdata()[0] == 1
    assert ("3 are left out" in figure.get_suptitle()) == (count == 9)


# Steps, rows and rows at a step: the first segment may be shorter.
READ = [(8, 8, 1), (8, 16, 2), (8, 23, 3), (2, 5, 4)]


@pytest.mark.parametrize(("steps", "rows", "size"), READ)
def test_gates_are_below_the_rows_that_they_read(steps, rows, size):
    layer = some_trace("abcdefgh"[:steps], units=5)["first"]
    seen = series().iloc[:rows, 0]
    names = ["forget_factor", "kept"]
    figure = gate_pictures.plot_reading(layer, seen, size, names)
    figure.draw_without_rendering()
    top, *maps = panels(figure)[:3]
    assert top.get_ylabel() == "load, MW"
    np.testing.assert_array_equal(top.lines[0].get_ydata(), seen)
    half = pd.Timedelta(minutes=30)
    for axes, name in zip(maps, names, strict=True):
        assert axes.get_title(loc="left") == name
        [image] = axes.collections
        np.testing.assert_array_equal(
            image.get_array(), layer[name][-1].T[: len(image.get_array())]
        )
        edges = image.get_coordinates()[0, :, 0]
        first = [max(0, rows - size * (steps - it)) for it in range(steps)]
        np.testing.assert_allclose(
            edges[:-1], date2num(seen.index[first] - half), atol=1e-6
        )
        assert axes.get_xlim() == top.get_xlim() == (edges[0], edges[-1])
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == [str(unit) for unit in range(5)]
        for side in ("x0", "x1"):
            assert getattr(axes.get_position(), side) == pytest.approx(
                getattr(top.get_position(), side)
            )
        # A line at each border of a segment.
        assert len(axes.lines) == (steps - 1 if size > 1 else 0)


def test_gates_of_many_units_are_those_that_vary_most():
    layer = some_trace("abcdefgh", units=30)["first"]
    seen = series().iloc[:8, 0]
    figure = Figure(layout="constrained")
    left, right = figure.subfigures(1, 2)
    names = ["forget_factor", "kept"]
    drawn = gate_pictures.plot_reading(layer, seen, 1, names, ax=left)
    assert drawn is figure
    assert not right.axes
    top, *maps = panels(left)
    assert left.get_suptitle() == (
        "first, row 1: 12 of 30 units, 8 steps; each reads a row"
    )
    units = notable_units(layer, row=1, count=12)
    for axes, name in zip(maps, names, strict=True):
        [image] = axes.collections
        np.testing.assert_array_equal(
            image.get_array(), layer[name][1][:, units].T
        )
    figure.draw_without_rendering()
    with pytest.raises(ValueError, match=r"3 panels \(load, MW, forget_f.*1 A"):
        gate_pictures.plot_reading(layer, seen, 1, names, ax=top)


@pytest.mark.parametrize(
    ("steps", "rows", "horizon", "size"),
    [
        (720, 720, 96, 1),
        (15, 720, 96, 48),
        (4, 7, 5, 2),
        (1, 720, 96, None),
        (5, 20, None, 4),
        (6, 20, None, None),
    ],
)
def test_rows_of_a_step(steps, rows, horizon, size):
    assert reading.rows_per_step(steps, rows, horizon) == size


def test_times_are_written_as_short_as_they_are():
    days = pd.date_range("2020-01-01", periods=2)
    assert reading.written(days) == ["2020-01-01", "2020-01-02"]
    hours = pd.date_range("2020-01-01", periods=2, freq="h", tz="Asia/Kolkata")
    assert reading.written(hours)[1] == "2020-01-01 01:00+05:30"
    seconds = pd.date_range("2020-01-01", periods=2, freq="s")
    assert reading.written(seconds)[1] == "2020-01-01 00:00:01"
