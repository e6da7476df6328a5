"""The questions of docs/desk_questions.md, walked in a browser: each answered within three steps.

Takes a minute or two: run it with ECHELON_QUESTIONS=1. Prints the steps of each with `-s`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from pipeline.store import Store
from tests.browser import test_desk
from tests.browser.desk_page import fill, press, wait_for, waiting
from tests.desk.conftest import LAST, World

ASKED = "ECHELON_QUESTIONS"
pytestmark = [
    test_desk.pytestmark,
    pytest.mark.skipif(not os.environ.get(ASKED), reason=f"takes a minute: set {ASKED}=1"),
]
address, chrome, world = test_desk.address, test_desk.chrome, test_desk.world
MOST_STEPS = 3


class Walk:
    """What a person does from *Tonight* on: each click, search or form sent is a step."""

    def __init__(self, chrome: webdriver.Chrome, tonight: str, ordered: str, left: str) -> None:
        self.chrome, self._tonight = chrome, tonight
        self.ordered, self.left = ordered, left
        self.steps = 0

    def begin(self) -> None:
        """At *Tonight*."""
        self.chrome.get(self._tonight)
        self.steps = 0

    def sees(self, *texts: str) -> None:
        """The page shows all the texts."""
        for text in texts:
            wait_for(self.chrome, text, 120)

    def page(self, title: str) -> None:
        """A page of the navigation."""
        self._leave(lambda: self.chrome.find_element(By.LINK_TEXT, title).click())

    def click(self, xpath: str) -> None:
        """The first element of a path."""
        self._leave(lambda: self.chrome.find_element(By.XPATH, f"//main{xpath}").click())

    def search(self, text: str) -> None:
        """What a list holds of a text."""
        self._leave(lambda: self.chrome.find_element(By.NAME, "q").send_keys(text, Keys.ENTER))

    def send(self, button: str, **chosen: str) -> None:
        """A form, with choices or texts by name, and its button."""

        def sent() -> None:
            for name, value in chosen.items():
                field = self.chrome.find_element(By.NAME, name)
                if field.tag_name == "select":
                    Select(field).select_by_visible_text(value)
                else:
                    fill(self.chrome, **{name: value})
            press(self.chrome, button)

        self._leave(sent)

    def item(self, page: str, item: str) -> None:
        """An item's page, by the search of a list."""
        self.page(page)
        self.search(item)
        self.click("//tbody//a")

    def _leave(self, act: Callable[[], None]) -> None:
        """Do it, and wait until the page that was there is gone."""
        before = self.chrome.find_element(By.TAG_NAME, "html").id
        act()
        waiting(self.chrome).until(
            lambda chrome: chrome.find_element(By.TAG_NAME, "html").id != before
        )
        self.steps += 1


def why_this_order(walk: Walk) -> None:
    walk.item("Orders", walk.ordered)
    walk.sees("units are made of", "demand", "Why not")


def why_not_ordered(walk: Walk) -> None:
    walk.item("Items", walk.left)
    walk.sees("Nothing is ordered.", "Order-up-to by vendor")


def which_need_me(walk: Walk) -> None:
    walk.sees("What needs a person, by the money at stake", "At stake")


def overrides_in_force(walk: Walk) -> None:
    walk.page("Overrides")
    walk.sees("Kept on the desk", "Used by this night")


def half_of_it(walk: Walk) -> None:
    walk.click(f"//a[contains(@href, '/items/{walk.ordered}')]")
    walk.click("//a[.='Override']")
    walk.send("See what it would do", override_value="6", why="half", start_date="2025-07-01",
              expiry_date="2025-07-07")  # fmt: skip
    walk.sees("What it would do tonight", "Runs out, now", "Expected value")


def which_can_wait(walk: Walk) -> None:
    walk.page("Orders")
    walk.click("//th/a[contains(., 'Lost if')]")
    walk.sees("Lost if")


def which_to_expedite(walk: Walk) -> None:
    walk.page("On order")
    walk.sees("Worth a call to the vendor", "Ask to")


def who_is_late(walk: Walk) -> None:
    walk.page("Vendors")
    walk.sees("In time, a year", "By month")


