"""Planners' overrides of demand, laid over the days of the forecast.

`multiply` and `block` change every day on which they hold. `set`, `at_least` and `at_most` name
units a day, over all regions unless the override names one, as the mean of the days on which they
hold: those days are scaled together, so that their weekdays and regions keep their proportions.
An override acts on an item, on each item of a group (a category or department), or on each item;
with an event it holds on the event's days alone. Overrides apply in the order of their ids.

Whoever names a level says more than a factor: the forecast's own doubt, whether the item sells at
all, was part of the level that the planner has replaced. `Redraw` keeps apart how much of a window
is such a level; its distribution is drawn again from the new mean (`Spread.redrawn`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.forecast.panel import F64, I32

Bools = npt.NDArray[np.bool_]
LEVEL_KINDS = ("set", "at_least", "at_most")


@dataclass(frozen=True)
class Rule:
    """An override in a panel's terms.

    rows   (series,) whether it acts on a series
    days   (regions, reach + 1) whether it holds on a day after the origin, by region
    """

    override_id: str
    kind: str
    value: float
    planner: str
    rows: Bools
    days: Bools

    def take(self, rows: slice) -> Rule:
        """The rule for some of the series."""
        return replace(self, rows=self.rows[rows])


@dataclass(frozen=True)
class Keys:
    """What the series of a panel are: item, region and groups by name, and the region's code."""

    item: npt.NDArray[np.object_]
    region: npt.NDArray[np.object_]
    region_code: I32
    groups: tuple[npt.NDArray[np.object_], ...]


def rules_of(
    overrides: pd.DataFrame,
    calendar: pd.DataFrame,
    keys: Keys,
    regions: Sequence[str],
    as_of: date,
    reach: int,
) -> list[Rule]:
    """Every demand override that holds on one of the next `reach` days, in the order of ids."""
    own = overrides[overrides["override_target"].astype(str) == "demand"]
    found = []
    for row in own.sort_values("override_id", kind="stable").to_dict("records"):
        rows = np.ones(len(keys.item), bool)
        if not pd.isna(row["item_id"]):
            rows &= keys.item == str(row["item_id"])
        if not pd.isna(row["region_id"]):
            rows &= keys.region == str(row["region_id"])
        if not pd.isna(row["item_group"]):
            group = str(row["item_group"])
            rows &= np.logical_or.reduce([names == group for names in keys.groups])
        day = np.arange(reach + 1)
        first, last = (
            (row[name] - pd.Timestamp(as_of)).days for name in ("start_date", "expiry_date")
        )
        days = np.tile((day >= max(first, 1)) & (day <= last), (len(regions), 1))
        if not pd.isna(row["event_name"]):
            days &= event_days(calendar, str(row["event_name"]), regions, as_of, reach)
        if rows.any() and days.any():
            found.append(
                Rule(
                    str(row["override_id"]), str(row["override_kind"]),
                    float(row["override_value"]), str(row["planner"]), rows, days,
                )
            )  # fmt: skip
    return found


def event_days(
    calendar: pd.DataFrame, name: str, regions: Sequence[str], as_of: date, reach: int
) -> Bools:
    """Days (regions, reach + 1) after `as_of` on which an event falls."""
    own = calendar[calendar["event_name"].astype(str) == name]
    day = (own["date"] - pd.Timestamp(as_of)).dt.days.to_numpy(np.int64)
    region = pd.Index(list(regions)).get_indexer(own["region_id"].astype(str))
    inside = (region >= 0) & (day >= 0) & (day <= reach)
    out = np.zeros((len(regions), reach + 1), bool)
    out[region[inside], day[inside]] = True
    return out


@dataclass(frozen=True)
class Redraw:
    """What overrides make of the days ahead.

    mean      (series, reach + 1) expected units with all overrides
    named     (series, reach + 1) those of them whose level a planner has named
    touched   (series, reach + 1) number of the last rule that changed a day, −1 for none
    """

    mean: F64
    named: F64
    touched: I32


def overridden(mean: F64, item: I32, region: I32, rules: Sequence[Rule]) -> Redraw:
    """Days `mean` (series, reach + 1) under `rules`; items lie whole in the rows."""
    out, is_named = mean.copy(), np.zeros(mean.shape, bool)
    touched = np.full(mean.shape, -1, np.int32)
    for place, rule in enumerate(rules):
        held = rule.days[region] & rule.rows[:, None]
        if not held.any():
            continue
        if rule.kind in LEVEL_KINDS:
            changed = _level(out, item, held, rule)
            is_named |= changed
        else:
            ruled = np.where(held, out * (rule.value if rule.kind == "multiply" else 0.0), out)
            out, changed = ruled, ruled != out
        touched[changed] = place
    return Redraw(out, np.where(is_named, out, 0.0), touched)


def _level(mean: F64, item: I32, held: Bools, rule: Rule) -> Bools:
    """Scale the held days of each item to the level that a rule names; the days it changed."""
    changed = np.zeros(mean.shape, bool)
    for code in np.unique(item[held.any(axis=1)]):
        rows = np.flatnonzero((item == code) & held.any(axis=1))
        own = held[rows] & (mean[rows] > 0)
        days = own.any(axis=0).sum()
        total = mean[rows][own].sum()
        if days == 0:
            continue
        daily = total / days
        wanted = {
            "set": rule.value,
            "at_least": max(daily, rule.value),
            "at_most": min(daily, rule.value),
        }[rule.kind]
        if wanted != daily or rule.kind == "set":
            mean[rows] = np.where(own, mean[rows] * (wanted / daily), mean[rows])
            changed[rows] = own
    return changed
