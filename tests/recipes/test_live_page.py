"""The page in which a model runs, in a real browser."""

import functools
import http.server
import json
import threading

import keras
import numpy as np
import pytest

from keras_gatelstm import record_gates, statistics
from keras_gatelstm.export import LiteRTFile
from keras_gatelstm.inspect.interventions import clamp_gates
from recipes import console, live
from recipes.data.vocabulary import Vocabulary
from recipes.live_page import site
from tests.browser import choose_scheme, go, needs_chromium, started, wait
from tests.recipes.live_models import TEXT, write_model

pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from benchmarks.live import RUN

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        not site.is_built(), reason="the page is built by `make web`"
    ),
]

STEPS = 300
READ = "return document.querySelectorAll('.ink span').length === arguments[0]"
CONTINUED = "return document.querySelectorAll('.pens pre')[{}]?.textContent"
# Said when nothing has changed for a moment.
SPOKEN = (
    "return document.querySelector('.spoken').textContent"
    ".includes(arguments[0])"
)
DIFFER = """
const [free, held] = document.querySelectorAll('.pens pre');
return free.textContent && held?.textContent
  && free.textContent !== held.textContent;
"""
PRESS = """
[...document.querySelectorAll('button')]
  .find((it) => it.innerText.replaceAll('\\n', ' ').startsWith(arguments[0]))
  .click();
"""
SET = """
const [field, value] = arguments;
const { set } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(field), 'value');
set.call(field, value);
field.dispatchEvent(new Event('input', { bubbles: true }));
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page of one file, and one for a host, each with its model."""
    folder = tmp_path_factory.mktemp("pages")
    text = folder / "play.txt"
    text.write_text(TEXT, "utf-8")
    for kind, options in {
        "lesson": [],
        # The folder has other files in it: the model's.
        "two": ["--text-file", text, "--folder", folder / "two"],
    }.items():
        (folder / kind).mkdir()
        model = write_model(folder / kind, kind)
        arguments = [str(it) for it in [model, *options]]
        assert console.run("live", live.main, arguments) == 0
    return folder


