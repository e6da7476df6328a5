"""Planners' overrides change the windows on whose days they hold, and only those."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS
from pipeline.forecast.overriding import apply_overrides

AS_OF = date(2024, 1, 1)


def frame() -> pd.DataFrame:
    rows = [(i, r, 1, 10, 20.0) for i in ("a", "b") for r in ("east", "west")]
    columns = ["item_id", "region_id", "window_start_day", "window_days", "mean_units"]
    out = pd.DataFrame(rows, columns=columns)
    return out.assign(**dict.fromkeys(QUANTILE_COLUMNS, 20.0))


def override(kind: str, value: float, first: str, last: str) -> pd.DataFrame:
    return pd.DataFrame([{
        "override_id": "1", "item_id": "a", "override_target": "demand", "override_kind": kind,
        "override_value": value, "start_date": pd.Timestamp(first),
        "expiry_date": pd.Timestamp(last),
    }])  # fmt: skip


def means(kind: str, value: float, last: str) -> list[float]:
    found = apply_overrides(frame(), override(kind, value, "2023-12-01", last), AS_OF)
    return found["mean_units"].tolist()


def test_multiply_acts_on_its_item_alone() -> None:
    assert means("multiply", 2.0, "2024-02-01") == [40, 40, 20, 20]


def test_half_of_the_days_get_half_of_the_change() -> None:
    assert means("multiply", 2.0, "2024-01-06") == [30, 30, 20, 20]  # days 1–5 of 10


def test_set_names_units_a_day_over_all_regions() -> None:
    assert means("set", 6.0, "2024-02-01") == [30, 30, 20, 20]  # 60 in 10 days, two regions


def test_at_most_above_the_forecast_changes_nothing() -> None:
    assert means("at_most", 9.0, "2024-02-01") == [20, 20, 20, 20]


def test_an_expired_override_is_ignored() -> None:
    assert means("block", 0.0, "2023-12-31") == [20, 20, 20, 20]
