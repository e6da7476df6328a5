"""A synthetic night, published whole: a few items in a small network, from a fixed seed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.check import conform
from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.runner import run_stage
from pipeline.store import Source, Store

AS_OF = date(2026, 3, 1)
REGIONS = ("east", "north", "west")
NODES = (
    ("dc1", "distribution_center", None), ("fc1", "fulfillment_center", "dc1"),
    ("fc2", "fulfillment_center", "dc1"), ("sd1", "same_day_site", "fc1"),
)  # fmt: skip
HOSTILE = "<script>alert('x')</script> & \"tea\""


def publish_night(
    root: Path, as_of: date = AS_OF, items: int = 12, level: float = 1.0,
    stages: tuple[str, ...] = ("explain", "review"),
) -> Store:  # fmt: skip
    """A store with the night's tables, explained and reviewed by the stages."""
    store = Store(root)
    for name, frame in night_tables(as_of, items, level).items():
        store.publish(as_of, name, conform(frame, TABLES[name]), {"inputs": {}})
    for stage in stages:
        run_stage(store, Source("raw", root), Settings(), as_of, stage)
    return store


def night_tables(as_of: date, items: int = 12, level: float = 1.0) -> dict[str, pd.DataFrame]:
    """Every table that explain and review read; demand and targets scale with `level`."""
    rng = np.random.default_rng(11)
    day = pd.Timestamp(as_of)
    names = [f"item{i:02d}" for i in range(items)]
    mean = np.sort(rng.lognormal(1.5, 1.2, items))[::-1] * level  # units a day, all regions
    cover = np.rint(mean * 21)
    tables = _world(day, names) | _demand(day, names, mean)
    levels = pd.DataFrame(
        {
            "item_id": names, "vendor_id": "acme", "cover_demand_units": mean * 21,
            "unpriced_order_up_to_units": cover + np.rint(3 * np.sqrt(mean * 21)),
            "order_up_to_units": cover + np.rint(2.5 * np.sqrt(mean * 21)),
            "safety_stock_units": np.rint(3 * np.sqrt(mean * 21)), "cover_days": 21.0,
            "node_override_units": 0, "sold_out_units": 0, "built_ahead_units": 0,
            "service_units": 0,
            "service_note": None, "built_ahead_week": pd.NaT,
        }
    )  # fmt: skip
    tables["network_targets"] = levels
    held = np.rint(mean * rng.uniform(2, 30, items))
    tables["stock"] = pd.DataFrame(
        {"date": day, "item_id": np.repeat(names, 2), "node_id": ["dc1", "fc1"] * items,
         "on_hand_units": np.column_stack([held * 0.7, held * 0.3]).round().ravel()}
    )  # fmt: skip
    position = tables["stock"].groupby("item_id")["on_hand_units"].sum().to_numpy() + 6
    need = levels["order_up_to_units"].to_numpy() - position
    order = np.where(need > 0, np.ceil(np.maximum(need, 0) / 6) * 6, 0)
    bought = order > 0
    tables["purchase_orders"] = pd.DataFrame(
        {
            "order_line_id": [f"{as_of}/acme/{name}" for name in names], "vendor_id": "acme",
            "item_id": names, "order_units": order, "cases": order / 6, "unit_cost_usd": 4.0,
            "order_cost_usd": order * 4, "needed_units": np.maximum(need, 0),
            "override_units": 0, "order_up_to_units": levels["order_up_to_units"],
            "inventory_position_units": position, "order_date": day + pd.Timedelta(days=1),
            "expected_arrival_date": day + pd.Timedelta(days=14), "value_gained_usd": order * 1.5,
            "reason_code": "case_pack",
        }
    )[bought]  # fmt: skip
    tables["order_candidates"] = pd.DataFrame(
        {"item_id": names, "vendor_id": "acme", "candidate_units": order + 6,
         "order_cost_usd": (order + 6) * 4, "value_gained_usd": order * 1.2, "is_chosen": False,
         "why_not": "worth less"}
    )  # fmt: skip
    tables["inbound_assignments"] = tables["purchase_orders"].assign(
        node_id="dc1", assigned_units=lambda frame: frame["order_units"]
    )[["order_line_id", "item_id", "vendor_id", "node_id", "assigned_units"]]  # fmt: skip
    tables["transfers"] = pd.DataFrame(
        {
            "transfer_id": [f"{as_of}/{name}/dc1/fc2" for name in names], "item_id": names,
            "from_node_id": "dc1", "to_node_id": "fc2",
            "transfer_units": np.maximum(np.rint(mean * 4), 1), "cases": 1,
            "ship_date": day + pd.Timedelta(days=1),
            "expected_arrival_date": day + pd.Timedelta(days=3), "needed_units": 5,
            "relief_units": 0,
            "value_gained_usd": 3.0,
        }
    )  # fmt: skip
    return tables | _optimized(day, names, mean)