@pytest.fixture(scope="module")
def address(folder):
    """Where the page for a host is served."""
    handler = functools.partial(Quiet, directory=str(folder / "two"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = started(tmp_path_factory.mktemp("browser"))
    driver.set_script_timeout(600)
    yield driver
    driver.quit()


@pytest.fixture
def page(driver, folder):
    """The page of one layer, as it opens from the disk."""
    driver.get_log("browser")
    go(driver, folder / "lesson" / "live.html")
    return driver


def find(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector)


def press(page, words):
    """Presses the button that says this."""
    page.execute_script(PRESS, words)


def fill(page, selector, value):
    page.execute_script(SET, find(page, selector), value)


def read(page, text):
    fill(page, "textarea", text)
    wait(page, READ, len(text))


def gate(page, name):
    """The numbers in a gate's box: `{"f": 0.98, ...}`."""
    box = find(page, f"[data-gate={name}] .number")
    words = box.text.replace("\N{MINUS SIGN}", "-").split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


def recorded(folder, text, kind="lesson", **clamps):
    model = keras.saving.load_model(folder / kind / f"{kind}.keras")
    vocabulary = Vocabulary.load(folder / kind / "vocabulary.json")
    with clamp_gates(model, clamps):
        return record_gates(model, vocabulary.encode(text)[np.newaxis])


@pytest.mark.parametrize(
    "is_held", [pytest.param(False, marks=pytest.mark.thorough), True]
)
def test_its_numbers_are_those_of_litert(page, folder, tmp_path, is_held):
    from keras_gatelstm.export import export_litert

    model = keras.saving.load_model(folder / "lesson" / "lesson.keras")
    export_litert(model, tmp_path / "m.tflite", "streaming", gates=True)
    file = LiteRTFile(tmp_path / "m.tflite")
    name_of_input = model.inputs[0].name
    numbers = np.random.default_rng(3).integers(0, 20, STEPS)
    half = [0.5] * 6 + [None] * 6
    held = {"only_forget_factor": half} if is_held else {}
    found = page.execute_async_script(RUN, numbers.tolist(), held)

    given = {}
    for name, detail in file.inputs.items():
        shape = tuple(detail["shape"])
        start = np.nan if name.startswith("hold_") else 0
        given[name] = np.full(shape, start, "float32")
    if is_held:
        given["hold_only_forget_factor"][:] = np.array(half, "float32")
    for number, step in zip(numbers, found, strict=True):
        given[name_of_input] = np.full((1, 1), number, "int32")
        outputs = file(**given)
        given |= {name: outputs[name] for name in given if name in outputs}
        assert set(step) == set(outputs)
        for name, values in outputs.items():
            np.testing.assert_allclose(
                step[name], values.ravel(), rtol=0, atol=1e-5
            )


def test_it_shows_what_the_library_records(page, folder):
    text = "What says the lord"
    read(page, text)
    fill(page, "input[type=number]", "3")
    layer = recorded(folder, text)["only"]
    for name, symbol, quantity in (
        ("forget_gate", "f", "forget_factor"),
        ("learn_gate", "N", "new_information"),
        ("use_gate", "V", "use_factor"),
    ):
        expected = layer[quantity][0, -1, 3]
        assert gate(page, name)[symbol] == pytest.approx(expected, abs=0.0051)
    before = layer["long_term_memory"][0, -2, 3]
    assert gate(page, "forget_gate")["LTM"] == pytest.approx(before, abs=0.0051)


def test_the_caret_picks_the_step(page, folder):
    text = "the world"
    read(page, text)
    area = find(page, "textarea")
    area.send_keys(Keys.CONTROL, Keys.HOME)
    area.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    wait(page, "return document.querySelector('.ink .here').textContent == 'h'")
    unit = int(find(page, "input[type=number]").get_attribute("value"))
    expected = recorded(folder, text)["only/use_factor"][0, 1, unit]
    assert gate(page, "use_gate")["V"] == pytest.approx(expected, abs=0.0051)
    wait(page, SPOKEN, "after h:")


def test_a_held_gate_is_held_and_changes_what_is_written(page, folder):
    text = "What says the lord"
    read(page, text)
    fill(page, ".hold[data-quantity=forget_factor] input[type=range]", "0.25")
    # Until the text is read again, the second pen writes as the first does.
    wait(page, DIFFER)
    caption = find(page, ".pens .held figcaption").text
    assert caption.startswith("forget factor at 0.25:")
    assert gate(page, "forget_gate")["f"] == 0.25
    layer = recorded(folder, text, **{"only/forget_factor": 0.25})["only"]
    unit = int(find(page, "input[type=number]").get_attribute("value"))
    expected = layer["new_information"][0, -1, unit]
    assert gate(page, "learn_gate")["N"] == pytest.approx(expected, abs=0.0051)
    press(page, "forget factor at 0.25")
    wait(page, "return !document.querySelector('.pens .held')")


def test_a_gate_is_held_for_one_unit(page, folder):
    text = "the world"
    read(page, text)
    fill(page, "input[type=number]", "3")
    press(page, "unit 3 only")
    fill(page, ".hold[data-quantity=use_factor] input[type=range]", "0")
    wait(page, CONTINUED.format(1))
    assert "use factor, unit 3, at 0.00" in find(page, ".active").text
    clamps = {"only/use_factor": {3: 0.0}}
    layer = recorded(folder, text, **clamps)["only"]
    fill(page, "input[type=number]", "5")
    expected = layer["use_factor"][0, -1, 5]
    assert gate(page, "use_gate")["V"] == pytest.approx(expected, abs=0.0051)
    assert expected != recorded(folder, text)["only/use_factor"][0, -1, 5]


def test_what_it_expects_is_typed_by_pressing_it(page):
    read(page, "the")
    chances = page.find_elements(By.CSS_SELECTOR, ".predictions b")
    numbers = [float(it.text) for it in chances]
    assert numbers == sorted(numbers, reverse=True)
    find(page, ".predictions button").click()
    wait(page, READ, 4)


def test_the_guide_holds_each_gate(page):
    press(page, "unit")
    fill(page, ".hold[data-quantity=ignore_factor] input[type=range]", "0.9")
    press(page, "all units")
    press(page, "Guide")
    assert page.switch_to.active_element.text == "1 of 4: the forget gate"
    for step, name in enumerate(("forget", "learn", "remember", "use"), 1):
        assert find(page, ".guide h2").text == f"{step} of 4: the {name} gate"
        find(page, ".guide button").click()
        held = find(page, ".active").text
        assert ("at 0.00" in held) == (name != "remember")
        if name != "use":
            press(page, "Next gate")
    press(page, "Done")
    wait(page, "return !document.querySelector('section.guide')")
    # What the guide held is let go, and nothing else.
    wait(
        page,
        "return !document.querySelector('.active').textContent"
        ".includes('0.00')",
    )


def test_by_keyboard_alone(page):
    read(page, "the world")
    heat = find(page, ".heat .frame")
    heat.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    wait(page, "return document.querySelector('.ink .here').textContent == 'r'")
    unit = int(find(page, "input[type=number]").get_attribute("value"))
    heat.send_keys(Keys.ARROW_UP if unit else Keys.ARROW_DOWN)
    other = unit - 1 if unit else 1
    wait(page, SPOKEN, f"Unit {other}, after r:")
    names = page.execute_script(
        "return [...document.querySelectorAll('button, input, textarea,"
        " [tabindex]')].map((it) => it.getAttribute('aria-label')"
        " || it.textContent || it.labels?.[0]?.textContent)"
    )
    assert all(name and name.strip() for name in names)


@pytest.fixture(params=["light", "dark"])
def scheme(page, request):
    choose_scheme(page, request.param)
    yield request.param
    choose_scheme(page, "light")


@pytest.fixture(params=[390, 1280])
def width(page, request):
    size = {"width": request.param, "height": 900, "deviceScaleFactor": 1}
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**size, "mobile": False}
    )
    yield request.param
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_fits_every_screen(page, scheme, width):
    # The page takes its other shape in a moment.
    fits = "return document.documentElement.scrollWidth <= arguments[0]"
    wait(page, fits, width)
    ground = page.execute_script(
        "return getComputedStyle(document.body).backgroundColor"
    )
    red = int(ground.removeprefix("rgb(").split(",")[0])
    assert (red > 128) == (scheme == "light")


