"""Pictures show the numbers of the trace, under their names."""

import re
import sys
from pathlib import Path

import matplotlib
import ml_dtypes
import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_gatelstm import (
    GateGRUCell,
    GateLSTMCell,
    GateRNNCell,
    statistics,
)
from keras_gatelstm.inspect import GateTrace, LayerTrace, colors
from keras_gatelstm.inspect.notable import notable_units
from keras_gatelstm.inspect.plots import (
    plot_cell,
    plot_gates,
    plot_gradient_flow,
    plot_memory,
    plot_saturation,
)
from tests.plot_traces import (
    GRU,
    MASK,
    TIME,
    UNITS,
    lstm_trace,
    trace_of,
    wide_trace,
)

ROOT = Path(__file__).parents[1]
PLOTS = [plot_gates, plot_memory, plot_saturation, plot_cell]


def step_labels(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def hatched(axes):
    """The steps that are marked as masked."""
    return [
        step
        for patch in axes.patches
        if patch.get_hatch()
        for step in range(TIME)
        if patch.get_x() < step < patch.get_x() + patch.get_width()
    ]


class TestGates:
    def test_heat_maps_are_the_trace(self):
        trace = lstm_trace()
        figure = plot_gates(trace, quantities="all", row=1)
        layer = trace.only_layer()
        panels = figure.axes[: len(layer)]
        for axes, (name, values) in zip(panels, layer.items(), strict=True):
            assert axes.get_title(loc="left") == name
            np.testing.assert_array_equal(
                axes.images[0].get_array(), values[1].T
            )

    def test_colours_of_factors_and_of_what_has_a_sign(self):
        trace = lstm_trace()
        figure = plot_gates(trace, quantities=["use_factor", "kept"])
        factor, kept = (axes.images[0] for axes in figure.axes[:2])
        assert factor.get_clim() == (0, 1)
        high = np.percentile(np.abs(trace["kept"][0]), 99)
        assert kept.get_clim() == pytest.approx((-high, high))
        for image in (factor, kept):
            ends = [matplotlib.colors.to_hex(image.cmap(it)) for it in (0, 255)]
            assert ends == [colors.BELOW, colors.ABOVE]

    def test_what_is_always_zero_has_limits_too(self):
        zeros = {"kept": np.zeros((1, 3, 2))}
        figure = plot_gates(GateTrace({"it": LayerTrace("it", zeros)}))
        assert figure.axes[0].images[0].get_clim() == (-1, 1)

    def test_units_chosen(self):
        trace = lstm_trace()
        axes = plot_gates(trace, quantities="kept", units=[3, 1]).axes[0]
        np.testing.assert_array_equal(
            axes.images[0].get_array(), trace["kept"][0][:, [3, 1]].T
        )
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == ["3", "1"]

    def test_tokens_to_see_on_the_axis(self):
        trace = lstm_trace(tokens=list("a \n\tb$\x01"))
        axes = plot_gates(trace, quantities="kept").axes[0]
        assert step_labels(axes) == ["a", "␣", "⏎", "⇥", "b", r"\$", r"\x01"]

    def test_every_mark_has_a_glyph(self):
        # matplotlib warns of glyphs that a font lacks, and warnings are errors.
        tokens = ["$x$", "", " the", "\r\n", "\n", "\t", "x" * 99]
        trace = lstm_trace(tokens=tokens)
        plot_gates(trace, quantities="kept").draw_without_rendering()
        for step in range(TIME):
            plot_cell(trace, step=step).draw_without_rendering()

    def test_timestamps(self):
        days = np.arange("2024-02-27", "2024-03-05", dtype="datetime64[D]")
        axes = plot_gates(lstm_trace(tokens=days), quantities="kept").axes[0]
        assert step_labels(axes)[:3] == [
            "2024-02-27",
            "2024-02-28",
            "2024-02-29",
        ]

    def test_long_sequences_grow_wide_and_then_leave_tokens_out(self):
        def of(steps):
            layer = LayerTrace("it", {"kept": np.ones((1, steps, 2))})
            trace = GateTrace({"it": layer}, np.full((1, steps), "a"))
            return plot_gates(trace, steps="all")

        short, long, longest = of(50), of(200), of(2000)
        widths = [it.get_figwidth() for it in (short, long, longest)]
        assert widths[0] < widths[1] < widths[2] < 30
        assert len(step_labels(long.axes[0])) == 200
        assert len(step_labels(longest.axes[0])) == 200
        caption = "step (character), one token of 10 shown"
        assert longest.axes[0].get_xlabel() == caption

    @pytest.mark.parametrize("row", [0, 1])
    def test_masked_steps_are_hatched(self, row):
        figure = plot_gates(lstm_trace(mask=MASK), quantities="all", row=row)
        panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
        assert len(panels) == 9
        for axes in panels:
            assert hatched(axes) == list(np.flatnonzero(~MASK[row]))
        assert "hatched" in panels[-1].get_xlabel()

    def test_without_a_mask_nothing_is_hatched(self):
        axes = plot_gates(lstm_trace(), quantities="kept").axes[0]
        assert hatched(axes) == []
        assert "hatched" not in axes.get_xlabel()


class TestSaturation:
    def test_points_are_the_shares(self):
        trace = lstm_trace(mask=MASK)
        figure = plot_saturation(trace)
        layer = trace.only_layer()
        titles = [axes.get_title().split("\n") for axes in figure.axes]
        names = [title[0] for title in titles]
        assert names == ["ignore_factor", "forget_factor", "use_factor"]
        for (name, means), axes in zip(titles, figure.axes, strict=True):
            shares = statistics.saturation(layer, name)
            high, low = shares.high.mean(), shares.low.mean()
            assert means == f"open {high:.0%}, shut {low:.0%}"
            np.testing.assert_array_equal(
                axes.collections[0].get_offsets(),
                np.stack([shares.high, shares.low], axis=1),
            )
            assert "above 0.9" in axes.get_xlabel()
        assert "below 0.1" in figure.axes[0].get_ylabel()

    def test_diagonal(self):
        figure = plot_saturation(lstm_trace(), quantities="use_factor")
        x, y = figure.axes[0].lines[0].get_data()
        np.testing.assert_array_equal(np.add(x, y), [1, 1])

    def test_what_is_no_factor(self):
        with pytest.raises(
            ValueError, match=r"ignore_factor.*Received: 'kept'"
        ):
            plot_saturation(lstm_trace(), quantities=["kept"])

    def test_a_layer_without_gates(self):
        with pytest.raises(ValueError, match=r"rnn has no factors.*memory"):
            plot_saturation(trace_of("memory", path="rnn"))

    def test_nothing_to_count(self):
        trace = lstm_trace(mask=np.zeros((2, TIME), bool))
        with pytest.raises(ValueError, match="all of them were masked"):
            plot_saturation(trace)


class TestMemory:
    def test_lines_are_the_trace(self):
        trace = lstm_trace()
        figure = plot_memory(trace, units=[2, 0], row=1)
        for unit, axes in zip([2, 0], figure.axes, strict=True):
            assert axes.get_title(loc="left").startswith(f"unit {unit}: ")
            lines = {it.get_label(): it.get_ydata() for it in axes.lines}
            for name in ("kept", "learned", "long_term_memory"):
                np.testing.assert_array_equal(
                    lines[name], trace[name][1, :, unit]
                )

    def test_lines_are_told_apart_without_colour_too(self):
        figure = plot_memory(lstm_trace())
        lines = figure.axes[0].lines[:3]
        assert len({it.get_color() for it in lines}) == 3
        assert len({it.get_linestyle() for it in lines}) == 3
        legend = figure.axes[0].get_legend()
        assert [it.get_text() for it in legend.get_texts()] == [
            "kept",
            "learned",
            "long_term_memory",
        ]

    @pytest.mark.parametrize("size", [(5, 3), (12, 3)])
    def test_the_legend_leaves_the_title_free(self, size):
        figure = Figure(figsize=size)
        axes = figure.subplots()
        plot_memory(wide_trace(), units=7, ax=axes)
        figure.draw_without_rendering()
        legend = axes.get_legend().get_window_extent()
        assert not legend.overlaps(axes._left_title.get_window_extent())

    @pytest.mark.parametrize(
        ("names", "lines"),
        [
            (GRU, {"candidate", "update_factor", "memory"}),
            (["memory"], {"memory"}),
        ],
    )
    def test_other_layers(self, names, lines):
        axes = plot_memory(trace_of(*names)).axes[0]
        drawn = {it.get_label() for it in axes.lines}
        assert {it for it in drawn if not it.startswith("_")} == lines

    def test_shows_three_units_or_as_many_as_there_are(self):
        trace = lstm_trace()
        assert len(plot_memory(trace).axes) == 3
        assert len(plot_memory(trace.select(units=[0])).axes) == 1

    def test_tokens_and_masked_steps(self):
        figure = plot_memory(lstm_trace(tokens=list("abcdefg"), mask=MASK))
        assert step_labels(figure.axes[-1]) == list("abcdefg")
        assert all(hatched(axes) == [5, 6] for axes in figure.axes)


class TestDefaults:
    """Without a word, the units that mean something, and a legible size."""

    def test_heat_maps_show_twelve_units_and_the_last_steps(self):
        trace = wide_trace()
        figure = plot_gates(trace)
        units = notable_units(trace, count=12)
        assert units[0] == 7
        shown = figure.axes[0].images[0].get_array()
        name = figure.axes[0].get_title(loc="left")
        assert name == "ignore_factor"
        np.testing.assert_array_equal(
            shown, trace["lstm"][name][0, -100:][:, units].T
        )
        heading = "lstm: 12 of 40 units, 100 of 300 steps, from step 200"
        assert figure.get_suptitle() == heading
        width, height = figure.get_size_inches()
        assert width < 18
        assert height < 15

    def test_labels_say_what_units_go_with(self):
        axes = plot_gates(wide_trace()).axes[0]
        labels = [label.get_text() for label in axes.get_yticklabels()]
        minus = "\N{MINUS SIGN}"
        assert labels[0] == f"line position, r = {minus}1.00   7"
        assert axes.get_ylabel() == "unit"

    def test_all_units_and_all_steps(self):
        figure = plot_gates(wide_trace(), units="all", steps="all")
        assert figure.axes[0].images[0].get_array().shape == (40, 300)
        assert figure.get_suptitle() == "lstm: 40 units, 300 steps"

    def test_a_few_units_stay_in_order(self):
        axes = plot_gates(lstm_trace()).axes[0]
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == [str(unit) for unit in range(UNITS)]

    def test_memories_are_of_the_units_that_go_with_the_text(self):
        trace = wide_trace()
        figure = plot_memory(trace)
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        minus = "\N{MINUS SIGN}"
        assert titles[0] == f"unit 7: line position, r = {minus}1.00"
        assert [int(it.split(":")[0][5:]) for it in titles] == notable_units(
            trace
        )
        lines = {it.get_label(): it for it in figure.axes[0].lines}
        memory = lines["long_term_memory"].get_ydata()
        np.testing.assert_array_equal(
            memory, trace["long_term_memory"][0, -100:, 7]
        )
        assert figure.axes[-1].get_xlabel() == "step (character)"
        assert {axes.get_ylabel() for axes in figure.axes} == {"value"}

    def test_without_a_text_those_that_vary_most(self):
        layer = wide_trace()["lstm"]
        variances = layer["long_term_memory"][0].var(axis=0)
        title = plot_memory(layer).axes[0].get_title(loc="left")
        best = int(variances.argmax())
        assert title.startswith(
            f"unit {best}: variance of memory {variances[best]:.2g}"
        )
        assert title.endswith("rank 1 of 40")

    def test_the_cell_is_of_the_first_of_them(self):
        title = plot_cell(wide_trace()).axes[0].texts[0].get_text()
        assert title.startswith("lstm, step 299, unit 7: line position")

    @pytest.mark.parametrize("plot", [plot_gates, plot_memory])
    @pytest.mark.parametrize("name", ["units", "steps"])
    def test_another_word(self, plot, name):
        with pytest.raises(ValueError, match=f"{name} must be.*'most'"):
            plot(lstm_trace(), **{name: "most"})


FLOW = {"lstm/short_term_memory": np.ones((1, 3))}


def draw_flow(trace, **options):
    return plot_gradient_flow(FLOW, **options)


# Each plot, the options, and the number of its panels.
DRAWN = [
    (plot_gates, {"quantities": ["kept", "use_factor"]}, 2),
    (plot_gates, {"quantities": "kept"}, 1),
    (plot_memory, {"units": [2, 0]}, 2),
    (plot_memory, {"units": 1}, 1),
    (plot_saturation, {}, 3),
    (plot_cell, {}, 1),
    (draw_flow, {}, 1),
]


@pytest.mark.parametrize(("plot", "options", "count"), DRAWN)
class TestAxes:
    """Pictures in axes and figures of the caller's."""

    def test_a_part_of_a_figure(self, plot, options, count):
        figure = Figure(layout="constrained")
        _, part = figure.subfigures(1, 2)
        assert plot(lstm_trace(), **options, ax=part) is figure
        panels = [it for it in part.axes if it.get_label() != "<colorbar>"]
        assert len(panels) == count
        figure.draw_without_rendering()

    def test_axes_for_each_panel(self, plot, options, count):
        figure = Figure()
        grid = figure.subplots(2, count, squeeze=False)
        row = grid[1] if count > 1 else grid[1, 0]
        assert plot(lstm_trace(), **options, ax=row) is figure
        assert all(axes.has_data() for axes in grid[1])
        assert not any(axes.has_data() for axes in grid[0])
        assert figure.get_suptitle() == ""
        assert not figure.legends
        figure.draw_without_rendering()

    def test_the_same_is_drawn(self, plot, options, count):
        def drawn(figure):
            return [
                [
                    *(list(line.get_ydata()) for line in axes.lines),
                    *(it.get_array().tolist() for it in axes.images),
                    *(it.get_offsets().tolist() for it in axes.collections),
                ]
                for axes in figure.axes[:count]
            ]

        trace = lstm_trace(tokens=list("ab cd\ne"))
        figure = Figure(figsize=(13.8, 7.1))
        plot(trace, **options, ax=figure.subplots(1, count))
        assert drawn(figure) == drawn(plot(trace, **options))

    def test_another_number_of_axes(self, plot, options, count):
        axes = Figure().subplots(1, count + 1)
        message = f"each of {count} panels.*Received: {count + 1} Axes"
        with pytest.raises(ValueError, match=message):
            plot(lstm_trace(), **options, ax=axes)

    def test_something_else(self, plot, options, count):
        with pytest.raises(TypeError, match=r"ax must be.*'left'"):
            plot(lstm_trace(), **options, ax="left")


class TestColors:
    def test_gates_have_the_colours_of_the_drawing(self):
        drawing = (ROOT / "docs" / "cell.svg").read_text("utf-8")
        boxes = re.findall(
            r'<rect x="(\d+)" y="(\d+)".*fill="(.*?)" stroke="(.*?)"', drawing
        )
        words = re.findall(
            r'<text x="(\d+)" y="(\d+)".*?>(\w+) gate</text>', drawing
        )
        found = {
            word: (face, line)
            for left, top, face, line in boxes
            for x, y, word in words
            if 0 < int(x) - int(left) < 120 and 0 < int(y) - int(top) < 60
        }
        assert found == {
            "forget": (colors.FORGET.face, colors.FORGET.line),
            "learn": (colors.LEARN.face, colors.LEARN.line),
            "remember": (colors.REMEMBER.face, colors.REMEMBER.line),
            "use": (colors.USE.face, colors.USE.line),
        }

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            (
                GateLSTMCell,
                {
                    colors.LEARN: [
                        "new_information",
                        "ignore_factor",
                        "learned",
                    ],
                    colors.FORGET: ["forget_factor", "kept"],
                    colors.REMEMBER: ["long_term_memory"],
                    colors.USE: [
                        "useful_memory",
                        "use_factor",
                        "short_term_memory",
                    ],
                },
            ),
            (
                GateGRUCell,
                {
                    colors.USE: ["reset_factor"],
                    colors.LEARN: ["candidate"],
                    colors.FORGET: ["update_factor"],
                    colors.REMEMBER: ["memory"],
                },
            ),
            (GateRNNCell, {colors.REMEMBER: ["memory"]}),
        ],
    )
    def test_a_quantity_has_the_colour_of_its_part(self, cell, expected):
        found: dict = {}
        for name in cell.anatomy.names:
            color = colors.color_of(cell.anatomy, name)
            found.setdefault(color, []).append(name)
        assert found == expected

    def test_pictures_agree(self):
        trace = lstm_trace()
        lines = plot_memory(trace).axes[0].lines
        saturation = plot_saturation(trace, quantities="forget_factor")
        [points] = saturation.axes[0].collections
        gates = plot_gates(trace, quantities="forget_factor").axes[0]
        forget = colors.FORGET.line
        assert {it.get_label(): it.get_color() for it in lines[:3]} == {
            "kept": forget,
            "learned": colors.LEARN.line,
            "long_term_memory": colors.REMEMBER.line,
        }
        face = matplotlib.colors.to_hex(points.get_facecolor()[0])
        assert face == gates.title.axes._left_title.get_color() == forget

    @pytest.mark.parametrize(
        ("name", "page"), [("line", "#ffffff"), ("dark", "#1c1f25")]
    )
    def test_they_are_legible(self, name, page):
        def luminance(color):
            red, green, blue = (
                it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4
                for it in matplotlib.colors.to_rgb(color)
            )
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue

        for gate in (
            colors.FORGET,
            colors.LEARN,
            colors.REMEMBER,
            colors.USE,
        ):
            both = [luminance(getattr(gate, name)), luminance(page)]
            contrast = (max(both) + 0.05) / (min(both) + 0.05)
            # Of WCAG 2.2, for large or bold words; 4.5 for all others.
            assert contrast > 4


