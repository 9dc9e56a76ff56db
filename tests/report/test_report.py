"""The file: its size, its numbers, and what it escapes."""

import json
import re

import numpy as np
import pytest

from keras_gatelstm import GateLSTMCell, GateTrace
from keras_gatelstm.inspect import LayerTrace, colors, report
from keras_gatelstm.inspect.notable import (
    best_properties,
    describe_units,
    notable_units,
)
from keras_gatelstm.inspect.report import Series, decode, write_report
from tests.report.traces import some_trace

TEXT = "To be,\nor not."


def parts(text):
    """The data and the numbers in a page."""
    data, numbers = (
        re.search(rf'id="{name}">(.*?)</script>', text, re.S)[1]
        for name in ("data", "numbers")
    )
    return json.loads(data), decode(numbers)


def test_the_numbers_are_the_traces(tmp_path):
    trace = some_trace(TEXT)
    path = write_report(trace, tmp_path / "report.html", row=1)
    data, levels = parts(path.read_text("utf-8"))
    assert data["levels"] == 256
    assert "".join(data["tokens"]) == TEXT
    start = 0
    for layer in data["layers"]:
        size = layer["units"] * layer["time"]
        for it in layer["quantities"]:
            told = levels[start : start + size].reshape(layer["units"], -1)
            step = (it["high"] - it["low"]) / 255
            np.testing.assert_allclose(
                it["low"] + told * step,
                trace[layer["path"]][it["name"]][1].T,
                atol=step / 2 + 1e-6,
            )
            start += size
    assert start == len(levels)


def test_two_thousand_characters_of_256_units_take_less_than_5_mb(tmp_path):
    text = TEXT * 143
    path = write_report(some_trace(text, 256, ["lstm"]), tmp_path / "r.html")
    assert path.stat().st_size < 5_000_000
    data, levels = parts(path.read_text("utf-8"))
    assert len(levels) == 9 * len(text) * 256
    assert data["levels"] >= 32


def test_what_hardly_compresses_has_fewer_levels(tmp_path):
    text = np.array([list((TEXT * 143)[:2000])])
    random = np.random.default_rng(5)
    noise = {
        name: random.random((1, 2000, 256), "float32")
        for name in some_trace(TEXT)["first"]
    }
    trace = GateTrace({"lstm": LayerTrace("lstm", noise)}, text)
    path = write_report(trace, tmp_path / "r.html")
    assert path.stat().st_size < 5_000_000
    data, levels = parts(path.read_text("utf-8"))
    assert data["levels"] == 64
    told = levels[: 2000 * 256].reshape(256, 2000)
    first = data["layers"][0]["quantities"][0]
    step = (first["high"] - first["low"]) / 63
    np.testing.assert_allclose(
        first["low"] + told * step,
        noise[first["name"]][0].T,
        atol=step / 2 + 1e-6,
    )


def test_names_have_their_meaning_and_the_colours_of_pictures(tmp_path):
    trace = some_trace(TEXT)
    path = write_report(trace, tmp_path / "r.html")
    data, _ = parts(path.read_text("utf-8"))
    assert data["colors"] == {"below": colors.BELOW, "above": colors.ABOVE}
    anatomy = GateLSTMCell.anatomy
    for it in data["layers"][0]["quantities"]:
        assert it["meaning"] == anatomy[it["name"]].meaning != ""
        color = colors.color_of(anatomy, it["name"])
        assert it["color"] == color._asdict()


def test_the_page_opens_with_the_unit_that_pictures_show(tmp_path):
    trace = some_trace(TEXT)
    path = write_report(trace, tmp_path / "r.html", row=1)
    data, _ = parts(path.read_text("utf-8"))
    for layer in data["layers"]:
        name = layer["path"]
        assert [layer["first"]] == notable_units(trace, name, 1, count=1)
        assert layer["found"] == describe_units(trace, name, 1)
        best = best_properties(trace, name, 1)
        assert [it[0] for it in layer["goes_with"]] == [
            it.property for it in best
        ]
        strongest = max(best, key=lambda it: abs(it.correlation))
        assert layer["first"] == strongest.unit
    assert data["letters"]


def test_nothing_in_a_trace_is_taken_for_html(tmp_path):
    trace = some_trace("ab", layers=["</script><b>"])
    bad = np.array([["</script><i>", "&amp;"]] * 2)
    path = write_report(
        GateTrace(trace.layers, bad), tmp_path / "r.html", "<u>title</u>"
    )
    text = path.read_text("utf-8")
    assert not {"<i>", "<b>", "<u>"} & set(re.findall("<.>", text))
    data, _ = parts(text)
    assert data["tokens"] == bad[0].tolist()


