"""Which products lie near the customer, and who waits for the network: states (product, tier).

A customer of product i who finds it out nearby waits for the network's with probability α_i (her
patience) or turns to another product nearby with (1 − α_i) ρ_ij. The network's stock of i serves
whoever waits, at its margin less what the missed speed costs; it is replenished for the whole
network, so that here it never runs out and costs nothing but what is sold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Chain, Floats
from pipeline.core.assortment.decide import decide
from pipeline.core.assortment.group import Group, Work
from pipeline.core.assortment.limits import sampled
from pipeline.core.assortment.terms import Terms, Trial, profit


@dataclass(frozen=True)
class LocalPlan:
    """near_units: [products] at the site; waits: [products] customers who wait for the network;
    profit_usd with them and without any local stock."""

    near_units: NDArray[np.int64]
    waits: Floats
    profit_usd: float
    without_usd: float


def tiered_chain(chain: Chain, patience: Floats) -> Chain:
    """The chain of 2 n states: products nearby, then the same from the network."""
    n = len(chain)
    transition = np.zeros((2 * n, 2 * n))
    transition[:n, :n] = (1.0 - patience)[:, None] * chain.transition
    transition[np.arange(n), n + np.arange(n)] = patience
    return Chain(np.concatenate([chain.arrival, np.zeros(n)]), transition)


def decide_local(
    group: Group, patience: Floats, network_margin_usd: Floats, work: Work
) -> LocalPlan:  # fmt: skip
    """Units of a site of one group.

    group.terms: of a unit at the site, space at its price included; patience: [products];
    network_margin_usd: [products] of a sale from the network, the missed speed paid; 0 where the
    network does not carry the product. What is better left to the network gets no units.
    """
    near, n = group.terms, len(group.chain)
    far = np.maximum(network_margin_usd, 0.0)
    nothing = np.zeros(n)
    terms = Terms(
        np.concatenate([near.price_usd, far]), np.concatenate([near.unit_cost_usd, nothing]),
        np.concatenate([near.salvage_usd, nothing]), np.concatenate([near.listing_usd, nothing]),
        np.concatenate([near.case_units, np.ones(n, np.int64)]),
        np.concatenate([near.is_open, far > 0]),
    )  # fmt: skip
    both = replace(group, chain=tiered_chain(group.chain, patience), terms=terms)
    seasons = sampled(both, work)
    plan = _with_network(decide(both.chain, terms, seasons, work.effort).best, n, seasons.first)
    found = profit(seasons, terms, plan)
    alone = profit(seasons, terms, np.where(np.arange(2 * n) < n, 0, plan))
    return LocalPlan(plan[:n], found.outcome.sold[n:], found.profit_usd, alone.profit_usd)


def _with_network(best: Trial, n: int, first: NDArray[np.int64]) -> NDArray[np.int64]:
    """The plan with as many units of each product in the network as customers could ask for."""
    units = best.units.copy()
    units[n:] = int(np.diff(first).max(initial=0))
    return units
