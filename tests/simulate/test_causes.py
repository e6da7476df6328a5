"""Each lost sale has the first cause that holds, and two scenarios answer as a formula says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from pipeline.simulate.report.causes import CAUSES, causes, loss_rows
from pipeline.simulate.scenarios.changes import Change
from pipeline.simulate.world.day import MONEY, Day, World
from pipeline.simulate.world.model import WorldRules, world_model
from pipeline.simulate.world.state import do_nothing
from pipeline.simulate.world.supply import lead_times
from pipeline.simulate.world.truth import Truth
from tests.simulate.small import raw_tables, stocked


def test_the_first_cause_that_holds_is_named() -> None:
    """Six items on a day: late, kept back, elsewhere, surprising, none of these, and late before
    all others."""
    overdue, kept_back, left, asked, expected = (np.zeros((1, 6)) for _ in range(5))
    overdue[0, [0, 5]] = 3
    kept_back[0, [1, 5]] = 2
    left[0, [2, 5]] = 1
    asked[:], expected[:] = 4, 4
    asked[0, [3, 5]] = 9  # more than 4 + 1.64 * 2
    found = causes(overdue, kept_back, left, asked, expected)
    named = [CAUSES[i] for i in found[0]]
    assert named == ["late_vendor", "capacity", "placement", "forecast", "policy", "late_vendor"]
    days = pd.date_range("2025-01-01", periods=1)
    rows = loss_rows(np.array([[1, 0, 2, 0, 0, 4]]), np.full((1, 6), 5.0), found, days)
    assert rows.set_index("loss_cause")["lost_units"].to_dict() == {
        "late_vendor": 5,
        "placement": 2,
    }
    assert rows["lost_usd"].tolist() == [10.0, 5.0]


def test_what_capacity_kept_back_and_what_surprised_count_for_four_weeks() -> None:
    zero = np.zeros((40, 1))
    kept_back = zero.copy()
    kept_back[3] = 1
    by_day = causes(zero, kept_back, zero, zero, np.full((40, 1), np.nan))[:, 0]
    assert [CAUSES[i] for i in by_day[[2, 3, 30, 31]]] == [
        "policy",
        "capacity",
        "capacity",
        "policy",
    ]


def live(change: Change | None, stock: int) -> list[Day]:
    """Six days of the small world without decisions, under a change, with the same orders."""
    tables = {**raw_tables(), "stock": pd.DataFrame()}
    first = pd.Timestamp("2025-01-01")
    demand = np.random.default_rng(1).poisson(1.0, (6, 12, 3))
    if change is not None:
        tables = change.tables_from(tables, first)
    model = world_model(tables, WorldRules())
    truth = Truth(pd.date_range(first, periods=6), demand, np.full((6, 12, 3), 20.0),
                  np.full((6, 4, 3), np.inf))  # fmt: skip
    if change is not None:
        truth = change.demand(truth, model, tables)
    times = lead_times(tables["lead_times"], tables["vendor_items"], model)
    state = stocked(model)
    state.on_hand *= stock
    world = World(model, times, state, 1)
    return [world.live(t, truth.demand[t], truth.price_usd[t], do_nothing()) for t in range(6)]


def total(days: list[Day], name: str) -> float:
    return float(sum(day.money[:, MONEY.index(name)].sum() for day in days))


def test_dearer_delivery_costs_its_share_of_what_was_delivered_and_nothing_else() -> None:
    """Closed form: at 1.3 times the tariff the same parcels cost 1.3 times as much."""
    dearer = TypeAdapter(Change).validate_python({
        "kind": "cost", "table": "delivery_options", "column": "ship_usd_per_unit", "factor": 1.3,
    })  # fmt: skip
    usual, found = live(None, 1), live(dearer, 1)
    assert total(found, "shipping_usd") == pytest.approx(1.3 * total(usual, "shipping_usd"))
    for name in set(MONEY) - {"shipping_usd"}:
        assert total(found, name) == pytest.approx(total(usual, name)), name


def test_three_times_the_demand_sells_three_times_as_much_while_stock_lasts() -> None:
    """Closed form: with stock for all, sales are price times units; a surge of 3 sells thrice."""
    surge = TypeAdapter(Change).validate_python({"kind": "surge", "factor": 3.0, "from_day": 3})
    usual, found = live(None, 50), live(surge, 50)
    assert total(usual[:2], "revenue_usd") == total(found[:2], "revenue_usd")
    assert total(found[2:], "revenue_usd") == pytest.approx(3 * total(usual[2:], "revenue_usd"))
    assert total(found, "goodwill_usd") == 0.0
