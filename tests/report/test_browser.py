"""The page in a real browser."""

import io
from functools import partial

import numpy as np
import pytest

from keras_gatelstm import GateLSTMCell, GateTrace
from keras_gatelstm.inspect import colors
from keras_gatelstm.inspect.notable import describe_units, notable_units
from keras_gatelstm.inspect.report import Series, write_report
from tests.browser import choose_scheme, go, needs_chromium, started, wait
from tests.report.traces import some_trace

pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

pytestmark = needs_chromium

TEXT = 'The "end",\nhe said.\n'


@pytest.fixture(scope="module")
def trace():
    mask = np.ones((2, len(TEXT)), bool)
    mask[0, -1] = False
    return some_trace(TEXT, mask=mask)


@pytest.fixture(scope="module")
def browser(trace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    driver = started(folder)
    try:
        go(driver, write_report(trace, folder / "report.html", "A <title>"))
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def another_page(browser, tmp_path):
    """Opens the page of another trace, and then the first again."""
    first = browser.current_url

    def opened(trace, series=None):
        path = tmp_path / "report.html"
        go(browser, write_report(trace, path, series=series))

    yield opened
    browser.get(first)
    wait(browser, "return document.body.dataset.ready === 'true'")


@pytest.fixture(autouse=True)
def as_at_first(browser):
    browser.execute_script("pickLayer(0); pickUnit(0); pickStep(0)")


@pytest.fixture
def scheme(browser):
    """Light or dark, until the test ends."""

    yield partial(choose_scheme, browser)
    choose_scheme(browser, "light")


def by_id(browser, name):
    return browser.find_element(By.ID, name)


def colours(browser):
    """What is behind each step, `(red, green, blue, strength)`."""
    found = browser.execute_script(
        "return [...document.querySelectorAll('#text span')]"
        ".map((it) => getComputedStyle(it).backgroundColor)"
    )
    numbers = [it[it.index("(") + 1 : -1].split(",") for it in found]
    return np.array([[*map(float, it), 1.0][:4] for it in numbers])


def test_it_loads_whole_and_asks_for_nothing(browser):
    assert browser.get_log("browser") == []
    entries = "return performance.getEntriesByType('resource').length"
    assert browser.execute_script(entries) == 0
    assert browser.title == "A <title>"
    assert (
        by_id(browser, "text")
        .text.replace("⏎\n", "\n")
        .startswith('The "end",\nhe said.')
    )


def test_the_colour_of_a_step_is_its_value(browser, trace):
    Select(by_id(browser, "quantity")).select_by_visible_text("use_factor")
    for unit in (0, 4):
        field = by_id(browser, "unit")
        field.clear()
        field.send_keys(str(unit))
        found = colours(browser)
        # The last step is masked.
        found = found[:-1]
        values = 2 * trace["first/use_factor"][0, :-1, unit] - 1
        np.testing.assert_allclose(
            found[:, 3], 0.75 * np.abs(values), atol=0.01
        )
        blue = found[:, 2] > found[:, 0]
        clear = np.abs(values) > 0.05
        np.testing.assert_array_equal(blue[clear], values[clear] > 0)


def test_another_layer_has_other_numbers(browser, trace):
    Select(by_id(browser, "layer")).select_by_visible_text("second")
    browser.execute_script("pickUnit(2); pickStep(3)")
    cells = browser.find_elements(By.CSS_SELECTOR, "#values td")
    names = browser.find_elements(By.CSS_SELECTOR, "#values th")
    for name, cell in zip(names, cells, strict=True):
        value = trace["second"][name.text][0, 3, 2]
        assert abs(float(cell.text) - value) < 0.02
    assert "second" in by_id(browser, "status").text


def test_by_keyboard_alone(browser):
    text = by_id(browser, "text")
    text.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert by_id(browser, "status").text.startswith("Step 2, e: unit 1")
    text.send_keys(Keys.END)
    assert "masked" in by_id(browser, "status").text
    text.send_keys(Keys.HOME, Keys.ARROW_UP, Keys.ARROW_UP)
    assert by_id(browser, "status").text.startswith("Step 0, T: unit 0")
    assert text.get_attribute("aria-activedescendant") == "step-0"


def tips(browser):
    """The explanations that are shown."""
    found = browser.find_elements(By.CSS_SELECTOR, ".tip")
    return [it.text for it in found if it.is_displayed()]


def name_of(browser, quantity):
    return browser.find_element(
        By.XPATH, f"//table[@id='values']//button[text()='{quantity}']"
    )


def test_names_explain_themselves_on_hover_and_focus(browser):
    meaning = GateLSTMCell.anatomy["forget_factor"].meaning
    assert "sigmoid" in meaning
    assert tips(browser) == []
    name = name_of(browser, "forget_factor")
    ActionChains(browser).move_to_element(name).perform()
    assert tips(browser) == [meaning]
    ActionChains(browser).move_to_element(by_id(browser, "unit")).perform()
    assert tips(browser) == []
    browser.execute_script("arguments[0].focus()", name)
    assert tips(browser) == [meaning]
    described = by_id(browser, name.get_attribute("aria-describedby"))
    assert described.text == meaning
    name.send_keys(Keys.ESCAPE)
    assert tips(browser) == []
    name.send_keys(Keys.ENTER)
    assert by_id(browser, "meaning").text == meaning
    picked = Select(by_id(browser, "quantity")).first_selected_option
    assert picked.text == "forget_factor"
    # The name keeps the focus while other steps are shown.
    browser.execute_script("pickStep(3)")
    assert browser.switch_to.active_element == name
    browser.execute_script("document.activeElement.blur()")


def test_gates_have_the_colours_of_pictures(browser, scheme):
    forget = colors.color_of(GateLSTMCell.anatomy, "kept")
    for name, expected in (("light", forget.line), ("dark", forget.dark)):
        scheme(name)
        shown = browser.execute_script(
            "const chart = [...document.querySelectorAll('#saturation > div')]"
            ".find((it) => it.textContent.includes('forget_factor'));"
            "const dot = chart.querySelector('circle:not(.picked)');"
            "return [getComputedStyle(arguments[0]).color,"
            "getComputedStyle(dot).fill]",
            name_of(browser, "kept"),
        )
        rgb = tuple(int(expected[at : at + 2], 16) for at in (1, 3, 5))
        assert shown == [f"rgb{rgb}"] * 2


def test_the_unit_shown_is_told(browser, trace):
    unit = notable_units(trace, "first", count=1)[0]
    browser.execute_script("pickLayer(0)")
    assert by_id(browser, "unit").get_attribute("value") == str(unit)
    found = describe_units(trace, "first")[unit]
    told = by_id(browser, "status").text
    assert told.endswith(f"unit {unit} of first\n{found}")
    axis = by_id(browser, "heat-axis").text
    assert "step (character) to the right" in axis
    assert f"step {len(TEXT) - 1}" in axis


def test_units_are_picked_from_pictures_and_the_table(browser):
    browser.execute_script(
        "document.querySelector('circle[data-unit=\"3\"]')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert by_id(browser, "unit").get_attribute("value") == "3"
    button = browser.find_element(By.CSS_SELECTOR, "tr[data-unit='5'] button")
    button.send_keys(Keys.ENTER)
    assert by_id(browser, "unit").get_attribute("value") == "5"
    by_id(browser, "heat").click()  # Its middle, of 20 steps.
    assert by_id(browser, "status").text.startswith(("Step 9", "Step 10"))


def test_masked_steps_are_struck_and_have_no_colour_of_a_value(browser):
    shown = browser.execute_script(
        "const it = document.querySelector('#text span:last-child');"
        "const { backgroundColor, textDecorationLine } = getComputedStyle(it);"
        "const heat = document.getElementById('heat');"
        "const pixel = heat.getContext('2d')"
        ".getImageData(heat.width - 1, 0, 1, 1).data;"
        "return [backgroundColor, textDecorationLine, ...pixel.slice(0, 3)]"
    )
    assert shown[:2] == ["rgba(128, 128, 128, 0.12)", "line-through"]
    np.testing.assert_allclose(shown[2:], 128, atol=2)


def test_what_is_no_number_is_said(browser, another_page):
    trace = some_trace(TEXT)
    trace["first/kept"][0, 0, 0] = np.inf
    another_page(trace)
    browser.execute_script("pickLayer(0); pickUnit(0); pickStep(0)")
    Select(by_id(browser, "quantity")).select_by_visible_text("kept")
    assert (
        browser.find_element(By.CSS_SELECTOR, "tr.picked td").text
        == "not finite"
    )
    assert colours(browser)[0, 3] == 0
    assert browser.get_log("browser") == []


def test_layers_of_other_lengths_than_the_text(browser, another_page):
    short, long = some_trace("abcd")["first"], some_trace(TEXT)["second"]
    another_page(GateTrace({"first": short, "second": long}))
    for layer, last in (("first", 3), ("second", len(TEXT) - 1)):
        Select(by_id(browser, "layer")).select_by_visible_text(layer)
        by_id(browser, "text").send_keys(Keys.END)
        said = by_id(browser, "status").text
        assert said.startswith(f"Step {last}, {last}: unit")
    assert browser.get_log("browser") == []


ROWS = 21


def some_series(size):
    """Two columns; the first of 21 rows is alone in its segment of 4."""
    values = np.stack([np.arange(ROWS) / 4, 100.0 - np.arange(ROWS) ** 2], 1)
    values[7, 0] = np.nan
    times = [f"2026-01-{day:02}" for day in range(1, ROWS + 1)]
    return Series(values, times, ["up, m", "down, m"], size)


def paths(browser, name):
    """The points of a line on the page, `(x, y)`, and its pieces."""
    drawn = by_id(browser, name).get_attribute("d")
    pieces = drawn.split("M")[1:]
    points = [
        tuple(map(float, point.removesuffix("h0.001").split()))
        for piece in pieces
        for point in piece.split("L")
    ]
    return np.array(points), len(pieces)


def box(browser, selector):
    element = browser.find_element(By.CSS_SELECTOR, selector)
    return browser.execute_script(
        "const { left, right } = arguments[0].getBoundingClientRect();"
        "return [left, right]",
        element,
    )


@pytest.mark.parametrize(("size", "steps"), [(1, 21), (4, 6)])
def test_a_series_is_a_line_above_the_units(browser, another_page, size, steps):
    another_page(some_trace("x" * steps), some_series(size))
    browser.execute_script("pickUnit(0); pickStep(0)")
    assert not browser.find_elements(By.CSS_SELECTOR, "#text span[data-step]")
    points, pieces = paths(browser, "series-line")
    np.testing.assert_allclose(np.diff(points[:, 0]), 1)
    assert pieces == 1
    values = 100.0 - np.arange(ROWS) ** 2
    slope, _ = np.polyfit(values, points[:, 1], 1)
    assert slope < 0
    np.testing.assert_allclose(
        np.corrcoef(values, points[:, 1])[0, 1], -1, atol=1e-6
    )
    # The last row ends the last step, above the end of the heat map.
    assert points[-1, 0] + 0.5 == steps * size
    for one, other in zip(
        box(browser, "#text svg"), box(browser, "#heat"), strict=True
    ):
        assert abs(one - other) < 1.5
    assert browser.get_log("browser") == []


def test_a_step_of_a_series_is_marked_and_told(browser, another_page):
    another_page(some_trace("abcdef"), some_series(4))
    browser.execute_script("pickUnit(0); pickStep(0)")
    text = by_id(browser, "text")
    assert text.get_attribute("aria-label") == "Steps of down, m"
    status = by_id(browser, "status")
    assert status.text.startswith("Step 0, 2026-01-01, down, m is 100: unit 0")
    text.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    told = "2026-01-06 to 2026-01-09, down, m is between 36 and 75"
    assert status.text.startswith(f"Step 2, {told}: unit 1 of first")
    assert text.get_attribute("aria-activedescendant") == "step-2"
    band = by_id(browser, "step-2")
    assert band.get_attribute("role") == "option"
    assert band.get_attribute("aria-label") == told
    assert band.get_attribute("aria-selected") == "true"
    here, _ = paths(browser, "series-here")
    whole, _ = paths(browser, "series-line")
    np.testing.assert_array_equal(here, whole[5:9])
    assert by_id(browser, "series-frame").get_attribute("d").startswith("M8 0")
    text.send_keys(Keys.END)
    assert status.text.startswith("Step 5, 2026-01-18 to 2026-01-21")
    by_id(browser, "step-1").click()
    assert status.text.startswith("Step 1, 2026-01-02 to 2026-01-05")
    assert browser.get_log("browser") == []


def test_another_column_of_a_series_is_chosen(browser, another_page):
    another_page(some_trace("x" * ROWS), some_series(1))
    browser.execute_script("pickStep(7)")
    assert by_id(browser, "status").text.startswith(
        "Step 7, 2026-01-08, down, m is 51:"
    )
    Select(by_id(browser, "column")).select_by_visible_text("up, m")
    status = by_id(browser, "status").text
    assert status.startswith("Step 7, 2026-01-08, up, m is missing:")
    points, pieces = paths(browser, "series-line")
    assert (len(points), pieces) == (ROWS - 1, 2)
    assert by_id(browser, "series-here").get_attribute("d") == ""
    browser.execute_script("pickStep(8)")
    assert "up, m is 2:" in by_id(browser, "status").text


def test_bands_behind_a_series_have_the_colours_of_values(
    browser, another_page, scheme
):
    trace = some_trace("abcdef")
    another_page(trace, some_series(4))
    Select(by_id(browser, "quantity")).select_by_visible_text("use_factor")
    browser.execute_script("pickUnit(4)")
    values = 2 * trace["first/use_factor"][0, :, 4] - 1
    inks = set()
    for name, strongest in (("light", 0.75), ("dark", 0.6)):
        scheme(name)
        # The page hears of it before it is drawn again.
        browser.execute_async_script(
            "const [done] = arguments;"
            "requestAnimationFrame(() => requestAnimationFrame(done))"
        )
        fills, ink = browser.execute_script(
            "return [[...document.querySelectorAll('#text rect')]"
            ".map((it) => getComputedStyle(it).fill),"
            "getComputedStyle(document.getElementById('series-line')).stroke]"
        )
        inks.add(ink)
        found = [it[it.index("(") + 1 : -1].split(",") for it in fills]
        found = np.array([[*map(float, it), 1.0][:4] for it in found])
        np.testing.assert_allclose(
            found[:, 3], strongest * np.abs(values), atol=0.01
        )
        blue = found[:, 2] > found[:, 0]
        clear = np.abs(values) > 0.05
        np.testing.assert_array_equal(blue[clear], values[clear] > 0)
    assert len(inks) == 2


def test_a_layer_of_other_steps_than_the_series_shows_its_tokens(
    browser, another_page
):
    reads, other = some_trace("abcdef")["first"], some_trace("abc")["second"]
    another_page(GateTrace({"first": reads, "second": other}), some_series(4))
    assert browser.find_elements(By.ID, "series-line")
    Select(by_id(browser, "layer")).select_by_visible_text("second")
    assert not browser.find_elements(By.ID, "series-line")
    assert not by_id(browser, "column").is_displayed()
    assert len(colours(browser)) == 3
    by_id(browser, "text").send_keys(Keys.END)
    assert by_id(browser, "status").text.startswith("Step 2, 2: unit")
    Select(by_id(browser, "layer")).select_by_visible_text("first")
    assert by_id(browser, "column").is_displayed()
    assert browser.get_log("browser") == []


def test_a_picture_of_it_is_not_blank_in_light_and_dark(browser, scheme):
    from matplotlib import image

    def picture(name):
        scheme(name)
        png = browser.get_screenshot_as_png()
        return image.imread(io.BytesIO(png))[..., :3]

    light, dark = picture("light"), picture("dark")
    for it in (light, dark):
        levels = (it.reshape(-1, 3) * 15).astype(int)
        assert len(np.unique(levels @ [256, 16, 1])) > 50
    assert light.mean() > 0.8
    assert dark.mean() < 0.3
    assert browser.get_log("browser") == []