def test_typing_in_the_middle_stays_there(page):
    read(page, "the world")
    area = find(page, "textarea")
    area.send_keys(Keys.CONTROL, Keys.HOME)
    area.send_keys(*[Keys.ARROW_RIGHT] * 4)
    for key in "wide ":
        area.send_keys(key)
    wait(page, READ, len("the wide world"))
    assert area.get_attribute("value") == "the wide world"
    inked = "return document.querySelector('.ink').textContent"
    assert page.execute_script(inked).startswith("the wide world")


def test_a_prediction_is_typed_after_the_step_it_is_of(page):
    read(page, "the world")
    area = find(page, "textarea")
    area.send_keys(Keys.CONTROL, Keys.HOME)
    area.send_keys(*[Keys.ARROW_RIGHT] * 3)
    wait(page, "return document.querySelector('.ink .here').textContent == 'e'")
    button = find(page, ".predictions button")
    (first, *_) = button.text.splitlines()
    button.click()
    wait(page, READ, len("the world") + 1)
    text = area.get_attribute("value")
    kept = {"␣": " ", "⏎": "\n"}.get(first, first)
    assert text == f"the{kept} world"


def test_it_writes_on_until_it_is_stopped(page):
    read(page, "the world")
    press(page, "Write on")
    wait(page, "return document.querySelectorAll('.ink span').length > 14")
    here = "return !document.querySelector('.ink span:last-of-type.here')"
    wait(page, here.replace("!document", "!!document"))
    press(page, "Start over")
    press(page, "Stop")
    begun = find(page, "textarea").get_attribute("value")
    start = page.execute_script("return live.description.start")
    assert begun.startswith(start)
    wait(page, CONTINUED.format(0))
    assert find(page, "textarea").get_attribute("value") == begun


