"""Published tables of a night as arrays: the problem, the plan and the prices of its bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import UsageError

READS = (
    "nodes", "problem_sets", "problem_items", "problem_holding", "problem_knots", "problem_demand",
    "problem_rows", "problem_tolls", "weekly_levels", "weekly_entries", "optimize_summary",
)  # fmt: skip
USES = ("held_cuft", "leaving_units_per_day", "entering_units_per_day", "entering_cuft_per_day",
        "entering_usd_per_day")  # fmt: skip
HELD, LEAVING = 0, 1
LIMITS = {"storage_cuft": 0, "outbound_units_per_day": 1, "inbound_units_per_day": 2,
          "lane_cuft_per_day": 3, "budget_usd_per_day": 4}  # fmt: skip
"""Which of USES a row of each resource limits."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SizeClass:
    """Items of one size class over its sets: items: their index; members: bool [sets, nodes];
    parent: [sets], -1 for the network; gap_usd: [items, sets] usd a week for what is not served
    from within; units, usd: [items, sets, knots], of no units where there are fewer; ratio: [weeks,
    items, sets] demand of the week over that of the knots."""

    items: NDArray[np.int64]
    members: NDArray[np.bool_]
    parent: NDArray[np.int64]
    gap_usd: Floats
    units: Floats
    usd: Floats
    ratio: Floats


@dataclass(frozen=True)
class Rows:
    """Capacity rows: kind, week: [rows]; nodes: bool [rows, nodes] whose use counts, by share
    [rows]; limit, overflow_usd, price, usage, overflow: [rows]; is_own: bool [rows], not about
    an earlier week's levels; is_stated: bool [rows], nor about a swing of what stands there;
    names: [rows] node, resource, week."""

    kind: NDArray[np.int64]
    week: NDArray[np.int64]
    nodes: NDArray[np.bool_]
    share: Floats
    limit: Floats
    overflow_usd: Floats
    price: Floats
    usage: Floats
    overflow: Floats
    is_own: NDArray[np.bool_]
    is_stated: NDArray[np.bool_]
    names: list[str]


@dataclass(frozen=True)
class Problem:
    """All of a night: rise: [weeks, items, nodes] what must enter for a unit of level because
    demand rises; use: [items, kinds]; holding_usd: [items, nodes] of a unit for a week, inf where
    it may not stand; turn: cycles in a week; feeder: [nodes] that replenishes each, -1 where
    vendors deliver; level, served, toll: [weeks, items, nodes] units, units of a cycle, usd;
    entered: [weeks, items, nodes, places] week; figures: by measure."""

    item_ids: list[str]
    node_ids: list[str]
    weeks: list[pd.Timestamp]
    classes: list[SizeClass]
    is_general: NDArray[np.bool_]
    rise: Floats
    use: Floats
    holding_usd: Floats
    turn: float
    feeder: NDArray[np.int64]
    rows: Rows
    level: Floats
    served: Floats
    toll: Floats
    entered: NDArray[np.int64]
    figures: dict[str, float]


def read_problem(tables: dict[str, pd.DataFrame]) -> Problem:
    """The night's problem and plan; tables: those of READS.

    Raises UsageError, naming every table and value that does not fit the others.
    """
    items = tables["problem_items"]
    if items.empty:
        raise UsageError(
            "table problem_items is empty: the night has more items than optimize.certified_items, "
            "so it published no problem. Next: raise that setting, and run optimize again."
        )
    weeks = sorted(items["week_start"].unique())
    ids = sorted(items["item_id"].astype(str).unique())
    nodes = tables["nodes"].sort_values("node_id", key=lambda s: s.astype(str), kind="stable")
    names = nodes["node_id"].astype(str).tolist()
    place = _Places(ids, names, weeks)
    by_week = items.assign(k=place.item("problem_items", items["item_id"]))
    by_week = by_week.assign(t=place.week("problem_items", items["week_start"]))
    by_week = by_week.sort_values(["t", "k"], kind="stable")
    if len(by_week) != len(weeks) * len(ids):
        place.wrong.append("problem_items: not every item has a row in every week")
        place.refuse()
    tonight = by_week[by_week["t"] == 0]
    shape = (len(weeks), len(ids))
    figures = dict(zip(
        tables["optimize_summary"]["measure"].astype(str), tables["optimize_summary"]["value"],
        strict=True,
    ))  # fmt: skip
    turn = np.float32(7.0 / figures["cycle_days"]) if "cycle_days" in figures else np.float32(1)
    cells = (*shape, len(names))
    level, served, toll = np.zeros(cells), np.zeros(cells), np.zeros(cells)
    plan, tolls = tables["weekly_levels"], tables["problem_tolls"]
    at = place.cell("weekly_levels", plan)
    level[at] = plan["base_stock_units"].to_numpy(float)
    served[at] = plan["served_units"].to_numpy(float) / float(turn)
    toll[place.cell("problem_tolls", tolls)] = tolls["toll_usd"].to_numpy(float)
    holding = np.full((len(ids), len(names)), np.inf)
    own = tables["problem_holding"]
    holding[
        place.item("problem_holding", own["item_id"]), place.node("problem_holding", own["node_id"])
    ] = own["holding_usd_per_week"].to_numpy(float)
    feeder, classes = _feeder(nodes, names), _classes(tables, tonight, place)
    rise = np.zeros(cells)
    for sizes in classes:
        rise[:, sizes.items] = (_rise(sizes) / float(turn)).astype(np.float32)
    problem = Problem(
        ids, names, weeks, classes, tonight["is_general"].to_numpy(bool), rise,
        tonight[list(USES)].to_numpy(float), holding, float(turn), feeder,
        _rows(tables["problem_rows"], place, feeder), level, served, toll,
        _entered(tables["weekly_entries"], place, feeder, cells), figures,
    )  # fmt: skip
    place.refuse()
    return problem


