"""A small raw folder of load tables: two series, sales, a service with two server types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.load.events import Occurrence
from pipeline.core.load.made_up import retailer

FIRST = pd.Timestamp("2022-01-03")
DAYS = 120
SALES = ((40, 24), (75, 24), (110, 36))
"""(day, hours) of the sales; all begin at nine."""


def occurrences() -> tuple[Occurrence, ...]:
    return tuple(Occurrence("sale", d * 1440 + 540, d * 1440 + 540 + 60 * h) for d, h in SALES)


def series_frame(name: str, minutes: int = 60, days: int = DAYS, seed: int = 1) -> pd.DataFrame:
    made = retailer(days, occurrences(), seed=seed, minutes=minutes)
    return pd.DataFrame({
        "series": name, "region_id": "north", "time_zone": "UTC",
        "start_utc": pd.date_range(FIRST, periods=made.load.size, freq=f"{minutes}min"),
        "slot_minutes": minutes, "load": np.round(made.load.ravel()),
    })  # fmt: skip


def events_frame() -> pd.DataFrame:
    rows = [
        (f"sale{i}", "sale", "*", FIRST + pd.Timedelta(days=d, hours=9),
         FIRST + pd.Timedelta(days=d, hours=9 + h), FIRST + pd.Timedelta(days=max(d - 30, 0)))
        for i, (d, h) in enumerate(SALES)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["load_event", "load_event_kind", "region_id", "start_time",
                                       "end_time", "announced_date"])  # fmt: skip


def write_world(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    series = [series_frame("page_views"), series_frame("orders", seed=2)]
    pd.concat(series).to_parquet(folder / "load_series.parquet")
    events_frame().to_csv(folder / "load_events.csv", index=False)
    pd.DataFrame([("shop", "page_views", 0.2, 0.1, 0.01, 0.8, 3, 4.0, 1.0)], columns=[
        "service", "series", "service_s", "wait_s", "wait_chance", "most_utilisation", "zones",
        "too_little_usd", "too_much_usd",
    ]).to_csv(folder / "load_services.csv", index=False)  # fmt: skip
    pd.DataFrame([("shop", "small", 1.0, 0.1, 0.5, 1, 400, 1, 7),
                  ("shop", "large", 4.0, 0.35, 2.0, 0, 100, 2, 21)], columns=[
        "service", "server_type", "speed_factor", "rent_usd_per_hour", "change_usd",
        "owned_servers", "most_servers", "step_servers", "capacity_lead_days",
    ]).to_csv(folder / "server_types.csv", index=False)  # fmt: skip
    return folder
