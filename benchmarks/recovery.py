"""What stock-outs hide, found again: a known chain's sales, with items out at times.

Used by benchmarks/choice.py. Beside it stands today's de-censoring, which takes a day out of stock
as not observed and fills a part of a day with the item's recent rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.core.assortment.chain import Chain, Floats
from pipeline.core.assortment.retail import learn_retail
from pipeline.forecast.censoring import demand_behind

ITEMS, REGIONS, DAYS, CUSTOMERS = 8, 4, 400, 40.0
STRENGTH = 10.0


def simulated(seed: int) -> tuple[Chain, Floats, Floats, Floats, Floats]:
    """A chain; units sold, in-stock share, true first choices and true recaptured units, all
    [regions, days, items]. Stock-outs last days to weeks, some begin during a day."""
    random = np.random.default_rng(seed)
    arrival = random.dirichlet(np.full(ITEMS, 3.0))
    transition = np.zeros((ITEMS, ITEMS))
    for i in range(ITEMS):
        others = np.delete(np.arange(ITEMS), i)
        transition[i, others] = random.uniform(0.5, 0.8) * random.dirichlet(np.full(ITEMS - 1, 0.7))
    chain = Chain(arrival, transition)
    share = np.ones((REGIONS, DAYS, ITEMS))
    for r in range(REGIONS):
        for i in range(ITEMS):
            day = int(random.integers(10, 60))
            while day < DAYS:
                share[r, day, i] = random.uniform(0.0, 0.9)
                length = int(random.geometric(0.15))
                share[r, day + 1 : day + length, i] = 0.0
                day += length + int(random.geometric(0.025))
    sold, first, taken = np.zeros((3, REGIONS, DAYS, ITEMS))
    for r in range(REGIONS):
        for d in range(DAYS):
            came = random.poisson(CUSTOMERS * (1.3 if d % 7 > 4 else 0.88))
            when = random.random(came)
            for t in when:
                here = share[r, d] > t
                wanted = at = int(random.choice(ITEMS, p=arrival))
                first[r, d, wanted] += 1
                while not here[at]:
                    onward = random.random()
                    step = int(np.searchsorted(np.cumsum(transition[at]), onward, side="right"))
                    if step >= ITEMS:
                        at = -1
                        break
                    at = step
                if at >= 0:
                    sold[r, d, at] += 1
                    taken[r, d, at] += at != wanted
    return chain, sold, share, first, taken


def recovered(seed: int) -> dict[str, Any]:
    """Recaptured units and bias of first choices, found by the chain and as de-censored today."""
    chain, sold, share, first, taken = simulated(seed)
    fit = learn_retail(sold, share, STRENGTH)
    flat = (REGIONS * DAYS, ITEMS)
    series = sold.transpose(0, 2, 1).reshape(-1, DAYS).astype(np.float32)
    there = share.transpose(0, 2, 1).reshape(-1, DAYS).astype(np.float32)
    today = demand_behind(series, there, there < 1.0).reshape(REGIONS, ITEMS, DAYS)
    true_rate = first.reshape(flat).mean(axis=0)
    ours_rate = np.nanmean(fit.first_choices.reshape(flat), axis=0)
    today_rate = np.nanmean(today, axis=(0, 2))
    ratio = fit.recaptured.sum() / taken.sum()
    bias = np.abs(ours_rate / true_rate - 1.0)
    today_bias = np.abs(today_rate / true_rate - 1.0)
    error = np.abs(fit.learned.chain.transition - chain.transition).max()
    return {
        "id": f"recovery, chain {seed}", "recaptured_share": taken.sum() / sold.sum(),
        "recaptured_found": float(ratio), "bias_mean": float(bias.mean()),
        "bias_worst": float(bias.max()), "total_bias": float(ours_rate.sum() / true_rate.sum() - 1),
        "today_bias_mean": float(today_bias.mean()), "today_bias_worst": float(today_bias.max()),
        "today_total_bias": float(today_rate.sum() / true_rate.sum() - 1),
        "worst_transition_error": float(error),
        "ok": bool(abs(ratio - 1.0) <= 0.10 and bias.mean() <= 0.03),
    }  # fmt: skip
