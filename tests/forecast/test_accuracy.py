"""Published forecasts are scored against what came, as they were published."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.check import require
from pipeline.contracts.columns import QUANTILE_COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.forecast.accuracy import forecast_accuracy, mid_rank, scored_windows, value_added

AS_OF, ORIGIN = date(2024, 3, 8), date(2024, 3, 1)
ITEMS = pd.DataFrame({
    "item_id": ["a", "b"], "category": ["toys", "toys"],
    "launch_date": [pd.Timestamp("2023-01-01"), pd.Timestamp("2024-02-25")],
})  # fmt: skip


def demand() -> pd.DataFrame:
    """Two units a day of a, three of b, which was out of stock on one of the days."""
    days = pd.date_range("2024-02-20", AS_OF)
    frames = [
        pd.DataFrame({"item_id": item, "region_id": "east", "date": days, "units": units,
                      "in_stock_share": 1.0})
        for item, units in (("a", 2.0), ("b", 3.0))
    ]  # fmt: skip
    frame = pd.concat(frames, ignore_index=True)
    out = (frame["item_id"] == "b") & (frame["date"] == pd.Timestamp("2024-03-05"))
    frame.loc[out, "in_stock_share"] = 0.4
    return frame


def published(mean: float, trained: str = "2024-02-25") -> pd.DataFrame:
    rows = [(item, "east", 1, days, mean) for item in ("a", "b") for days in (7, 14)]
    columns = ["item_id", "region_id", "window_start_day", "window_days", "mean_units"]
    frame = pd.DataFrame(rows, columns=columns).assign(model_date=pd.Timestamp(trained))
    return frame.assign(**dict.fromkeys(QUANTILE_COLUMNS, mean))


def test_a_window_with_a_stock_out_is_no_demand_and_is_left_out() -> None:
    found = scored_windows(published(14.0), demand(), ORIGIN, 7)
    assert found["item_id"].tolist() == ["a"]
    assert found[["units", "naive_units"]].to_numpy().tolist() == [[14.0, 14.0]]


def test_a_model_trained_after_the_night_is_not_scored() -> None:
    assert scored_windows(published(14.0, "2024-03-03"), demand(), ORIGIN, 7).empty


def test_an_error_of_half_is_a_wape_and_a_bias_of_half() -> None:
    windows = scored_windows(published(21.0), demand(), ORIGIN, 7)
    table = require(forecast_accuracy({7: windows}, ITEMS, AS_OF), TABLES["forecast_accuracy"])
    rows = table.astype({"item_group": str, "region_group": str})
    row = rows[(rows["item_group"] == "all") & (rows["region_group"] == "network")].iloc[0]
    assert row["wape"] == pytest.approx(0.5)
    assert row["relative_bias"] == pytest.approx(0.5)
    assert row["naive_wape"] == 0.0
    assert row["accuracy_status"] == "few_rows"
    assert row["origin_date"] == pd.Timestamp(ORIGIN)
    assert {"toys", "age 182- days"} <= set(rows["item_group"])


def test_thirty_forecasts_that_are_a_half_too_high_are_an_exception() -> None:
    windows = scored_windows(published(21.0), demand(), ORIGIN, 7)
    many = pd.concat([windows] * 30, ignore_index=True)
    table = forecast_accuracy({7: many}, ITEMS, AS_OF)
    assert (table["accuracy_status"] == "too_high").all()


def test_an_actual_that_equals_a_quantile_counts_half() -> None:
    found = mid_rank(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    assert found.tolist() == [1.0, 0.5, 0.0]


def test_an_override_that_halves_an_error_has_added_that_half() -> None:
    windows = scored_windows(published(16.0), demand(), ORIGIN, 7)
    before = published(10.0).assign(override_id="o", override_kind="set", planner="kim")
    table = value_added({7: windows}, {7: before})
    row = require(table, TABLES["forecast_value_added"]).iloc[0]
    assert (row["error_units"], row["error_units_before"]) == (2.0, 4.0)
    assert row["value_added_units"] == 2.0
    assert row["override_direction"] == "up"


def test_before_any_night_was_published_there_is_nothing_to_score() -> None:
    assert len(require(forecast_accuracy({}, ITEMS, AS_OF), TABLES["forecast_accuracy"])) == 0
    assert len(require(value_added({}, {}), TABLES["forecast_value_added"])) == 0
