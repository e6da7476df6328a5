"""What a run has brought so far: arrays by day, saved every night, and the tables made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.columns import RESOURCES
from pipeline.simulate.report.causes import causes, loss_rows
from pipeline.simulate.world import kernel
from pipeline.simulate.world.day import MONEY, Day
from pipeline.simulate.world.law import RULES
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.state import State
from pipeline.simulate.world.supply import Ints

Floats = NDArray[np.float64]


@dataclass
class Record:
    """Figures by day of one policy and replication; the first axis of every array is the day.

    money: [days, MONEY]; count: [days, 5]; speed_units: [days, speeds, 2]; node_units, node_usd:
    [days, nodes] stock; node_flow: [days, nodes, 2] units in and out; overflow: [days, resources];
    in_transit, inventory_usd, in_stock: [days];
    ordered, item_profit: [days, items]; seconds: [days, 2] CPU of the planner and of the world;
    lost, lost_usd, overdue, kept_back, left, asked, expected: [days, items], for `causes`;
    turned: [days] units whose customers took another item;
    refused: [lines, 7] the only array that grows: day, then the columns of law.Refusals.
    """

    money: Floats
    count: Ints
    speed_units: Ints
    node_units: Ints
    node_usd: Floats
    node_flow: Ints
    overflow: Floats
    in_transit: Ints
    inventory_usd: Floats
    in_stock: Floats
    ordered: Ints
    item_profit: Floats
    seconds: Floats
    lost: Ints
    lost_usd: Floats
    overdue: Ints
    kept_back: Ints
    left: Ints
    asked: Ints
    expected: Floats
    turned: Ints
    refused: Ints

    def arrays(self) -> dict[str, NDArray]:
        """Named arrays, for a checkpoint."""
        return {f"record_{field.name}": getattr(self, field.name) for field in fields(self)}


def empty_record(model: WorldModel, n_days: int) -> Record:
    """Zeros for a run of n_days."""
    nodes, speeds, items = len(model.nodes), len(model.speeds), len(model.items)
    real, whole = float, np.int64
    return Record(
        np.zeros((n_days, len(MONEY)), real), np.zeros((n_days, 5), whole),
        np.zeros((n_days, speeds, 2), whole), np.zeros((n_days, nodes), whole),
        np.zeros((n_days, nodes), real), np.zeros((n_days, nodes, 2), whole),
        np.zeros((n_days, len(RESOURCES)), real),
        np.zeros(n_days, whole), np.zeros(n_days, real), np.zeros(n_days, real),
        np.zeros((n_days, items), whole), np.zeros((n_days, items), real),
        np.zeros((n_days, 2), real),
        np.zeros((n_days, items), whole), np.zeros((n_days, items), real),
        np.zeros((n_days, items), whole), np.zeros((n_days, items), whole),
        np.zeros((n_days, items), whole), np.zeros((n_days, items), whole),
        np.full((n_days, items), np.nan), np.zeros(n_days, whole), np.zeros((0, 7), whole),
    )  # fmt: skip


def record_from(arrays: dict[str, NDArray]) -> Record:
    """The record of a checkpoint."""
    return Record(*(arrays[f"record_{field.name}"] for field in fields(Record)))


def note(
    record: Record, t: int, model: WorldModel, day: Day, state: State, demand: Ints,
    price_usd: Floats, expected: Floats | None, seconds: Sequence[float],
) -> None:  # fmt: skip
    """Enter day t; demand, price_usd: [items, regions] units asked for and their price; expected:
    [items] units that the night's forecast let expect of the day."""
    record.money[t] = day.money.sum(axis=0)
    record.count[t] = day.count.sum(axis=0)
    record.speed_units[t] = day.speed_units
    usd_by_node = np.einsum("kj,k->j", state.on_hand, model.unit_cost_usd)
    record.node_units[t] = state.on_hand.sum(axis=0)
    record.node_usd[t] = usd_by_node
    record.node_flow[t] = day.usage[:, 1:]
    record.overflow[t] = day.overflow.sum(axis=0)
    record.in_transit[t] = state.on_the_way.units.sum()
    record.inventory_usd[t] = usd_by_node.sum()
    asked = demand.sum()
    record.in_stock[t] = (day.in_stock_share * demand).sum() / asked if asked else 1.0
    np.add.at(record.ordered[t], day.lawful.item, day.lawful.units)
    record.item_profit[t] = day.item_profit_usd
    record.seconds[t] = seconds
    record.lost[t] = day.count[:, kernel.LOST]
    record.lost_usd[t] = record.lost[t] * price_usd.mean(axis=1)
    record.overdue[t], record.kept_back[t] = day.overdue, day.kept_back
    record.left[t], record.asked[t] = state.on_hand.sum(axis=1), demand.sum(axis=1)
    if expected is not None:
        record.expected[t] = expected
    if day.recaptured is not None:
        record.turned[t] = day.recaptured.passed_on.sum()
    if day.refused is not None:
        lines = np.stack(list(vars(day.refused).values()), axis=1)
        lines = np.column_stack([np.full(len(lines), t), lines])
        record.refused = np.concatenate([record.refused, lines])


def order_churn(ordered: Ints) -> float:
    """Mean change of an item's orders from week to week, by units; ordered: [days, items]."""
    weeks = len(ordered) // 7
    if weeks < 2:
        return 0.0
    by_week = ordered[: weeks * 7].reshape(weeks, 7, -1).sum(axis=1)
    change = np.abs(np.diff(by_week, axis=0)).sum()
    total = (by_week[1:] + by_week[:-1]).sum()
    return float(change / total) if total else 0.0


