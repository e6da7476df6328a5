"""Quantities for a whole group: climb by exact marginal values, then try products out.

Profit is not even quasi-concave in the quantities (Mahajan & van Ryzin 2001), so the climb starts
from several points, ends where no single case more or fewer helps, and then drops, adds and swaps
products while that pays. Every step is measured on the same sampled seasons.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.core.assortment.lists import Seasons
from pipeline.core.assortment.terms import Terms, Trial, profit

_TINY_USD = 1e-9


@dataclass
class Climber:
    """Seasons and terms, and the passes over the seasons that may still be made."""

    seasons: Seasons
    terms: Terms
    passes_left: int
    passes: int = field(default=0)

    def measure(self, units: NDArray[np.int64], with_marginals: bool = True) -> Trial:
        """One pass."""
        self.passes_left -= 1
        self.passes += 1
        return profit(self.seasons, self.terms, units, with_marginals)

    def gains(self, at: Trial) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The better of a unit more and a unit fewer [products]: usd gained, and +1 or −1."""
        terms, closed = self.terms, ~self.terms.is_open
        entry = np.where(at.units == 0, terms.listing_usd / terms.case_units, 0.0)
        more = at.outcome.more_usd - terms.unit_cost_usd - entry
        more[closed] = -np.inf
        fewer = terms.unit_cost_usd - at.outcome.fewer_usd
        leaving = at.units <= terms.case_units
        fewer = fewer + np.where(leaving, terms.listing_usd / terms.case_units, 0.0)
        fewer[at.units == 0] = -np.inf
        return np.maximum(more, fewer), np.where(more >= fewer, 1, -1).astype(np.int64)

    def climb(self, start: NDArray[np.int64]) -> Trial:
        """Steps of about half a standard deviation at first, single cases at last."""
        at = self.measure(start)
        reach, share = 1.0, 1.0
        tried = np.zeros(len(start), np.bool_)
        while self.passes_left > 0:
            gain, sign = self.gains(at)
            case = self.terms.case_units
            able = np.flatnonzero((gain * case > _TINY_USD) & ~tried)
            if not len(able):
                break
            chosen = able[np.argsort(-gain[able], kind="stable")]
            chosen = chosen[: max(1, int(np.ceil(share * len(able))))]
            cases = np.floor(reach * np.sqrt(at.units[chosen]) / (2.0 * case[chosen]))
            step = np.maximum(cases.astype(np.int64), 1) * case[chosen]
            units = at.units.copy()
            units[chosen] = np.maximum(units[chosen] + sign[chosen] * step, 0)
            trial = self.measure(units)
            if trial.profit_usd > at.profit_usd + _TINY_USD:
                at, share = trial, min(1.0, 1.5 * share)
                tried[:] = False
            elif (step > case[chosen]).any():
                reach /= 2.0
            elif len(chosen) > 1:
                share = 0.5 * len(chosen) / len(able)
            else:
                tried[chosen] = True
        return at

    def tried_out(self, at: Trial, most_tries: int) -> Trial:
        """Drop products, add some, move a case from one to another, while it pays."""
        while self.passes_left > 0:
            better = self._drop(at, most_tries)
            if better is None:
                better = self._swap(at, most_tries)
            if better is None:
                return at
            at = better
        return at

    def _drop(self, at: Trial, most_tries: int) -> Trial | None:
        """Leave out, one at a time, the products that earn least; climb again where that is close.

        A drop that loses less than a product's units could win back is worth a climb.
        """
        held = np.flatnonzero(at.units > 0)
        worth = (at.outcome.fewer_usd - self.terms.unit_cost_usd) * at.units
        worth = worth[held] + self.terms.unit_cost_usd[held] * np.sqrt(at.units[held])
        worth = worth - self.terms.listing_usd[held]
        found = []
        for i in held[np.argsort(worth, kind="stable")][:most_tries]:
            if self.passes_left <= 0:
                break
            units = at.units.copy()
            units[i] = 0
            found.append((self.measure(units, False).profit_usd, int(i)))
        found.sort(key=lambda pair: (-pair[0], pair[1]))
        for _, i in found[: max(most_tries // 8, 2)]:
            if self.passes_left <= 0:
                break
            units = at.units.copy()
            units[i] = 0
            trial = self._climb_a_little(units)
            if trial.profit_usd > at.profit_usd + _TINY_USD:
                return trial
        return None

    def _climb_a_little(self, start: NDArray[np.int64]) -> Trial:
        """A climb of at most 25 passes."""
        spare = max(self.passes_left - 25, 0)
        self.passes_left -= spare
        trial = self.climb(start)
        self.passes_left += spare
        return trial

    def _swap(self, at: Trial, most_tries: int) -> Trial | None:
        """A case of j less and one of i more, the pairs first that lose least by first order."""
        terms = self.terms
        more = (at.outcome.more_usd - terms.unit_cost_usd) * terms.case_units
        more = more - np.where(at.units == 0, terms.listing_usd, 0.0)
        more[~terms.is_open] = -np.inf
        fewer = (terms.unit_cost_usd - at.outcome.fewer_usd) * terms.case_units
        fewer[at.units == 0] = -np.inf
        wide = min(len(more), 2 * most_tries)
        up = np.argsort(-more, kind="stable")[:wide]
        down = np.argsort(-fewer, kind="stable")[:wide]
        total = more[up][:, None] + fewer[down][None, :]
        total[up[:, None] == down[None, :]] = -np.inf
        for place in np.argsort(-total, axis=None, kind="stable")[:most_tries]:
            if self.passes_left <= 0 or not np.isfinite(total.flat[place]):
                break
            i, j = up[place // len(down)], down[place % len(down)]
            units = at.units.copy()
            units[i] += terms.case_units[i]
            units[j] = max(units[j] - terms.case_units[j], 0)
            trial = self.measure(units, False)
            if trial.profit_usd > at.profit_usd + _TINY_USD:
                return self.climb(units)
        return None
