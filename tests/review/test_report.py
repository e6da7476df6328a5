"""The report is one safe, self-contained page with every section, the same bytes every time."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from pipeline.contracts.settings import Settings
from pipeline.review.report import SECTIONS
from pipeline.runner import run_stage
from pipeline.store import Source, Store
from tests.review.small_night import AS_OF, HOSTILE, publish_night

VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Element ids, link targets and unclosed elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.stray: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values[key] or "" for key in ("href", "src") if key in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.stray.append(tag)


def test_every_section_is_there_and_linked(page: str) -> None:
    parsed = Page(page)
    assert {id for id, _ in SECTIONS} <= set(parsed.ids)
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)


def test_elements_are_closed_and_ids_are_unique(page: str) -> None:
    parsed = Page(page)
    assert not parsed.stray
    assert not parsed.open
    assert len(parsed.ids) == len(set(parsed.ids))


def test_nothing_is_fetched_from_elsewhere(page: str) -> None:
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|<iframe", page, re.IGNORECASE)
    assert all(link.startswith("#") for link in Page(page).links)


def test_a_hostile_name_is_text(page: str) -> None:
    assert HOSTILE not in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "&lt;9&gt;" in page  # a quarantined value


def test_rerunning_gives_the_same_bytes(two_nights: Store, page: str) -> None:
    run_stage(two_nights, Source("raw", Path(two_nights.root)), Settings(), AS_OF, "review")
    assert two_nights.read_files(AS_OF, "report")["report.html"].decode() == page


def test_the_report_names_changes_risk_and_capacity(page: str) -> None:
    assert "There is no plan for the night before" not in page
    assert re.search(r"up \d+, from \d+ to \d+: more expected demand", page)
    assert page.count("$0.420") == 8  # four nodes, two resources, one full week
    assert "Acme &amp; Sons" in page


def test_charts_have_a_text_and_the_page_a_language(page: str) -> None:
    assert '<html lang="en">' in page
    assert page.count("<svg") == page.count('role="img" aria-label="') == 9


def test_a_night_without_orders_or_transfers_still_has_a_report(tmp_path: Path) -> None:
    store = publish_night(tmp_path, items=2, level=0.001)
    page = store.read_files(AS_OF, "report")["report.html"].decode()
    assert store.read(AS_OF, "purchase_orders").empty
    assert "Nothing is ordered tonight." in page


def test_service_targets_stand_with_what_they_cost_a_week(page: str) -> None:
    row = page[page.index("Service targets") :]
    for text in ("class A", "98.0%", "98.1%", "$412.00", "$260.00", "met"):
        assert text in row, text
