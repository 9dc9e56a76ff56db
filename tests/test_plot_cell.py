"""The lesson's diagram shows the numbers of a step, where they belong."""

import ml_dtypes
import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_gatelstm.inspect.plots import plot_cell
from tests.plot_traces import GRU, MASK, TIME, lstm_trace, trace_of


def texts(figure):
    return [it.get_text() for it in figure.axes[0].texts]


def written(value):
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


class TestCell:
    @pytest.mark.parametrize("unit", [0, 3])
    def test_has_the_numbers_of_a_unit(self, unit):
        trace = lstm_trace(tokens=list("abcdefg"))
        shown = texts(plot_cell(trace, row=1, step=4, unit=unit))

        def value(name, step=4):
            return written(trace[name][1, step, unit])

        assert shown.count("e") == 1
        for text in (
            f"LTM {value('long_term_memory', 3)}",
            f"STM {value('short_term_memory', 3)}",
            f"f {value('forget_factor')}",
            f"N {value('new_information')}     i {value('ignore_factor')}",
            f"kept {value('kept')}",
            f"learned {value('learned')}",
            f"LTM {value('long_term_memory')}",
            f"U {value('useful_memory')}     V {value('use_factor')}",
            f"STM {value('short_term_memory')}",
        ):
            assert text in shown

    def test_has_means_of_all_units(self):
        trace = lstm_trace()
        shown = texts(plot_cell(trace, unit="mean"))
        last = {name: it[0, -1] for name, it in trace.only_layer().items()}
        assert f"kept {written(np.abs(last['kept']).mean())}" in shown
        assert f"f {written(last['forget_factor'].mean())}" in shown
        assert shown[0] == "lstm, row 0, step 6, mean of 4 units"
        with pytest.raises(ValueError, match="Received: unit='all'"):
            plot_cell(trace, unit="all")

    def test_is_of_the_unit_that_varies_most(self):
        trace = lstm_trace()
        variances = trace["long_term_memory"][0].var(axis=0)
        unit = variances.argmax()
        title, *shown = texts(plot_cell(trace))
        assert title == (
            f"lstm, row 0, step 6, unit {unit}: "
            f"variance of memory {variances[unit]:.2g}, rank 1 of 4"
        )
        assert f"kept {written(trace['kept'][0, -1, unit])}" in shown
        assert shown == texts(plot_cell(trace, unit=unit))[1:]

    def test_is_smaller_in_small_axes(self):
        figure = Figure(figsize=(13.8, 7.1))
        left, right = figure.subplots(1, 2)
        plot_cell(lstm_trace(), ax=right)
        whole = plot_cell(lstm_trace()).axes[0].texts[0].get_fontsize()
        assert right.texts[0].get_fontsize() < whole / 2
        assert not left.texts

    def test_memories_before_the_first_step_are_not_made_up(self):
        shown = texts(plot_cell(lstm_trace(), step=0))
        assert "LTM" in shown
        assert "STM" in shown
        assert "not recorded" in shown[1]

    def test_steps_left_out_of_the_trace_are_not_taken_for_the_last(self):
        trace = lstm_trace().select(time=[0, 4])
        assert "LTM" in texts(plot_cell(trace, step=1))

    def test_backwards_the_step_before_is_the_next(self):
        trace = lstm_trace(backwards=True)
        shown = texts(plot_cell(trace, step=2, unit=0))
        before = written(trace["long_term_memory"][0, 3, 0])
        assert f"LTM {before}" in shown

    @pytest.mark.parametrize(
        ("backwards", "masked", "read"), [(False, 4, 3), (True, 4, 5)]
    )
    def test_a_masked_step_is_the_last_that_was_read(
        self, backwards, masked, read
    ):
        trace = lstm_trace(
            mask=MASK, tokens=list("abcdefg"), backwards=backwards
        )
        shown = texts(plot_cell(trace, row=1, step=masked))
        assert f"masked: as at step {read}" in shown[0]
        assert "abcdefg"[read] in shown
        seen = texts(plot_cell(trace, row=1, step=read))
        assert shown[1:] == seen[1:]

    def test_masked_before_anything_was_read(self):
        with pytest.raises(ValueError, match=r"step 1 is masked.*from 2 to 6"):
            plot_cell(lstm_trace(mask=MASK), row=1, step=1)

    @pytest.mark.parametrize("dtype", ["float32", ml_dtypes.bfloat16])
    def test_finds_the_variant(self, dtype):
        def read_by_the_use_gate(used, **options):
            trace = lstm_trace(variant=used, dtype=dtype)
            axes = plot_cell(trace, **options).axes[0]
            (branch,) = (it for it in axes.lines if it.get_marker() == "o")
            (gate,) = (it for it in axes.texts if it.get_text()[:3] == "rem")
            before = branch.get_xdata()[0] < gate.get_position()[0]
            return "kept" if before else "long_term_memory"

        assert read_by_the_use_gate("lesson") == "kept"
        assert read_by_the_use_gate("standard") == "long_term_memory"
        assert read_by_the_use_gate("standard", variant="lesson") == "kept"

    @pytest.mark.parametrize("variant", ["lesson", "standard"])
    @pytest.mark.parametrize("unit", ["mean", 0])
    def test_nothing_overlaps(self, variant, unit):
        trace = lstm_trace(tokens=["W" * 30] * TIME, variant=variant)
        figure = plot_cell(trace, unit=unit)
        figure.draw_without_rendering()
        boxes = [it.get_window_extent() for it in figure.axes[0].texts]
        for place, box in enumerate(boxes):
            assert figure.bbox.containsx(box.x0)
            assert figure.bbox.containsx(box.x1)
            assert not any(box.overlaps(it) for it in boxes[:place])

    def test_is_of_an_lstm(self):
        with pytest.raises(ValueError, match=r"forget_factor.*gru has.*memory"):
            plot_cell(trace_of(*GRU))

    def test_variant_there_is_not(self):
        with pytest.raises(ValueError, match="Received: variant='lessons'"):
            plot_cell(lstm_trace(), variant="lessons")
