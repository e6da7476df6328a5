"""What browser tests do on the desk's pages, and what no page may show."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from axe_selenium_python import Axe
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.wait import WebDriverWait


def waiting(chrome: webdriver.Chrome, most_s: int = 60) -> WebDriverWait:
    """Waits through pages that are replaced meanwhile, which the driver tells in several ways."""
    return WebDriverWait(chrome, most_s, ignored_exceptions=[WebDriverException])


def wait_for(chrome: webdriver.Chrome, text: str, most_s: int = 60) -> None:
    """Until the page that a click leads to shows the text."""
    shown = seen.text_to_be_present_in_element((By.ID, "main"), text)
    waiting(chrome, most_s).until(shown)


def wait_until_gone(chrome: webdriver.Chrome, text: str) -> None:
    """Until the page does not show the text any more."""
    waiting(chrome).until_not(seen.text_to_be_present_in_element((By.ID, "main"), text))


def press(chrome: webdriver.Chrome, words: str) -> None:
    """A button, by its words."""
    chrome.find_element(By.XPATH, f"//button[.='{words}']").click()


def fill(chrome: webdriver.Chrome, **texts: str) -> None:
    """Fields of the form of overrides, by name; dates are set, since typing follows the locale."""
    for name, text in texts.items():
        if name.endswith("_date"):
            chrome.execute_script(
                "document.getElementsByName(arguments[0])[0].value = arguments[1]", name, text
            )
        else:
            chrome.find_element(By.NAME, name).send_keys(text)


def violations(chrome: webdriver.Chrome) -> list[tuple[str, str]]:
    """WCAG A and AA rules that the page breaks, by axe, each with an element."""
    axe = Axe(chrome)
    chrome.execute_script(axe.script_url and Path(axe.script_url).read_text())
    found = axe.run(options={"runOnly": ["wcag2a", "wcag2aa"]})["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def other_sites(chrome: webdriver.Chrome) -> set[str]:
    """Hosts other than the page's own that the page asked for something."""
    sites = chrome.execute_script(
        "return performance.getEntriesByType('resource').map(e => new URL(e.name).host)"
    )
    return {site for site in sites if site} - {chrome.current_url.split("/")[2]}


def picture(chrome: webdriver.Chrome, name: str) -> None:
    """For docs/pictures (`make pictures`): small, as a screen of 1200 by 760 shows it."""
    folder = os.environ.get("ECHELON_SCREENSHOTS")
    if folder:
        chrome.set_window_size(1200, 760)
        told = chrome.execute_cdp_cmd("Page.captureScreenshot", {"format": "webp", "quality": 60})
        Path(folder, f"desk-{name}.webp").write_bytes(base64.b64decode(told["data"]))
        chrome.set_window_size(1400, 1400)
