"""What past promotions did beside lifting an item: what they took from others, the dip after.

A promotion is a run of days on which an item's price is cut (see `price_lift`). Three figures of
each, in units over all regions, against what the item's rate before it would have sold, everything
moved by what the rest of the company did meanwhile:

    gain     what the item sold more during the run
    taken    what the other items of its group sold less during the run (cannibalization)
    dip      what the item sold less in the `AFTER_DAYS` after it (customers had stocked up)

A group's shares taken / gain and dip / gain are ratios of sums, drawn to those of all groups and
these to `PRIOR_TAKEN` and `PRIOR_DIP` with the weight of `PRIOR_RUNS` runs. Both lie in [0, 0.9].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F64, Panel
from pipeline.forecast.price_lift import cut_depths

MOST_DAYS = 42
BEFORE_DAYS, AFTER_DAYS = 28, 14
PRIOR_TAKEN, PRIOR_DIP, PRIOR_RUNS = 0.2, 0.1, 8.0
LEAST_GAIN = 1.0


@dataclass(frozen=True)
class Runs:
    """Past promotions: item, first day, days, and what each did, in units."""

    item: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    days: npt.NDArray[np.int64]
    gain: F64
    taken: F64
    dip: F64


def past_runs(panel: Panel, group: npt.NDArray[np.integer]) -> Runs:
    """The promotions of a panel whose `BEFORE_DAYS` before and `AFTER_DAYS` after are known;
    `group` (items,) holds an item's substitutes."""
    items = int(panel.item.max()) + 1
    sold = np.zeros((items, panel.days))
    np.add.at(sold, panel.item, np.nan_to_num(panel.demand).astype(np.float64))
    cut = _cut(panel, items)
    everything = sold.sum(axis=0)
    grouped = np.zeros((int(group.max()) + 1, panel.days))
    np.add.at(grouped, group, sold)
    rows = []
    for item in range(items):
        steps = np.flatnonzero(np.diff(np.concatenate([[0], cut[item], [0]])))
        for start, end in zip(steps[::2], steps[1::2], strict=True):
            if start < BEFORE_DAYS or end + AFTER_DAYS > panel.days or end - start > MOST_DAYS:
                continue
            if cut[item, start - BEFORE_DAYS : start].mean() > 0.5:
                continue
            others = grouped[group[item]] - sold[item]
            rest = everything - grouped[group[item]]
            did = _run(sold[item], others, rest, cut[item], int(start), int(end))
            rows.append((item, start, end - start, *did))
    table = np.array(rows, np.float64).reshape(-1, 6)
    whole = table[:, :3].astype(np.int64)
    return Runs(whole[:, 0], whole[:, 1], whole[:, 2], table[:, 3], table[:, 4], table[:, 5])


def _cut(panel: Panel, items: int) -> npt.NDArray[np.int8]:
    """Days (items, days) on which an item's mean price is cut."""
    known = np.isfinite(panel.price[:, : panel.days])
    price, count = np.zeros((items, panel.days)), np.zeros((items, panel.days))
    np.add.at(price, panel.item, np.where(known, panel.price[:, : panel.days], 0.0))
    np.add.at(count, panel.item, known.astype(np.float64))
    mean = np.where(count > 0, price / np.maximum(count, 1), np.nan)
    return (cut_depths(mean, panel.period_days) > 0).astype(np.int8)


def _run(
    own: F64, others: F64, rest: F64, cut: npt.NDArray[np.int8], start: int, end: int
) -> tuple[float, float, float]:
    """Gain, taken and dip of the run of days start … end − 1."""
    before = slice(start - BEFORE_DAYS, start)
    quiet = np.asarray(cut[before] == 0)
    rate, other_rate, rest_rate = (each[before][quiet].mean() for each in (own, others, rest))

    def usual(days: slice) -> float:
        """How much the rest of the company sold of its rate before."""
        return float(np.clip((rest[days].mean() + 1.0) / (rest_rate + 1.0), 0.5, 2.0))

    during, after = slice(start, end), slice(end, end + AFTER_DAYS)
    calm = np.asarray(cut[after] == 0)
    moved = usual(during)
    gain = own[during].sum() - rate * moved * (end - start)
    taken = other_rate * moved * (end - start) - others[during].sum()
    dip = (rate * usual(after) * calm.sum()) - own[after][calm].sum()
    return float(gain), float(taken), float(dip)


@dataclass(frozen=True)
class Effects:
    """Shares of a promotion's gain: taken from others of the group, and missed after it; and the
    past runs that say so."""

    taken: float
    dip: float
    runs: int


def effects_of(runs: Runs, group: npt.NDArray[np.integer], own: int) -> Effects:
    """The effects in group `own`, drawn to those of all groups."""
    is_real = runs.gain > LEAST_GAIN
    inside = is_real & (group[runs.item] == own)
    size = float(runs.gain[is_real].mean()) if is_real.any() else 1.0
    shares = []
    for lost, prior in ((runs.taken, PRIOR_TAKEN), (runs.dip, PRIOR_DIP)):
        weight = PRIOR_RUNS * size
        of_all = (lost[is_real].sum() + weight * prior) / (runs.gain[is_real].sum() + weight)
        of_own = (lost[inside].sum() + weight * of_all) / (runs.gain[inside].sum() + weight)
        shares.append(float(np.clip(of_own, 0.0, 0.9)))
    return Effects(shares[0], shares[1], int(inside.sum()))