def tables(
    record: Record, model: WorldModel, days: pd.DatetimeIndex, policy: str, replication: int,
    clairvoyant_usd: float | None,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Rows of the simulated tables for one run."""
    key = {"policy": policy, "replication": replication}
    n = len(days)
    profit = record.money[:, 0] - record.money[:, 1:].sum(axis=1)
    daily = pd.DataFrame({**key, "date": days, **_figures(record), "profit_usd": profit,
                          "overflow_cuft": record.overflow[:, 0],
                          "in_transit_units": record.in_transit,
                          "inventory_usd": record.inventory_usd, "in_stock_rate": record.in_stock,
                          "ordered_units": record.ordered.sum(axis=1)})  # fmt: skip
    by_node = pd.DataFrame({**key, "date": np.repeat(days, len(model.nodes)),
                            "node_id": list(model.nodes) * n, "tier": list(model.tier) * n,
                            "node_units": record.node_units.ravel(),
                            "inventory_usd": record.node_usd.ravel(),
                            "inbound_units": record.node_flow[:, :, 0].ravel(),
                            "outbound_units": record.node_flow[:, :, 1].ravel()})  # fmt: skip
    by_tier = by_node.groupby([*key, "date", "tier"], as_index=False, sort=True)[
        ["node_units", "inventory_usd"]
    ].sum()
    by_tier = by_tier.rename(columns={"node_units": "tier_units"})
    by_speed = pd.DataFrame({**key, "date": np.repeat(days, len(model.speeds)),
                             "speed": list(model.speeds) * n,
                             "demand_units": record.speed_units[:, :, 0].ravel(),
                             "kept_units": record.speed_units[:, :, 1].ravel()})  # fmt: skip
    return {
        "simulated_days": daily, "simulated_tiers": by_tier, "simulated_nodes": by_node,
        "simulated_speeds": by_speed,
        "simulated_item_weeks": _item_weeks(record, model, days, key),
        "simulated_totals": _totals(record, daily, key, clairvoyant_usd),
        "simulated_refusals": _refusals(record, model, days, key),
        "simulated_losses": _losses(record, days).assign(**key),
    }  # fmt: skip


def _figures(record: Record) -> dict[str, NDArray]:
    columns = ("demand_units", "kept_units", "late_units", "lost_units")
    places = (kernel.DEMAND, kernel.KEPT, kernel.LATE, kernel.LOST)
    found = {name: record.count[:, i] for name, i in zip(columns, places, strict=True)}
    found["turned_units"] = record.turned
    return {**found, **{name: record.money[:, i] for i, name in enumerate(MONEY)}}


def _item_weeks(
    record: Record, model: WorldModel, days: pd.DatetimeIndex, key: dict[str, object]
) -> pd.DataFrame:
    first = np.arange(0, len(days), 7)
    return pd.DataFrame({
        **key, "item_id": np.tile(model.items, len(first)),
        "week_start": np.repeat(days[first], len(model.items)),
        "ordered_units": np.add.reduceat(record.ordered, first, axis=0).ravel(),
        "profit_usd": np.add.reduceat(record.item_profit, first, axis=0).ravel(),
    })  # fmt: skip


def _losses(record: Record, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Lost sales by day and cause; a vendor's capacity that refused a line kept its units back."""
    kept_back = record.kept_back.copy()
    full = record.refused[record.refused[:, 1] == RULES.index("above_vendor_capacity")]
    full = full[full[:, 3] >= 0]
    np.add.at(kept_back, (full[:, 0], full[:, 3]), full[:, 6])
    cause = causes(record.overdue, kept_back, record.left, record.asked, record.expected)
    return loss_rows(record.lost, record.lost_usd, cause, days)


def _refusals(
    record: Record, model: WorldModel, days: pd.DatetimeIndex, key: dict[str, object]
) -> pd.DataFrame:
    """A row for each line that the world refused, in the order of the plan."""
    day, rule, vendor, item, source, node, units = record.refused.T
    return pd.DataFrame({
        **key, "date": days[day], "refused_line": np.arange(len(day)),
        "refusal_rule": pd.Series([RULES[i] for i in rule], dtype="str"),
        "vendor_id": _named(model.vendors, vendor), "item_id": _named(model.items, item),
        "from_node_id": _named(model.nodes, source), "node_id": _named(model.nodes, node),
        "refused_units": units,
    })  # fmt: skip


def _named(names: pd.Index, at: Ints) -> pd.Series:
    """Names of positions; null where there is none."""
    return pd.Series([names[i] if i >= 0 else None for i in at], dtype="str")


def _totals(
    record: Record, daily: pd.DataFrame, key: dict[str, object], clairvoyant_usd: float | None
) -> pd.DataFrame:
    summed = [*_figures(record), "profit_usd"]
    total = daily[summed].sum()
    sold = max(total["kept_units"] + total["late_units"], 1)
    demand = daily["demand_units"]
    rate = np.average(daily["in_stock_rate"], weights=demand) if demand.sum() else 1.0
    share = None if clairvoyant_usd is None else total["profit_usd"] / clairvoyant_usd
    return pd.DataFrame([{
        **key, **total.to_dict(), "in_stock_rate": min(rate, 1.0),
        "kept_share": total["kept_units"] / max(total["demand_units"], 1),
        "shipping_usd_per_unit": total["shipping_usd"] / sold,
        "inventory_usd": daily["inventory_usd"].mean(),
        "order_churn": order_churn(record.ordered),
        "overflow_cuft_days": daily["overflow_cuft"].sum(),
        "refused_lines": len(record.refused),
        "clairvoyant_usd": clairvoyant_usd, "share_of_clairvoyant": share,
    }])  # fmt: skip
