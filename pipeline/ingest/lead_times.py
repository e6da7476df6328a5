"""Lead times of tonight's orders: the law of the delay against the promise, vendor by vendor.

Delays are counted from the day that the vendor promised (`promises`), as far as ever seen. All
vendors together are the prior of those that quote lead times of like length, these of a vendor, and
the vendor of its items (see `delay_law`). Older orders count less where a vendor's delays move (see
`delay_drift`); gaps between few receipts are filled by a kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.delay_drift import drifts
from pipeline.ingest.delay_law import kernel_widths, posterior, smoothed, vague_prior
from pipeline.ingest.promises import promised_days

MOST_DELAY_DAYS = 540
"""What comes later than this is counted as so late."""
_LEAST_LATE, _LEAST_EARLY = 60, -14
_QUOTED_EDGES = (10, 30, 75)
_LEAST_PROBABILITY = 5e-4
_CHUNK = 20_000
_LINE = ["order_id", "vendor_id", "item_id"]


def lead_times(
    tables: Mapping[str, pd.DataFrame], as_of: date, settings: IngestSettings
) -> pd.DataFrame:
    """The lead_times table: a distribution in whole days for every item that a vendor sells."""
    sold = tables["vendor_items"].sort_values(["vendor_id", "item_id"], ignore_index=True)
    if sold.empty:
        return _table(sold, np.zeros((0, 1)), np.zeros(1, np.int64), *[pd.Series(dtype=int)] * 2)
    vendor, _ = pd.factorize(sold["vendor_id"])
    seen = _observations(tables, sold, as_of)
    sold["quoted_lead_time_days"] = _promised_tonight(sold, tables, as_of)
    seen = _as_of_today(seen, vendor, pd.Timestamp(as_of))
    delays = _support(sold, seen)
    quoted = sold["quoted_lead_time_days"].to_numpy(dtype="int64")
    band = np.searchsorted(_QUOTED_EDGES, quoted)
    weak, strong = settings.lead_time_vendor_receipts, settings.lead_time_prior_receipts

    arrived, censored = _counts(seen, vendor, delays)
    width = kernel_widths(arrived)
    arrived, censored = smoothed(arrived, width), smoothed(censored, width)
    of_vendor = np.zeros(vendor.max() + 1, dtype=np.int64)
    of_vendor[vendor] = band  # a vendor with several kinds of quotes leans on its last one's
    everyone = np.stack([arrived.sum(axis=0), censored.sum(axis=0)])[:, None, :]
    vague = np.vstack([vague_prior(delays, _typical(quoted[band == b])) for b in range(4)])
    come, waiting = np.repeat(everyone, 4, axis=1)
    base = posterior(vague, come, waiting, weak)
    bands = posterior(base, _sum_by(arrived, of_vendor, 4), _sum_by(censored, of_vendor, 4), strong)
    pooled = posterior(bands[of_vendor], arrived, censored, strong)
    fitted = []
    for start in range(0, len(sold), _CHUNK):
        rows = slice(start, min(start + _CHUNK, len(sold)))
        own = _counts(seen[seen["place"].between(rows.start, rows.stop - 1)],
                      np.arange(len(sold)), delays, rows)  # fmt: skip
        mine = width[vendor[rows]]
        fitted.append(
            posterior(pooled[vendor[rows]], smoothed(own[0], mine), smoothed(own[1], mine), weak)
        )
    receipts = seen[seen["is_receipt"]].groupby("place")["order_id"].nunique()
    still_open = seen[~seen["is_receipt"]].groupby("place")["order_id"].nunique()
    return _table(sold, np.vstack(fitted), delays, receipts, still_open)


def _typical(quoted: np.ndarray) -> float:
    return float(np.median(quoted)) if len(quoted) else 14.0


def _promised_tonight(
    sold: pd.DataFrame, tables: Mapping[str, pd.DataFrame], as_of: date
) -> np.ndarray:
    """[pairs] calendar days that an order of tonight is promised in, shutdowns apart."""
    orders = sold[["vendor_id"]].assign(
        order_date=pd.Timestamp(as_of), quoted=sold["quoted_lead_time_days"]
    )
    return promised_days(orders, tables, with_shutdowns=False)


def _observations(
    tables: Mapping[str, pd.DataFrame], sold: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """One row for each receipt or open rest of an order line, weighted by its share of the line.

    Orders placed before the first receipt on file are left out: only the late among them are seen.
    Where no open order is known, so are the latest ones: only the quick among them have come.
    """
    receipts, still_open = tables["receipts"], tables["open_orders"]
    still_open = still_open[still_open["date"] == pd.Timestamp(as_of)]
    rows = pd.concat([
        _strings(receipts, "arrival_date", "units").assign(is_receipt=True),
        _strings(still_open, "date", "open_units").assign(is_receipt=False),
    ], ignore_index=True)  # fmt: skip
    if len(receipts):
        rows = rows[rows["order_date"] >= receipts["arrival_date"].min()]
        if still_open.empty:
            took = receipts["arrival_date"] - receipts["order_date"]
            until = pd.Timestamp(as_of) - took.quantile(0.99)
            rows = rows[(rows["order_date"] <= until) | (rows["order_date"].min() > until)]
    line = rows.groupby(_LINE)["units"].transform("sum")
    rows = rows.assign(weight=np.where(line > 0, rows["units"] / line.where(line > 0, 1), 0.0))
    keys = sold[["vendor_id", "item_id"]].astype("str").assign(
        place=np.arange(len(sold)), quoted=sold["quoted_lead_time_days"].to_numpy()
    )  # fmt: skip
    rows = rows.merge(keys, on=["vendor_id", "item_id"], how="inner")
    rows["quoted"] = promised_days(rows, tables)
    delay = (rows["day"] - rows["order_date"]).dt.days - rows["quoted"]
    return rows.assign(delay=delay.clip(-MOST_DELAY_DAYS, MOST_DELAY_DAYS).astype("int64"))


def _strings(frame: pd.DataFrame, day: str, units: str) -> pd.DataFrame:
    return pd.DataFrame({
        **{name: frame[name].astype("str") for name in _LINE},
        "order_date": frame["order_date"], "day": frame[day],
        "units": frame[units].astype("float64"),
    })  # fmt: skip


def _as_of_today(seen: pd.DataFrame, vendor: np.ndarray, as_of: pd.Timestamp) -> pd.DataFrame:
    """The rows with delays moved along their vendor's trend to tonight, older ones weigh less."""
    day = -(as_of - seen["order_date"]).dt.days.to_numpy(dtype=np.int64)
    of_row = vendor[seen["place"].to_numpy(dtype=np.int64)]
    delay = seen["delay"].to_numpy(dtype="float64")
    came = day + (seen["delay"] + seen["quoted"]).to_numpy(np.int64)
    nothing = np.zeros(0, dtype=np.int64)
    orders = [(nothing, nothing, np.zeros(0))] * (int(vendor.max()) + 1)
    whole = np.flatnonzero(seen["is_receipt"].to_numpy())
    whole = whole[np.argsort(of_row[whole], kind="stable")]
    edges = np.flatnonzero(np.diff(of_row[whole], prepend=-1, append=-1))
    for low, high in pairwise(edges):
        rows = whole[low:high]
        orders[of_row[rows[0]]] = day[rows], came[rows], delay[rows]
    drift = drifts(orders)
    weight = seen["weight"] * 0.5 ** (-day / drift.half_life_days[of_row])
    moved = np.rint(delay - drift.slope[of_row] * day).astype(np.int64)
    return seen.assign(weight=weight, delay=np.clip(moved, -MOST_DELAY_DAYS, MOST_DELAY_DAYS))


