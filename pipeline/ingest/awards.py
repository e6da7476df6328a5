"""Split awards: which vendor of an item is furthest behind the share it is to get."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

_YEAR_DAYS = 365


def award_standing(tables: Mapping[str, pd.DataFrame], as_of: date) -> pd.DataFrame:
    """Table award_standing: units that each awarded vendor got in the last year (received, or open
    tonight), and whether it is next.

    Next is who lacks most of its share, in units, were one unit more dealt out; by vendor id among
    equals. Vendors without an award get nothing of the item. Shares count against their sum.
    """
    ids = ["vendor_id", "item_id"]
    awards = tables["vendor_awards"].astype(dict.fromkeys(ids, "str"))
    day, key = pd.Timestamp(as_of), [*ids]
    received = tables["receipts"]
    received = received[received["order_date"] > day - pd.Timedelta(days=_YEAR_DAYS)]
    coming = tables["open_orders"]
    coming = coming[coming["date"] == day].rename(columns={"open_units": "units"})
    both = pd.concat([frame[[*key, "units"]].astype(dict.fromkeys(ids, "str"))
                      for frame in (received, coming)])  # fmt: skip
    units = both.groupby(key)["units"].sum()
    found = awards.assign(
        recent_units=awards.set_index(key).index.map(units).to_numpy(dtype="float64")
    )
    found["recent_units"] = found["recent_units"].fillna(0).astype("int64")
    by_item = found.groupby("item_id")
    share = found["award_share"] / by_item["award_share"].transform("sum").clip(lower=1e-12)
    lack = share * (by_item["recent_units"].transform("sum") + 1) - found["recent_units"]
    lack = lack.where(found["award_share"] > 0, -np.inf)
    order = found.assign(lack=lack).sort_values(
        ["item_id", "lack", "vendor_id"], ascending=[True, False, True], kind="stable"
    )
    first = ~order["item_id"].duplicated() & np.isfinite(order["lack"])
    return order.assign(is_next=first).drop(columns="lack").sort_values(ids, ignore_index=True)
