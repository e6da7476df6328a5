"""What a change of orders or demand means beside what nobody knows: noise, and running out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.records.overrides import Override
from pipeline.review.pooled import LEVELS, PooledDemand, pool_regions, run_out_probability
from pipeline.store import Store

_DAYS = 28


def demand_of(store: Store, as_of: date, items: Iterable[str]) -> PooledDemand:
    """Network demand of some items from tomorrow on, by window."""
    quantiles = store.read(as_of, "demand_quantiles")
    chosen = quantiles["item_id"].astype("str").isin(set(items))
    quantiles = quantiles[chosen & (quantiles["window_start_day"] == 1)]
    return pool_regions(quantiles, store.read(as_of, "demand_dependence"))


def noise_notes(override: Override, demand: PooledDemand) -> list[str]:
    """Says so where an override of demand is smaller than what the forecast is unsure of.

    The noise is half the range that holds half of what may happen in the window nearest to four
    weeks, as a share of what is expected; items of a group are taken to err together.
    """
    if override.override_target != "demand" or override.override_kind == "block":
        return []
    near = _nearest(demand, _DAYS)
    mean = float(near.mean.sum())
    if mean <= 0:
        return []
    low, high = (float(near.quantiles[:, at].sum()) for at in np.searchsorted(LEVELS, (0.25, 0.75)))
    noise = (high - low) / 2 / mean
    days = int(near.keys["window_days"].iloc[0])
    value = override.override_value
    factor = value if override.override_kind == "multiply" else value * days * len(near.keys) / mean
    if override.override_kind == "at_least":
        factor = max(factor, 1.0)
    elif override.override_kind == "at_most":
        factor = min(factor, 1.0)
    if abs(factor - 1) >= noise:
        return []
    return [
        f"This moves demand by {factor - 1:+.0%}; over {days} days the forecast itself is off by "
        f"more than {noise:.0%} half of the time. A nudge below the noise seldom helps: leave it?"
    ]


def with_risk(
    lines: pd.DataFrame, tables: Mapping[str, pd.DataFrame], demand: PooledDemand
) -> pd.DataFrame:
    """The lines with run_out_before and run_out_after: the chance that demand over the item's cover
    exceeds what is on hand, on order and ordered tonight, network-wide at tonight's forecast."""
    if lines.empty:
        return lines.assign(run_out_before=0.0, run_out_after=0.0)
    held = _units(tables["stock"], "on_hand_units") + _units(tables["open_orders"], "open_units")
    moving = _units(tables["open_transfers"], "open_units")
    items = lines["item_id"].drop_duplicates()
    supply = sum(part.reindex(items).fillna(0.0) for part in (held, moving))
    targets = tables["network_targets"].astype({"item_id": "str"})
    cover = targets.groupby("item_id")["cover_days"].max().reindex(items).fillna(_DAYS)
    chance = {}
    for side in ("before", "after"):
        ordered = lines.groupby("item_id")[f"{side}_units"].sum().reindex(items)
        have = (supply + ordered).to_numpy(dtype="float64")
        for item, days, units in zip(items, cover, have, strict=True):
            own = demand.where((demand.keys["item_id"] == item).to_numpy())
            near = _nearest(own, days)
            risk = run_out_probability(near.quantiles, np.full(len(near.mean), units))
            chance[side, item] = float(risk[0]) if len(risk) else 0.0
    return lines.assign(
        run_out_before=[chance["before", item] for item in lines["item_id"]],
        run_out_after=[chance["after", item] for item in lines["item_id"]],
    )


def _units(frame: pd.DataFrame, units: str) -> pd.Series:
    """Units by item of the newest day."""
    own = frame[frame["date"] == frame["date"].max()].astype({"item_id": "str"})
    return own.groupby("item_id")[units].sum().astype("float64")


def _nearest(demand: PooledDemand, days: float) -> PooledDemand:
    """The rows of the window nearest to so many days."""
    known = demand.keys["window_days"]
    if known.empty:
        return demand
    nearest = known.iloc[int((known - days).abs().argmin())]
    return demand.where((known == nearest).to_numpy())
