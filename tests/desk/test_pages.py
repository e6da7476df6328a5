"""Every page shows the night's own figures, escapes what it shows, and says what is wrong."""

from __future__ import annotations

import io
import re
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from pipeline.desk.app import create_app
from pipeline.desk.exports import encoded
from pipeline.desk.rendering import PAGES
from pipeline.store import Store
from tests.desk.conftest import LAST, ORIGIN, QUICK, World, recognise

NIGHT = f"/plans/{LAST}"


@pytest.mark.parametrize("page", [name for name, _ in PAGES])
def test_every_page_answers_and_asks_nothing_of_other_sites(desk: TestClient, page: str) -> None:
    answer = desk.get(f"{NIGHT}/{page}")
    assert answer.status_code == 200
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text)
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_the_front_door_leads_to_the_newest_night(desk: TestClient) -> None:
    answer = desk.get("/", follow_redirects=False)
    assert answer.headers["location"] == f"{NIGHT}/tonight"


def test_the_orders_page_filters_groups_and_totals_what_the_night_ordered(
    desk: TestClient, world: World
) -> None:
    orders = Store(world.out).read(LAST, "purchase_orders").astype({"vendor_id": "str"})
    vendor = orders["vendor_id"].value_counts().index[0]
    own = orders[orders["vendor_id"] == vendor]
    text = desk.get(f"{NIGHT}/orders?vendor_id={vendor}&group=category").text
    assert f"{len(own)} rows, value ${own['order_cost_usd'].sum():,.0f}" in text
    file = desk.get(f"{NIGHT}/orders/export.parquet?vendor_id={vendor}")
    frame = pd.read_parquet(io.BytesIO(file.content))
    assert frame["order_units"].sum() == own["order_units"].sum()


def test_an_item_shows_drivers_that_add_up_to_its_order(desk: TestClient, world: World) -> None:
    order = Store(world.out).read(LAST, "purchase_orders").iloc[0]
    text = desk.get(f"{NIGHT}/items/{order['item_id']}").text
    table = text.split('<table class="bars">')[1].split("</table>")[0]
    parts = [int(x.replace("−", "-").replace(",", ""))
             for x in re.findall(r'class="n">([+−][\d,]+)<', table)]  # fmt: skip
    assert sum(parts) == order["order_units"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/plans/2031-01-01/orders", 404, "is not planned in plans. Planned nights: 2025-06-29"),
        ("/elsewhere/2025-06-30/orders", 404, "There is no place elsewhere. Configured: plans"),
        ("/plans/yesterday/orders", 422, "as_of"),
        (f"{NIGHT}/items/NOPE", 404, "knows no item NOPE"),
        (f"{NIGHT}/nothing", 404, "There is no page nothing"),
        (f"{NIGHT}/compare?other=../../etc/passwd", 404, "is not a place and a date"),
        (f"{NIGHT}/orders/export.exe", 404, "no such table or format"),
        ("/static/../app.py", 404, "Not"),
    ],
)
def test_what_is_not_there_gets_a_page_that_says_what_is(
    desk: TestClient, path: str, status: int, words: str
) -> None:
    answer = desk.get(path)
    assert (answer.status_code, words in answer.text) == (status, True)


@pytest.mark.parametrize("query", [
    "sort=1;drop table items", "vendor_id=' or 1=1 --", "order_units_from=abc", "page=-3",
    "page=99999999999", "q=%27%22%3B", "group=order_line_id", "sort=-nothing",
])  # fmt: skip
def test_no_query_string_breaks_a_listing_or_reaches_the_database(
    desk: TestClient, query: str
) -> None:
    assert desk.get(f"{NIGHT}/orders?{query}").status_code == 200


def test_nobody_gets_401_and_a_viewer_reads_but_gets_403_for_every_form(desk: TestClient) -> None:
    assert desk.get(f"{NIGHT}/orders", headers={"x-person": "nobody"}).status_code == 401
    assert desk.get(f"{NIGHT}/orders", headers={"x-person": "viewer"}).status_code == 200
    for page in ("overrides", "overrides/paste", "approval"):
        answer = desk.post(
            f"{NIGHT}/{page}", data={"action": "save"}, headers={"x-person": "viewer"}
        )
        assert answer.status_code == 403


def test_a_form_of_another_site_is_refused(desk: TestClient) -> None:
    answer = desk.post(f"{NIGHT}/approval", data={"action": "release"},
                       headers={"Origin": "http://evil.test"})  # fmt: skip
    assert answer.status_code == 403


def test_names_from_raw_files_are_escaped(world: World, tmp_path: Path) -> None:
    out = Path(shutil.copytree(world.out, tmp_path / "out"))
    store = Store(out)
    items = store.read(LAST, "items")
    items["item_name"] = "<script>alert(1)</script>"
    store.publish(LAST, "items", items, {"inputs": {}})
    app = create_app({"plans": str(out)}, recognise, None, "", QUICK)
    client = TestClient(app, base_url="http://desk.test", headers=ORIGIN)
    for page in ("tonight", "orders", "items", f"items/{items['item_id'].iloc[0]}", "approval"):
        assert "<script>alert" not in client.get(f"{NIGHT}/{page}").text


def test_exports_defuse_what_a_spreadsheet_would_run() -> None:
    frame = pd.DataFrame({"name": ["=1+1", "@x", "-2", "plain"], "units": [-1, 2, 3, 4]})
    text = encoded(frame, "csv").decode().splitlines()
    assert text[1:] == ["'=1+1,-1", "'@x,2", "'-2,3", "plain,4"]
    book = pd.read_excel(io.BytesIO(encoded(frame, "xlsx")))
    assert book["name"].tolist()[0] == "'=1+1"


def test_a_night_that_is_not_finished_shows_what_there_is(world: World, tmp_path: Path) -> None:
    out = Path(shutil.copytree(world.out, tmp_path / "out"))
    for name in (
        "purchase_orders",
        "order_reasons",
        "plan_changes",
        "transfers",
        "capacity_prices",
    ):
        shutil.rmtree(out / str(LAST) / name)
    app = create_app({"plans": str(out)}, recognise, None, "", QUICK)
    client = TestClient(app, base_url="http://desk.test")
    for page, _ in PAGES:
        assert client.get(f"{NIGHT}/{page}").status_code == 200


def test_a_comparison_of_a_night_with_itself_finds_nothing(desk: TestClient) -> None:
    text = desk.get(f"{NIGHT}/compare?other=plans/{LAST}").text
    assert "0 lines; $0 in all" in text
    other = desk.get(f"{NIGHT}/compare?other=plans/{date(2025, 6, 29)}").text
    assert "0 lines; $0 in all" not in other


def test_the_second_of_two_nights_asks_whether_the_first_one_s_orders_were_placed(
    world: World,
) -> None:
    """The export of the second day does not hold what was only proposed on the first."""
    store = Store(world.out)
    unseen = store.read(LAST, "previous_orders")
    unseen = unseen[unseen["on_order_units"] == 0]
    assert len(unseen) > 0
    told = store.read_files(LAST, "report")["report.html"].decode()
    assert re.search(rf"{len(unseen)} of last night.{{1,6}}s \d+ order lines? .*placed\?", told)
    first = store.read_files(date(2025, 6, 29), "report")["report.html"].decode()
    assert "placed?" not in first
