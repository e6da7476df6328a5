"""The stage publishes exact reasons for every line, and changes only where there is a yesterday."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.columns import DRIVERS, TRANSFER_DRIVERS
from pipeline.explain.previous_orders import previous_orders
from pipeline.store import Store
from tests.review.small_night import AS_OF, publish_night

YESTERDAY = AS_OF - timedelta(days=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root: Path = tmp_path_factory.mktemp("explained")
    publish_night(root, YESTERDAY, level=0.9, stages=("explain",))
    return publish_night(root, stages=("explain",))


@pytest.mark.parametrize(
    ("plan", "reasons", "key", "units", "drivers"),
    [
        ("purchase_orders", "order_reasons", "order_line_id", "order_units", DRIVERS),
        ("transfers", "transfer_reasons", "transfer_id", "transfer_units", TRANSFER_DRIVERS),
    ],
)
def test_every_line_is_explained_exactly(
    store: Store, plan: str, reasons: str, key: str, units: str, drivers: tuple[str, ...]
) -> None:
    lines = store.read(AS_OF, plan).set_index(key)[units]
    rows = store.read(AS_OF, reasons)
    assert rows.groupby(key)["driver_units"].sum().to_dict() == lines.to_dict()
    assert rows.groupby(key)["driver"].agg(set).map(lambda names: names == set(drivers)).all()


def test_changes_add_up_and_are_complete(store: Store) -> None:
    rows = store.read(AS_OF, "plan_changes")
    found = rows.groupby("change_key").agg(
        step=("driver_units", "sum"),
        before=("previous_units", "first"),
        after=("current_units", "first"),
    )
    assert (found["step"] == found["after"] - found["before"]).all()
    now, before = (
        store.read(day, "purchase_orders").astype({"item_id": "str"}).set_index("item_id")
        for day in (AS_OF, YESTERDAY)
    )
    step = now["order_units"].sub(before["order_units"], fill_value=0)
    changed = {f"order/{item}" for item in step.index[step != 0]}
    assert changed
    assert changed == {key for key in found.index if key.startswith("order/")}
    assert store.read(YESTERDAY, "plan_changes").empty


def test_last_nights_lines_that_are_not_on_order_are_asked_about(store: Store) -> None:
    """Seen: an open order of the vendor and item, dated last night or later."""
    rows = store.read(AS_OF, "previous_orders")
    last = store.read(YESTERDAY, "purchase_orders")
    tonight = set(store.read(AS_OF, "purchase_orders")["item_id"].astype("str"))
    assert rows["order_line_id"].tolist() == last["order_line_id"].tolist()
    assert (rows["on_order_units"] == 6).all()  # the small night's open orders are of that day
    assert rows["is_proposed_again"].tolist() == [
        item in tonight for item in rows["item_id"].astype("str")
    ]
    assert store.read(YESTERDAY, "previous_orders").empty
    opened = store.read(AS_OF, "open_orders").iloc[[0]].assign(
        item_id=last["item_id"].iloc[0], vendor_id=last["vendor_id"].iloc[0],
        order_date=last["order_date"].iloc[0], open_units=7,
    )  # fmt: skip
    seen = previous_orders(last, opened, last.iloc[:0], AS_OF)
    assert seen["on_order_units"].tolist() == [7, *[0] * (len(last) - 1)]
    early = opened.assign(order_date=pd.Timestamp(YESTERDAY) - pd.Timedelta(days=1))
    assert (previous_orders(last, early, last, AS_OF)["on_order_units"] == 0).all()
