"""How punctual vendors have been, month by month: what was promised, and what came when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.ingest.promises import promised_days

MONTHS = 12
_KEY = ["vendor_id", "month_start_date"]


def vendor_months(tables: Mapping[str, pd.DataFrame], as_of: date) -> pd.DataFrame:
    """Table vendor_months: the last MONTHS months up to as_of, by the month of the promised day.

    Promised is the order's day and the quoted lead time, by the vendor's calendar (`promises`).
    Units still open count with their days so far once the promised day has passed. Days late are
    weighted by units; early units are 0 days late.
    """
    today = pd.Timestamp(as_of)
    first = today.to_period("M").to_timestamp() - pd.DateOffset(months=MONTHS - 1)
    came, still = tables["receipts"], tables["open_orders"]
    came = came[came["arrival_date"] >= first - pd.Timedelta(days=31)]
    still = still[still["date"] == today]
    rows = pd.concat([
        _lines(came, came["arrival_date"], came["units"]),
        _lines(still, pd.Series(pd.NaT, index=still.index), still["open_units"]),
    ], ignore_index=True)  # fmt: skip
    offers = tables["vendor_items"][["vendor_id", "item_id", "quoted_lead_time_days"]]
    offers = offers.astype({"vendor_id": "str", "item_id": "str"})
    rows = rows.merge(offers, on=["vendor_id", "item_id"], how="left")
    rows = rows[rows["quoted_lead_time_days"].notna()]
    orders = rows.rename(columns={"quoted_lead_time_days": "quoted"})
    rows["promised"] = rows["order_date"] + pd.to_timedelta(promised_days(orders, tables), unit="D")
    rows = rows[(rows["promised"] >= first) & (rows["promised"] <= today) & (rows["units"] > 0)]
    is_open = rows["came"].isna()
    # What is promised for today may still come today.
    rows = rows[~is_open | (rows["promised"] < today)]
    late = (rows["came"].fillna(today) - rows["promised"]).dt.days.clip(lower=0)
    rows = rows.assign(
        month_start_date=rows["promised"].dt.to_period("M").dt.to_timestamp(),
        on_time_units=np.where(rows["came"].notna() & (late == 0), rows["units"], 0),
        late_days=late * rows["units"],
    )
    found = rows.groupby(_KEY, as_index=False).agg(
        due_units=("units", "sum"), on_time_units=("on_time_units", "sum"),
        late_days=("late_days", "sum"),
    )  # fmt: skip
    found["mean_days_late"] = found["late_days"] / found["due_units"].where(found["due_units"] > 0)
    found["mean_days_late"] = found["mean_days_late"].astype("float64")
    return found.astype({"due_units": "int64", "on_time_units": "int64"})[
        [*_KEY, "due_units", "on_time_units", "mean_days_late"]
    ]


def _lines(frame: pd.DataFrame, came: pd.Series, units: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({
        "vendor_id": frame["vendor_id"].astype("str"), "item_id": frame["item_id"].astype("str"),
        "order_date": pd.to_datetime(frame["order_date"]),
        "came": pd.to_datetime(came), "units": units.astype("int64"),
    })  # fmt: skip
