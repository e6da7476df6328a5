"""How long the stock on hand has been there: first in, first out, over the whole network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.columns import AGE_BANDS

_EDGES = np.array([30, 60, 90, 180, 365])


def stock_age(tables: Mapping[str, pd.DataFrame], as_of: date) -> pd.DataFrame:
    """Table stock_age: units on hand of each item by the age of the receipt that they came with.

    The newest receipts are what is left: units on hand beyond all receipts on file are the oldest.
    """
    today = pd.Timestamp(as_of)
    stock, came = tables["stock"], tables["receipts"]
    held = stock[stock["date"] == today]
    held = held.astype({"item_id": "str"}).groupby("item_id")["on_hand_units"].sum()
    held = held[held > 0]
    came = came[came["arrival_date"] <= today].astype({"item_id": "str"})
    came = came[came["item_id"].isin(held.index)]
    days = (today - came["arrival_date"]).dt.days
    band = np.searchsorted(_EDGES, days.to_numpy(), side="left")
    received = np.zeros((len(held), len(AGE_BANDS)), dtype=np.int64)
    np.add.at(received, (held.index.get_indexer(came["item_id"]), band), came["units"].to_numpy())
    received[:, -1] = np.iinfo(np.int64).max // 2  # the rest, however old
    before = np.cumsum(received, axis=1) - received
    left = np.clip(held.to_numpy(dtype="int64")[:, None] - before, 0, received)
    rows = pd.DataFrame(left, index=held.index, columns=list(AGE_BANDS))
    found = rows.rename_axis("item_id").reset_index().melt(
        id_vars="item_id", var_name="age_band", value_name="aged_units"
    )  # fmt: skip
    return found[found["aged_units"] > 0].reset_index(drop=True)
