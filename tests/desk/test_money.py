"""Money, events, audit and demand at every level: figures add up to the night's own tables."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from pipeline.desk.forecast import hierarchy
from pipeline.desk.money import money_page
from pipeline.desk.tables import NightTables
from pipeline.desk.vendors import trend, vendors_page
from pipeline.store import Store
from tests.desk.conftest import LAST, World

NIGHT = f"/plans/{LAST}"


@pytest.fixture(scope="module")
def night(world: World) -> NightTables:
    return NightTables(Store(world.out), LAST)


@pytest.mark.parametrize("by", ["vendor", "category", "department"])
def test_committed_money_is_open_orders_and_tonight_s_at_their_cost(
    night: NightTables, by: str
) -> None:
    store = night.store
    orders = store.read(LAST, "purchase_orders")["order_cost_usd"].sum()
    lines = store.read(LAST, "open_orders").merge(store.read(LAST, "vendor_items"))
    committed = (lines["open_units"] * lines["unit_cost_usd"]).sum()
    found = money_page(night, by)["due"]
    assert found["usd"] == pytest.approx(orders + committed)
    assert sum(total for _, _, total in found["rows"]) == pytest.approx(found["usd"])


def test_stock_by_age_is_all_the_stock_on_hand(night: NightTables) -> None:
    store = night.store
    cost = store.read(LAST, "vendor_items").groupby("item_id", observed=True)["unit_cost_usd"].min()
    stock = store.read(LAST, "stock")
    worth = (stock["on_hand_units"] * stock["item_id"].map(cost).astype(float)).sum()
    assert money_page(night, "category")["aged"]["usd"] == pytest.approx(worth)


def test_a_vendor_s_own_calendar_stands_beside_its_quote(
    desk: TestClient, night: NightTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = vendors_page(night)
    assert rows[0]["lead_time_counts"] is None
    assert "working days" not in desk.get(f"{NIGHT}/vendors").text
    rows[0] |= {"lead_time_counts": "working_days", "delivery_weekdays": "mon <thu>"}
    monkeypatch.setattr(NightTables, "remember", lambda self, key, make: rows)
    text = desk.get(f"{NIGHT}/vendors").text
    assert " working days, delivers mon &lt;thu&gt;, 9 of 10" in text
    assert text.count("working days") == 1


def test_no_budget_orders_nothing_and_a_large_one_changes_nothing(
    desk: TestClient, world: World
) -> None:
    orders = Store(world.out).read(LAST, "purchase_orders")
    nothing = desk.get(f"{NIGHT}/money?budget=0").text
    assert f"{len(orders)} lines change: ${orders['order_cost_usd'].sum():,.0f} less" in nothing
    assert "the budget does not bind" in desk.get(f"{NIGHT}/money?budget=$9,999,999").text
    for text in ("much", "-5", "1e99", "nan"):
        assert desk.get(f"{NIGHT}/money", params={"budget": text}).status_code == 422


def test_the_audit_tells_who_did_what_and_is_searched_without_reaching_the_database(
    desk: TestClient, world: World
) -> None:
    line = str(Store(world.out).read(LAST, "purchase_orders")["order_line_id"].iloc[0])
    comment = "<b>fine</b>"
    desk.post(f"{NIGHT}/approval", data={"action": "approve", "line": line, "comment": comment})
    text = desk.get(f"{NIGHT}/audit?q={line}&who=ana", headers={"x-person": "viewer"}).text
    assert "1 entries" in text
    assert line in text
    assert "<b>fine" not in text
    for query in ("who=bob", "q=' or 1=1 --", "action=nothing", "page=99"):
        assert line not in desk.get(f"{NIGHT}/audit?{query}").text


def test_the_coming_weeks_have_their_demand_and_one_of_them_its_docks(
    desk: TestClient, night: NightTables
) -> None:
    text = desk.get(f"{NIGHT}/events").text
    rows = re.findall(r'<a href="\?week=([\d-]+)"', text)
    assert len(rows) == 13
    assert "docks and storage" in desk.get(f"{NIGHT}/events?week={rows[3]}").text
    assert desk.get(f"{NIGHT}/events?week=never").status_code == 200


def test_demand_of_a_group_is_what_its_parts_and_places_add_up_to(night: NightTables) -> None:
    found = hierarchy(night, "all/all", "", "week")
    assert found["parts"]
    assert found["places"]
    assert abs(found["parts_left"]) < 1e-6 * found["series"][0]["mean_units"]
    assert abs(found["places_left"]) < 1e-6 * found["series"][0]["mean_units"]
    part = found["parts"][0]["product"]
    below = hierarchy(night, part, "", "week")
    assert below["series"][0]["mean_units"] == pytest.approx(found["parts"][0]["units"])
    assert abs(below["parts_left"]) < 1e-6 * found["series"][0]["mean_units"]


@pytest.mark.parametrize(("late", "word"), [
    ([1, 1, 1, 1, 4, 4, 4], "getting worse"), ([6, 6, 6, 1, 1, 1], "getting better"),
    ([1, 1, 1, 1.5, 1.5, 1.5], ""), ([3, 3], ""), ([], ""),
])  # fmt: skip
def test_a_vendor_gets_worse_where_the_last_three_months_are_later_than_those_before(
    late: list[float], word: str
) -> None:
    months = [{"due_units": 10, "on_time_units": 5, "mean_days_late": days} for days in late]
    found = trend(months)
    assert found["word"] == word
    assert found["on_time"] == (0.5 if late else None)


def test_the_night_s_report_is_shown_in_a_sandbox(desk: TestClient) -> None:
    answer = desk.get(f"{NIGHT}/report.html")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert f"{NIGHT}/report.html" in desk.get(f"{NIGHT}/tonight").text
    assert desk.get(f"{NIGHT}/load_report.html").status_code == 404
    assert desk.get(f"{NIGHT}/secrets.html").status_code == 404
    nobody = desk.get(f"{NIGHT}/report.html", headers={"x-person": "nobody"})
    assert nobody.status_code == 401
