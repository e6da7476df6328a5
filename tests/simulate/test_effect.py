"""What a change does: paired, settled, and told in the report."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.simulate.report.effect import effects, first_settled_day, node_effects

DAYS = pd.date_range("2024-01-01", periods=6)
NODES = {"DC": "distribution_center", "FC-A": "fulfillment_center", "FC-B": "fulfillment_center"}


def frames(
    stock: dict[str, float], shipping_usd: float, kept: int = 8, replications: int = 3
) -> dict[str, pd.DataFrame]:
    """Runs with a constant stock by node after day 3 (0 before), plus the replication's luck."""
    luck = np.random.default_rng(0).normal(0, 100, replications)
    nodes = pd.DataFrame([
        {"policy": "p", "replication": r, "date": day, "node_id": node, "tier": tier,
         "inventory_usd": (stock[node] + luck[r]) * (t >= 3)}
        for r in range(replications) for t, day in enumerate(DAYS)
        for node, tier in NODES.items() if node in stock
    ])  # fmt: skip
    tiers = nodes.groupby(["policy", "replication", "date", "tier"], as_index=False)[
        "inventory_usd"
    ].sum()
    key = pd.DataFrame([{"policy": "p", "replication": r, "date": day}
                        for r in range(replications) for day in DAYS])  # fmt: skip
    zeros = dict.fromkeys(
        ("missed_speed_usd", "handling_usd", "transport_usd", "storage_usd", "holding_usd",
         "goodwill_usd", "overflow_usd"), 0.0,
    )  # fmt: skip
    days = key.assign(kept_units=kept, late_units=10 - kept, lost_units=1, profit_usd=5.0,
                      shipping_usd=shipping_usd, **zeros)  # fmt: skip
    speeds = key.assign(speed="one_day", demand_units=10, kept_units=kept)
    return {"simulated_nodes": nodes, "simulated_tiers": tiers, "simulated_days": days,
            "simulated_speeds": speeds, "simulated_totals": pd.DataFrame()}  # fmt: skip


BEFORE = frames({"DC": 1000.0, "FC-A": 500.0}, 4.0)
AFTER = frames({"DC": 900.0, "FC-A": 800.0, "FC-B": 50.0}, 6.0, kept=9)


def test_differences_are_paired_so_that_common_luck_cancels() -> None:
    """Stock differs by hundreds between replications, its change not at all."""
    named = {(e.group, e.label): e for e in effects(AFTER, BEFORE, "p")}
    centers = named["Stock, USD", "distribution centers"]
    assert centers.without.half_width > 50
    assert centers.difference.mean == pytest.approx(-100.0)
    assert centers.difference.half_width == pytest.approx(0.0, abs=1e-9)


def test_figures_are_of_the_second_half_of_the_run() -> None:
    assert first_settled_day(BEFORE["simulated_days"]["date"]) == DAYS[3]
    stock = effects(AFTER, BEFORE, "p")[0]
    nodes = BEFORE["simulated_nodes"]
    late = nodes[nodes["date"] >= DAYS[3]]["inventory_usd"].mean()
    assert stock.without.mean == pytest.approx(2 * late)  # two nodes; the first days have none


def test_costs_are_by_unit_sold_and_promises_by_units_asked_for() -> None:
    named = {(e.group, e.label): e for e in effects(AFTER, BEFORE, "p")}
    delivery = named["Cost, USD a unit sold", "Delivery to customers"]
    assert (delivery.without.mean, delivery.changed.mean) == pytest.approx((0.4, 0.6))
    assert delivery.share == pytest.approx(0.5)
    assert named["Promises kept, % of units", "one-day"].difference.mean == pytest.approx(10.0)
    assert named["Orders, % of units", "promised one-day"].difference.mean == 0.0


def test_a_node_that_is_new_had_no_stock_before() -> None:
    found = node_effects(AFTER, BEFORE, "p")
    assert [e.label for e in found] == ["FC-A", "DC", "FC-B"]  # the largest change first
    new = found[-1]
    assert new.without.mean == 0.0
    assert np.isnan(new.share)
    total = effects(AFTER, BEFORE, "p")[0].difference.mean
    assert sum(e.difference.mean for e in found) == pytest.approx(total)
