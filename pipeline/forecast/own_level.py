"""How much a company sells of what simulated demand makes one expect: learned on its own days.

Trees grown on simulated series (`prior`) know nothing of the company, and their level is off by a
tenth or two for reasons of chance: another draw of the simulation, or launches and lumps that are
not like the company's. So they are asked for the company's own last four weeks, as known before
them, and what came over what was expected moves all forecasts. That ratio is of one occasion, whose
own shock may be as large as what the trees are wrong by; it counts by half, and by less where few
sales tell it.
"""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from pipeline.forecast.mean import daily_mean
from pipeline.forecast.panel import F64, Panel
from pipeline.forecast.panel import totals as sums_of
from pipeline.forecast.seasons import as_known
from pipeline.forecast.windows import foresee_days

JUDGED_DAYS, LEAST_KNOWN_DAYS = 28, 14
LEVEL_ERROR = 0.15
"""Standard deviation of logarithms: of the trees' level, and of what an occasion has of its own."""
MOST_LOG_RATIO = 0.7


def own_level(booster: lgb.Booster, panel: Panel, threads: int) -> float:
    """Factor of all forecasts of `booster`, by what `panel` sold in its last four weeks (in half of
    a shorter history) over what the trees expected of them; 1 where too little is known."""
    span = max(1, min(JUDGED_DAYS // panel.period_days, panel.days // 2))
    origin = panel.whole_origin(panel.days - 1 - span)
    if origin + 1 < LEAST_KNOWN_DAYS // panel.period_days or origin + span >= panel.days:
        return 1.0
    known = as_known(panel, origin)
    ahead = foresee_days(daily_mean(booster), known, sums_of(known), origin, [(1, span)]).mean[
        :, 1:
    ]
    days = slice(origin + 1, origin + 1 + span)
    seen = panel.observed()[:, days] & (panel.launch_day <= origin)[:, None]
    expected = (ahead * seen).sum(axis=1)
    came = np.where(seen, np.nan_to_num(panel.demand[:, days]), 0.0).sum(axis=1, dtype=np.float64)
    return factor(expected, came)


def factor(expected: F64, came: F64) -> float:
    """Share of the ratio of `came` to `expected` (series,) that is believed, as a factor."""
    if expected.sum() <= 0 or came.sum() <= 0:
        return 1.0
    ratio = came.sum() / expected.sum()
    noise = ((came - ratio * expected) ** 2).sum() / came.sum() ** 2
    share = LEVEL_ERROR**2 / (2 * LEVEL_ERROR**2 + noise)
    log_ratio = np.clip(np.log(ratio), -MOST_LOG_RATIO, MOST_LOG_RATIO)
    return round(float(np.exp(share * log_ratio)), 4)


def times(booster: lgb.Booster, by: float) -> lgb.Booster:
    """The trees whose forecasts are those of `booster` times `by`: its first tree gives log(by)
    more."""
    made = lgb.Booster(model_str=booster.model_to_string())
    leaves = made.dump_model(num_iteration=1)["tree_info"][0]["num_leaves"]
    for leaf in range(leaves):
        made.set_leaf_output(0, leaf, made.get_leaf_output(0, leaf) + float(np.log(by)))
    return made
