"""How tight is the clairvoyant bound? Exact optima of tiny worlds by dynamic programming.

    python -m benchmarks.tightness --worlds 50 --json tightness.json

A world has two or three items, four nodes in three tiers, three regions and seven days, all of
them known. Every choice of an order (a pack of two, at the vendor's own lead time) and of
transfers (up to two units a lane) is tried, night by night, in states reached once; who has stock
must serve, at the nearest node. Capacity is free, so that items are apart. The best plan is then
lived in the world itself, which must agree on its profit.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.simulate.bound.clairvoyant import clairvoyant_bound
from pipeline.simulate.world.day import World
from pipeline.simulate.world.kernel import orders_by_cell
from pipeline.simulate.world.model import WorldModel, WorldRules, world_model
from pipeline.simulate.world.start import initial_state
from pipeline.simulate.world.state import Decisions
from pipeline.simulate.world.supply import LeadTimes, day_number, lead_times, luck
from pipeline.simulate.world.truth import Truth

START, DAYS, PACK = date(2024, 3, 5), 7, 2
FIRST = day_number(START) + 1
NODES = ["DC", "FC-A", "FC-B", "SD"]
LANES = ((0, 1), (0, 2), (1, 3))
MOST_MOVED, MOST_PACKS = 2, 1
OPTIONS = (("east", "FC-A", 2.0), ("east", "DC", 4.0), ("north", "SD", 1.5), ("north", "FC-A", 2.2),
           ("north", "DC", 4.5), ("west", "FC-B", 2.0), ("west", "DC", 4.0))  # fmt: skip
Stock = tuple[int, ...]
Ways = tuple[tuple[int, int, int], ...]  # arrival day, node, units
Choice = tuple[int, tuple[int, ...]]


def main() -> None:
    """Solve the worlds, print the distribution, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=50)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    numba.set_num_threads(1)
    began, found = time.process_time(), []
    for seed in range(arguments.worlds):
        best, bound = solve(seed)
        found.append({"seed": seed, "optimum_usd": best, "bound_usd": bound})
    more = np.array([one["bound_usd"] / one["optimum_usd"] - 1 for one in found])
    assert min(one["optimum_usd"] for one in found) > 0  # else a ratio says nothing
    figures = {
        "worlds": len(found), "worlds_with_bound_at_optimum": int((more < 1e-6).sum()),
        "mean": more.mean(), **{f"quantile_{q}": np.quantile(more, q) for q in (0.5, 0.9)},
        "most": more.max(), "least": more.min(), "cpu_s": time.process_time() - began,
    }  # fmt: skip
    table = Table("bound / optimum - 1", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:.5g}")
    Console().print(table)
    if arguments.json:
        content = {"figures": {k: float(v) for k, v in figures.items()}, "worlds": found}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


def solve(seed: int) -> tuple[float, float]:
    """The optimum and the bound of a world, in usd."""
    model, times, truth, tables = tiny_world(seed)
    items = [best_plan(model, times, truth, tables, seed, k) for k in range(len(model.items))]
    best = sum(usd for usd, _ in items)
    lived = live(model, times, truth, tables, seed, [plan for _, plan in items])
    if abs(lived - best) > 1e-6:
        raise AssertionError(f"world {seed}: the plan earns {lived}, not {best}")
    bound = clairvoyant_bound(model, times, truth, tables, seed, START).usd
    if bound < best:
        raise AssertionError(f"world {seed}: the bound {bound} lies below {best}")
    return best, bound


