"""What is lost before an order of tonight can come, and that it is not ordered."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.optimize.item_model import DemandCube
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from pipeline.optimize.sold_out import left_out_units, sold_out_units
from pipeline.optimize.targets import Vendors
from tests.optimize import world

AS_OF = date(2025, 6, 28)
TODAY = pd.Timestamp(AS_OF)
WINDOWS = np.array([7.0, 14, 21, 28, 42, 56])
LEAD_DAYS = np.array([7.0, 21, 28])


def cube(daily: np.ndarray) -> DemandCube:
    """One item in two regions that sells so much on each of the coming 56 days."""
    half = np.cumsum(daily)[WINDOWS.astype(int) - 1] / 2
    mean = np.stack([half, half], axis=1)[None]
    none = np.zeros((1, 6, 2, 16), np.float32)
    return DemandCube(["i"], ["r", "s"], WINDOWS, none, mean, np.zeros(1, np.int64), none, mean)


def vendors(*chances: tuple[float, float, float]) -> Vendors:
    """Vendors of the item with these chances of LEAD_DAYS."""
    n = len(chances)
    return Vendors(
        [f"v{k}" for k in range(n)], np.zeros(n, np.int64), LEAD_DAYS, np.array(chances),
        np.zeros(n), np.full(n, 7.0),
    )  # fmt: skip


def tables(stock: float, orders: tuple[tuple[int, int, float], ...] = ()) -> dict:
    """Stock tonight, yesterday's stock, and open orders (days from tonight, age, units)."""
    ids = {"vendor_id": "v0", "item_id": "i"}
    return {
        "stock": pd.DataFrame(
            {"date": [TODAY, TODAY, TODAY - pd.Timedelta(days=1), TODAY],
             "item_id": ["i", "i", "i", "x"], "on_hand_units": [stock, 0, 999, 999]}
        ),
        "open_transfers": pd.DataFrame(
            {"date": [TODAY], "item_id": ["x"], "open_units": [999]}
        ),
        "open_orders": pd.DataFrame(
            [{"date": TODAY, **ids, "order_date": TODAY - timedelta(days=age),
              "expected_arrival_date": TODAY + timedelta(days=days), "open_units": units}
             for days, age, units in orders],
            columns=["date", *ids, "order_date", "expected_arrival_date", "open_units"],
        ),
        "lead_times": pd.DataFrame([{**ids, "lead_time_days": 20, "probability": 1.0}]),
    }  # fmt: skip


def found(daily: np.ndarray, known: dict, *chances: tuple[float, float, float]) -> list[int]:
    return sold_out_units(cube(daily), vendors(*chances), known, AS_OF).tolist()


EVENT = np.where(np.arange(56) // 7 == 1, 30.0, 2.0)  # 14 units a week, 210 in the second
STEADY = np.full(56, 2.0)
LAST = (0.0, 0.0, 1.0)


def test_of_an_event_that_will_be_over_only_what_stock_serves_is_needed() -> None:
    assert found(EVENT, tables(100), LAST) == [14 + 210 + 14 + 14 - 100]


def test_who_comes_before_the_event_is_asked_for_all_of_it() -> None:
    assert found(EVENT, tables(100), (1.0, 0.0, 0.0), (0.5, 0.5, 0.0), LAST) == [0, 124, 152]


def test_what_comes_after_a_shortage_does_not_bring_its_sales_back() -> None:
    """50 units come on day 15, one after the event: 126 of its sales are lost by then."""
    known = tables(100, ((15, 5, 50.0),))  # 15 days from tonight: 1 of the third week
    assert found(EVENT, known, LAST) == [max(14 + 210 - 100, 14 + 210 + 28 - 150)]


@pytest.mark.parametrize("stock", [56, 60, 500])
def test_nothing_is_sold_out_where_stock_lasts(stock: int) -> None:
    assert found(STEADY, tables(stock), LAST, (0.0, 1.0, 0.0)) == [0, 0]


def test_nothing_is_sold_out_where_orders_come_in_time() -> None:
    assert found(STEADY, tables(28, ((10, 10, 40.0),)), LAST) == [0]


def test_what_a_level_leaves_short_on_purpose_is_left_out_already() -> None:
    lost, cover = np.array([100.0, 100.0, 20.0, 9.5]), np.full(4, 120.0)
    left_out = left_out_units(lost, cover, np.array([150, 90, 90, 120]))
    assert left_out.tolist() == [100, 70, 0, 10]


def test_of_an_empty_network_orders_leave_out_what_no_vendor_can_bring_in_time() -> None:
    settings = Settings.model_validate(
        {"optimize": {"scenarios": 64, "audit_items": 0, "exact_items": 0}, "run": {"threads": 1}}
    )
    raw = world.tables(items=8)
    model = night_model(raw, world.AS_OF, settings)
    out = optimize_night(model, settings)["network_targets"]
    assert (out["order_up_to_units"] > out["cover_demand_units"]).all()  # nothing is left short
    assert (out["sold_out_units"] - model.sold_out).abs().max() <= 0.5
    lead_days = np.rint((model.vendors.chances * model.vendors.lead_days).sum(axis=1))
    lead = model.cube.mean_over(np.arange(61.0))[model.vendors.item, lead_days.astype(int)]
    assert model.sold_out == pytest.approx(lead)
    full = raw["items"].assign(date=pd.Timestamp(world.AS_OF), on_hand_units=10**6)
    full = full.assign(node_id=raw["nodes"]["node_id"].iloc[0])[
        ["date", "item_id", "node_id", "on_hand_units"]
    ]
    assert not night_model({**raw, "stock": full}, world.AS_OF, settings).sold_out.any()
