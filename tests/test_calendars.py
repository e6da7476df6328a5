"""Whole nights of companies that close at weekends, report weeks, or have just begun."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline import runner
from pipeline.contracts.settings import Settings
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.store import Source, Store

AS_OF = date(2025, 6, 29)  # a Sunday
QUICK = Settings.model_validate({
    "forecast": {
        "mean": {"trees": 60, "leaves": 15, "leaf_rows": 40},
        "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100},
        "calibration_days": 28,
    },
    "optimize": {"scenarios": 64, "rank_banks": 4, "exact_items": 0, "audit_items": 0},
    "run": {"threads": 1},
})  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "raw"
    write_sample(folder, SampleSize(items=8, regions=1, days=150, snapshot_days=2), AS_OF, 7)
    (folder / "overrides.csv").unlink()
    return folder


def at_weekends_closed(sales: pd.DataFrame) -> pd.DataFrame:
    return sales[sales["date"].dt.day_of_week < 5]


def by_week(sales: pd.DataFrame) -> pd.DataFrame:
    ends = sales["date"] + pd.to_timedelta(6 - sales["date"].dt.day_of_week, unit="D")
    return sales.assign(date=ends).groupby(["item_id", "region_id", "date"], as_index=False).sum()


def by_month(sales: pd.DataFrame) -> pd.DataFrame:
    begin = sales["date"].dt.to_period("M").dt.to_timestamp()
    return sales.assign(date=begin).groupby(["item_id", "region_id", "date"], as_index=False).sum()


def of_ten_days(sales: pd.DataFrame) -> pd.DataFrame:
    return sales[sales["date"] > pd.Timestamp(AS_OF) - pd.Timedelta(days=10)]


def none_yet(sales: pd.DataFrame) -> pd.DataFrame:
    return sales.iloc[:0]


@pytest.mark.parametrize(
    ("change", "said", "low", "high"),
    [
        (at_weekends_closed, "sells nothing on sat, sun: taken for closing days", 0.55, 0.85),
        (by_week, "sales are read as those of whole weeks that end on their date", 0.8, 1.25),
        (by_month, "sales are read as those of whole months that begin on their date", 0.7, 1.3),
        (of_ten_days, "the history of 10 days is too short to learn from", 0.7, 1.4),
        (none_yet, "no sale is known yet", 0.0, 0.02),
    ],
)
def test_a_night_runs_says_how_it_reads_the_sales_and_expects_what_was_sold(
    base: Path,
    tmp_path: Path,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    said: str,
    low: float,
    high: float,
) -> None:
    """The rate of the last eight weeks of the unchanged sales is the measure."""
    raw = Path(shutil.copytree(base, tmp_path / "raw"))
    sales = pd.read_csv(raw / "sales.csv", parse_dates=["date"])
    change(sales).to_csv(raw / "sales.csv", index=False)
    store = Store(tmp_path / "out")
    runner.run_night(store, Source("raw", raw), QUICK, AS_OF)
    told = store.read(AS_OF, "quarantine")["rule"].astype("str")
    assert told.str.contains(said).sum() == 1
    found = store.read(AS_OF, "demand_quantiles")
    found = found[(found["window_start_day"] == 1) & (found["window_days"] == 28)]
    lately = sales[sales["date"] > pd.Timestamp(AS_OF) - pd.Timedelta(days=56)]
    ratio = found["mean_units"].sum() / (lately["units"].sum() / 2)
    assert low < ratio < high
    if change is none_yet:
        assert store.read(AS_OF, "purchase_orders")["order_cost_usd"].sum() < 100
