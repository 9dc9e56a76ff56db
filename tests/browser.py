"""Chromium, for the pages."""

import shutil
from pathlib import Path

import pytest

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.common.exceptions import WebDriverException  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's chromium-driver"
)

# Seconds; only a browser that hangs takes so long.
PATIENCE = 600
OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1400",
]


def started(folder, tries=5):
    """A browser; a port that was free may be taken when it is opened."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in [*OPTIONS, f"--user-data-dir={folder / f'profile{tries}'}"]:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(DRIVER)
    try:
        return webdriver.Chrome(options=options, service=service)
    except WebDriverException:
        if tries == 1:
            raise
        return started(folder, tries - 1)


def go(driver, page):
    driver.get(Path(page).as_uri())
    wait(driver, "return document.body.dataset.ready === 'true'")


def wait(driver, script, *arguments):
    """Until a script returns something true."""
    return WebDriverWait(driver, PATIENCE).until(
        lambda it: it.execute_script(script, *arguments)
    )


def choose_scheme(driver, name):
    """Prefer light or dark."""
    feature = {"name": "prefers-color-scheme", "value": name}
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [feature]}
    )
