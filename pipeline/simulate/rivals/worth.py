"""What a unit is worth to a rule: the critical ratio of stocking it, and what a sale brings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.simulate.rivals.situation import Situation
from pipeline.simulate.world.opportunity import replacement_usd

Floats = NDArray[np.float64]


def critical_ratio(situation: Situation) -> Floats:
    """[items] underage / (underage + overage) of a unit over a review period.

    Underage: list margin and goodwill; overage: capital and mean storage cost over the period.
    """
    model, planning = situation.model, situation.settings.planning
    rows = situation.tables["items"]
    price = rows.set_index(rows["item_id"].astype("str")).loc[model.items, "list_price_usd"]
    under = price.to_numpy(float) * (1 + planning.goodwill_share) - model.unit_cost_usd
    daily = model.unit_cost_usd * planning.holding_rate_per_year / 365.0
    daily = daily + model.cube_cuft * model.storage_usd.mean()
    over = daily * planning.review_period_days
    return np.clip(under / np.maximum(under + over, 1e-9), 0.5, 0.995)


def sale_usd(situation: Situation) -> Floats:
    """[items] what a sale brings and saves: list price and goodwill, less cost and the mean cost of
    the best way to serve an order, handling and lanes included."""
    model = situation.model
    best = np.zeros(len(model.items))
    offers = model.offers
    usd = offers.ship_usd + offers.missed_usd
    way = replacement_usd(model, situation.tables["nodes"])
    share = np.diff(model.cumulative, axis=1, prepend=0.0)
    for r in range(offers.n_regions):
        for cell in range(offers.n_speeds * offers.n_buckets):
            first = r * offers.n_speeds * offers.n_buckets + cell
            span = slice(offers.start[first], offers.start[first + 1])
            cost = usd[span] + way[:, offers.node[span]]
            cost = np.where(model.may_hold[:, offers.node[span]], cost, np.inf)
            speed, bucket = divmod(cell, offers.n_buckets)
            weight = share[r, bucket * offers.n_speeds + speed] / offers.n_regions
            best += weight * cost.min(axis=1)
    rows = situation.tables["items"]
    price = rows.set_index(rows["item_id"].astype("str")).loc[model.items, "list_price_usd"]
    worth = price.to_numpy(float) * (1 + situation.settings.planning.goodwill_share)
    return np.asarray(worth - model.unit_cost_usd - best)
