"""How likely it is that an item which sells no more is dead, rather than slow.

While it lives, an item sells on a day with a chance of its own, of which the days before its last
sale tell (a Beta law); on any day it may die, with a small chance that all items share. Silence of
n days is then either all luck, or luck up to a day and death after it (the counting of Fader,
Hardie and Lee 2005, "Counting your customers the easy way", for items in place of customers). Days
count by what the item's sisters sold on them: a silence that a whole department shares says
little. Only days on which the item could sell count at all, so an empty shelf kills nothing. It may
also go away and come back, as often as its own past absences say, drawn to all items'.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln, pdtr

F64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

PACE_PRIOR = (0.5, 1.0)
"""Beta law of an item's chance of a sale on a day where few items are known; see `pace_law`."""
LEAST_ITEMS, LEAST_SEEN, MOST_STRENGTH = 20, 28, 20.0
DAILY_DEATHS, BORROWED_DAYS = 1 / 1825, 7300.0
"""An item dies once in five years, which weighs as much as twenty item-years."""
FAR_DAYS = 28
"""Who is still away then is no more use to tonight's orders than who is dead."""
BORROWED_OWN_DAYS, ABSENT_DAYS, BORROWED_ABSENCES = 365.0, 38.0, 10
"""Days of all items that an item's own absences are drawn to; days that an absence lasts at first
(as `forecast.series_level.RETURN_DAYS`), which is worth so many of them."""
LEAST_ABSENCE, UNLIKELY = 7, 1e-5
MOST_INDEX = 2.0
YEAR_DAYS, NEAR_DAYS = 364, 14
_ROUNDS = 8


def dead_probability(
    sales: Ints, seen: Ints, silent: F64, lived: Ints, absences: Ints, absent_days: float
) -> F64:
    """Probability (items,) of being dead, or away and not back within `FAR_DAYS`.

    Of `seen` days up to an item's last sale, `sales` had one; since then came so many `silent`
    days, by what its sisters sold; `lived` are all days on which it could sell. It was away, for
    `absent_days` in the mean of all items, and came back so many times (`absences`). The chance of
    dying on a day is learned from all items (EM) and drawn to `DAILY_DEATHS`, that of going away
    from its own absences and drawn to all items'.
    """
    law = pace_law(sales, seen)
    a: F64 = (law[0] + sales).astype(np.float64)
    b: F64 = (law[1] + np.maximum(seen - sales, 0)).astype(np.float64)
    leaving = absences.sum() / (lived.sum() + BORROWED_DAYS)
    away = (absences + leaving * BORROWED_OWN_DAYS) / (lived + BORROWED_OWN_DAYS)
    stay = math.exp(-1.0 / absent_days)
    hazard = DAILY_DEATHS
    dead = np.zeros(len(silent))
    for _ in range(_ROUNDS):
        dead = _dead(a, b, silent, hazard, away, stay)
        deaths, days = float(dead.sum()), float((lived - dead * silent).sum())
        hazard = (deaths + BORROWED_DAYS * DAILY_DEATHS) / (max(days, 0.0) + BORROWED_DAYS)
    return dead


def absences(sold: npt.NDArray[np.bool_], could_sell: npt.NDArray[np.bool_]) -> tuple[Ints, float]:
    """How often each item (items,) was away and came back, and for how many days in the mean.

    Away is a run of `LEAST_ABSENCE` and more of the days (items, days) that could have a sale, of a
    chance below `UNLIKELY` by the share of its days that have one.
    """
    count, lengths = np.zeros(len(sold), np.int64), [np.full(BORROWED_ABSENCES, ABSENT_DAYS)]
    for i, (own, could) in enumerate(zip(sold, could_sell, strict=True)):
        day = np.flatnonzero(own[could])
        if len(day) < 2:
            continue
        gap = np.diff(day) - 1
        quiet = (gap.sum() + 1) / (gap.sum() + len(day) + 2)
        was_away = (gap >= LEAST_ABSENCE) & (gap * math.log(quiet) < math.log(UNLIKELY))
        count[i] = was_away.sum()
        lengths.append(gap[was_away])
    return count, float(np.concatenate(lengths).mean())


def pace_law(sales: Ints, seen: Ints) -> tuple[float, float]:
    """Beta law of items' chances of a sale on a day, by those seen for four weeks."""
    known = seen >= LEAST_SEEN
    if known.sum() < LEAST_ITEMS:
        return PACE_PRIOR
    pace = sales[known] / seen[known]
    mean = float(np.clip(pace.mean(), 1e-3, 1 - 1e-3))
    noise = float((pace * (1 - pace) / seen[known]).mean())
    between = max(float(pace.var()) - noise, 1e-4)
    strength = float(np.clip(mean * (1 - mean) / between - 1, 0.5, MOST_STRENGTH))
    return mean * strength, (1 - mean) * strength