def tiny_world(
    seed: int, days: int = DAYS
) -> tuple[WorldModel, LeadTimes, Truth, dict[str, pd.DataFrame]]:
    """Two or three items; stock, demand, prices and costs drawn."""
    rng = np.random.default_rng([seed, 15])
    items = [f"item_{k}" for k in range(2 + seed % 2)]
    n, regions = len(items), ["east", "north", "west"]
    none = pd.Series([], dtype="datetime64[us]")
    names = ("open_units", "vendor_id", "item_id", "node_id", "from_node_id", "to_node_id")
    ways = {"order_date": none, "ship_date": none, "expected_arrival_date": none,
            **{name: [] for name in names}}  # fmt: skip
    stock = rng.integers(0, 3, (n, 4))
    tables = {
        "items": pd.DataFrame({"item_id": items, "size_class": "sortable",
                               "unit_cube_cuft": rng.uniform(0.2, 2.0, n), "list_price_usd": 20.0}),
        "regions": pd.DataFrame({"region_id": regions}),
        "nodes": pd.DataFrame({
            "node_id": NODES, "tier": ["distribution_center", "fulfillment_center",
                                       "fulfillment_center", "same_day_site"],
            "accepts": "any", "parent_node_id": [None, "DC", "DC", "FC-A"],
            "is_vendor_receiving": [True, False, False, False],
            "handling_usd_per_unit": [0.1, 0.2, 0.2, 0.4],
            "storage_usd_per_cuft_day": [0.01, 0.02, 0.02, 0.05]}),
        "lanes": pd.DataFrame([(NODES[a], NODES[b], 1, 0.3) for a, b in LANES], columns=[
            "from_node_id", "to_node_id", "transit_days", "lane_usd_per_cuft"]),
        "delivery_options": pd.DataFrame([(r, "one", node, 24.0, usd) for r, node, usd in OPTIONS],
            columns=["region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"]),
        "delivery_speeds": pd.DataFrame({"region_id": regions, "speed": "one", "promise_days": 1,
                                         "demand_share": 1.0, "missed_speed_usd_per_unit": 0.0}),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
        "vendors": pd.DataFrame({"vendor_id": ["v"], "order_minimum_usd": [0.0]}),
        "vendor_items": pd.DataFrame({"vendor_id": "v", "item_id": items,
                                      "unit_cost_usd": rng.uniform(4, 12, n), "moq_units": PACK,
                                      "case_pack_units": PACK, "quoted_lead_time_days": 2}),
        "lead_times": pd.DataFrame({"vendor_id": "v", "item_id": np.repeat(items, 3),
                                    "lead_time_days": [1, 2, 3] * n,
                                    "probability": [1 / 3] * 3 * n}),
        "stock": pd.DataFrame({"item_id": np.repeat(items, 4), "node_id": NODES * n,
                               "on_hand_units": stock.ravel()}),
        "open_orders": pd.DataFrame(ways), "open_transfers": pd.DataFrame(ways),
    }  # fmt: skip
    model = world_model(tables, WorldRules(partial_receipt_share=0.0))
    when, shape = pd.date_range(START + timedelta(days=1), periods=days), (days, n, 3)
    truth = Truth(when, rng.poisson(0.3, shape), rng.uniform(10, 30, shape),
                  np.full((days, 4, 3), np.inf))  # fmt: skip
    return model, lead_times(tables["lead_times"], tables["vendor_items"], model), truth, tables


def best_plan(
    model: WorldModel, times: LeadTimes, truth: Truth, tables: dict[str, pd.DataFrame], seed: int,
    k: int,
) -> tuple[float, list[Choice]]:  # fmt: skip
    """Most profit of an item and the choices of each night that bring it."""
    n_days, none = len(truth.days), np.zeros(1, dtype=np.int64)
    lead = [int(max(luck(model, times, seed, none, none + k, FIRST + t)[0][0], 1))
            for t in range(n_days)]  # fmt: skip
    asked = [list(_asked(model, truth, seed, k, t)) for t in range(n_days)]
    capital = float(model.unit_cost_usd[k] * model.rules.holding_rate_per_year / 365.0)
    space = [float(x) for x in model.storage_usd * model.cube_cuft[k]]
    lane = float(0.3 * model.cube_cuft[k])

    def day(t: int, stock: Stock, ways: Ways, choice: Choice) -> tuple[float, Stock, Ways]:
        """Profit of a day, and what is left, written out apart from the world's own code."""
        has, usd, later = list(stock), 0.0, []
        for arrival, node, units in ways:
            if arrival <= t:
                has[node] += units
                usd -= units * float(model.handling_usd[node])
            else:
                later.append((arrival, node, units))
        packs, moves = choice
        for (a, b), units in zip(LANES, moves, strict=True):
            if units:
                has[a] -= units
                usd -= units * lane
                later.append((t + 1, b, units))
        moving = sum(moves) + sum(n for arrival, node, n in ways if node and arrival > t)
        if packs:
            later.append((t + lead[t], 0, packs * PACK))
        for price, offers in asked[t]:
            for node, ship in offers:
                if has[node]:
                    has[node] -= 1
                    usd += price - float(model.unit_cost_usd[k]) - ship
                    break
            else:
                usd -= price * model.rules.goodwill_share
        usd -= (sum(has) + moving) * capital + sum(h * s for h, s in zip(has, space, strict=True))
        return usd, tuple(has), tuple(sorted(later))

    @cache
    def best(t: int, stock: Stock, ways: Ways) -> tuple[float, Choice | None]:
        if t == n_days:
            return 0.0, None
        found: tuple[float, Choice | None] = (-np.inf, None)
        for choice in _choices(t, stock, ways, n_days, lead[t]):
            usd, left, coming = day(t, stock, ways, choice)
            total = usd + best(t + 1, left, coming)[0]
            if total > found[0]:
                found = (total, choice)
        return found

    state = initial_state(model, times, tables, seed, START)
    stock: Stock = tuple(int(x) for x in state.on_hand[k])
    value, plan, ways = best(0, stock, ())[0], [], ()
    for t in range(n_days):
        choice = best(t, stock, ways)[1]
        assert choice is not None
        plan.append(choice)
        _, stock, ways = day(t, stock, ways, choice)
    return float(value), plan


