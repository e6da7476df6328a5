"""Airflow's pages as a person sees them: log in, fill the backfill form, look at the runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import (
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.wait import WebDriverWait

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1400,1400",
)  # fmt: skip

NOT_YET = (
    NoSuchElementException, ElementNotInteractableException, StaleElementReferenceException,
)  # fmt: skip


@contextmanager
def browser(profile: Path, chromium: str, driver: str) -> Iterator[webdriver.Chrome]:
    """A fresh headless Chromium."""
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


class AirflowPage:
    """What the test does by hand, so to speak."""

    def __init__(self, chrome: webdriver.Chrome, base: str) -> None:
        self._chrome, self._base = chrome, base
        self._wait = WebDriverWait(chrome, 120, ignored_exceptions=NOT_YET)

    def log_in(self, user: str, password: str) -> None:
        """Through Airflow's own form."""
        self._chrome.get(self._base)
        self._visible("//input[@name='username']").send_keys(user)
        self._visible("//input[@name='password']").send_keys(password)
        self._click("//button[@type='submit']")
        self._visible("//*[normalize-space()='Dags']")

    def backfill(self, dag_id: str, first: date, last: date, backwards: bool) -> None:
        """Trigger → Backfill, choose both dates, run."""
        self._chrome.get(f"{self._base}/dags/{dag_id}")
        self._click("//*[@data-testid='trigger-dag-button']")
        self._click("//*[normalize-space(text())='Backfill']")
        for label, day in (("From", first), ("To", last)):
            self._choose_date(label, day)
        if backwards:
            self._click("//*[normalize-space(text())='Run Backwards']")
        days = (last - first).days + 1
        self._visible(f"//*[contains(text(), '{days} run')]")
        self._click("//button[normalize-space()='Run Backfill']")
        self._wait.until(seen.invisibility_of_element_located((By.XPATH, "//div[@role='dialog']")))

    def answer(self, path: str, option: str, comment: str) -> None:
        """Fill the comment of a required action, and choose one of its options."""
        self._chrome.get(self._base + path)
        field = self._visible("//input[@name='element_comment']")
        field.send_keys(comment, Keys.TAB)
        self._click(f"//*[@data-testid='hitl-option-{option}']")
        self._visible("//*[contains(text(), 'received')]")

    def follow(self, path: str, text: str) -> None:
        """Open a page of the desk, which is a page of its own, once it shows a text."""
        self._chrome.get(self._base + path)
        self._visible(f"//main[contains(., '{text}')]")

    def screenshot(self, file: Path, path: str = "") -> None:
        """A picture of a page of the UI, for people."""
        if path:
            self._chrome.get(self._base + path)
            time.sleep(5)
        self._chrome.save_screenshot(str(file))

    def text_of_frame(self, path: str) -> str:
        """What the first frame of a page shows."""
        self._chrome.get(self._base + path)
        frame = (By.TAG_NAME, "iframe")
        self._wait.until(seen.frame_to_be_available_and_switch_to_it(frame))
        text = self._visible("//body").text
        self._chrome.switch_to.default_content()
        return text

    def _choose_date(self, label: str, day: date) -> None:
        self._click("(//*[contains(text(), 'Select date and time')])[1]")
        for placeholder, text in (("YYYY/MM/DD", f"{day:%Y/%m/%d}"), ("HH:mm", "00:00")):
            self._type(f"//input[@placeholder='{placeholder}']",
                       Keys.CONTROL, "a", Keys.NULL, text, Keys.ENTER)  # fmt: skip
        self._click("//*[contains(text(), 'Date Range')]")

    def _type(self, xpath: str, *keys: str) -> None:
        """Type into a field once it takes keys: the one of a date chosen before may fade first."""

        def typed(chrome: webdriver.Chrome) -> bool:
            chrome.find_element(By.XPATH, xpath).send_keys(*keys)
            return True

        self._wait.until(typed)

    def _visible(self, xpath: str) -> WebElement:
        found: WebElement = self._wait.until(seen.visibility_of_element_located((By.XPATH, xpath)))
        return found

    def _click(self, xpath: str) -> None:
        self._wait.until(seen.element_to_be_clickable((By.XPATH, xpath))).click()