def _dead(a: F64, b: F64, silent: F64, hazard: float, away: F64, stay: float) -> F64:
    """Died after k silent days, for each k, against all silence luck, or gone away after k days,
    and away (`stay` a day) until now."""
    whole = np.ceil(silent - 1e-9).astype(np.int64)
    died, gone = np.zeros(len(silent)), np.zeros(len(silent))
    order = np.argsort(-whole, kind="stable")
    length = whole[order]
    for k in range(int(length[0]) if len(length) else 0):
        own = order[: int(np.searchsorted(-length, -k, side="left"))]
        lives = (1 - hazard) ** k * _silence(a[own], b[own], float(k))
        died[own] += hazard * lives
        gone[own] += away[own] * lives * stay ** (whole[own] - k)
    lives = (1 - hazard) ** whole * _silence(a, b, silent) + gone
    return np.asarray((died + stay**FAR_DAYS * gone) / (died + lives))


def _silence(a: F64, b: F64, days: F64 | float) -> F64:
    """Chance that an item whose daily chance of a sale is Beta(a, b) sells nothing for `days`."""
    log_chance = gammaln(b + days) + gammaln(a + b) - gammaln(b) - gammaln(a + b + days)
    return np.asarray(np.exp(log_chance))


def silent_days(
    group: npt.NDArray[np.integer], units: Ints, could_sell: npt.NDArray[np.bool_], last: Ints,
    pace_days: int, by_year: bool = False,
) -> F64:  # fmt: skip
    """Days (items,) since the last sale on which an item could sell, by its sisters' sales.

    A day counts as the number of others of its group that sold, over what the `pace_days` before
    the item's last sale make one expect; one sale is added to both, so that few sisters say little
    and none nothing. by_year: and as `of_year` says.
    """
    days = np.arange(units.shape[1])
    out = np.zeros(len(units))
    for code in np.unique(group):
        rows = np.flatnonzero(group == code)
        could = could_sell[rows]
        sold = (units[rows] > 0) & could
        others_sold = sold.sum(axis=0) - sold.astype(np.float64)
        others_could = could.sum(axis=0) - could.astype(np.float64)
        end = np.where(last[rows] < 0, len(days), last[rows] + 1)[:, None]
        before = (days < end) & (days >= end - pace_days)
        usual = (others_sold * before).sum(axis=1) / np.maximum(
            (others_could * before).sum(axis=1), 1.0
        )
        index = (others_sold + 1) / (others_could * usual[:, None] + 1)
        since = could & (days > last[rows][:, None])
        weight = of_year(units[rows], could, last[rows]) if by_year else 1.0
        out[rows] = (np.minimum(index, MOST_INDEX) * since * weight).sum(axis=1)
    return out


def of_year(units: Ints, could_sell: npt.NDArray[np.bool_], last: Ints) -> F64:
    """How much a day (items, days) counts by what the item sold a year before it: twice the chance
    of so few units at its year's mean, at most 1, of the `NEAR_DAYS` up to then or of those from
    then on, whichever is less; 1 where a year ago is not known.

    An item that sells in August alone was as silent last June: that says nothing.
    """
    days = np.arange(units.shape[1])
    sold, could = (
        np.concatenate([np.zeros((len(units), 1)), np.cumsum(own, axis=1)], axis=1)
        for own in (units * could_sell, could_sell)
    )
    row, end = np.arange(len(units)), np.maximum(last + 1, 0)
    begin = np.maximum(end - YEAR_DAYS, 0)
    year, could_year = sold[row, end] - sold[row, begin], could[row, end] - could[row, begin]
    mean = (year / np.maximum(could_year, 1.0))[:, None]
    out = np.ones(units.shape)
    for off in (1 - NEAR_DAYS, 0):
        low = np.clip(days - YEAR_DAYS + off, 0, len(days))
        high = np.clip(low + NEAR_DAYS, 0, len(days))
        near, could_near = sold[:, high] - sold[:, low], could[:, high] - could[:, low]
        known = (days - YEAR_DAYS + off >= 0) & (could_near >= NEAR_DAYS / 2)
        out = np.minimum(out, np.where(known, 2 * pdtr(near, mean * could_near), 1.0))
    return np.asarray(out)


def groups_of(items: pd.DataFrame, names: pd.Index) -> npt.NDArray[np.integer]:
    """Code (items,) of each item's department; one of all where the table has none."""
    if "department" not in items:
        return np.zeros(len(names), np.int64)
    known = items.set_index(items["item_id"].astype("str"))["department"].reindex(names)
    return np.asarray(pd.factorize(known.astype("str"), sort=True)[0])
