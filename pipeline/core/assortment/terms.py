"""What a group's products cost and bring: the money of one decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot
from pipeline.core.assortment.chain import Floats
from pipeline.core.assortment.lists import Seasons
from pipeline.core.assortment.marginals import Outcome, play


@dataclass(frozen=True)
class Terms:
    """Arrays [products]: price_usd of a sale net of what it costs to deliver; unit_cost_usd of a
    unit stocked, everything paid whether it sells or not (holding, handling, space at its price);
    salvage_usd of a unit left; listing_usd of carrying the product at all; case_units stocked at a
    time; is_open: may be stocked.
    """

    price_usd: Floats
    unit_cost_usd: Floats
    salvage_usd: Floats
    listing_usd: Floats
    case_units: NDArray[np.int64]
    is_open: NDArray[np.bool_]

    @classmethod
    def plain(cls, price_usd: Floats, unit_cost_usd: Floats) -> Terms:
        """Neither salvage nor listing costs nor cases."""
        zero, one = np.zeros(len(price_usd)), np.ones(len(price_usd), np.int64)
        return cls(price_usd, unit_cost_usd, zero, zero, one, np.full(len(zero), True))

    @property
    def margin_usd(self) -> Floats:
        """[products] earned with a unit that sells; nothing where none may be stocked."""
        return np.where(self.is_open, self.price_usd - self.unit_cost_usd, 0.0)

    @property
    def critical_ratio(self) -> Floats:
        """[products] in-stock probability that one product alone would aim at (newsvendor)."""
        spread = np.maximum(self.price_usd - self.salvage_usd, 1e-12)
        return np.asarray(np.clip(self.margin_usd / spread, 0.0, 1.0))

    def fixed_usd(self, units: NDArray[np.int64]) -> float:
        """Cost of stocking and listing `units` [products]."""
        return dot(self.unit_cost_usd, units) + float(self.listing_usd[units > 0].sum())


@dataclass(frozen=True)
class Trial:
    """Units [products] with their mean profit on sampled seasons, and marginals if asked for."""

    units: NDArray[np.int64]
    profit_usd: float
    outcome: Outcome


def profit(
    seasons: Seasons, terms: Terms, units: NDArray[np.int64], with_marginals: bool = True
) -> Trial:
    """Mean profit of `units` over the seasons."""
    outcome = play(seasons, terms.price_usd, terms.salvage_usd, units, with_marginals)
    return Trial(units, outcome.earned_usd - terms.fixed_usd(units), outcome)
