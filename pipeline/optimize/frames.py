"""Answers of the optimizer as tables."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.echelon import Levels
from pipeline.core.item import ItemTables
from pipeline.core.serve import Placed
from pipeline.core.solve import Plan
from pipeline.optimize.capacity_model import CapacityModel
from pipeline.optimize.item_model import DemandCube
from pipeline.optimize.network_model import NetworkModel
from pipeline.optimize.sold_out import left_out_units
from pipeline.optimize.targets import BuiltAhead, Vendors


def base_stock_frame(
    network: NetworkModel,
    cube: DemandCube,
    eligible: NDArray[np.bool_],
    columns: dict[str, NDArray],
) -> pd.DataFrame:
    """Table base_stock_levels; columns: arrays [items, nodes], kept where the item is eligible."""
    k, j = np.nonzero(eligible)
    keys = {
        "item_id": np.array(cube.items, object)[k],
        "node_id": np.array(network.names, object)[j],
    }
    return pd.DataFrame({**keys, **{name: values[k, j] for name, values in columns.items()}})


def weekly_frame(
    network: NetworkModel, cube: DemandCube, ahead: ItemTables, placed: Placed, weeks: list[date]
) -> pd.DataFrame:
    """Table weekly_levels, of nodes where the item is to be held in the week."""
    row, j = np.nonzero(placed.position > 0)
    items = len(cube.items)
    turn = ahead.turn[row].astype(float)
    served = placed.served[row, j] * turn
    needed = served + ahead.rise[row, j].astype(float) * placed.position[row, j] * turn
    early = placed.entered[row, j, 0] < ahead.week[row]
    return pd.DataFrame(
        {
            "item_id": np.array(cube.items, object)[row % items],
            "node_id": np.array(network.names, object)[j],
            "week_start": pd.to_datetime(weeks)[row // items],
            "base_stock_units": placed.position[row, j].astype(np.int64),
            "served_units": served,
            "entered_early_units": np.where(early, needed, 0.0),
        }
    )


def target_frame(
    cube: DemandCube, vendors: Vendors, priced: Levels, unpriced: Levels, unserved: Levels,
    notes: NDArray[np.object_], cover: NDArray[np.float64], early: BuiltAhead, weeks: list[date],
    raised: NDArray[np.int64], sold_out: NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    """Table network_targets; unserved: levels without service targets, at the same prices of
    space; notes: [items] the target that adds most, or None; cover: [rows] days that a
    position must last; raised: [items] units that overrides add to the levels of nodes;
    sold_out: [rows] units that are lost before an order can come."""
    units, until = _early(vendors, early)
    starts = pd.to_datetime([*weeks, None])
    return pd.DataFrame(
        {
            "item_id": np.array(cube.items, object)[vendors.item],
            "vendor_id": vendors.vendor,
            "order_up_to_units": priced.level + units,
            "unpriced_order_up_to_units": unpriced.level,
            "node_override_units": raised[vendors.item],
            "sold_out_units": left_out_units(sold_out, priced.demand, priced.level),
            "built_ahead_units": units,
            "built_ahead_week": starts[np.where(units > 0, until, len(weeks))],
            "service_units": priced.level - unserved.level,
            "service_note": notes[vendors.item],
            "cover_demand_units": priced.demand,
            "safety_stock_units": unpriced.level - priced.demand,
            "cover_days": cover,
        }
    )


def _early(vendors: Vendors, early: BuiltAhead) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By row the units to have come in, when tonight's order comes, for later weeks; the first."""
    week = vendors.arrival_week(early.units.shape[1])
    units = np.floor(early.units[vendors.item, week] + 0.5).astype(np.int64)
    return units, early.until[vendors.item, week]


def value_frame(
    cube: DemandCube, vendors: Vendors, priced: Levels, early: BuiltAhead
) -> pd.DataFrame:
    """Table position_values: units built ahead are kept for their weeks, so values begin beyond."""
    knots = priced.position.shape[1]
    position = priced.position + _early(vendors, early)[0][:, None]
    return pd.DataFrame(
        {
            "item_id": np.repeat(np.array(cube.items, object)[vendors.item], knots),
            "vendor_id": np.repeat(np.array(vendors.vendor, object), knots),
            "position_units": position.ravel(),
            "position_value_usd": priced.value.ravel(),
        }
    )


def price_frame(
    network: NetworkModel,
    rows: CapacityModel,
    plan: Plan,
    left: NDArray[np.float64],
    right: NDArray[np.float64],
) -> pd.DataFrame:
    """Table capacity_prices; usage includes overstock, and room for uneven arrivals, which no level
    accounts for. Where a row is about what is left of the level of a week before, or about a swing
    of what stands there, its price is part of that of the row that it stands for."""
    taken = rows.stated - rows.rows.limit
    n = rows.stated_rows
    price, left, right = (_with_rest(rows, values) for values in (plan.price, left, right))
    return pd.DataFrame(
        {
            "node_id": np.array([*network.names, "network"], object)[rows.node[:n]],
            "resource": rows.resource[:n],
            "week_start": pd.to_datetime([rows.week_start[t] for t in rows.week[:n]]),
            "price_usd_per_capacity_unit": price,
            "left_derivative_usd": left,
            "right_derivative_usd": right,
            "capacity": rows.stated[:n],
            "usage": (plan.usage + taken)[:n],
            "overflow": plan.overflow[:n],
        }
    )


def _with_rest(rows: CapacityModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the stated rows, with those of the rows that stand for them."""
    n = rows.stated_rows
    total = values[:n].copy()
    keys = zip(rows.node[:n], rows.resource[:n], rows.week[:n], strict=True)
    at = {(j, str(name), t): i for i, (j, name, t) in enumerate(keys)}
    for i in range(n, len(values)):
        total[at[rows.node[i], str(rows.resource[i]), rows.week[i]]] += values[i]
    return total


def trace_frame(plan: Plan) -> pd.DataFrame:
    """Table solver_trace."""
    rows = []
    for i, step in enumerate(plan.trace.steps):
        known = np.isfinite(step.upper)
        gap = max(step.upper - step.lower, 0.0) / max(abs(step.upper), 1e-9) if known else np.nan
        rows.append((i, step.phase, step.lower, step.upper, gap, step.violation))
    return pd.DataFrame(
        rows,
        columns=[
            "iteration", "phase", "lower_bound_usd", "upper_bound_usd", "certified_gap",
            "violation",
        ],
    )  # fmt: skip


def summary_frame(figures: dict[str, tuple[float, str]]) -> pd.DataFrame:
    """Table optimize_summary from measure -> (value, unit)."""
    rows = [(name, float(value), unit) for name, (value, unit) in sorted(figures.items())]
    return pd.DataFrame(rows, columns=["measure", "value", "measure_unit"])
