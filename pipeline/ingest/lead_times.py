"""Lead-time distributions: receipts are complete observations, open orders right-censored ones.

A nonparametric Bayes estimate by hazards (Susarla & Van Ryzin 1976, discrete time): at delay t the
hazard is (c S0(t-) h0(t) + d(t)) / (c S0(t-) + n(t)), with d(t) arrivals and n(t) orders still open
just before t, and h0, S0 the prior's hazard and survival; c is the prior's weight in receipts.
All vendors together are the prior of a vendor, the vendor that of its items. With c = 0 it is the
Kaplan-Meier estimate. Delays are counted from the lead time that the vendor quotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings

EARLIEST_DELAY_DAYS = -14
LATEST_DELAY_DAYS = 45
_DELAYS = np.arange(EARLIEST_DELAY_DAYS, LATEST_DELAY_DAYS + 1)
_LEAST_PROBABILITY = 1e-3
_LINE = ["order_id", "vendor_id", "item_id"]


def lead_times(
    tables: Mapping[str, pd.DataFrame], as_of: date, settings: IngestSettings
) -> pd.DataFrame:
    """The lead_times table: a distribution in whole days for every item that a vendor sells."""
    sold = tables["vendor_items"].sort_values(["vendor_id", "item_id"], ignore_index=True)
    seen = _observations(tables, sold, as_of)
    arrived, open_at = _counts(seen, len(sold))
    vendor, _ = pd.factorize(sold["vendor_id"])
    arrived_by, open_by = _sum_by(arrived, vendor), _sum_by(open_at, vendor)
    weak, strong = settings.lead_time_vendor_receipts, settings.lead_time_prior_receipts
    everywhere = (arrived_by.sum(axis=0, keepdims=True), open_by.sum(axis=0, keepdims=True))
    base = posterior(vague_prior(), *everywhere, weak)
    pooled = posterior(base, arrived_by, open_by, strong)
    fitted = posterior(pooled[vendor], arrived, open_at, weak)
    receipts = seen[seen["is_receipt"]].groupby("place")["order_id"].nunique()
    still_open = seen[~seen["is_receipt"]].groupby("place")["order_id"].nunique()
    return _table(sold, fitted, receipts, still_open)


def posterior(
    prior: np.ndarray, arrived: np.ndarray, censored: np.ndarray, weight: float
) -> np.ndarray:
    """Probabilities (rows x delays) after `arrived` and `censored` observations at each delay.

    `censored` counts orders last seen open at that delay: they are at risk up to and including it.
    `prior` is one row for all, or one for each; what hazard is left falls on the last delay.
    """
    beyond = _survival_before(prior)
    prior_hazard = np.divide(prior, beyond, out=np.ones_like(prior), where=beyond > 1e-12)
    total = arrived + censored
    at_risk = np.cumsum(total[:, ::-1], axis=1)[:, ::-1]
    strength = weight * beyond
    whole = strength + at_risk
    hazard = np.divide(strength * prior_hazard + arrived, whole,
                       out=np.broadcast_to(prior_hazard, arrived.shape).copy(),
                       where=whole > 1e-12)  # fmt: skip
    hazard[:, -1] = 1.0
    open_before = np.cumprod(1 - hazard, axis=1)
    open_before = np.hstack([np.ones((len(hazard), 1)), open_before[:, :-1]])
    result: np.ndarray = hazard * open_before
    return result


def vague_prior() -> np.ndarray:
    """What is believed before any receipt: mostly on the quoted day, later more than earlier."""
    weights = np.where(_DELAYS <= 0, 0.5 ** (-_DELAYS / 1.0), 0.75**_DELAYS)
    return (weights / weights.sum())[None, :]


def _survival_before(probabilities: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.cumsum(probabilities[:, ::-1], axis=1)[:, ::-1]
    return result


def _observations(
    tables: Mapping[str, pd.DataFrame], sold: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """One row for each receipt or open rest of an order line, weighted by its share of the line.

    Orders placed before the first receipt on file are left out: only the late among them are seen.
    """
    receipts, still_open = tables["receipts"], tables["open_orders"]
    still_open = still_open[still_open["date"] == pd.Timestamp(as_of)]
    rows = pd.concat([
        _strings(receipts, "arrival_date", "units").assign(is_receipt=True),
        _strings(still_open, "date", "open_units").assign(is_receipt=False),
    ], ignore_index=True)  # fmt: skip
    if len(receipts):
        rows = rows[rows["order_date"] >= receipts["arrival_date"].min()]
    line = rows.groupby(_LINE)["units"].transform("sum")
    rows = rows.assign(weight=np.where(line > 0, rows["units"] / line.where(line > 0, 1), 0.0))
    keys = sold[["vendor_id", "item_id"]].astype("str").assign(
        place=np.arange(len(sold)), quoted=sold["quoted_lead_time_days"].to_numpy()
    )  # fmt: skip
    rows = rows.merge(keys, on=["vendor_id", "item_id"], how="inner")
    delay = (rows["day"] - rows["order_date"]).dt.days - rows["quoted"]
    # An order younger than the earliest delay could not have arrived yet: it tells nothing.
    told = rows["is_receipt"] | (delay >= EARLIEST_DELAY_DAYS)
    column = np.clip(delay, EARLIEST_DELAY_DAYS, LATEST_DELAY_DAYS) - EARLIEST_DELAY_DAYS
    return rows.assign(column=column.astype("int64"))[told]


def _strings(frame: pd.DataFrame, day: str, units: str) -> pd.DataFrame:
    return pd.DataFrame({
        **{name: frame[name].astype("str") for name in _LINE},
        "order_date": frame["order_date"], "day": frame[day],
        "units": frame[units].astype("float64"),
    })  # fmt: skip


def _counts(seen: pd.DataFrame, rows: int) -> tuple[np.ndarray, np.ndarray]:
    arrived, censored = np.zeros((rows, len(_DELAYS))), np.zeros((rows, len(_DELAYS)))
    come = seen["is_receipt"]
    for counts, part in ((arrived, seen[come]), (censored, seen[~come])):
        np.add.at(counts, (part["place"].to_numpy(), part["column"].to_numpy()), part["weight"])
    return arrived, censored


def _sum_by(counts: np.ndarray, group: np.ndarray) -> np.ndarray:
    total = np.zeros((group.max() + 1, counts.shape[1]))
    np.add.at(total, group, counts)
    return total


def _table(
    sold: pd.DataFrame, fitted: np.ndarray, receipts: pd.Series, still_open: pd.Series
) -> pd.DataFrame:
    """Long format: lead times below a day count as a day, tiny probabilities are dropped."""
    lead = sold["quoted_lead_time_days"].to_numpy(dtype="int64")[:, None] + _DELAYS
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
