"""The sample world: same arguments, same bytes; the shipped one is what the generator makes."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import UsageError
from pipeline.ingest.sample import SAMPLE_AS_OF, SAMPLE_LAST_DAY, SampleSize, write_sample

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "sample"


def test_shipped_sample_is_what_the_generator_writes(tmp_path: Path) -> None:
    write_sample(tmp_path / "sample")
    ours = {path.name: path.read_bytes() for path in sorted(SHIPPED.glob("*.csv"))}
    made = {path.name: path.read_bytes() for path in sorted((tmp_path / "sample").iterdir())}
    assert sorted(ours) == sorted(made)
    assert [name for name in ours if ours[name] != made[name]] == [], (
        "regenerate with: echelon sample --out data/sample"
    )


def test_shipped_sample_stays_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 3_000_000


def test_every_date_from_the_default_to_the_last_has_a_snapshot() -> None:
    days = set(pd.read_csv(SHIPPED / "stock.csv")["date"])
    for day in pd.date_range(SAMPLE_AS_OF, SAMPLE_LAST_DAY):
        assert f"{day:%Y-%m-%d}" in days


def test_sales_never_exceed_what_was_there(small_world: Path) -> None:
    """Stock moves by receipts, transfers and sales only: with no order due, it cannot grow."""
    stock = pd.read_csv(small_world / "stock.csv")
    receipts = pd.read_csv(small_world / "receipts.csv")
    sales = pd.read_csv(small_world / "sales.csv").drop_duplicates()
    transit = pd.read_csv(small_world / "open_transfers.csv")
    days = sorted(stock["date"].unique())
    for before, after in itertools.pairwise(days):
        on_hand = [
            stock.loc[stock["date"] == day, "on_hand_units"].sum() for day in (before, after)
        ]
        moving = [
            transit.loc[transit["date"] == day, "open_units"].sum() for day in (before, after)
        ]
        come = receipts.loc[receipts["arrival_date"] == after, "units"].sum()
        known = (sales["date"] == after) & (sales["item_id"] != "ITEM-9999")
        sold = sales.loc[known, "units"].abs().sum()
        assert on_hand[1] + moving[1] == on_hand[0] + moving[0] + come - sold


def test_a_node_that_ran_empty_says_so(tmp_path: Path) -> None:
    size = SampleSize(items=3, regions=2, days=100, snapshot_days=60)
    write_sample(tmp_path / "raw", size, date(2025, 6, 30), 3)
    stock = pd.read_csv(tmp_path / "raw/stock.csv")
    by_day = stock.groupby(["date", "node_id"])["on_hand_units"].sum().unstack()
    assert by_day.notna().all(axis=None)
    assert (by_day == 0).any(axis=None)


def test_a_world_without_transfers_has_the_file_s_header(tmp_path: Path) -> None:
    write_sample(tmp_path / "raw", SampleSize(4, 2, 60, snapshot_days=2), date(2025, 6, 30), 3)
    transfers = pd.read_csv(tmp_path / "raw/open_transfers.csv")
    assert transfers.empty
    assert "open_units" in transfers


def test_another_seed_is_another_world(tmp_path: Path) -> None:
    size = SampleSize(items=8, regions=2, days=60, snapshot_days=3)
    for seed in (1, 2):
        write_sample(tmp_path / str(seed), size, seed=seed)
    one, two = ((tmp_path / str(seed) / "sales.csv").read_bytes() for seed in (1, 2))
    assert one != two


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        write_sample(tmp_path, SampleSize(items=8, regions=1, days=60, snapshot_days=2))
