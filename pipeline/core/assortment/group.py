"""A group of substitutes from its chain to its certificate: the whole decision in one call.

Groups are independent given the prices of what they share, so they are shards: a group's answer
depends on nothing but its own numbers and seed, whatever else is decided beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.chain import Chain, Floats
from pipeline.core.assortment.decide import Decision, Effort, decide
from pipeline.core.assortment.lists import chain_seasons
from pipeline.core.assortment.season_bound import SeasonBound, season_bound
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.terms import Terms, Trial, profit


@dataclass(frozen=True)
class Group:
    """customers: expected in a season; dispersion: variance / mean of their number."""

    chain: Chain
    terms: Terms
    customers: float
    dispersion: float = 1.0
    seed: int = 1


@dataclass(frozen=True)
class Work:
    """seasons: sampled for the decision; fresh: for its profit, drawn apart; bound_samples,
    bound_seasons, bound_steps: of the tighter bound (no samples: none)."""

    seasons: int = 200
    fresh: int = 400
    bound_samples: int = 4
    bound_seasons: int = 50
    bound_steps: int = 120
    effort: Effort = Effort()  # noqa: RUF009  # frozen


@dataclass(frozen=True)
class Certified:
    """units: [products]; profit_usd and se_usd: mean over fresh seasons and its standard error's
    estimate by halves; fresh: the outcome on them; lp_bound_usd; season_bound; decision."""

    units: NDArray[np.int64]
    profit_usd: float
    fresh: Trial
    lp_bound_usd: float
    season_bound: SeasonBound
    decision: Decision


def decide_group(group: Group, work: Work) -> Certified:
    """Units of the group, their profit on fresh seasons, and the bounds that certify it."""
    sizes = season_sizes(group.customers, work.seasons, group.dispersion)
    seasons = chain_seasons(group.chain, sizes, group.seed)
    decision = decide(group.chain, group.terms, seasons, work.effort)
    again = season_sizes(group.customers, work.fresh, group.dispersion)
    fresh = profit(
        chain_seasons(group.chain, again, group.seed + 1_000_003), group.terms, decision.best.units
    )
    lp_bound = group.customers * decision.fluid.bound_usd
    bound = SeasonBound(lp_bound, lp_bound, 0)
    if work.bound_samples > 0 and lp_bound > 0:
        bound = season_bound(
            group.chain, group.terms, group.customers, fresh.profit_usd,
            seasons=work.bound_seasons, samples=work.bound_samples, steps=work.bound_steps,
            dispersion=group.dispersion, seed=group.seed + 2_000_003,
        )  # fmt: skip
    return Certified(
        decision.best.units, fresh.profit_usd, fresh, lp_bound, bound, decision
    )  # fmt: skip


def decide_groups(groups: Sequence[Group], work: Work, workers: int = 1) -> list[Certified]:
    """Every group's answer, in order; the same for any number of workers."""
    if workers <= 1 or len(groups) < 2:
        return [decide_group(group, work) for group in groups]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda group: decide_group(group, work), groups))


def value_if_dropped(group: Group, work: Work, units: NDArray[np.int64]) -> Floats:
    """[products] profit lost on fresh seasons if a product carried is left out, the others kept."""
    again = season_sizes(group.customers, work.fresh, group.dispersion)
    seasons = chain_seasons(group.chain, again, group.seed + 1_000_003)
    whole = profit(seasons, group.terms, units, False).profit_usd
    lost = np.zeros(len(units))
    for i in np.flatnonzero(units):
        less = units.copy()
        less[i] = 0
        lost[i] = whole - profit(seasons, group.terms, less, False).profit_usd
    return lost
