"""A small world with known demand, as the tables that the forecast stages read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings

FIRST = pd.Timestamp("2023-01-02")


def make_world(
    items: int = 24, days: int = 420, seed: int = 1, elasticity: float = -1.5
) -> dict[str, pd.DataFrame]:
    """Tables of items × 3 regions: weekly season, prices, a promotion type, two kinds of size."""
    random = np.random.default_rng(seed)
    regions = ["east", "north", "west"]
    ahead = 60
    dates = pd.date_range(FIRST, periods=days + ahead)
    ids = [f"item_{k:03d}" for k in range(items)]
    base = np.exp(random.normal(0.3, 1.2, items))
    weekday = np.array([0.8, 0.8, 0.9, 1.0, 1.2, 1.3, 1.0])
    promo = (np.arange(days + ahead) // 10) % 9 == 4
    launch = np.where(np.arange(items) % 8 == 7, days - 40, 0)
    price = np.full((items, days + ahead), 10.0)
    for k in range(items):
        for start in range(20 + 3 * k, days + ahead, 60):
            price[k, start : start + 14] = 7.0
    rows, changes = [], []
    for k, item in enumerate(ids):
        for r, region in enumerate(regions):
            rate = base[k] * (1 + r) / 2 * weekday[dates.day_of_week]
            rate = rate * (price[k] / 10) ** elasticity * np.where(promo, 1.4, 1.0)
            units = random.negative_binomial(3, 3 / (3 + rate))[:days]
            rows.append(
                pd.DataFrame({
                    "item_id": item, "region_id": region, "date": dates[launch[k] : days],
                    "units": units[launch[k] :].astype(float), "in_stock_share": 1.0,
                    "price_usd": price[k, launch[k] : days], "is_censored": False,
                })
            )  # fmt: skip
            turns = np.flatnonzero(np.diff(price[k], prepend=-1) != 0)
            changes.append(
                pd.DataFrame({
                    "item_id": item, "region_id": region, "start_date": dates[turns],
                    "price_usd": price[k, turns],
                })
            )  # fmt: skip
    calendar = pd.DataFrame(
        [(d, r, "weekend deal", "promotion") for d in dates[promo] for r in regions],
        columns=["date", "region_id", "event_name", "event_type"],
    )
    return {
        "items": pd.DataFrame({
            "item_id": ids, "department": ["toys", "tools"] * (items // 2),
            "category": ["hard", "soft"] * (items // 2), "launch_date": dates[launch],
            "end_date": pd.NaT, "list_price_usd": 10.0,
        }).astype({"end_date": "datetime64[us]"}),
        "item_attributes": pd.DataFrame(columns=["item_id", "attribute", "attribute_value"]),
        "regions": pd.DataFrame({"region_id": regions}),
        "prices": pd.concat(changes, ignore_index=True),
        "calendar": calendar,
        "launch_plans": pd.DataFrame(columns=["item_id", "region_id", "expected_daily_units"]),
        "demand_calendar": pd.DataFrame(columns=["region_id", "date", "day_kind"]),
        "daily_demand": pd.concat(rows, ignore_index=True),
        "overrides": pd.DataFrame(columns=[
            "override_id", "item_id", "override_target", "override_kind", "override_value",
            "start_date", "expiry_date", "item_group", "region_id", "event_name", "planner",
        ]),
    }  # fmt: skip


@pytest.fixture(scope="session")
def world() -> Mapping[str, pd.DataFrame]:
    """One world for all tests."""
    return make_world()


@pytest.fixture(scope="session")
def quick() -> Settings:
    """Settings for a model that is small but real."""
    return Settings.model_validate({
        "forecast": {
            "mean": {"trees": 40, "leaves": 15, "leaf_rows": 20},
            "shape": {"trees": 20, "leaves": 8, "leaf_rows": 30},
            "window_days": [7, 14, 28],
        },
        "planning": {"horizon_weeks": 3},
        "run": {"threads": 1},
    })  # fmt: skip
