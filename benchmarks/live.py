"""The page of `recipes.live`: from key to paint, and how exact it is.

    python -m recipes.live docs/shakespeare/model.keras --folder site
    python -m benchmarks.live site

In headless Chromium, keys are typed into the page, and the time is measured
from each to the frame that shows the step. Then the page reads random
characters, with gates free and held, and every number is compared with the
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
    held = f"{layer['name']}_{layer['holdable'][0]}"
    with open_page(folder) as page:
        milliseconds = key_to_paint(page)
        errors = {
            name: largest_error(page, folder, holds)
            for name, holds in {
                "free": {},
                "held": {held: [0.5] * layer["units"]},
            }.items()
        }
        browser = page.capabilities["browserVersion"]
    row = {
        "page": folder.name,
        "units": layer["units"],
        "browser": f"Chromium {browser}",
        "key_to_paint_median_ms": f"{np.median(milliseconds):.1f}",
        "key_to_paint_p95_ms": f"{np.percentile(milliseconds, 95):.1f}",
        "largest_error_free": f"{errors['free']:.1e}",
        "largest_error_held": f"{errors['held']:.1e}",
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


def largest_error(
    page: Any, folder: Path, held: dict[str, list[float]]
) -> float:
    """Return the largest difference of the page from LiteRT's interpreter."""
    description = json.loads((folder / "model.json").read_text("utf-8"))
    random = np.random.default_rng(3)
    numbers = random.integers(1, len(description["characters"]), CHARACTERS)
    found = page.execute_async_script(RUN, numbers.tolist(), held)
    file = LiteRTFile(folder / "step.tflite")
    given: dict[str, np.ndarray] = {}
    for name, detail in file.inputs.items():
        start = np.nan if name.startswith("hold_") else 0
        given[name] = np.full(tuple(detail["shape"]), start, "float32")
    for name, values in held.items():
        given[f"hold_{name}"][:] = values
    largest = 0.0
    for number, step in zip(numbers, found, strict=True):
        given[description["input"]] = np.full((1, 1), number, "int32")
        outputs = file(**given)
        given |= {name: outputs[name] for name in given if name in outputs}
        for name, values in outputs.items():
            difference = np.abs(values.ravel() - np.array(step[name]))
            largest = max(largest, float(difference.max()))
    return largest


if __name__ == "__main__":
    main()