class _Places:
    """Where ids and weeks stand; collects those that stand nowhere."""

    def __init__(self, items: list[str], nodes: list[str], weeks: list[pd.Timestamp]) -> None:
        self.items, self.nodes = pd.Index(items), pd.Index(nodes)
        self.weeks = pd.DatetimeIndex(weeks)
        self.wrong: list[str] = []

    def item(self, table: str, values: pd.Series) -> NDArray[np.int64]:
        """Places of item ids."""
        return self._at(table, "item_id", self.items, values.astype(str))

    def node(self, table: str, values: pd.Series) -> NDArray[np.int64]:
        """Places of node ids."""
        return self._at(table, "node_id", self.nodes, values.astype(str))

    def week(self, table: str, values: pd.Series) -> NDArray[np.int64]:
        """Places of weeks."""
        return self._at(table, values.name or "week_start", self.weeks, values)

    def cell(
        self, table: str, frame: pd.DataFrame
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Week, item and node of each row."""
        return (
            self.week(table, frame["week_start"]), self.item(table, frame["item_id"]),
            self.node(table, frame["node_id"]),
        )  # fmt: skip

    def _at(
        self, table: str, column: object, known: pd.Index, values: pd.Series
    ) -> NDArray[np.int64]:
        found = known.get_indexer(pd.Index(values))
        if (found < 0).any():
            strange = sorted({str(value) for value in values[found < 0]})[:3]
            self.wrong.append(
                f"{table}.{column}: {(found < 0).sum()} rows name what the problem does not have, "
                f"such as {', '.join(strange)}"
            )
            self.refuse()
        return np.asarray(found, np.int64)

    def refuse(self) -> None:
        """Raise what was collected, if anything."""
        if self.wrong:
            raise UsageError(
                "the night's tables do not fit each other:\n"
                + "\n".join(f"  - {line}" for line in self.wrong)
                + "\nNext: run optimize again, which publishes them together."
            )


def _feeder(nodes: pd.DataFrame, names: list[str]) -> NDArray[np.int64]:
    """[nodes] index of the node that replenishes each, -1 where vendors deliver."""
    at = {name: j for j, name in enumerate(names)}
    direct = nodes["is_vendor_receiving"].to_numpy(bool)
    above = [-1 if pd.isna(name) else at[str(name)] for name in nodes["parent_node_id"]]
    return np.where(direct, -1, np.array(above, np.int64))


def _classes(
    tables: dict[str, pd.DataFrame], tonight: pd.DataFrame, place: _Places
) -> list[SizeClass]:
    sets, knots, demand = (tables[f"problem_{name}"] for name in ("sets", "knots", "demand"))
    of_item = tonight["size_class"].astype(str).to_numpy()
    k = place.item("problem_knots", knots["item_id"])
    s, q = knots["set_number"].to_numpy(), knots["knot_number"].to_numpy()
    of_demand = place.item("problem_demand", demand["item_id"])
    week, inside = place.week("problem_demand", demand["week_start"]), demand["set_number"]
    found = []
    for name, mine in sets.groupby(sets["size_class"].astype(str)):
        members = np.zeros((int(mine["set_number"].max()) + 1, len(place.nodes)), np.bool_)
        at = place.node("problem_sets", mine["node_id"])
        members[mine["set_number"].to_numpy(), at] = True
        items = np.flatnonzero(of_item == name)
        row = np.full(len(of_item), -1)
        row[items] = np.arange(len(items))
        own = row[k] >= 0
        wide = int(q[own].max(initial=0)) + 1
        gap = np.zeros((len(items), len(members)))
        units, usd = np.zeros((2, len(items), len(members), wide))
        gap[row[k[own]], s[own]] = knots["set_gap_usd"].to_numpy(float)[own]
        units[row[k[own]], s[own], q[own]] = knots["knot_units"].to_numpy(float)[own]
        usd[row[k[own]], s[own], q[own]] = knots["knot_usd"].to_numpy(float)[own]
        ratio = np.ones((len(place.weeks), len(items), len(members)))
        own = row[of_demand] >= 0
        ratio[week[own], row[of_demand[own]], inside.to_numpy()[own]] = demand["demand_ratio"][own]
        parent = _parents(str(name), members, place)
        found.append(SizeClass(items, members, parent, gap, units, usd, ratio))
    return found


def _rise(sizes: SizeClass) -> Floats:
    """[weeks, items, nodes] share of a week's level above the week before's, as demand inside the
    smallest set that holds the node grows."""
    found = np.zeros((*sizes.ratio.shape[:2], sizes.members.shape[1]))
    units = np.maximum(sizes.ratio, 1e-9)
    growth = np.zeros(units.shape)
    growth[1:] = np.maximum(1.0 - units[:-1] / units[1:], 0.0)
    for j in np.flatnonzero(sizes.members.any(axis=0)):
        around = np.flatnonzero(sizes.members[:, j])
        found[:, :, j] = growth[:, :, around[sizes.members[around].sum(axis=1).argmin()]]
    return found


def _parents(name: str, members: NDArray[np.bool_], place: _Places) -> NDArray[np.int64]:
    """The smallest set that holds each, which must come after it; -1 for the last."""
    parent = np.full(len(members), -1, np.int64)
    size = members.sum(axis=1)
    for s in range(len(members)):
        holds = [o for o in range(len(members)) if o != s and (members[o] >= members[s]).all()]
        if s < len(members) - 1 and holds:
            parent[s] = min(holds, key=lambda o: int(size[o]))
        crosses = (members & members[s]).any(axis=1) & (members & ~members[s]).any(axis=1)
        crosses &= (members[s] & ~members).any(axis=1)
        if crosses.any() or (s < len(members) - 1 and parent[s] <= s):
            place.wrong.append(f"problem_sets: set {s} of {name} neither nests nor stands in order")
    return parent


def _rows(frame: pd.DataFrame, place: _Places, feeder: NDArray[np.int64]) -> Rows:
    names = frame["node_id"].astype(str)
    is_whole = (names == "network").to_numpy()
    nodes = np.zeros((len(frame), len(place.nodes)), np.bool_)
    nodes[is_whole] = feeder < 0
    single = np.flatnonzero(~is_whole)
    nodes[single, place.node("problem_rows", names[~is_whole])] = True

    def number(name: str) -> Floats:
        return frame[name].to_numpy(float)

    day = frame["week_start"].dt.strftime("%Y-%m-%d")
    is_own = (frame["week_start"] == frame["level_week_start"]).to_numpy(bool)
    return Rows(
        kind=frame["resource"].astype(str).map(LIMITS).to_numpy(np.int64),
        week=place.week("problem_rows", frame["level_week_start"]),
        nodes=nodes,
        share=number("level_share"),
        limit=number("net_capacity"),
        overflow_usd=number("overflow_usd_per_unit"),
        price=number("bound_price_usd"),
        usage=number("plan_usage"),
        overflow=number("overflow"),
        is_stated=is_own & (number("swing_units") == 0.0),
        is_own=is_own,
        names=(names + " " + frame["resource"].astype(str) + " " + day).tolist(),
    )


def _entered(
    frame: pd.DataFrame, place: _Places, feeder: NDArray[np.int64], cells: tuple[int, int, int]
) -> NDArray[np.int64]:
    """[weeks, items, nodes, places] week in which what a week is to hold enters."""
    longest, at = 1, feeder.copy()
    while (at >= 0).any():
        longest, at = longest + 1, np.where(at >= 0, feeder[at], -1)
    entered = np.broadcast_to(np.arange(cells[0])[:, None, None, None], (*cells, longest)).copy()
    where = (*place.cell("weekly_entries", frame), frame["place_number"].to_numpy(np.int64))
    entered[where] = place.week("weekly_entries", frame["entered_week_start"])
    return entered
