"""One item's account tells its demand, levels, stock, orders and transfers, and why."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.explain.item import explain_item
from pipeline.explain.text_table import text_table
from pipeline.store import Store
from tests.review.small_night import AS_OF, publish_night


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return publish_night(tmp_path_factory.mktemp("item"), stages=("explain",))


def test_the_account_has_the_reasons_and_their_sum(store: Store) -> None:
    text = explain_item(store, AS_OF, "item01")
    order = store.read(AS_OF, "purchase_orders").set_index("item_id").loc["item01"]
    reasons = store.read(AS_OF, "order_reasons")
    own = reasons[reasons["order_line_id"] == order["order_line_id"]]
    assert own["driver_units"].sum() == order["order_units"]
    assert own["sentence"].iloc[0] in text
    assert f"= quantity           {order['order_units']:,}" in text
    assert "Move " in text
    for section in ("Expected demand, all regions", "Alternatives weighed", "On the way"):
        assert section in text


def test_only_the_item_is_told_of(store: Store) -> None:
    assert "item02" not in explain_item(store, AS_OF, "item01")


def test_an_item_without_an_order_is_told_why(store: Store) -> None:
    ordered = set(store.read(AS_OF, "purchase_orders")["item_id"].astype("str"))
    idle = sorted(set(store.read(AS_OF, "items")["item_id"].astype("str")) - ordered)[0]
    text = explain_item(store, AS_OF, idle)
    assert "No order from Acme & Sons: " in text
    assert "more than needed." in text


def test_an_unknown_item_says_where_to_look(store: Store) -> None:
    with pytest.raises(UsageError, match=r"no item 'nope'.*see table items"):
        explain_item(store, AS_OF, "nope")


def test_tables_align_numbers_to_the_right() -> None:
    assert text_table(["name", "units"], [("a", 1200), ("bcd", 7)]) == (
        "  name  units\n  a     1,200\n  bcd       7"
    )
