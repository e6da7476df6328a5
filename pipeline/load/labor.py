"""A node's days from the night's own tables: units in and out, hours of labor, doors, carts.

Outbound is demand by promise and order hour at the node that serves it most cheaply of those that
hold its size class, and transfers that leave; inbound is what orders and transfers bring. The
transfers of coming nights are not decided yet: a node is taken to draw from its cheapest lane what
it sends out. Overtime is bought where an hour of it costs less than the shadow price of what it
handles; those hours return as planned node capacity.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import ceil

import numpy as np
import pandas as pd

from pipeline.contracts.settings import LaborSettings
from pipeline.load.shifts import Shift, cover_hours

Tables = Mapping[str, pd.DataFrame]
FLOW = ["node_id", "date", "size_class"]
COLUMNS = ("node_id", "date", "inbound_load_units", "outbound_load_units", "staffed_hours",
           "overtime_hours", "shadow_usd_per_hour", "dock_doors", "carts", "sentence")  # fmt: skip


def outbound_by_node(tables: Tables, as_of: date, days: int) -> pd.DataFrame:
    """Units [node, date, size class] that leave to customers, from demand_quantiles' windows."""
    windows = tables["demand_quantiles"]
    first = _sized(windows[windows["window_start_day"] == 1], tables["items"])
    ends = sorted(int(n) for n in first["window_days"].unique())
    key = ["region_id", "size_class"]
    total = first.groupby([*key, "window_days"], observed=True)["mean_units"].sum()
    rows = []
    for (region, size), own in total.groupby(level=[0, 1], observed=True):
        upto = {0: 0.0} | {int(n): float(value) for (_, _, n), value in own.items()}
        for before, end in zip([0, *ends], ends, strict=False):
            daily = max(upto.get(end, 0.0) - upto.get(before, 0.0), 0.0) / (end - before)
            for day in range(before + 1, min(end, days) + 1):
                date_of = pd.Timestamp(as_of) + pd.Timedelta(days=day)
                rows.append((str(region), str(size), date_of, daily))
    demand = pd.DataFrame(rows, columns=[*key, "date", "units"])
    both = demand.merge(_served_share(tables), on=key)
    both["units"] *= both["share"]
    return both.groupby(FLOW, as_index=False)["units"].sum()