def _choices(t: int, stock: Stock, ways: Ways, n_days: int, lead: int) -> Iterator[Choice]:
    """Every order that can still arrive and every transfer of what is there this morning."""
    has = list(stock)
    for arrival, node, units in ways:
        has[node] += units * (arrival <= t)
    packs = range(MOST_PACKS + 1) if t + lead < n_days else range(1)
    moved = range(MOST_MOVED + 1) if t + 1 < n_days else range(1)
    for a, b, c in product(moved, moved, moved):
        if a + b <= has[0] and c <= has[1]:
            for pack in packs:
                yield pack, (a, b, c)


def _asked(
    model: WorldModel, truth: Truth, seed: int, k: int, t: int
) -> Iterator[tuple[float, list[tuple[int, float]]]]:
    """A day's orders in the world's order: price, and nodes with costs, nearest first."""
    offers, n_regions = model.offers, len(model.regions)
    out = np.zeros((len(model.items), n_regions, model.cumulative.shape[1]), dtype=np.int64)
    orders_by_cell(seed, FIRST + t, model.item_key, model.region_key, truth.demand[t],
                   model.cumulative, out)  # fmt: skip
    for b in range(offers.n_buckets):
        for turn in range(n_regions):
            r = (turn + FIRST + t) % n_regions
            for s in range(offers.n_speeds):
                cell = (r * offers.n_speeds + s) * offers.n_buckets + b
                span = range(offers.start[cell], offers.start[cell + 1])
                ways = [(int(offers.node[o]), float(offers.ship_usd[o] + offers.missed_usd[o]))
                        for o in span]  # fmt: skip
                for _ in range(out[k, r, b * offers.n_speeds + s]):
                    yield float(truth.price_usd[t, k, r]), ways


def live(
    model: WorldModel, times: LeadTimes, truth: Truth, tables: dict[str, pd.DataFrame], seed: int,
    plans: list[list[Choice]],
) -> float:  # fmt: skip
    """Profit of the plans in the world itself."""
    world = World(model, times, initial_state(model, times, tables, seed, START), seed)
    total = 0.0
    for t in range(len(truth.days)):
        orders = [(k, plan[t][0] * PACK) for k, plan in enumerate(plans) if plan[t][0]]
        moves = [(k, a, b, n) for k, plan in enumerate(plans)
                 for (a, b), n in zip(LANES, plan[t][1], strict=True) if n]  # fmt: skip
        item, units = np.array(orders, dtype=np.int64).reshape(-1, 2).T
        moved, a, b, n = np.array(moves, dtype=np.int64).reshape(-1, 4).T
        zero, arrival = np.zeros(len(item), dtype=np.int64), np.full(len(n), FIRST + t + 1)
        decisions = Decisions(zero, item, zero, units, model.unit_cost_usd[item],
                              zero + FIRST + t + 1, moved, a, b, n, arrival)  # fmt: skip
        day = world.live(FIRST + t, truth.demand[t], truth.price_usd[t], decisions)
        total += float(day.item_profit_usd.sum())
    return total


if __name__ == "__main__":
    main()
