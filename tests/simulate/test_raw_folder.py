"""What a simulated company remembers of the days before the simulation."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.ingest.lead_times import lead_times
from pipeline.ingest.raw import read_folder
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.ingest.world import clean_world
from pipeline.simulate.raw_folder import past_receipts, write_history

AS_OF = date(2025, 6, 30)
DAYS, CHANCE = [13, 14, 15, 16, 18, 21, 26], [0.1, 0.4, 0.15, 0.1, 0.1, 0.1, 0.05]


def test_the_past_receipts_of_a_simulation_tell_the_lead_times_that_its_world_draws() -> None:
    """Neither a trend nor quick orders alone: mean 15.9 days, deviation 3.1, are learned again."""
    pairs = [(f"V{v}", f"I{v}{i}") for v in range(4) for i in range(6)]
    law = pd.DataFrame([
        (vendor, item, day, chance, 12)
        for vendor, item in pairs for day, chance in zip(DAYS, CHANCE, strict=True)
    ], columns=["vendor_id", "item_id", "lead_time_days", "probability",
                "observed_receipts"])  # fmt: skip
    nodes = pd.DataFrame({"node_id": ["DC"], "is_vendor_receiving": [True]})
    receipts = past_receipts(law, nodes, AS_OF)
    assert receipts["arrival_date"].max() <= pd.Timestamp(AS_OF)
    # Of orders that the slowest delivery has not had time for, only quick ones would be known.
    assert receipts["order_date"].max() == pd.Timestamp(AS_OF) - pd.Timedelta(days=max(DAYS))
    sold = pd.DataFrame(pairs, columns=["vendor_id", "item_id"]).assign(quoted_lead_time_days=14)
    nothing = receipts.iloc[:0].assign(date=pd.NaT, open_units=0)
    known = {"vendor_items": sold, "receipts": receipts, "open_orders": nothing}
    learned = lead_times(known, AS_OF, Settings().ingest).drop_duplicates(["vendor_id", "item_id"])
    mean = float(np.dot(DAYS, CHANCE))
    deviation = float(np.sqrt(np.dot((np.array(DAYS) - mean) ** 2, CHANCE)))
    assert learned["mean_lead_time_days"].mean() == pytest.approx(mean, abs=0.5)
    assert learned["sd_lead_time_days"].mean() == pytest.approx(deviation, rel=0.25)


def test_a_simulated_vendor_promises_calendar_days_as_its_world_draws_them(tmp_path: Path) -> None:
    size = SampleSize(items=10, regions=2, days=100, snapshot_days=4)
    write_sample(tmp_path / "raw", size, AS_OF, 3)
    vendors = pd.read_csv(tmp_path / "raw/vendors.csv").assign(
        delivery_weekdays="mon", lead_time_counts="working_days"
    )
    vendors.to_csv(tmp_path / "raw/vendors.csv", index=False)
    settings = Settings().ingest
    tables = clean_world(read_folder(tmp_path / "raw", settings), AS_OF, settings)
    assert (tables["vendors"]["lead_time_counts"] == "working_days").all()
    write_history(tmp_path / "simulated", tables, AS_OF)
    again = read_folder(tmp_path / "simulated", settings).frames["vendors"]
    assert again[["delivery_weekdays", "lead_time_counts"]].isna().all(axis=None)
    assert again["vendor_id"].tolist() == vendors["vendor_id"].tolist()
