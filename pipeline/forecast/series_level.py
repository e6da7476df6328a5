"""The level of a series, and how strange its silence is: what all ratios of a row refer to.

A level is an exponentially weighted mean with the prior of a series' likes. An item that sold for
months and then nothing at all is another matter than a slow one: its level would fade by a half in
three weeks, while of what is silent beyond chance most never comes back, and the rest comes back
at its old rate. So silence has evidence of its own, in sales: the sum of what the level made one
expect, less `KEPT` times what was sold, never below zero (Page 1954), over the units that its sales
come in; who sells a quarter of its level again is no more silent than `SILENT`. Beyond that the
level is kept as it was; of evidence beyond `LUCK` it counts for the share
(1 + (evidence − LUCK) / SILENT) ^ −FADING. Silence of a whole item, in all of its regions at once,
counts as that of each of its series. Days out of an item's season are no evidence, and let what
there is fade: a season's edge comes a few days early or late.

Constants by levels alone, without trees, on 1,417 series of M5's full histories, of which
deviance is 16.3 so and 17.8 without; docs/decisions/forecast.md has the other companies.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.forecast.level_change import lump_units
from pipeline.forecast.panel import F32, F64, I32, Totals
from pipeline.kernels import njit

Bools = npt.NDArray[np.bool_]

HALF_LIFE_DAYS = 21.0
"""Of days; of longer periods it is as many periods over the root of their days."""
PRIOR_DAYS, PRIOR_UNITS = 2.0, 1.0  # the lesser of both: a large prior says little of an item
GROUP_DAYS = 168.0  # series-days of the group that temper the few of like price: three times 56
TINY = 0.02
SILENT, LUCK, FADING, KEPT = 8.0, 3.0, 0.7, 4.0
"""Evidence is kept down by sales of a quarter of the level or more: less is no mere slowing."""
MOST_SILENCE, LEAST_KNOWN_DAYS = 300.0, 14.0
SILENT_HALF_LIVES = 16.0 / 3.0
"""A level that is kept is forgotten as much slower: its weight, not its height."""
RETURN_DAYS = 38.0
"""Mean days until an item that is silent in all regions is back (M5 up to 1773: 0.1, 0.23, 0.42,
0.7 of the old level after 4, 10, 21, 42 days, whatever the evidence)."""
FADES_A_DAY = 0.9
"""What remains of evidence after a day out of an item's season."""


@njit(cache=True)
def sum_over(running, row, end, days):  # type: ignore[no-untyped-def]  # numba kernel
    """Sum over the `days` days up to and with day `end` (as a place in `running`)."""
    high = min(max(end + 1, 0), running.shape[1] - 1)
    low = min(max(end + 1 - days, 0), running.shape[1] - 1)
    return running[row, high] - running[row, low]


@njit(cache=True)
def _more_silence(silence, expected, units, lump):  # type: ignore[no-untyped-def]  # numba kernel
    if KEPT * units > expected:
        silence = min(silence, SILENT)
    return min(max(0.0, silence + (expected - KEPT * units) / lump), MOST_SILENCE)


def item_silence(totals: Totals, in_season: Bools, half_life: float) -> F64:
    """Evidence (items, lead + days + 1) of each item's silence in all regions, before each day;
    `in_season` (items, lead + days) are the days well within each item's season."""
    out = np.zeros((len(in_season), in_season.shape[1] + 1))
    _item_silence(totals.item_units, totals.item_count, in_season, half_life, out)
    return out


def log_return(evidence: F32 | F64, item_evidence: F64, regions: F64, days: I32) -> F64:
    """Logarithm (rows,) of what an item that is silent in all regions may sell so many days ahead,
    over the share of its level that silence leaves: no more than the chance that it is back by
    then. Nothing of it up to `SILENT`, all of it from twice as much `item_evidence` on; nothing
    in a single region, whose silence no other one bears out."""
    part = np.clip(item_evidence / SILENT - 1.0, 0.0, 1.0) * np.clip(regions - 1.0, 0.0, 1.0)
    beyond = np.maximum(np.maximum(evidence, item_evidence) - LUCK, 0.0)
    is_back = np.log1p(-np.exp(-days / RETURN_DAYS))
    return np.asarray(part * np.minimum(is_back + FADING * np.log1p(beyond / SILENT), 0.0))


def regions_of(item_count: F64, item: I32, end: I32) -> F64:
    """Regions (rows,) that an item was sold in on a day of the last four weeks before `end`, of
    running sums of its series seen."""
    begin = np.maximum(end - 28, 0)
    return (item_count[item, end] - item_count[item, begin]) / np.maximum(end - begin, 1)


