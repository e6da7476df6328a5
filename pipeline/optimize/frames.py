"""Answers of the optimizer as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.echelon import Levels
from pipeline.core.solve import Plan
from pipeline.optimize.capacity_model import CapacityModel
from pipeline.optimize.item_model import DemandCube
from pipeline.optimize.network_model import NetworkModel
from pipeline.optimize.targets import Vendors


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


def target_frame(
    cube: DemandCube, vendors: Vendors, priced: Levels, unpriced: Levels, cover: NDArray[np.float64]
) -> pd.DataFrame:
    """Table network_targets; cover: [rows] days that a position must last."""
    return pd.DataFrame(
        {
            "item_id": np.array(cube.items, object)[vendors.item],
            "vendor_id": vendors.vendor,
            "order_up_to_units": priced.level,
            "unpriced_order_up_to_units": unpriced.level,
            "cover_demand_units": priced.demand,
            "safety_stock_units": unpriced.level - priced.demand,
            "cover_days": cover,
        }
    )


def value_frame(cube: DemandCube, vendors: Vendors, priced: Levels) -> pd.DataFrame:
    """Table position_values."""
    knots = priced.position.shape[1]
    return pd.DataFrame(
        {
            "item_id": np.repeat(np.array(cube.items, object)[vendors.item], knots),
            "vendor_id": np.repeat(np.array(vendors.vendor, object), knots),
            "position_units": priced.position.ravel(),
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
    accounts for."""
    taken = rows.stated - rows.rows.limit
    return pd.DataFrame(
        {
            "node_id": np.array([*network.names, "network"], object)[rows.node],
            "resource": rows.resource,
            "week_start": pd.to_datetime([rows.week_start[t] for t in rows.week]),
            "price_usd_per_capacity_unit": plan.price,
            "left_derivative_usd": left,
            "right_derivative_usd": right,
            "capacity": rows.stated,
            "usage": plan.usage + taken,
            "overflow": plan.overflow,
        }
    )


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
