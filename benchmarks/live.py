"""The page of `recipes.live`: from key to paint, and how exact it is.

    python -m recipes.live docs/shakespeare/model.keras --folder site
    python -m benchmarks.live site

In headless Chromium, keys are typed into the page, and the time is measured
from each to the frame that shows the step. Then the page reads a text that the
model writes, with gates free and held, and every number is compared with the
same file on LiteRT's own interpreter. Rows go to `results/live.csv`.
"""

import argparse
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.records import add_row
from keras_gatelstm.export import LiteRTFile
from recipes.sample import draw

KEYS, CHARACTERS = 100, 300
RESULTS = Path(__file__).parent / "results" / "live.csv"
READY = (
    "return document.body.dataset.ready === 'true'"
    " && !!document.querySelector('.pens pre')?.textContent"
)
# Milliseconds from each key to the end of the frame that has its step.
WATCH = """
window.times = [];
const area = document.querySelector('textarea');
const steps = () => document.querySelectorAll('.ink span').length;
area.addEventListener('keydown', () => {
  const [start, before] = [performance.now(), steps()];
  const look = () => {
    if (steps() === before) return requestAnimationFrame(look);
    setTimeout(() => window.times.push(performance.now() - start));
  };
  requestAnimationFrame(look);
});
"""
# Runs every step in the page; gives every number of every step.
RUN = """
const [numbers, held, done] = arguments;
const values = {};
for (const [name, it] of Object.entries(held))
  values[name] = Float32Array.from(it, (value) => value ?? NaN);
(async () => {
  const steps = [];
  let step = {};
  for (const it of numbers) {
    step = await live.step(it, step, values);
    const copied = {};
    for (const [name, it] of Object.entries(step)) copied[name] = [...it];
    steps.push(copied);
  }
  return steps;
})().then(done, (error) => done(String(error)));
"""


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="as recipes.live writes it")
    folder = parser.parse_args().folder
    layer = json.loads((folder / "model.json").read_text("utf-8"))["layers"][0]
    factors = [
        it["name"] for it in layer["quantities"] if it["kind"] == "factor"
    ]
    held = f"{layer['name']}_{(factors or layer['holdable'])[-1]}"
    with open_page(folder) as page:
        milliseconds = key_to_paint(page)
        free = differences(page, folder, {})
        with_hold = differences(page, folder, {held: [0.5] * layer["units"]})
        browser = page.capabilities["browserVersion"]
    row = {
        "page": folder.name,
        "units": layer["units"],
        "browser": f"Chromium {browser}",
        "key_to_paint_median_ms": f"{np.median(milliseconds):.1f}",
        "key_to_paint_p95_ms": f"{np.percentile(milliseconds, 95):.1f}",
        "quantities_differ_free": f"{free[0]:.1e}",
        "logits_differ_free": f"{free[1]:.1e}",
        "quantities_differ_held": f"{with_hold[0]:.1e}",
        "logits_differ_held": f"{with_hold[1]:.1e}",
    }
    add_row(RESULTS, row)
    for name, value in row.items():
        print(f"{name:24} {value}")


@contextmanager
def open_page(folder: Path) -> Iterator[Any]:
    """Serve the folder, and open it in headless Chromium."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    options = webdriver.ChromeOptions()
    for option in ("headless=new", "no-sandbox", "disable-quic"):
        options.add_argument(f"--{option}")
    handler = functools.partial(Quiet, directory=str(folder))
    driver = webdriver.Chrome(options=options)
    try:
        with http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), handler
        ) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            driver.set_script_timeout(300)
            driver.get(f"http://127.0.0.1:{server.server_port}/")
            WebDriverWait(driver, 60).until(lambda it: it.execute_script(READY))
            yield driver
            server.shutdown()
    finally:
        driver.quit()


def key_to_paint(page: Any) -> list[float]:
    """Return the milliseconds from each key to the frame that shows it."""
    page.execute_script(WATCH)
    area = page.find_element(By.CSS_SELECTOR, "textarea")
    for number in range(KEYS):
        area.send_keys("the lord of "[number % 12])
        WebDriverWait(page, 10, 0.02).until(
            lambda it, number=number: it.execute_script(
                "return times.length > arguments[0]", number
            )
        )
    times: list[float] = page.execute_script("return times")
    return times


def differences(
    page: Any, folder: Path, held: dict[str, list[float]]
) -> tuple[float, float]:
    """Compare the page with LiteRT's interpreter, on a text that it writes.

    Returns:
        The largest difference of a quantity, and of a logit as a part of the
        logits' range.
    """
    description = json.loads((folder / "model.json").read_text("utf-8"))
    file = LiteRTFile(folder / "step.tflite")
    given: dict[str, np.ndarray] = {}
    for name, detail in file.inputs.items():
        start = np.nan if name.startswith("hold_") else 0
        given[name] = np.full(tuple(detail["shape"]), start, "float32")
    for name, values in held.items():
        given[f"hold_{name}"][:] = values
    random = np.random.default_rng(3)
    number, numbers, steps = 1, [], []
    for _ in range(CHARACTERS):
        numbers.append(number)
        given[description["input"]] = np.full((1, 1), number, "int32")
        outputs = file(**given)
        given |= {name: outputs[name] for name in given if name in outputs}
        steps.append(outputs)
        logits = outputs[description["output"]]
        number = draw(logits.ravel(), 0.8, None, random)
    found = page.execute_async_script(RUN, numbers, held)
    largest = {
        name: max(
            float(np.abs(step[name].ravel() - here[name]).max())
            for step, here in zip(steps, found, strict=True)
        )
        for name in steps[0]
    }
    logits = largest.pop(description["output"])
    spread = max(float(np.ptp(it[description["output"]])) for it in steps)
    return max(largest.values()), logits / spread


if __name__ == "__main__":
    main()
