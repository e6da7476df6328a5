"""A small world with everything known, as one mixed-integer programme written out arc by arc.

A slow twin of `simulate.clairvoyant`: every order of a day is its own row, every node its own
variable, capacity is elastic, and orders to vendors may be held to packs and minimums.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy import optimize, sparse

from pipeline.simulate.world.kernel import orders_by_cell
from pipeline.simulate.world.model import Tables, WorldModel
from pipeline.simulate.world.state import State
from pipeline.simulate.world.supply import LeadTimes, luck
from pipeline.simulate.world.truth import Truth


class Programme:
    """Rows and columns by name; maximizes."""

    def __init__(self) -> None:
        self.gain: list[float] = []
        self.most: list[float] = []
        self.whole: list[int] = []
        self.rows: dict[object, dict[int, float]] = defaultdict(dict)
        self.bounds: dict[object, tuple[float, float]] = {}

    def variable(self, gain: float, most: float = np.inf, whole: bool = False) -> int:
        self.gain.append(gain)
        self.most.append(most)
        self.whole.append(int(whole))
        return len(self.gain) - 1

    def put(self, row: object, variable: int, factor: float) -> None:
        self.rows[row][variable] = self.rows[row].get(variable, 0.0) + factor

    def solve(self) -> float:
        names = [name for name in self.rows if name in self.bounds]
        entries = [(i, v, f) for i, name in enumerate(names) for v, f in self.rows[name].items()]
        row, column, value = (np.array(part) for part in zip(*entries, strict=True))
        matrix = sparse.csr_matrix((value, (row, column)), shape=(len(names), len(self.gain)))
        low, high = (np.array(part) for part in zip(*(self.bounds[n] for n in names), strict=True))
        found = optimize.milp(
            -np.array(self.gain), integrality=np.array(self.whole),
            bounds=optimize.Bounds(0, np.array(self.most)),
            constraints=optimize.LinearConstraint(matrix, low, high),
        )  # fmt: skip
        assert found.status == 0, found.message
        return -float(found.fun)


def best_profit(
    model: WorldModel, times: LeadTimes, truth: Truth, tables: Tables, state: State, seed: int,
    first: int, with_packs: bool,
) -> float:  # fmt: skip
    """Most profit in usd with full information; `state` has nothing on the way, no late parts."""
    p = Programme()
    n_days = len(truth.days)
    n_items, _, n_nodes = model.shape
    goodwill = model.rules.goodwill_share
    lost = goodwill * float((truth.demand * truth.price_usd).sum())
    for k in range(n_items):
        for t in range(n_days):
            for j in range(n_nodes):
                start = float(state.on_hand[k, j]) if t == 0 else 0.0
                p.bounds["stock", k, t, j] = (start, start)
        _store_and_move(p, model, tables, k, n_days)
        _buy(p, model, times, tables, k, seed, first, n_days, with_packs)
    _sell(p, model, truth, seed, first, goodwill)
    _limit(p, model, truth, first)
    return p.solve() - lost


def _store_and_move(p: Programme, model: WorldModel, tables: Tables, k: int, n_days: int) -> None:
    capital = model.unit_cost_usd[k] * model.rules.holding_rate_per_year / 365.0
    cube = model.cube_cuft[k]
    for t in range(n_days):
        for j in range(len(model.nodes)):
            stay = p.variable(-capital - cube * model.storage_usd[j])
            p.put(("stock", k, t, j), stay, 1.0)
            p.put(("stock", k, t + 1, j), stay, -1.0)
            p.put(("room", t, j), stay, cube)
        for lane in tables["lanes"].itertuples():
            a, b = (model.nodes.get_loc(end) for end in (lane.from_node_id, lane.to_node_id))
            if not (model.may_hold[k, a] and model.may_hold[k, b]):
                continue
            there = t + lane.transit_days
            usd = lane.lane_usd_per_cuft * cube + capital * (min(there, n_days) - t)
            move = p.variable(-usd - (model.handling_usd[b] if there < n_days else 0.0))
            p.put(("stock", k, t, a), move, 1.0)
            p.put(("out", t, a), move, 1.0)
            if there < n_days:
                p.put(("stock", k, there, b), move, -1.0)
                p.put(("in", there, b), move, 1.0)


def _buy(
    p: Programme, model: WorldModel, times: LeadTimes, tables: Tables, k: int, seed: int,
    first: int, n_days: int, with_packs: bool,
) -> None:  # fmt: skip
    terms = tables["vendor_items"]
    receives = np.flatnonzero(tables["nodes"]["is_vendor_receiving"].to_numpy(bool))
    for row in terms[terms["item_id"] == model.items[k]].itertuples():
        vendor = np.array([model.vendors.get_loc(row.vendor_id)])
        for t in range(n_days):
            lead, share, _ = luck(model, times, seed, vendor, np.array([k]), first + t)
            assert not share.any()
            there = t + max(int(lead[0]), 1)
            if there >= n_days:
                continue
            packs = p.variable(0.0, whole=with_packs)
            placed = p.variable(0.0, 1.0, whole=with_packs)
            p.bounds["lot", k, t, vendor[0]] = (0.0, 0.0)
            p.put(("lot", k, t, vendor[0]), packs, float(row.case_pack_units))
            p.bounds["at least", k, t, vendor[0]] = (0.0, np.inf)
            p.put(("at least", k, t, vendor[0]), packs, float(row.case_pack_units))
            p.put(("at least", k, t, vendor[0]), placed, -float(row.moq_units))
            p.bounds["if placed", k, t, vendor[0]] = (-np.inf, 0.0)
            p.put(("if placed", k, t, vendor[0]), packs, 1.0)
            p.put(("if placed", k, t, vendor[0]), placed, -1000.0)
            for j in receives[model.may_hold[k, receives]]:
                more = row.unit_cost_usd - model.unit_cost_usd[k]
                comes = p.variable(-model.handling_usd[j] - more)
                p.put(("lot", k, t, vendor[0]), comes, -1.0)
                p.put(("stock", k, there, j), comes, -1.0)
                p.put(("in", there, j), comes, 1.0)


def _sell(
    p: Programme, model: WorldModel, truth: Truth, seed: int, first: int, goodwill: float
) -> None:
    offers = model.offers
    for t in range(len(truth.days)):
        cells = np.zeros((*truth.demand[t].shape, model.cumulative.shape[1]), dtype=np.int64)
        orders_by_cell(seed, first + t, model.item_key, model.region_key, truth.demand[t],
                       model.cumulative, cells)  # fmt: skip
        for k, r, c in zip(*np.nonzero(cells), strict=True):
            bucket, speed = divmod(int(c), offers.n_speeds)
            cell = (r * offers.n_speeds + speed) * offers.n_buckets + bucket
            worth = truth.price_usd[t, k, r] * (1 + goodwill) - model.unit_cost_usd[k]
            p.bounds["orders", t, k, r, c] = (0.0, float(cells[k, r, c]))
            for o in range(offers.start[cell], offers.start[cell + 1]):
                sale = p.variable(worth - offers.ship_usd[o] - offers.missed_usd[o])
                p.put(("orders", t, k, r, c), sale, 1.0)
                p.put(("stock", k, t, offers.node[o]), sale, 1.0)
                p.put(("out", t, offers.node[o]), sale, 1.0)


def _limit(p: Programme, model: WorldModel, truth: Truth, first: int) -> None:
    """Storage by the day; flows by the week from Monday to Sunday, of constant capacity."""
    charge = model.rules.overflow_usd
    for t in range(len(truth.days)):
        week = (first + t + 3) // 7
        for j in range(len(model.nodes)):
            for resource, name in enumerate(("room", "in", "out")):
                capacity = truth.capacity[t, j, resource]
                row = (name, t, j) if resource == 0 else (name, "week", week, j)
                if resource > 0:
                    for variable, use in p.rows.pop((name, t, j), {}).items():
                        p.put(row, variable, use)
                    days = 7 - (first + 3) % 7 if week == (first + 3) // 7 else 7
                    capacity *= days
                if row not in p.bounds and np.isfinite(capacity):
                    p.bounds[row] = (-np.inf, capacity)
                    p.put(row, p.variable(-charge[resource]), -1.0)
