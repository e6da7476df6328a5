"""What a change does: paired, settled, and told in the report."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.simulate.report.effect import effects, first_settled_day, node_effects
from pipeline.simulate.report.overview import overview_row, render_overview
from pipeline.simulate.report.told import _insured, _sums
from pipeline.simulate.report.whole_run import insurance, item_effects, weeks, whole_run
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.world.day import MONEY

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


def sums(profit_a: float, lost: dict[str, float], storage: float) -> dict[str, pd.DataFrame]:
    """Three replications of three weeks with the same luck, item a's profit and lost sales as
    told; goods cost half of what they sell for."""
    luck = np.array([-30.0, 10.0, 20.0])
    rows, items, losses, days = [], [], [], []
    for r, more in enumerate(luck):
        profit = profit_a + 50.0 + more
        sales = 2 * (profit + storage)
        money = dict.fromkeys(MONEY, 0.0) | {
            "revenue_usd": sales,
            "cost_of_goods_usd": sales / 2,
            "storage_usd": storage,
        }
        key = {"policy": "p", "replication": r}
        rows.append(key | money | {"profit_usd": profit, "inventory_usd": 50.0})
        items += [key | {"item_id": item, "profit_usd": usd}
                  for item, usd in (("a", profit_a + more), ("b", 50.0))]  # fmt: skip
        losses += [key | {"loss_cause": cause, "lost_usd": usd} for cause, usd in lost.items()]
        days += [key | {"date": DAYS[0] + pd.Timedelta(days=t), "profit_usd": profit * (t == 8)}
                 for t in range(16)]  # fmt: skip
    return {"simulated_totals": pd.DataFrame(rows), "simulated_item_weeks": pd.DataFrame(items),
            "simulated_losses": pd.DataFrame(losses, columns=["policy", "replication", "loss_cause",
                                                              "lost_usd"]),
            "simulated_days": pd.DataFrame(days)}  # fmt: skip


CALM = sums(300.0, {"policy": 20.0}, 5.0)
STRUCK = sums(200.0, {"policy": 22.0, "late_vendor": 90.0}, 2.0)


def test_the_parts_of_a_changes_profit_add_up_to_it() -> None:
    found = whole_run(STRUCK, CALM, "p")
    *parts, profit = [effect for effect in found if effect.group.startswith("Profit")]
    assert profit.label == "Profit"
    assert profit.difference.mean == pytest.approx(-100.0)
    assert profit.difference.half_width == pytest.approx(0.0, abs=1e-9)  # the luck is common
    for column in ("without", "changed", "difference"):
        told = sum(getattr(part, column).mean for part in parts)
        assert told == pytest.approx(getattr(profit, column).mean)


def test_lost_sales_and_the_items_that_pay_are_told_by_name() -> None:
    named = {effect.label: effect for effect in whole_run(STRUCK, CALM, "p")}
    assert named["Late vendor: units were overdue"].difference.mean == pytest.approx(90.0)
    assert named["All lost sales"].difference.mean == pytest.approx(92.0)
    items = pd.DataFrame({"item_id": ["a", "b"], "item_name": ["Apples", None],
                          "department": ["fruit", "fruit"]})  # fmt: skip
    (only,) = item_effects(STRUCK, CALM, "p", items)  # b earns what it earned
    assert (only.label, only.group) == ("a, Apples", "fruit")
    assert only.difference.mean == pytest.approx(-100.0)


def test_a_change_is_told_by_the_week_in_which_it_is_felt() -> None:
    by_week = weeks(STRUCK, CALM, "p")
    assert [week.first_day for week in by_week] == [DAYS[0] + pd.Timedelta(days=d)
                                                    for d in (0, 7, 14)]  # fmt: skip
    assert [week.profit.mean for week in by_week] == pytest.approx([0.0, -100.0, 0.0])


def test_what_cannot_be_told_from_chance_is_not_told_as_a_gain_or_a_loss() -> None:
    rows = CALM["simulated_totals"]
    luck = np.array([9.0, -9.0, 6.0][: len(rows)])
    by_chance = CALM | {"simulated_totals": rows.assign(
        profit_usd=rows["profit_usd"] + luck, revenue_usd=rows["revenue_usd"] + luck)}  # fmt: skip
    with_luck = _sums(whole_run(by_chance, CALM, "p"), weeks(by_chance, CALM, "p"))
    assert with_luck[0].startswith("In all no effect on profit can be told from chance: +2 ± ")
    assert with_luck[1] == "Lost sales: the same 20 USD with the change and without it."
    struck = _sums(whole_run(STRUCK, CALM, "p"), weeks(STRUCK, CALM, "p"))
    assert struck[0].startswith("In all the change costs 100 ± 0 USD of profit")
    assert "+92 ± 0 USD at selling price" in struck[1]


def test_stock_against_a_change_pays_if_it_comes_often_enough() -> None:
    stock = insurance(whole_run(STRUCK, CALM, "p"), CALM, "p")
    assert stock is not None
    assert stock.goods_usd == pytest.approx(103.0)  # sales of 710 less of 504, half of it cost
    assert stock.carrying_usd == pytest.approx(103.0 * 5.0 / 50.0)  # 5 USD of storage for 50
    assert stock.every_days == pytest.approx(16 * 100.0 / 10.3)  # 16 days, 100 USD lost
    assert "in 0.4 years or more often" in _insured(stock)[0]


def test_where_nothing_is_clearly_lost_there_is_nothing_to_insure() -> None:
    assert insurance(whole_run(CALM, CALM, "p"), CALM, "p") is None
    assert insurance(whole_run(CALM, STRUCK, "p"), STRUCK, "p") is None  # it earns more
    totals = STRUCK["simulated_totals"]
    no_worse = STRUCK | {"simulated_totals": totals.assign(
        profit_usd=CALM["simulated_totals"]["profit_usd"])}  # fmt: skip
    assert insurance(whole_run(no_worse, CALM, "p"), CALM, "p") is None  # sells less, earns as much
    assert _insured(None) == []


def test_several_scenarios_are_one_page_of_money_with_a_row_each() -> None:
    strike = Scenario.model_validate({
        "name": "a_strike", "question": "What does <it> cost?", "start": "2024-01-01",
        "changes": [{"kind": "vendor_strike", "vendors": ["V-1"], "from_day": 1, "to_day": 7}],
    })  # fmt: skip
    told = overview_row(strike, STRUCK, CALM, "p", "a_strike/report-1.html")
    alone = overview_row(strike, STRUCK, None, "p", "a_strike/report-1.html")
    assert told.is_told
    assert not alone.is_told
    page = render_overview([told, alone]).decode()
    assert "What does &lt;it&gt; cost?" in page
    assert "<it>" not in page
    assert told.cells[0] == "−100 ± 0"
    assert ">−100 ± 0<" in page
    assert 'href="a_strike/report-1.html"' in page