def _support(sold: pd.DataFrame, seen: pd.DataFrame) -> np.ndarray:
    """Delays that are possible: those seen, and what any vendor may do."""
    low = min(int(seen["delay"].min()) if len(seen) else 0, _LEAST_EARLY)
    low = max(low, -int(sold["quoted_lead_time_days"].max()))
    high = max(int(seen["delay"].max()) if len(seen) else 0, 0)
    return np.arange(low, min(high + _LEAST_LATE, MOST_DELAY_DAYS) + 1)


def _counts(
    seen: pd.DataFrame, group: np.ndarray, delays: np.ndarray, rows: slice | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Arrived and censored weight [groups, delays]; group: of each pair; rows: of the groups."""
    first, count = (
        (0, int(group.max()) + 1) if rows is None else (rows.start, rows.stop - rows.start)
    )
    found = []
    # An order younger than the earliest delay could not have come yet: it tells nothing.
    told = seen["is_receipt"] | (seen["delay"] >= delays[0])
    column = np.clip(seen["delay"].to_numpy(), delays[0], delays[-1]) - delays[0]
    for is_receipt in (True, False):
        mine = (told & (seen["is_receipt"] == is_receipt)).to_numpy()
        counts = np.zeros((count, len(delays)))
        at = group[seen["place"].to_numpy(dtype=np.int64)[mine]] - first
        np.add.at(counts, (at, column[mine]), seen["weight"].to_numpy()[mine])
        found.append(counts)
    return found[0], found[1]


def _sum_by(counts: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    total = np.zeros((groups, counts.shape[1]))
    np.add.at(total, group, counts)
    return total


def _table(
    sold: pd.DataFrame, fitted: np.ndarray, delays: np.ndarray, receipts: pd.Series,
    still_open: pd.Series,
) -> pd.DataFrame:  # fmt: skip
    """Long format: lead times below a day count as a day, tiny probabilities are dropped."""
    lead = sold["quoted_lead_time_days"].to_numpy(dtype="int64")[:, None] + delays
    early = np.where(lead < 1, fitted, 0).sum(axis=1)
    fitted = np.where(lead < 1, 0, fitted)
    fitted[lead == 1] += early[(lead == 1).any(axis=1)]
    fitted = np.where(fitted < _LEAST_PROBABILITY, 0, fitted)
    fitted /= fitted.sum(axis=1, keepdims=True)
    mean = (fitted * lead).sum(axis=1)
    sd = np.sqrt((fitted * (lead - mean[:, None]) ** 2).sum(axis=1))
    place, column = np.nonzero(fitted)
    rows = sold.iloc[place]
    return pd.DataFrame({
        "vendor_id": rows["vendor_id"].to_numpy(), "item_id": rows["item_id"].to_numpy(),
        "lead_time_days": lead[place, column], "probability": fitted[place, column],
        "mean_lead_time_days": mean[place], "sd_lead_time_days": sd[place],
        "observed_receipts": receipts.reindex(place, fill_value=0).to_numpy(dtype="int64"),
        "open_orders_used": still_open.reindex(place, fill_value=0).to_numpy(dtype="int64"),
    })  # fmt: skip
