"""Lead times: receipts and open orders together, against slow and known answers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.lead_times import (
    EARLIEST_DELAY_DAYS,
    LATEST_DELAY_DAYS,
    lead_times,
    posterior,
    vague_prior,
)

DAYS = LATEST_DELAY_DAYS - EARLIEST_DELAY_DAYS + 1


def kaplan_meier(times: list[int], is_arrival: list[bool], days: int) -> np.ndarray:
    """Probabilities of arrival at each day by the product-limit formula, one day at a time."""
    alive, result = 1.0, []
    for day in range(days):
        at_risk = sum(time >= day for time in times)
        came = sum(time == day and here for time, here in zip(times, is_arrival, strict=True))
        hazard = came / at_risk if at_risk else 0.0
        result.append(alive * hazard)
        alive *= 1 - hazard
    return np.array(result)


def test_without_a_prior_it_is_the_product_limit_estimate() -> None:
    rng = np.random.default_rng(5)
    times, here = rng.integers(0, 12, 60), rng.random(60) < 0.7
    times[-1], here[-1] = 12, True
    arrived = np.bincount(times[here], minlength=14)[None, :].astype(float)
    censored = np.bincount(times[~here], minlength=14)[None, :].astype(float)
    prior = np.full((1, 14), 1 / 14)
    fast = posterior(prior, arrived, censored, 1e-9)[0]
    assert fast == pytest.approx(kaplan_meier(times.tolist(), here.tolist(), 14), abs=1e-6)


def test_without_observations_it_is_the_prior() -> None:
    nothing = np.zeros((2, DAYS))
    assert posterior(vague_prior(), nothing, nothing, 12.0) == pytest.approx(
        np.repeat(vague_prior(), 2, axis=0), abs=1e-12
    )


def test_without_censoring_it_averages_prior_and_counts() -> None:
    """The Dirichlet posterior mean: (c p0 + d) / (c + n)."""
    prior = np.array([[0.5, 0.3, 0.2]])
    arrived = np.array([[1.0, 0.0, 3.0]])
    got = posterior(prior, arrived, np.zeros((1, 3)), 4.0)
    assert got == pytest.approx((4 * prior + arrived) / (4 + 4))  # [[.375, .15, .475]]


def world(
    receipts: list[tuple[str, int, int]], still_open: list[tuple[str, int]]
) -> dict[str, pd.DataFrame]:
    """Vendor v quotes ten days for items a and b; receipts: (item, ordered on, came after)."""
    start = pd.Timestamp("2025-01-01")
    come = pd.DataFrame(
        [(f"R{n}", "v", item, "n", start + pd.Timedelta(days=placed), pd.NaT,
          start + pd.Timedelta(days=placed + lead), 5)
         for n, (item, placed, lead) in enumerate(receipts)],
        columns=["order_id", "vendor_id", "item_id", "node_id", "order_date", "confirmed_date",
                 "arrival_date", "units"])  # fmt: skip
    waiting = pd.DataFrame(
        [(pd.Timestamp("2025-06-30"), f"O{n}", "v", item, "n",
          pd.Timestamp("2025-06-30") - pd.Timedelta(days=age), 5)
         for n, (item, age) in enumerate(still_open)],
        columns=["date", "order_id", "vendor_id", "item_id", "node_id", "order_date",
                 "open_units"])  # fmt: skip
    sold = pd.DataFrame({"vendor_id": ["v", "v"], "item_id": ["a", "b"],
                         "quoted_lead_time_days": [10, 10]})  # fmt: skip
    dates = {"order_date": "datetime64[s]", "arrival_date": "datetime64[s]"}
    waiting = waiting.astype({"date": "datetime64[s]", "order_date": "datetime64[s]"})
    return {"receipts": come.astype(dates), "open_orders": waiting, "vendor_items": sold}


def fit(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    table = lead_times(tables, date(2025, 6, 30), IngestSettings())
    return table.drop_duplicates("item_id").set_index("item_id")


BASE = [(item, day, 10 + day % 3) for item in "ab" for day in range(0, 120, 6)]


def test_probabilities_add_up_and_moments_match() -> None:
    table = lead_times(world(BASE, []), date(2025, 6, 30), IngestSettings())
    for _, rows in table.groupby("item_id"):
        assert rows["probability"].sum() == pytest.approx(1)
        mean = (rows["probability"] * rows["lead_time_days"]).sum()
        assert rows["mean_lead_time_days"].iloc[0] == pytest.approx(mean)
        assert (rows["lead_time_days"] >= 1).all()


def test_orders_that_stay_open_make_the_lead_time_longer() -> None:
    """Dropping them would keep only the quick ones."""
    without = fit(world(BASE, [])).loc["a", "mean_lead_time_days"]
    overdue = fit(world(BASE, [("a", 25)] * 8)).loc["a"]
    assert overdue["mean_lead_time_days"] > without + 1
    assert overdue["open_orders_used"] == 8


def test_an_order_just_placed_tells_nothing() -> None:
    fresh = fit(world(BASE, [("a", 0)] * 50))
    assert fresh["mean_lead_time_days"].to_dict() == pytest.approx(
        fit(world(BASE, []))["mean_lead_time_days"].to_dict(), abs=0.05
    )


def test_an_item_without_receipts_takes_its_vendors_lead_time() -> None:
    table = fit(world([("a", day, 16) for day in range(0, 120, 4)], []))
    assert table.loc["b", "observed_receipts"] == 0
    assert table.loc["b", "mean_lead_time_days"] > 13  # quoted 10, the vendor takes 16


def test_orders_older_than_the_file_do_not_count() -> None:
    """Of orders placed before the first receipt on file, only the late ones are on it."""
    survivors = [("a", day - 60, 62) for day in range(4)]
    late = fit(world(survivors + BASE, [])).loc["a", "mean_lead_time_days"]
    assert late == pytest.approx(fit(world(BASE, [])).loc["a", "mean_lead_time_days"], abs=0.3)
