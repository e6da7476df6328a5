"""The desk in a real browser: what a planner does, by keyboard too; no WCAG violation, no error."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from pipeline.desk.app import create_app
from pipeline.desk.people import Token
from pipeline.desk.rendering import PAGES
from pipeline.records.database import Records
from pipeline.store import Store
from tests.browser.airflow_page import browser
from tests.browser.desk_page import (
    fill,
    other_sites,
    picture,
    press,
    violations,
    wait_for,
    wait_until_gone,
)
from tests.desk import conftest
from tests.desk.conftest import LAST, QUICK, World

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
world = conftest.world  # the desk's own fixture
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (see .ci/run)"
)


@pytest.fixture
def address(world: World, tmp_path: Path) -> Iterator[str]:
    token = Token("ana")
    records = Records(f"sqlite:///{tmp_path}/records.sqlite")
    app = create_app({"plans": str(world.out)}, token, records, str(tmp_path / "erp"), QUICK)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/enter?token={token.token}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    assert CHROMIUM
    assert DRIVER
    with browser(tmp_path / "profile", CHROMIUM, DRIVER) as chrome:
        yield chrome


def test_an_order_is_found_overridden_approved_and_released(
    address: str,
    chrome: webdriver.Chrome,
    world: World,
    tmp_path: Path,
) -> None:
    order = Store(world.out).read(LAST, "purchase_orders").sort_values("order_cost_usd").iloc[-1]
    chrome.get(address)
    wait_for(chrome, "What needs a person")
    kinds = [tag.text for tag in chrome.find_elements(By.CSS_SELECTOR, "tbody .tag")[:5]]
    stakes = [
        float(cell.text.lstrip("$").replace(",", ""))
        for cell in chrome.find_elements(By.CSS_SELECTOR, "tbody td.n")[:5]
    ]
    assert len(kinds) == 5
    assert stakes == sorted(stakes, reverse=True)  # the five most valuable come first
    picture(chrome, "tonight")
    chrome.find_element(By.LINK_TEXT, "Orders").click()
    search = chrome.find_element(By.NAME, "q")
    search.send_keys(order["item_id"], Keys.ENTER)
    wait_for(chrome, "1 rows")
    chrome.find_element(By.CSS_SELECTOR, "tbody a").click()
    wait_for(chrome, "units are made of")
    assert chrome.find_elements(By.CSS_SELECTOR, ".chart canvas")
    picture(chrome, "item")
    chrome.find_element(By.LINK_TEXT, "Override").click()
    wait_for(chrome, "A new override")
    fill(chrome, override_value="0", why="the vendor is on strike",
         start_date="2025-07-01", expiry_date="2025-07-14")  # fmt: skip
    press(chrome, "See what it would do")
    wait_for(chrome, "What it would do tonight")
    assert order["item_id"] in chrome.find_element(By.CLASS_NAME, "preview").text
    picture(chrome, "override")
    press(chrome, "Save it")
    wait_for(chrome, "the vendor is on strike")
    press(chrome, "Withdraw")  # undone again
    wait_until_gone(chrome, "the vendor is on strike")
    chrome.find_element(By.LINK_TEXT, "Audit").click()
    wait_for(chrome, "withdraw")
    picture(chrome, "audit")
    chrome.find_element(By.LINK_TEXT, "Approval").click()
    wait_for(chrome, "Approve ticked")
    chrome.find_element(By.CSS_SELECTOR, "input[data-all]").click()
    chrome.find_element(By.NAME, "comment").send_keys("read and fine")
    press(chrome, "Approve ticked")
    wait_for(chrome, "read and fine")
    press(chrome, "Release what may leave")
    wait_for(chrome, "delivered")
    assert list((tmp_path / "erp").glob("*.json"))
    picture(chrome, "approval")
    assert chrome.get_log("browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_violates_wcag_or_asks_another_site(
    address: str, chrome: webdriver.Chrome, scheme: str
) -> None:
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    chrome.get(address)
    base = chrome.current_url.rsplit("/", 1)[0]
    item = "ITEM-0001"
    found = {}
    for page in (*(name for name, _ in PAGES), f"items/{item}", "nothing"):
        chrome.get(f"{base}/{page}")
        if broken := violations(chrome):
            found[page] = broken
        assert other_sites(chrome) == set()
    assert found == {}


def test_the_page_is_reached_past_the_navigation_by_keyboard(
    address: str, chrome: webdriver.Chrome
) -> None:
    chrome.get(address)
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    focused = chrome.switch_to.active_element
    assert focused.text == "Skip to the page"
    focused.send_keys(Keys.ENTER)
    assert chrome.switch_to.active_element.get_attribute("id") == "main"