def test_a_file_asks_for_nothing_and_nothing_goes_wrong(page):
    wait(page, CONTINUED.format(0))
    asked = page.execute_script(
        "return performance.getEntriesByType('resource').map((it) => it.name)"
    )
    assert all(it.startswith(("blob:", "data:")) for it in asked)
    # LiteRT writes what it does to the error stream.
    wrong = [
        it["message"]
        for it in page.get_log("browser")
        if it["level"] == "SEVERE"
        and "INFO: " not in it["message"]
        and "NPU accelerator" not in it["message"]
    ]
    assert wrong == []


def test_one_file_stands_beside_the_model(folder):
    names = {path.name for path in (folder / "lesson").iterdir()}
    assert names == {"lesson.keras", "vocabulary.json", "live.html"}
    page = (folder / "lesson" / "live.html").read_text("utf-8")
    assert "{{" not in page.split("<script")[0]
    assert len(page) < 5e6


def test_a_folder_has_all_that_the_page_needs_to_know(folder):
    site = folder / "two"
    assert {path.name for path in site.iterdir()} == {
        "two.keras",
        "vocabulary.json",
        "index.html",
        "model.json",
        "page.css",
        "page.js",
        "step.tflite",
        "wasm",
    }
    found = json.loads((site / "model.json").read_text("utf-8"))
    vocabulary = Vocabulary.load(folder / "two" / "vocabulary.json")
    assert "".join(found["characters"]) == vocabulary.characters
    assert found["start"] == TEXT[:80]
    lower, upper = found["layers"]
    assert (lower["kind"], upper["kind"]) == ("gru", "standard")
    assert upper["memory"] == "long_term_memory"
    assert [it["symbol"] for it in lower["quantities"]][-2:] == ["z", "M"]

    trace = recorded(folder, TEXT, "two")["upper"]
    properties = statistics.text_properties(TEXT)
    for unit in upper["notable"]:
        correlations = statistics.correlations(
            trace,
            "long_term_memory",
            properties[unit["property"].replace(" ", "_")],
        )
        assert np.abs(correlations).argmax() == unit["unit"]
        assert correlations[unit["unit"]] == pytest.approx(
            unit["correlation"], abs=0.006
        )
    sizes = [abs(it["correlation"]) for it in upper["notable"]]
    assert sizes == sorted(sizes, reverse=True)


def test_served_by_a_host_every_layer_can_be_picked(driver, folder, address):
    driver.get(address)
    wait(driver, "return document.body.dataset.ready === 'true'")
    text = "the world"
    read(driver, text)
    trace = recorded(folder, text, "two")
    fill(driver, "input[type=number]", "2")
    expected = trace["lower/update_factor"][0, -1, 2]
    found = gate(driver, "update_gate")["z"]
    assert found == pytest.approx(expected, abs=0.0051)
    press(driver, "upper")
    fill(driver, "input[type=number]", "6")
    expected = trace["upper/forget_factor"][0, -1, 6]
    found = gate(driver, "forget_gate")["f"]
    assert found == pytest.approx(expected, abs=0.0051)
    fill(driver, ".hold[data-quantity=use_factor] input[type=range]", "0")
    wait(driver, CONTINUED.format(1))
    assert "use factor of upper at 0.00" in find(driver, ".active").text
    asked = driver.execute_script(
        "return performance.getEntriesByType('resource').map((it) => it.name)"
    )
    assert all(it.startswith((address, "data:", "blob:")) for it in asked)
    driver.get("about:blank")
