"""A column in another unit, and tables without any row, are told before money is spent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import ContractError
from pipeline.ingest.check import check_raw
from tests.faults.test_absence import TODAY, rules
from tests.faults.test_reading import night
from tests.ingest.conftest import AS_OF, edit, raw, small_world

__all__ = ["raw", "small_world"]  # fixtures used by name


def times(
    column: str, by: int, since: str = "2025-06-04"
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        late = (frame["date"] >= since) & (frame["date"] <= TODAY)
        units = frame[column].astype(int)
        return frame.assign(**{column: units.where(~late, units * by).astype("str")})

    return change


@pytest.mark.parametrize(("table", "column", "since"), [
    ("sales", "units", "2025-06-04"), ("sales", "units", TODAY),
    ("stock", "on_hand_units", TODAY), ("open_orders", "open_units", TODAY),
])  # fmt: skip
def test_a_feed_in_another_unit_stops_the_night(
    raw: Path, table: str, column: str, since: str
) -> None:
    edit(raw, table, times(column, 60, since))
    with pytest.raises(ContractError, match=f"{table}.{column}.* times "):
        night(raw)


def test_a_week_of_an_event_is_told_and_no_night_is_stopped(raw: Path) -> None:
    edit(raw, "sales", times("units", 20))
    edit(raw, "calendar", lambda frame: pd.concat([frame, pd.DataFrame(
        {"date": ["2025-06-07", TODAY], "region_id": "chicago", "event_name": "sale",
         "event_type": "promotion"})]))  # fmt: skip
    assert "units were sold in the 7 days to 2025-06-10" in rules(night(raw), "sales")


def test_one_item_that_sells_out_of_all_bounds_stops_no_night(raw: Path) -> None:
    """A run on one item is no unit: the week is told."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        mine = (frame["date"] >= "2025-06-04") & (frame["item_id"] == frame["item_id"].iloc[0])
        return frame.assign(units=frame["units"].where(~mine, "9000"))

    edit(raw, "sales", change)
    assert "times the most of the same days" in rules(night(raw), "sales")


def test_prices_in_cents_stop_before_money_is_spent(raw: Path) -> None:
    for table in ("prices", "items"):
        column = "price_usd" if table == "prices" else "list_price_usd"
        edit(raw, table, lambda f, c=column: f.assign(
            **{c: (f[c].astype(float) * 100).astype("str")}))  # fmt: skip
    with pytest.raises(ContractError, match="cost next to nothing beside what it brought"):
        night(raw)


def test_open_orders_without_any_row_stop_a_company_that_receives(raw: Path) -> None:
    edit(raw, "open_orders", lambda frame: frame.iloc[:0])
    with pytest.raises(ContractError, match="no open order is known on any day"):
        night(raw)
    assert len(night(raw, may_be_empty=["open_orders"])["open_orders"]) == 0


@pytest.mark.parametrize(("table", "word"), [
    ("receipts", "no receipt is known"), ("calendar", "has a header and no row"),
    ("open_transfers", "no transfer is known on any day"),
    ("overrides", "has a header and no row"),
])  # fmt: skip
def test_a_table_of_a_header_alone_is_told(raw: Path, table: str, word: str) -> None:
    edit(raw, table, lambda frame: frame.iloc[:0])
    assert word in "\n".join(check_raw(raw, AS_OF).lines())
