"""How errors of regions moved together in past forecasts, for each group of items.

Items that are away, which is to say that of late they sold too little by far in all regions at
once, are a group of their own: their supply stopped for all and comes back for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.copula import REFERENCE_DAYS, Dependence
from pipeline.forecast.assemble import Names
from pipeline.forecast.dependence import (
    AWAY,
    EVERY,
    learned_growth,
    mean_correlation,
    rank_correlation,
    share_of_correlation,
)
from pipeline.forecast.features import silence_of_items
from pipeline.forecast.panel import F64, I32, Panel, Totals
from pipeline.forecast.series_level import SILENT
from pipeline.forecast.spread import PastErrors, Spread

LONG_DAYS = 14
"""Windows of no fewer days tell how regions depend on each other."""
SUMS, PATHS = 3_000, 200
"""Past sums over regions, and paths of each, that tell how much of it is left in their sum."""
Mask = npt.NDArray[np.bool_]


def learned_dependence(
    panel: Panel, totals: Totals, names: Names, errors: PastErrors, spread: Spread, seed: int
) -> dict[str, Any]:
    """Rank correlations of the regions' errors over 28 days, for each category, for all items and
    for those that are away, and the power of a window's days with which their odds grow.

    Scaled by the share that makes past sums over all regions as wide as they were. Items that are
    away lean on all; where none was, there is no such group.
    """
    past = Occasions.of(panel, totals, errors, len(names.regions))
    category = panel.category[errors.windows.series]
    every = Group.of(past, np.ones(len(category), bool))
    groups = {
        name: Group.of(past, category == code, growth=every.growth)
        for code, name in enumerate(names.categories)
    }
    share = _share_of_sums(past, every, spread, seed)
    found = {name: own.over_28_days.times(share) for name, own in (groups | {EVERY: every}).items()}
    if past.is_away.any():
        found[AWAY] = Group.of(past, past.is_away, prior=every.correlation).over_28_days
    return {
        "dependence": {name: np.round(own.correlation, 6).tolist() for name, own in found.items()},
        "dependence_growth": {name: own.growth for name, own in found.items()},
    }


@dataclass(frozen=True)
class Occasions:
    """Past windows: which occasion (an item and a window) and region each row is of."""

    errors: PastErrors
    occasion: npt.NDArray[np.intp]
    region: I32
    regions: int
    is_long: Mask
    is_away: Mask

    @staticmethod
    def of(panel: Panel, totals: Totals, errors: PastErrors, regions: int) -> Occasions:
        """The occasions of past errors."""
        windows = errors.windows
        item = panel.item[windows.series]
        occasion = np.unique(
            np.stack([item, windows.origin, windows.start, windows.days]),
            axis=1, return_inverse=True,
        )[1].ravel()  # fmt: skip
        silence = silence_of_items(panel, totals)
        return Occasions(
            errors, occasion, panel.region[windows.series], regions,
            windows.days >= min(LONG_DAYS, windows.days.max()),
            silence[item, totals.lead + windows.origin + 1] > SILENT,
        )  # fmt: skip

    def correlation(self, rows: Mask, prior: F64 | None = None) -> F64:
        """Rank correlations (regions, regions) of some rows."""
        return rank_correlation(
            self.errors.rank[rows], self.occasion[rows], self.region[rows], self.regions, prior
        )


@dataclass(frozen=True)
class Group:
    """The long windows `rows` of a group of items, the correlations (regions, regions) over all of
    them together, and over 28 days."""

    rows: Mask
    correlation: F64
    over_28_days: Dependence

    @property
    def growth(self) -> float:
        """The power with which the odds of its correlations grow."""
        return self.over_28_days.growth

    @staticmethod
    def of(
        past: Occasions, own: Mask, growth: float | None = None, prior: F64 | None = None
    ) -> Group:
        """What the rows `own` tell; of few of them the `prior` correlations remain."""
        days, rows = past.errors.windows.days, own & past.is_long
        if growth is None:
            lengths = {n: own & (days == n) for n in np.unique(days).tolist()}
            growth = learned_growth({
                n: (mean_correlation(past.correlation(of)), len(np.unique(past.occasion[of])))
                for n, of in lengths.items()
            })  # fmt: skip
        correlation = past.correlation(rows, prior)
        return Group(rows, correlation, _over_28_days(correlation, days[rows], growth))


def _over_28_days(correlation: F64, days: I32, growth: float) -> Dependence:
    """The correlations over 28 days, where windows of `days` together have `correlation`."""
    if len(days) == 0:
        return Dependence(correlation, growth)
    usual = float(((days / REFERENCE_DAYS) ** growth).mean())
    found = Dependence.grown(correlation, np.array(1.0 / usual))
    np.fill_diagonal(found, 1.0)
    return Dependence(found, growth)


def _share_of_sums(past: Occasions, group: Group, spread: Spread, seed: int) -> float:
    """Share of the group's correlations that is left in its past sums over regions."""
    known = np.unique(past.occasion[group.rows])
    drawn = np.random.default_rng(seed).choice(known, min(SUMS, len(known)), replace=False)
    drawn.sort()
    rows = np.flatnonzero(group.rows & np.isin(past.occasion, drawn))
    place = np.searchsorted(drawn, past.occasion[rows])
    table = np.zeros((len(drawn), past.regions, PATHS))
    levels = (np.arange(PATHS) + 0.5) / PATHS
    windows = past.errors.windows.take(rows)
    table[place, past.region[rows]] = spread.quantiles(windows, levels, 1)
    days = np.zeros(len(drawn))
    days[place] = windows.days
    units = np.bincount(place, past.errors.units[rows], len(drawn)).astype(np.float64)
    return share_of_correlation(group.over_28_days, days, table, units, PATHS, seed)