def _world(day: pd.Timestamp, names: list[str]) -> dict[str, pd.DataFrame]:
    items = len(names)
    nodes = pd.DataFrame(NODES, columns=["node_id", "tier", "parent_node_id"]).assign(
        node_name=lambda frame: frame["node_id"].str.upper(), accepts="any", latitude=40.0,
        longitude=-80.0, is_vendor_receiving=lambda frame: frame["parent_node_id"].isna(),
        handling_usd_per_unit=0.2, storage_usd_per_cuft_day=0.01,
    )  # fmt: skip
    speeds = pd.DataFrame({"region_id": REGIONS, "speed": "two_day", "promise_days": 2,
                           "demand_share": 1.0, "missed_speed_usd_per_unit": 1.0})  # fmt: skip
    empty = {
        name: pd.DataFrame(columns=list(TABLES[name].columns))
        for name in ("calendar", "open_transfers", "overrides", "prices")
    }
    return empty | {
        "items": pd.DataFrame(
            {"item_id": names, "item_name": [HOSTILE, *(f"Item {n}" for n in names[1:])],
             "category": "food", "department": "dry", "size_class": "sortable",
             "unit_cube_cuft": 0.5, "unit_weight_lb": 1.0, "list_price_usd": 9.0,
             "launch_date": day - pd.Timedelta(days=400), "end_date": pd.NaT,
             "shelf_life_days": None, "predecessor_item_id": None,
             "predecessor_stock": None}
        ),
        "item_life": pd.DataFrame(
            {"item_id": names, "last_sale_date": day, "known_days": 400, "quiet_days": 0,
             "is_quiet": False, "dead_probability": 0.0, "end_date": pd.NaT,
             "shelf_life_days": None}
        ),
        "regions": pd.DataFrame({"region_id": REGIONS, "region_name": REGIONS, "latitude": 40.0,
                                 "longitude": -80.0, "population": 1_000_000}),
        "nodes": nodes,
        "lanes": pd.DataFrame(
            {"from_node_id": ["dc1", "dc1", "fc1"], "to_node_id": ["fc1", "fc2", "sd1"],
             "transit_days": 2, "lane_usd_per_cuft": 0.3, "lane_capacity_cuft_per_day": 900.0}
        ),
        "delivery_options": pd.DataFrame(
            {"region_id": REGIONS, "speed": "two_day", "node_id": "fc1", "cutoff_hour": 24.0,
             "ship_usd_per_unit": 3.0}
        ),
        "delivery_speeds": speeds,
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
        "vendors": pd.DataFrame(
            {"vendor_id": ["acme"], "vendor_name": ["Acme & Sons"], "order_minimum_usd": [100.0],
             "vendor_capacity_units_per_order": [pd.NA], "order_weekdays": [None],
        "delivery_weekdays": [None], "lead_time_counts": [None]}
        ),
        "vendor_items": pd.DataFrame(
            {"vendor_id": "acme", "item_id": names, "unit_cost_usd": 4.0, "moq_units": 6,
             "case_pack_units": 6, "quoted_lead_time_days": 14}
        ),
        "open_orders": pd.DataFrame(
            {"date": day, "order_id": "o1", "vendor_id": "acme", "item_id": names,
             "node_id": "dc1", "order_date": day, "confirmed_date": day,
             "expected_arrival_date": day + pd.Timedelta(days=4), "open_units": 6}
        ),
        "node_capacity": pd.DataFrame(
            {"node_id": [node[0] for node in NODES], "resource": "storage_cuft",
             "start_date": day - pd.Timedelta(days=400), "capacity": 5_000.0}
        ),
        "lead_times": pd.DataFrame(
            {"vendor_id": "acme", "item_id": names, "lead_time_days": 14, "probability": 1.0,
             "mean_lead_time_days": 14.0, "sd_lead_time_days": 0.0, "observed_receipts": items,
             "open_orders_used": 1}
        ),
        "quarantine": pd.DataFrame(
            {"table_name": ["sales", "sales", "stock"],
             "row_key": ["a / b / 2025-01-01", "c / d / 2025-01-01", "-"], "row_count": 1,
             "column_name": ["units", "units", "node_id"],
             "rule": ["is negative", "is negative", "is unknown in nodes.node_id"],
             "bad_value": ["-4", "-1", "'fc<9>'"],
             "reason": ["Set aside: a sale cannot be negative."] * 2 + ["Set aside: no such node."]}
        ),
    }  # fmt: skip