def why_more(walk: Walk) -> None:
    walk.page("Changes")
    walk.send("Explain", other="2025-06-29")
    walk.sees("by category")
    walk.send("Explain", by="vendor")
    walk.sees("by vendor", "all shares add up exactly")


def coming_weeks(walk: Walk) -> None:
    walk.page("Projection")
    walk.click("//th/a[.='Fill rate']")
    walk.sees("network: Fill rate", "1 in 10 below")


def where_full(walk: Walk) -> None:
    walk.page("Network")
    walk.sees("Full tonight", "10 % more brings")


def smaller_budget(walk: Walk) -> None:
    walk.page("Money")
    walk.send("Show", budget="2000")
    walk.sees("With a budget of", "lines change")


def committed(walk: Walk) -> None:
    walk.page("Money")
    walk.sees("by the month in which they arrive", "Stock on hand by age")


def into_the_erp(walk: Walk) -> None:
    walk.page("Approval")
    walk.send("Release what may leave")
    walk.sees("delivered")
    walk.send("The ERP has them")
    walk.sees("confirmed")


def what_runs_out(walk: Walk) -> None:
    walk.sees("May run out", "likely to run out within")


def what_is_dead(walk: Walk) -> None:
    walk.page("Items")
    walk.click("//th/a[contains(., 'Weeks')]")
    walk.sees("Weeks")


def how_good(walk: Walk) -> None:
    walk.page("Forecast")
    walk.sees("Expected units")
    walk.page("Overrides")
    walk.sees("What overrides were worth")


def two_plans(walk: Walk) -> None:
    walk.page("Compare")
    walk.send("Compare")
    walk.sees("Orders that differ", "Prices of capacity that differ")


def who_did_what(walk: Walk) -> None:
    walk.page("Audit")
    walk.search("release")
    walk.sees("release")


def what_changed(walk: Walk) -> None:
    walk.page("Changes")
    walk.send("Explain", other="2025-06-29")
    walk.sees("units ordered", "all shares add up exactly")


def next_event(walk: Walk) -> None:
    walk.page("Events")
    walk.click("//tbody//a")
    walk.sees("docks and storage", "Held ahead for it tonight", "what would be served in it")


def other_model(walk: Walk) -> None:
    walk.page("Changes")
    walk.send("Explain", other="2025-06-29")
    walk.sees("these inputs differ")


QUESTIONS = (
    why_this_order, why_not_ordered, which_need_me, overrides_in_force, half_of_it,
    which_can_wait, which_to_expedite, who_is_late, why_more, coming_weeks, where_full,
    smaller_budget, committed, into_the_erp, what_runs_out, what_is_dead, how_good, two_plans,
    who_did_what, what_changed, next_event, other_model,
)  # fmt: skip


def test_each_of_the_twenty_two_questions_is_answered_within_three_steps(
    address: str, chrome: webdriver.Chrome, world: World
) -> None:
    orders = Store(world.out).read(LAST, "purchase_orders").sort_values("order_cost_usd")
    items = Store(world.out).read(LAST, "items")["item_id"].astype("str")
    left = sorted(set(items) - set(orders["item_id"].astype("str")))
    chrome.get(address)
    wait_for(chrome, "What needs a person")
    walk = Walk(chrome, chrome.current_url, str(orders["item_id"].iloc[-1]), left[0])
    told: dict[str, str] = {}
    for number, question in enumerate(QUESTIONS, 1):
        walk.begin()
        began = time.monotonic()
        try:
            question(walk)
            told[question.__name__] = "" if walk.steps <= MOST_STEPS else f"{walk.steps} steps"
        except Exception as error:
            told[question.__name__] = f"{type(error).__name__} at {chrome.current_url}"
        print(f"{number:>2} {question.__name__:<20} {walk.steps} steps, "
              f"{time.monotonic() - began:.1f} s {told[question.__name__]}")  # fmt: skip
    assert len(told) == 22
    assert {name: problem for name, problem in told.items() if problem} == {}
    assert chrome.get_log("browser") == []