def _sized(frame: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """A copy of rows of items, with each item's size class."""
    size_class = dict(zip(items["item_id"].astype("str"), items["size_class"].astype("str"),
                          strict=True))  # fmt: skip
    return frame.assign(size_class=frame["item_id"].astype("str").map(size_class))


def _holding(tables: Tables, node: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows once for each size class of the items that the node in column `node` can hold."""
    accepts = tables["nodes"].set_index(tables["nodes"]["node_id"].astype("str"))["accepts"]
    accepted = rows[node].astype("str").map(accepts.astype("str"))
    sizes = sorted(tables["items"]["size_class"].astype("str").unique())
    fitting = [rows[accepted.isin(["any", size])].assign(size_class=size) for size in sizes]
    return pd.concat(fitting, ignore_index=True)


def _served_share(tables: Tables) -> pd.DataFrame:
    """Share of each region's demand of a size class by the node that serves a speed most cheaply.

    Speeds at which no node can serve the class are left to the others.
    """
    options = tables["delivery_options"].astype(
        {"region_id": "str", "speed": "str", "node_id": "str"}
    )
    options = _holding(tables, "node_id", options)
    key = ["region_id", "size_class"]
    options = options.sort_values([*key, "speed", "ship_usd_per_unit", "node_id"])
    best = options.drop_duplicates([*key, "speed"])
    speeds = tables["delivery_speeds"].astype({"region_id": "str", "speed": "str"})
    both = best.merge(speeds, on=["region_id", "speed"])
    share = both.groupby([*key, "node_id"], as_index=False)["demand_share"].sum()
    share["share"] = share["demand_share"] / share.groupby(key)["demand_share"].transform("sum")
    return share[[*key, "node_id", "share"]]


def inbound_by_node(tables: Tables) -> pd.DataFrame:
    """Units [node, date] that arrive: tonight's orders, open orders, transfers."""
    orders = tables["purchase_orders"][["order_line_id", "expected_arrival_date"]]
    lines = tables["inbound_assignments"].merge(orders, on="order_line_id")
    parts = [
        _moves(lines, "node_id", "expected_arrival_date", "assigned_units"),
        _moves(tables["open_orders"], "node_id", "expected_arrival_date", "open_units"),
        _moves(tables["transfers"], "to_node_id", "expected_arrival_date", "transfer_units"),
    ]
    return pd.concat(parts).groupby(["node_id", "date"], as_index=False)["units"].sum()


def replenished(
    tables: Tables, outbound: pd.DataFrame, as_of: date, days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Units [node, date] that coming nights' transfers take out of nodes, and bring into nodes.

    outbound: units [node, date, size class]; a lane moves what both its ends can hold.

    From the leaves up: what leaves a node comes in on the same day by its cheapest lane, once
    tonight's transfers have come, and left the lane's start its transit days before.
    """
    lanes = tables["lanes"].astype({"from_node_id": "str", "to_node_id": "str"})
    lanes = _holding(tables, "to_node_id", lanes).rename(columns={"size_class": "size"})
    lanes = _holding(tables, "from_node_id", lanes).query("size == size_class")
    lanes = lanes.sort_values(["to_node_id", "lane_usd_per_cuft", "from_node_id"], kind="stable")
    out: list[tuple[str, pd.Timestamp, float]] = []
    into: list[tuple[str, pd.Timestamp, float]] = []
    for size, own in outbound.groupby("size_class", sort=True):
        source = {
            row["to_node_id"]: (row["from_node_id"], int(row["transit_days"]))
            for row in lanes[lanes["size_class"] == size].drop_duplicates("to_node_id")
            .to_dict("records")
        }  # fmt: skip
        _draw(source, own, pd.Timestamp(as_of), days, out, into)
    columns = ["node_id", "date", "units"]
    return pd.DataFrame(out, columns=columns), pd.DataFrame(into, columns=columns)


def _draw(
    source: dict[str, tuple[str, int]], outbound: pd.DataFrame, start: pd.Timestamp, days: int,
    out: list[tuple[str, pd.Timestamp, float]], into: list[tuple[str, pd.Timestamp, float]],
) -> None:  # fmt: skip
    """Add what one size class's transfers take `out` of nodes and bring `into` them."""
    leaving: dict[str, np.ndarray] = {}
    for node, day, units in outbound[["node_id", "date", "units"]].itertuples(index=False):
        own = leaving.setdefault(str(node), np.zeros(days + 1))
        if 1 <= (day - start).days <= days:
            own[(day - start).days] += float(units)
    for node in _leaves_first(source):
        parent, transit = source[node]
        needed = leaving.get(node, np.zeros(days + 1))
        above = leaving.setdefault(parent, np.zeros(days + 1))
        for day in range(transit + 2, days + 1):  # tomorrow's transfers leave tomorrow at best
            into.append((node, start + pd.Timedelta(days=day), needed[day]))
            out.append((parent, start + pd.Timedelta(days=day - transit), needed[day]))
            above[day - transit] += needed[day]


def _leaves_first(source: dict[str, tuple[str, int]]) -> list[str]:
    """Nodes with a lane into them, each before the node that it draws from."""

    def depth(node: str, seen: tuple[str, ...] = ()) -> int:
        if node not in source or node in seen:
            return 0
        return 1 + depth(source[node][0], (*seen, node))

    return sorted(source, key=lambda node: (-depth(node), node))


def _moves(frame: pd.DataFrame, node: str, day: str, units: str) -> pd.DataFrame:
    return pd.DataFrame({"node_id": frame[node].astype("str"), "date": frame[day],
                         "units": frame[units].astype("float64")})  # fmt: skip


def labor_plan(tables: Tables, as_of: date, settings: LaborSettings) -> pd.DataFrame:
    """Rows of labor_plan for the days after as_of."""
    days = settings.days
    out = outbound_by_node(tables, as_of, days)
    transfers = _sized(tables["transfers"], tables["items"])
    left = _moves(transfers, "from_node_id", "ship_date", "transfer_units")
    left["size_class"] = transfers["size_class"]
    out = pd.concat([out, left]).groupby(FLOW, as_index=False)["units"].sum()
    sent, brought = replenished(tables, out, as_of, days)
    out = pd.concat([out, sent]).groupby(["node_id", "date"], as_index=False)["units"].sum()
    into = pd.concat([inbound_by_node(tables), brought])
    into = into.groupby(["node_id", "date"], as_index=False)["units"].sum()
    shadow = _shadow_prices(tables["capacity_prices"])
    by_hour = tables["order_hours"].sort_values("hour", kind="stable")
    hours = by_hour["demand_share"].to_numpy(dtype="float64")
    hours = hours / hours.sum()
    dates = pd.date_range(pd.Timestamp(as_of) + pd.Timedelta(days=1), periods=days)
    outbound = {(row[0], row[1]): float(row[2]) for row in out.itertuples(index=False)}
    inbound = {(row[0], row[1]): float(row[2]) for row in into.itertuples(index=False)}
    rows = []
    for node in sorted(tables["nodes"]["node_id"].astype("str")):
        for day in dates:
            leaving, arriving = outbound.get((node, day), 0.0), inbound.get((node, day), 0.0)
            worth = _worth(shadow, node, day, settings)
            rows.append(_day_row(node, day, arriving, leaving, hours, worth, settings))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _day_row(
    node: str, day: pd.Timestamp, arriving: float, leaving: float, hours: np.ndarray,
    worth: float, settings: LaborSettings,
) -> dict[str, object]:  # fmt: skip
    unloading = np.zeros(24)
    first, last = settings.dock_first_hour, settings.dock_last_hour
    unloading[first:last] = arriving / max(last - first, 1)
    need = (leaving * hours * settings.outbound_s_per_unit
            + unloading * settings.inbound_s_per_unit) / 3600  # fmt: skip
    shifts = [Shift(hour, settings.shift_hours, settings.wage_usd_per_hour * settings.shift_hours)
              for hour in settings.shift_first_hours]  # fmt: skip
    plan = cover_hours(need.tolist(), shifts, settings.overtime_usd_per_hour)
    bought = settings.overtime_hours_per_day if worth > settings.overtime_usd_per_hour else 0.0
    overtime = float(sum(plan.overtime)) + bought
    doors = ceil(float(unloading.max()) / settings.door_units_per_hour - 1e-9)
    carts = ceil(float((leaving * hours).max()) * settings.cart_minutes_per_unit / 60 - 1e-9)
    return {
        "node_id": node, "date": day, "inbound_load_units": arriving,
        "outbound_load_units": leaving,
        "staffed_hours": float(sum(plan.workers) * settings.shift_hours),
        "overtime_hours": overtime, "shadow_usd_per_hour": worth, "dock_doors": doors,
        "carts": carts,
        "sentence": f"{leaving:,.0f} units out and {arriving:,.0f} in"
                    + _overtime_words(sum(plan.overtime), bought, worth),
    }  # fmt: skip


def _overtime_words(covering: int, bought: float, worth: float) -> str:
    """What overtime is for: hours that no whole shift is worth, and doing more than is planned."""
    words = f"; overtime covers {covering} hours that are not worth a shift" if covering else ""
    if bought:
        return (f"{words}; an hour more is worth {worth:,.2f} USD, so {bought:.0f} hours are bought"
                " to do more.")  # fmt: skip
    if worth > 0:
        return f"{words}; an hour more is worth {worth:,.2f} USD, less than overtime costs."
    return f"{words}; capacity is not scarce."


def _shadow_prices(prices: pd.DataFrame) -> pd.DataFrame:
    flow = prices[prices["resource"].astype("str").isin(
        ["inbound_units_per_day", "outbound_units_per_day"])]  # fmt: skip
    flow = flow.astype({"node_id": "str", "resource": "str"})
    return flow.sort_values("week_start", kind="stable")


def _worth(
    shadow: pd.DataFrame, node: str, day: pd.Timestamp, settings: LaborSettings
) -> float:  # fmt: skip
    """USD that an hour of labor more is worth: the dearest flow's price times its units an hour."""
    own = shadow[(shadow["node_id"] == node) & (shadow["week_start"] <= day)]
    if own.empty:
        return 0.0
    own = own[own["week_start"] == own["week_start"].max()]
    seconds = {"inbound_units_per_day": settings.inbound_s_per_unit,
               "outbound_units_per_day": settings.outbound_s_per_unit}  # fmt: skip
    return max(
        float(price) * 3600 / seconds[str(resource)]
        for resource, price in zip(own["resource"], own["price_usd_per_capacity_unit"],
                                   strict=True)
    )  # fmt: skip


def is_bought(plan: pd.DataFrame, settings: LaborSettings) -> pd.Series:
    """Whether overtime is bought, on each row of labor_plan, to do more than is planned."""
    is_there = plan["overtime_hours"] >= settings.overtime_hours_per_day
    return is_there & (plan["shadow_usd_per_hour"] > settings.overtime_usd_per_hour)


def extra_units(settings: LaborSettings) -> float:
    """Units a day that overtime bought to do more sends out."""
    return settings.overtime_hours_per_day * 3600 / settings.outbound_s_per_unit


def planned_node_capacity(
    plan: pd.DataFrame, capacity: pd.DataFrame, settings: LaborSettings
) -> pd.DataFrame:
    """Rows of node_capacity for the days on which overtime adds outbound units, and for their end.

    To be added to the raw table: the next night plans with the hours that this one bought.
    """
    bought = plan[is_bought(plan, settings)]
    own = capacity[capacity["resource"].astype("str") == "outbound_units_per_day"]
    rows = []
    extra = extra_units(settings)
    for row in bought.to_dict("records"):
        known = own[(own["node_id"].astype("str") == row["node_id"])
                    & (own["start_date"] <= row["date"])]  # fmt: skip
        known = known.sort_values("start_date", kind="stable")
        if known.empty:
            continue
        usual = float(known["capacity"].iloc[-1])
        for day, amount in ((row["date"], usual + extra),
                            (row["date"] + pd.Timedelta(days=1), usual)):  # fmt: skip
            rows.append((row["node_id"], "outbound_units_per_day", day, amount))
    frame = pd.DataFrame(rows, columns=["node_id", "resource", "start_date", "capacity"])
    # Where two days follow each other, the second one's own row counts, not the first one's end.
    key = ["node_id", "resource", "start_date"]
    return frame.groupby(key, as_index=False)["capacity"].max()