def _demand(day: pd.Timestamp, names: list[str], mean: np.ndarray) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(5)
    days = pd.date_range(day - pd.Timedelta(days=199), day)
    index = pd.MultiIndex.from_product(
        [names, REGIONS, days], names=["item_id", "region_id", "date"]
    )
    daily = index.to_frame(index=False)
    units = rng.poisson(np.repeat(mean / len(REGIONS), len(REGIONS) * len(days)))
    daily = daily.assign(units=units, in_stock_share=1.0, price_usd=9.0, is_censored=False)
    windows = [(1, 7), (1, 14), (1, 21), (1, 28), (8, 7), (15, 7), (22, 7)]
    rows = [
        (name, region, start, length, share * length, *_quantiles(share * length), "all", day)
        for name, share in zip(names, mean / len(REGIONS), strict=True)
        for region in REGIONS
        for start, length in windows
    ]
    scores = [
        (group, region, length, day, 100, 2.0, 0.3, 0.52, 0.88, 0.94, 0.1, 0.02)
        for group in ("all", "food")
        for region in ("network", *REGIONS)
        for length in (7, 14, 28)
    ]
    pairs = [(group, a, b, 1.0 if a == b else 0.2, 0.5)
             for group in ("all",) for a in REGIONS for b in REGIONS]  # fmt: skip
    return {
        "daily_demand": daily,
        "demand_quantiles": pd.DataFrame(rows, columns=list(TABLES["demand_quantiles"].columns)),
        "forecast_scores": pd.DataFrame(scores, columns=list(TABLES["forecast_scores"].columns)),
        "forecast_changes": _forecast_changes(daily),
        "demand_findings": pd.DataFrame(
            [(daily["item_id"].iloc[0], REGIONS[0], day, "spike", 90.0, 4.0)],
            columns=list(TABLES["demand_findings"].columns),
        ),
        "demand_dependence": pd.DataFrame(pairs, columns=list(TABLES["demand_dependence"].columns)),
    }


def _forecast_changes(daily: pd.DataFrame) -> pd.DataFrame:
    """Every item's forecast went from 100 to 110 units; the first one's by price and trend."""
    ids = sorted(daily["item_id"].astype(str).unique())
    rows = [(item, "all", 100.0, 110.0, 10.0) for item in ids]
    rows += [(ids[0], "price", 100.0, 110.0, 12.0), (ids[0], "trend", 100.0, 110.0, -2.0)]
    return pd.DataFrame(rows, columns=list(TABLES["forecast_changes"].columns))


def _quantiles(mean: float) -> list[float]:
    z = np.array([-2.576, -1.96, -1.645, -1.282, -0.974, -0.674, -0.385, 0.0,
                  0.385, 0.674, 0.974, 1.282, 1.645, 1.96, 2.326, 2.576])  # fmt: skip
    assert len(z) == len(QUANTILE_COLUMNS) == len(QUANTILE_LEVELS)
    return list(np.maximum(0.0, mean + z * np.sqrt(1.4 * mean)))


def _optimized(day: pd.Timestamp, names: list[str], mean: np.ndarray) -> dict[str, pd.DataFrame]:
    stocked = [(name, node[0], share) for name, share in zip(names, mean, strict=True)
               for node in NODES]  # fmt: skip
    levels = pd.DataFrame(stocked, columns=["item_id", "node_id", "mean"]).assign(
        base_stock_units=lambda frame: np.rint(frame["mean"] * 5),
        unpriced_base_stock_units=lambda frame: np.rint(frame["mean"] * 6),
        filled_ahead_units=0, override_units=0,
        service_units=0,
        protection_days=9.0, expected_demand_units=lambda frame: frame["mean"] * 4,
        marginal_value_usd=0.5,
    )  # fmt: skip
    weeks = [day + timedelta(days=1 + 7 * week) for week in range(4)]
    capacity = [
        (node[0], resource, week, price, price, price * 0.9, size, size * use, over)
        for node in NODES
        for resource, size in (("storage_cuft", 5_000.0), ("inbound_units_per_day", 800.0))
        for week, price, use, over in zip(
            weeks, (0.0, 0.42, 0.0, 0.0), (0.8, 1.0, 0.91, 0.4), (0.0,) * 4, strict=True
        )
    ]
    trace = [(i, "sweep", 900.0 + i, 1000.0 - i if i else np.nan,
              (100 - 2 * i) / 1000 if i else np.nan, 0.0) for i in range(5)]  # fmt: skip
    summary = [("certified_gap", 0.0042, "share"), ("violation", 0.0, "share"),
               ("expected_cost_usd", 996.0, "usd")]  # fmt: skip
    return {
        "base_stock_levels": levels.drop(columns="mean"),
        "capacity_prices": pd.DataFrame(capacity, columns=list(TABLES["capacity_prices"].columns)),
        "solver_trace": pd.DataFrame(trace, columns=list(TABLES["solver_trace"].columns)),
        "service_levels": pd.DataFrame(
            [
                (
                    "fill-A",
                    "fill_rate",
                    0.98,
                    "A",
                    None,
                    None,
                    None,
                    0.981,
                    0.96,
                    3.2,
                    260.0,
                    412.0,
                    "met",
                ),
            ],
            columns=list(TABLES["service_levels"].columns),
        ),
        "optimize_summary": pd.DataFrame(summary, columns=list(TABLES["optimize_summary"].columns)),
    }
