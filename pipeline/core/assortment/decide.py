"""The decision for one group: what to carry and how much, from several starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.core.assortment.chain import Chain
from pipeline.core.assortment.climb import Climber
from pipeline.core.assortment.lists import Seasons
from pipeline.core.assortment.newsvendor import first_choices, thresholded
from pipeline.core.assortment.stopping import FluidPlan, fluid_plan
from pipeline.core.assortment.terms import Terms, Trial


@dataclass(frozen=True)
class Effort:
    """starts: points to climb from; passes: over the seasons for each start; tries: drops or swaps
    measured at a time; trial_seasons: seasons on which starts are compared, if fewer."""

    starts: int = 3
    passes: int = 60
    final_passes: int = 160
    tries: int = 16
    trial_seasons: int = 10**9


QUICK = Effort(starts=2, passes=30, final_passes=60, tries=6, trial_seasons=50)
"""A third of the time, about a tenth of a percent of profit less: for thousands of groups."""


@dataclass(frozen=True)
class Decision:
    """best: units with their profit on the seasons; fluid: the bound's plan; thresholded: the best
    of the newsvendor plans; passes made."""

    best: Trial
    fluid: FluidPlan
    thresholded: Trial
    passes: int


def decide(chain: Chain, terms: Terms, seasons: Seasons, effort: Effort | None = None) -> Decision:
    """Units [products] of one group for the sampled seasons."""
    effort = effort or Effort()
    fluid = fluid_plan(chain, terms.margin_usd)
    few = seasons.take(effort.trial_seasons)
    plans = thresholded(seasons, terms, fluid.served, fluid.is_offered)
    nothing = np.zeros(len(chain), np.int64)
    if not plans:
        climber = Climber(seasons, terms, 1)
        none = climber.measure(nothing)
        return Decision(none, fluid, none, climber.passes)
    ranked = sorted(range(len(plans)), key=lambda k: (-plans[k].profit_usd, k))
    starts = [plans[k].units for k in ranked[:1]]
    starts += [nothing, first_choices(few, terms)]
    starts += [plans[k].units for k in ranked[1:]]
    found, passes = [], len(plans)
    for start in starts[: effort.starts]:
        climber = Climber(few, terms, effort.passes)
        found.append(climber.climb(start))
        passes += climber.passes
    best = max(range(len(found)), key=lambda k: (found[k].profit_usd, -k))
    climber = Climber(seasons, terms, effort.final_passes)
    at = climber.climb(found[best].units)
    at = climber.tried_out(at, effort.tries)
    least = plans[ranked[0]]
    if at.profit_usd < least.profit_usd:
        at = climber.measure(least.units)
    return Decision(at, fluid, least, passes + climber.passes)