def test_values_that_are_no_numbers_do_no_harm(tmp_path):
    trace = some_trace(TEXT)
    trace["first/kept"][1, 3] = [np.nan, np.inf, -np.inf, 0, 1, 2]
    path = write_report(trace, tmp_path / "r.html", row=1)
    data, levels = parts(path.read_text("utf-8"))
    layer = data["layers"][0]
    at = [it["name"] for it in layer["quantities"]].index("kept")
    told = levels[at * 6 * 14 : (at + 1) * 6 * 14].reshape(6, 14)
    assert told[:3, 3].tolist() == [255] * 3
    kept = layer["quantities"][at]
    assert kept["gaps"]
    rest = np.arange(14) != 3
    step = (kept["high"] - kept["low"]) / 254
    np.testing.assert_allclose(
        kept["low"] + told[:, rest] * step,
        trace["first/kept"][1, rest].T,
        atol=step / 2 + 1e-6,
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["long_term_memory", "forget_factor"])
def test_statistics_of_what_is_no_number_do_no_harm(tmp_path, name, bad):
    trace = some_trace(TEXT)
    trace["first"][name][0, 3, 1] = bad
    path = write_report(trace, tmp_path / "r.html")
    data, _ = parts(path.read_text("utf-8"))
    layer = data["layers"][0]
    assert layer["goes_with"][0] != layer["goes_with"][1]
    if name == "forget_factor" and np.isnan(bad):
        assert layer["half_life"][1] is None


@pytest.mark.parametrize("masked", [[0], [0, 1]])
def test_a_row_may_be_masked_wholly(tmp_path, masked):
    mask = np.ones((2, len(TEXT)), bool)
    mask[masked] = False
    path = write_report(some_trace(TEXT, mask=mask), tmp_path / "r.html")
    data, _ = parts(path.read_text("utf-8"))
    layer = data["layers"][0]
    assert layer["goes_with"] is None
    assert (layer["half_life"] is None) == (masked == [0, 1])


def test_a_file_that_was_there_stays_until_all_is_written(
    tmp_path, monkeypatch
):
    path = write_report(some_trace(TEXT), tmp_path / "r.html")
    before = path.read_bytes()
    monkeypatch.setattr(report, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="too large"):
        write_report(some_trace(TEXT * 2), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_layer_without_gates_or_tokens(tmp_path):
    layer = some_trace(TEXT)["first"]
    quantities = {"memory": layer["kept"]}
    trace = GateTrace({"rnn": type(layer)("rnn", quantities)})
    path = write_report(trace, tmp_path / "r.html")
    data, _ = parts(path.read_text("utf-8"))
    assert data["tokens"][:3] == ["0", "1", "2"]
    assert data["layers"][0]["half_life"] is None


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_a_series_is_in_the_page(tmp_path, offset):
    values = np.random.default_rng(1).normal(size=(27, 2)) + offset
    values[3, 0] = np.nan
    times = [f"day {number}" for number in range(27)]
    series = Series(values, times, ["</script>", "south, $"], 2)
    path = write_report(some_trace(TEXT), tmp_path / "r.html", series=series)
    data, _ = parts(path.read_text("utf-8"))
    found = data["series"]
    assert found["names"] == ["</script>", "south, $"]
    assert found["times"] == times
    assert found["size"] == 2
    told = np.array(found["columns"], float).T
    np.testing.assert_allclose(told, values, rtol=0, atol=1e-3)
    assert found["columns"][0][3] is None


def test_a_page_without_a_series_has_none(tmp_path):
    path = write_report(some_trace(TEXT), tmp_path / "r.html")
    assert parts(path.read_text("utf-8"))[0]["series"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.ones((0, 2))}, "values must be"),
        ({"values": np.ones((4, 2, 2))}, "values must be"),
        ({"times": ["a"]}, "times must be one for each of 4 rows"),
        ({"names": ["a", "b"]}, "names must be one for each of 1 columns"),
        ({"rows_per_step": 0}, "rows_per_step must be a positive"),
    ],
)
def test_a_series_that_is_none_is_refused(change, message):
    whole = {"values": np.ones(4), "times": list("abcd")}
    assert Series(**whole).steps == 4
    with pytest.raises(ValueError, match=message):
        Series(**whole | change)


def test_a_series_of_other_steps_is_refused(tmp_path):
    trace = some_trace("abcdef")
    series = Series(np.ones(4), list("abcd"))
    with pytest.raises(ValueError, match=r"first: 6, second: 6.* 4 steps"):
        write_report(trace, tmp_path / "r.html", series=series)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_refused(tmp_path, monkeypatch):
    trace = some_trace(TEXT)
    with pytest.raises(ValueError, match="row must be from 0 to 1"):
        write_report(trace, tmp_path / "r.html", row=2)
    with pytest.raises(TypeError, match="must be a GateTrace"):
        write_report(trace["first"], tmp_path / "r.html")
    monkeypatch.setattr(report, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="too large for a page of 5 MB"):
        write_report(trace, tmp_path / "r.html")
    assert not list(tmp_path.iterdir())
