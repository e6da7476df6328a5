"""Decisions under a limit: fewer products, or no more space than there is.

Number of products: leave out, one after another, the product whose loss is smallest, and climb
again with the others; that also draws the curve of profit by number of products. Space: a price on
a cubic foot is added to what units cost and bisected; what still exceeds is taken off case by case
where it loses least.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot
from pipeline.core.assortment.chain import Floats
from pipeline.core.assortment.climb import Climber
from pipeline.core.assortment.decide import QUICK, decide
from pipeline.core.assortment.group import Group, Work
from pipeline.core.assortment.lists import Seasons, chain_seasons
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.terms import Terms, Trial, profit

_PASSES_EACH = 12
_CANDIDATES = 8
_BISECTIONS = 14


@dataclass(frozen=True)
class Spaced:
    """trial: units within the space and their profit; price_usd: of a cubic foot for the season."""

    trial: Trial
    price_usd: float


def sampled(group: Group, work: Work) -> Seasons:
    """The seasons on which the group is decided."""
    sizes = season_sizes(group.customers, work.seasons, group.dispersion)
    return chain_seasons(group.chain, sizes, group.seed)


def profit_curve(group: Group, seasons: Seasons, units: NDArray[np.int64]) -> list[Trial]:
    """Trials with ever fewer products, from all that `units` carries down to none."""
    terms, at = group.terms, Climber(seasons, group.terms, 1).measure(units)
    found = [at]
    while (at.units > 0).any():
        held = np.flatnonzero(at.units)
        worth = (at.outcome.fewer_usd - terms.unit_cost_usd) * at.units - terms.listing_usd
        near = held[np.argsort((worth + at.outcome.sold * terms.margin_usd)[held], kind="stable")]
        losses = []
        for i in near[:_CANDIDATES]:
            less = at.units.copy()
            less[i] = 0
            losses.append((-profit(seasons, terms, less, False).profit_usd, int(i)))
        out = min(losses)[1]
        less = at.units.copy()
        less[out] = 0
        terms = replace(terms, is_open=terms.is_open & (less > 0))
        at = Climber(seasons, terms, _PASSES_EACH).climb(less) if less.any() else profit(
            seasons, terms, less
        )  # fmt: skip
        found.append(at)
    return found


def fewest(curve: list[Trial], most_products: int) -> Trial:
    """The best of the curve's trials with no more products than that."""
    able = [trial for trial in curve if int((trial.units > 0).sum()) <= most_products]
    return max(able, key=lambda trial: trial.profit_usd)


def decide_in_space(
    group: Group, work: Work, cube_cuft: Floats, space_cuft: float
) -> Spaced:  # fmt: skip
    """Units whose cubes [products] fit the space, and the price of space that led to them."""
    seasons = sampled(group, work)

    def at_price(price: float) -> Trial:
        dearer = replace(
            group.terms, unit_cost_usd=group.terms.unit_cost_usd + price * cube_cuft,
            salvage_usd=np.minimum(group.terms.salvage_usd, group.terms.unit_cost_usd),
        )  # fmt: skip
        return decide(group.chain, dearer, seasons, QUICK).best

    free = at_price(0.0)
    low, high, best = 0.0, 0.0, free
    if dot(cube_cuft, free.units) > space_cuft:
        high = float((group.terms.margin_usd / np.maximum(cube_cuft, 1e-9)).max())
        best = at_price(high)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            trial = at_price(middle)
            if dot(cube_cuft, trial.units) > space_cuft:
                low = middle
            else:
                high, best = middle, trial
    units = _filled(seasons, group.terms, best.units, cube_cuft, space_cuft)
    return Spaced(profit(seasons, group.terms, units), high)


def _filled(
    seasons: Seasons, terms: Terms, units: NDArray[np.int64], cube: Floats, space: float
) -> NDArray[np.int64]:
    """Cases added where they gain most per cubic foot, while they gain and fit."""
    at = profit(seasons, terms, units)
    while True:
        gain = (at.outcome.more_usd - terms.unit_cost_usd) * terms.case_units
        gain = gain - np.where(at.units == 0, terms.listing_usd, 0.0)
        room = space - dot(cube, at.units)
        able = np.flatnonzero(
            terms.is_open & (gain > 1e-9) & (cube * terms.case_units <= room + 1e-9)
        )  # fmt: skip
        if not len(able):
            return at.units
        rate = gain[able] / np.maximum(cube[able] * terms.case_units[able], 1e-9)
        more = at.units.copy()
        chosen = able[int(np.argmax(rate))]
        more[chosen] += terms.case_units[chosen]
        trial = profit(seasons, terms, more)
        if trial.profit_usd <= at.profit_usd + 1e-9:
            return at.units
        at = trial