@njit(cache=True)
def _item_silence(sold, count, in_season, half_life, out):  # type: ignore[no-untyped-def]  # numba kernel
    decay = 0.5 ** (1.0 / half_life)
    slowly = decay ** (1.0 / SILENT_HALF_LIVES)
    for i in range(sold.shape[0]):
        units, weight, known = 0.0, 0.0, 0.0
        total, square, days, silence = 0.0, 0.0, 0.0, 0.0
        for d in range(sold.shape[1]):
            if count[i, d] > 0:
                expected = units / weight * count[i, d] if weight > 0 else 0.0
                total += sold[i, d]
                square += sold[i, d] ** 2
                days += 1.0
                if not in_season[i, d]:
                    silence *= FADES_A_DAY
                elif known >= LEAST_KNOWN_DAYS:
                    lump = lump_units(total, square, days)
                    silence = _more_silence(silence, expected, sold[i, d], lump)
                if silence > SILENT and sold[i, d] * KEPT <= expected:
                    units, weight, known = units * slowly, weight * slowly, known * slowly
                else:
                    units = units * decay + sold[i, d]
                    weight = weight * decay + count[i, d]
                    known = known * decay + 1.0
            out[i, d + 1] = silence


@njit(cache=True)
def levels(  # type: ignore[no-untyped-def]  # numba kernel
    demand, behind, item, group, like, lead, group_units, group_count, item_units, item_count,
    like_units, like_count, silent, begun, in_season, half_life, level, silence, last_sale,
):  # fmt: skip
    """Fill `level`, `silence` and `last_sale` (n, days + 1), each as known before a day; `silent`
    is the silence of items and `begun` since when their levels are as they are (`level_change`),
    `in_season` (items, lead + days) as in `item_silence`.

    A series' prior is what like-priced series of its group sell, and its item elsewhere: the
    geometric mean of both, since either alone is far too high for new items on average.
    """
    decay = 0.5 ** (1.0 / half_life)
    slowly = decay ** (1.0 / SILENT_HALF_LIVES)
    n, days = demand.shape
    for i in range(n):
        units, weight, sold, own = 0.0, 0.0, -1000, 0.0
        total, square, known = 0.0, 0.0, 0.0
        of_units, of_weight = np.zeros(days + 1), np.zeros(days + 1)  # running sums
        for d in range(days + 1):
            end = lead + d - 1
            since = begun[item[i], end + 1] - lead
            if d > 0 and since >= 0 and begun[item[i], end + 1] != begun[item[i], end]:
                units, weight = of_units[d] - of_units[since], of_weight[d] - of_weight[since]
            prior = sum_over(group_units, group[i], end, 56)
            prior /= max(sum_over(group_count, group[i], end, 56), 1.0)
            prior = (sum_over(like_units, like[i], end, 56) + GROUP_DAYS * prior) / (
                sum_over(like_count, like[i], end, 56) + GROUP_DAYS
            )
            count = sum_over(item_count, item[i], end, 56)
            if count > 0:
                elsewhere = sum_over(item_units, item[i], end, 56) / count
                part = 0.5 * min(count / 28.0, 1.0)
                prior = max(elsewhere, TINY) ** part * max(prior, TINY) ** (1.0 - part)
            borrowed = min(PRIOR_DAYS, PRIOR_UNITS / max(prior, TINY))
            mean = (units + borrowed * prior) / (weight + borrowed)
            beyond = max(own, silent[item[i], end + 1])
            share = (1.0 + max(beyond - LUCK, 0.0) / SILENT) ** -FADING
            level[i, d], silence[i, d] = mean * share + 0.5 * TINY, own
            last_sale[i, d] = sold
            if d == days:
                continue
            of_units[d + 1], of_weight[d + 1] = of_units[d], of_weight[d]
            if np.isnan(demand[i, d]):
                continue
            of_units[d + 1] += demand[i, d]
            of_weight[d + 1] += behind[i, d]
            total += demand[i, d]
            square += demand[i, d] ** 2
            known += 1.0
            if not in_season[item[i], lead + d]:
                own *= FADES_A_DAY
            elif weight >= LEAST_KNOWN_DAYS:
                lump = lump_units(total, square, known)
                own = _more_silence(own, mean * behind[i, d], demand[i, d], lump)
            if max(own, beyond) > SILENT and demand[i, d] * KEPT <= mean * behind[i, d]:
                units, weight = units * slowly, weight * slowly
            else:
                passed = decay ** min(behind[i, d], 1.0)
                units = units * passed + demand[i, d]
                weight = weight * passed + behind[i, d]
            if demand[i, d] > 0:
                sold = d