class TestAll:
    @pytest.mark.parametrize("plot", PLOTS)
    def test_layer_there_is_not(self, plot):
        with pytest.raises(KeyError, match=r"'lsm'.*Available: lstm"):
            plot(lstm_trace(), layer="lsm")

    @pytest.mark.parametrize("plot", PLOTS)
    def test_one_layer_of_several(self, plot):
        layers = {path: lstm_trace()["lstm"] for path in ("a", "b")}
        trace = GateTrace(layers)
        assert plot(trace, layer="b").axes
        with pytest.raises(ValueError, match="It has a, b"):
            plot(trace)

    @pytest.mark.parametrize("plot", PLOTS)
    def test_a_layer_of_a_trace_will_do(self, plot):
        assert plot(lstm_trace()["lstm"]).axes
        with pytest.raises(KeyError, match="'other'"):
            plot(lstm_trace()["lstm"], layer="other")

    @pytest.mark.parametrize("plot", [plot_gates, plot_saturation])
    def test_quantity_there_is_not(self, plot):
        with pytest.raises(KeyError, match="Did you mean 'forget_factor'"):
            plot(lstm_trace(), quantities=["forget_facto"])
        with pytest.raises(ValueError, match=r"one or more.*Available: new_"):
            plot(lstm_trace(), quantities=[])

    @pytest.mark.parametrize(
        ("plot", "options", "message"),
        [
            (plot_gates, {"row": 2}, "row must be from 0 to 1. Received: 2"),
            (plot_memory, {"row": 2}, "row must be from 0 to 1. Received: 2"),
            (plot_cell, {"row": 2}, "row must be from 0 to 1. Received: 2"),
            (plot_gates, {"units": [0, 9]}, "units must be from 0 to 3. "),
            (plot_memory, {"units": 9}, "units must be from 0 to 3. "),
            (plot_cell, {"unit": 4}, "unit must be from 0 to 3. Received: 4"),
            (plot_cell, {"step": 7}, "step must be from 0 to 6. Received: 7"),
        ],
    )
    def test_place_there_is_not(self, plot, options, message):
        with pytest.raises(IndexError, match=message):
            plot(lstm_trace(), **options)

    @pytest.mark.parametrize("plot", [plot_gates, plot_memory])
    def test_no_unit(self, plot):
        with pytest.raises(ValueError, match="units must name one or more"):
            plot(lstm_trace(), units=[])

    @pytest.mark.parametrize("plot", PLOTS)
    def test_no_step_was_read(self, plot):
        trace = lstm_trace(mask=np.zeros((2, TIME), bool))
        if plot in (plot_gates, plot_memory):
            assert plot(trace, units="all").axes
        else:
            with pytest.raises(ValueError, match="masked"):
                plot(trace)

    @pytest.mark.parametrize("plot", PLOTS)
    @pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16])
    def test_low_precision(self, plot, dtype, tmp_path):
        plot(lstm_trace(dtype=dtype, mask=MASK)).savefig(tmp_path / "it.png")
        assert (tmp_path / "it.png").stat().st_size > 1000

    @pytest.mark.parametrize("plot", PLOTS)
    def test_opens_no_window(self, plot):
        plot(lstm_trace())
        pyplot = sys.modules.get("matplotlib.pyplot")
        assert pyplot is None or not pyplot.get_fignums()

    @pytest.mark.parametrize("plot", PLOTS)
    def test_says_what_to_install(self, plot, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(ImportError, match="pip install matplotlib"):
            plot(lstm_trace())


def lines_of(figure):
    return {it.get_label(): it.get_ydata() for it in figure.axes[0].lines}


class TestGradientFlow:
    def test_shows_shares_of_the_last_steps_norm(self):
        flow = {
            "lstm/short_term_memory": np.array([[1, 2, 3], [3, 2, 3.0]]),
            "lstm/long_term_memory": np.array([[5, 5, 4], [5, 1, 4.0]]),
        }
        lines = lines_of(plot_gradient_flow(flow))
        short = lines["lstm, short_term_memory"]
        np.testing.assert_allclose(short, [3 / 5, 2 / 5, 2 / 5])
        long = lines["lstm, long_term_memory"]
        np.testing.assert_allclose(long, [4 / 5, 3 / 5, 5 / 5])

    def test_memories_have_their_colours(self):
        flow = {
            "lstm/short_term_memory": np.ones((1, 3)),
            "lstm/long_term_memory": np.ones((1, 3)),
        }
        short, long = plot_gradient_flow(flow).axes[0].lines
        assert short.get_color() == colors.USE.line
        assert long.get_color() == colors.REMEMBER.line

    def test_counts_from_the_last_step_that_a_gradient_reaches(self):
        padded = {"rnn/memory": np.array([[1, 2, 4, 0, 0.0]])}
        lines = lines_of(plot_gradient_flow({"padded": padded}))
        np.testing.assert_allclose(lines["padded"], [1, 1 / 2, 1 / 4])

    def test_tells_models_and_layers_apart(self):
        one = {"a/memory": np.ones((1, 3))}
        two = {**one, "b/memory": np.array([[0, 1, 1.0]])}
        figure = plot_gradient_flow({"one": one, "two": two})
        assert list(lines_of(figure)) == ["one", "two, a", "two, b"]
        first, second, third = figure.axes[0].lines
        assert first.get_color() != second.get_color() == third.get_color()

    def test_what_vanished_is_not_drawn(self):
        gone = {"rnn/memory": np.array([[0, 1e-30, 1.0]])}
        (line,) = lines_of(plot_gradient_flow({"gone": gone})).values()
        np.testing.assert_array_equal(line, [1, np.nan, np.nan])

    @pytest.mark.parametrize("nothing", [{}, {"model": {}}])
    def test_needs_something(self, nothing):
        with pytest.raises(ValueError, match="needs what gradient_flow gave"):
            plot_gradient_flow(nothing)
        with pytest.raises(ValueError, match="no gradient reaches any step"):
            plot_gradient_flow({"rnn/memory": np.zeros((1, 3))})
