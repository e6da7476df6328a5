"""Lead times: receipts and open orders together, against slow and known answers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.delay_drift import CANDIDATES, drifts, foretold
from pipeline.ingest.delay_law import kernel_widths, posterior, smoothed, vague_prior
from pipeline.ingest.lead_times import lead_times

DELAYS = np.arange(-14, 61)


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
    nothing, prior = np.zeros((2, len(DELAYS))), vague_prior(DELAYS, 20)
    assert posterior(prior, nothing, nothing, 12.0) == pytest.approx(
        np.repeat(prior, 2, axis=0), abs=1e-12
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


def test_smoothing_keeps_every_receipt_and_leaves_a_vendor_of_one_lead_time_alone() -> None:
    counts = np.zeros((2, 40))
    counts[0, [5, 8, 20]] = [3, 2, 1]
    counts[1, 7] = 9
    width = kernel_widths(counts)
    assert width[1] == 0
    wide = smoothed(counts, width)
    assert wide.sum(axis=1) == pytest.approx([6, 9])
    assert wide[1].tolist() == counts[1].tolist()
    assert (wide[0] > 0).sum() > 6


def test_a_vendor_that_is_sometimes_three_months_late_is_believed() -> None:
    """A fifth of the orders come after 110 days instead of 21; it used to be cut at 66."""
    orders = [("a", day, 110 if day % 5 == 0 else 21 + day % 3) for day in range(0, 60)]
    table = lead_times(world(orders, []), date(2025, 6, 30), IngestSettings())
    own = table[table["item_id"] == "a"]
    late = own.loc[own["lead_time_days"] > 80, "probability"].sum()
    assert late == pytest.approx(0.2, abs=0.05)
    assert own["lead_time_days"].max() > 105
    assert own["mean_lead_time_days"].iloc[0] == pytest.approx(0.2 * 110 + 0.8 * 22, rel=0.07)
    between = own["lead_time_days"].between(40, 90)
    assert own.loc[between, "probability"].sum() < 0.1  # two modes, not one wide one


def test_a_vendor_that_comes_weeks_before_its_quote_is_believed() -> None:
    orders = [("a", day, 61 + day % 3) for day in range(0, 90, 3)]
    tables = world(orders, [])
    tables["vendor_items"]["quoted_lead_time_days"] = 90
    assert fit(tables).loc["a", "mean_lead_time_days"] == pytest.approx(62, abs=4)


def test_old_orders_fade_where_the_lead_time_has_grown_and_count_where_it_is_steady() -> None:
    longer = [("a", day, 10 + day // 8 + day % 2) for day in range(0, 140, 2)]
    mean = fit(world(longer, [])).loc["a", "mean_lead_time_days"]
    assert mean > 26  # the last orders on file took 27; the mean of all is 18.5
    steady = fit(world([("a", day, 12 + day % 5) for day in range(0, 140, 2)], []))
    assert steady.loc["a", "mean_lead_time_days"] == pytest.approx(14, abs=0.7)


def test_steady_delays_keep_all_their_history() -> None:
    random = np.random.default_rng(3)
    orders = []
    for _ in range(6):
        day = np.sort(random.integers(-700, -20, 60))
        orders.append((day, day + 20, np.rint(random.normal(3, 4, 60))))
    found = drifts(orders)
    assert (found.half_life_days == np.inf).mean() > 0.8
    assert np.abs(found.slope).max() < 0.05


def test_the_score_of_all_the_history_is_a_kernel_density_by_hand() -> None:
    ordered = np.arange(0, 120, 10)
    arrived, delay = ordered + 1, np.array([0, 4, 2, 0, 6, 4, 2, 0, 4, 2, 6, 0.0])
    width = max(1.0, 0.5 * min(np.subtract(*np.percentile(delay, [75, 25])) / 1.34, 2.0))
    wide = 3 * delay.std()
    total = 0.0
    for i in range(2, len(delay)):
        near = [np.exp(-0.5 * ((delay[i] - d) / width) ** 2) / width for d in delay[:i]]
        vague = np.exp(-0.5 * ((delay[i] - np.median(delay)) / wide) ** 2) / wide
        total += np.log((sum(near) + vague) / (i + 1))
    assert CANDIDATES[0] == (np.inf, False)
    assert foretold(ordered, arrived, delay)[0] == pytest.approx(total)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_quantiles_hold_out_of_sample_what_they_promise(seed: int) -> None:
    """Twelve items of a vendor with skewed delays: a year teaches, the next half-year judges."""
    random = np.random.default_rng(seed)
    day = np.arange(0, 500)
    lead = np.maximum(np.rint(10 - 3 + np.exp(random.normal(1.5, 0.7, len(day)))), 1).astype(int)
    as_of = pd.Timestamp("2025-01-01") + pd.Timedelta(days=365)
    rows = list(zip(["a", "b"] * 250, day.tolist(), lead.tolist(), strict=True))
    tables = world([row for row in rows if row[1] + row[2] <= 365], [])
    waiting = [(f"O{k}", "v", item, "n", pd.Timestamp("2025-01-01") + pd.Timedelta(days=placed), 5)
               for k, (item, placed, took) in enumerate(rows)
               if placed <= 365 < placed + took]  # fmt: skip
    names = ["order_id", "vendor_id", "item_id", "node_id", "order_date", "open_units"]
    tables["open_orders"] = pd.DataFrame(waiting, columns=names).assign(date=as_of)
    table = lead_times(tables, as_of.date(), IngestSettings())
    own = table[table["item_id"] == "a"]
    later = lead[366:]
    for level, miss in ((0.1, 0.07), (0.5, 0.1), (0.9, 0.06), (0.95, 0.05)):
        total = own["probability"].cumsum().to_numpy()
        at = own["lead_time_days"].to_numpy()[np.searchsorted(total, level)]
        held = [np.mean(later < at), np.mean(later <= at)]  # whole days: the level lies between
        assert held[0] - miss <= level <= held[1] + miss
