"""A small world for tests: 12 items, 3 regions, 2 speeds, 4 nodes in two tiers, 2 vendors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.simulate.world.day import World
from pipeline.simulate.world.model import WorldModel, WorldRules, world_model
from pipeline.simulate.world.state import Decisions, State, empty_state
from pipeline.simulate.world.supply import LeadTimes, lead_times

NODES = ["DC", "FC-A", "FC-B", "SD"]
REGIONS = ["east", "north", "west"]
SERVES = {"east": {"FC-A": 2.0, "DC": 4.0}, "north": {"SD": 1.5, "FC-A": 2.2, "DC": 4.5},
          "west": {"FC-B": 2.0, "DC": 4.0}}  # fmt: skip


def raw_tables(n_items: int = 12) -> dict[str, pd.DataFrame]:
    items = [f"item_{k:02d}" for k in range(n_items)]
    options = [
        (region, speed, node, (14.0 if node == "SD" else 18.0) if speed == "fast" else 24.0, usd)
        for region, group in SERVES.items() for node, usd in group.items()
        for speed in ("fast", "slow") if not (speed == "fast" and node == "DC")
    ]  # fmt: skip
    return {
        "items": pd.DataFrame({
            "item_id": items, "size_class": ["sortable", "non_sortable"] * (n_items // 2),
            "unit_cube_cuft": np.linspace(0.2, 2.0, n_items),
            "list_price_usd": np.linspace(10, 40, n_items),
        }),
        "regions": pd.DataFrame({"region_id": REGIONS}),
        "nodes": pd.DataFrame({
            "node_id": NODES,
            "tier": ["distribution_center", "fulfillment_center", "fulfillment_center",
                     "same_day_site"],
            "accepts": ["any", "any", "any", "sortable"],
            "parent_node_id": [None, "DC", "DC", "FC-A"],
            "is_vendor_receiving": [True, False, False, False],
            "handling_usd_per_unit": [0.1, 0.2, 0.2, 0.4],
            "storage_usd_per_cuft_day": [0.01, 0.02, 0.02, 0.05],
        }),
        "lanes": pd.DataFrame({
            "from_node_id": ["DC", "DC", "FC-A"], "to_node_id": ["FC-A", "FC-B", "SD"],
            "transit_days": [1, 2, 1], "lane_usd_per_cuft": [0.5, 0.6, 0.2],
            "lane_capacity_cuft_per_day": [15.0, np.nan, np.nan],
        }),
        "delivery_options": pd.DataFrame(
            options, columns=["region_id", "speed", "node_id", "cutoff_hour", "ship_usd_per_unit"]
        ),
        "delivery_speeds": pd.DataFrame({
            "region_id": np.repeat(REGIONS, 2), "speed": ["fast", "slow"] * 3,
            "promise_days": [1, 5] * 3, "demand_share": [0.6, 0.4] * 3,
            "missed_speed_usd_per_unit": [0.8, 0.1] * 3,
        }),
        "order_hours": pd.DataFrame({"hour": range(24), "demand_share": 1 / 24}),
        "vendors": pd.DataFrame({"vendor_id": ["v1", "v2"], "order_minimum_usd": [0.0, 0.0]}),
        "vendor_items": pd.DataFrame({
            "vendor_id": ["v1", "v2"] * (n_items // 2), "item_id": items,
            "unit_cost_usd": np.linspace(5, 22, n_items), "moq_units": 1, "case_pack_units": 2,
            "quoted_lead_time_days": [3, 5] * (n_items // 2),
        }),
        "lead_times": pd.DataFrame({
            "vendor_id": np.repeat(["v1", "v2"] * (n_items // 2), 3),
            "item_id": np.repeat(items, 3), "lead_time_days": [2, 3, 6] * n_items,
            "probability": [0.2, 0.5, 0.3] * n_items, "mean_lead_time_days": 3.7,
            "observed_receipts": 5,
        }),
        "node_capacity": pd.DataFrame({
            "node_id": ["SD"], "resource": ["storage_cuft"],
            "start_date": pd.to_datetime(["2024-01-01"]), "capacity": [20.0],
        }),
    }  # fmt: skip


def small_world(
    seed: int = 1, rules: WorldRules | None = None
) -> tuple[World, WorldModel, LeadTimes]:
    tables = raw_tables()
    model = world_model(tables, rules or WorldRules())
    times = lead_times(tables["lead_times"], tables["vendor_items"], model)
    return World(model, times, stocked(model), seed), model, times


def stocked(model: WorldModel) -> State:
    state = empty_state(model)
    state.on_hand += np.array([9, 4, 4, 2]) * model.may_hold
    return state


def some_decisions(model: WorldModel, rng: np.random.Generator, day: int) -> Decisions:
    """Random orders and transfers, some larger than the stock they come from."""
    n, m = rng.integers(0, 6), rng.integers(0, 6)
    item = rng.integers(0, len(model.items), n)
    moved = rng.integers(0, len(model.items), m)
    lane = np.array([[0, 1], [0, 2]])[rng.integers(0, 2, m)].reshape(m, 2)
    units = rng.integers(1, 12, n)
    return Decisions(
        item % 2, item, np.zeros(n, dtype=np.int64), units, model.unit_cost_usd[item],
        np.full(n, day + 4), moved, lane[:, 0], lane[:, 1], rng.integers(1, 15, m),
        np.full(m, day + 1),
    )  # fmt: skip
