"""What a change brings or costs over the whole run: profit taken apart, lost sales by their cause,
the items that pay for it, and the weeks in which they do.

An event of some days is answered by sums, a lasting change by the means of `effect`. Differences
are paired by replication, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.simulate.report.effect import Effect, Frames
from pipeline.simulate.report.intervals import Interval, interval
from pipeline.simulate.world.day import MONEY

CAUSE_LABELS = {
    "late_vendor": "Late vendor: units were overdue", "capacity": "Capacity of a vendor or a lane",
    "placement": "Placement: units were in other nodes",
    "forecast": "Forecast: more was asked for than expected",
    "policy": "Policy: not ordered, too little or too late",
}  # fmt: skip
_STEPS = dict(zip(MONEY, (
    "Sales", "Cost of goods", "Delivery to customers", "Goodwill for late units",
    "Goodwill for lost sales", "Handling", "Transport between nodes", "Capital in stock",
    "Storage", "Paid above standard cost", "Overflow",
), strict=True))  # fmt: skip
_MONEY = "Profit, USD; costs are negative"
_LOST = "Lost sales, USD at selling price, by first cause"
_MOST_ITEMS = 10


@dataclass(frozen=True)
class Week:
    """The difference that a week made: its first day, profit in usd."""

    first_day: pd.Timestamp
    profit: Interval


def whole_run(changed: Frames, unchanged: Frames, policy: str) -> list[Effect]:
    """Sums over the run: each part of profit with its sign, so that they add up to the profit of
    the last row; then lost sales in usd by cause, and all."""
    totals = [_of(frames["simulated_totals"], policy).set_index("replication")
              for frames in (unchanged, changed)]  # fmt: skip
    found = [
        _effect(_MONEY, label, *(rows[name] if name == MONEY[0] else -rows[name]
                                 for rows in totals))
        for name, label in _STEPS.items()
    ]  # fmt: skip
    found.append(_effect(_MONEY, "Profit", *(rows["profit_usd"] for rows in totals)))
    losses = [_of(frames["simulated_losses"], policy) for frames in (unchanged, changed)]
    replications = totals[1].index
    for cause, label in [*CAUSE_LABELS.items(), ("", "All lost sales")]:
        sums = [_lost(rows, cause, replications) for rows in losses]
        found.append(_effect(_LOST, label, *sums))
    return found


def item_effects(
    changed: Frames, unchanged: Frames, policy: str, items: pd.DataFrame
) -> list[Effect]:
    """Profit over the run of the items whose profit changes most; group: the item's department,
    label: its identifier and name."""
    wide = [
        _of(frames["simulated_item_weeks"], policy)
        .groupby(["replication", frames["simulated_item_weeks"]["item_id"].astype("str")])[
            "profit_usd"
        ]
        .sum()
        .unstack()
        for frames in (unchanged, changed)
    ]
    known = items.set_index(items["item_id"].astype("str"))
    found = []
    for item in wide[0].columns:
        row = known.loc[item]
        name = str(row["item_name"]) if "item_name" in known and pd.notna(row["item_name"]) else ""
        label = item if name in ("", item) else f"{item}, {name}"
        found.append(_effect(str(row["department"]), label, wide[0][item], wide[1][item]))
    found.sort(key=lambda effect: (-abs(effect.difference.mean), effect.label))
    return [effect for effect in found[:_MOST_ITEMS] if effect.difference.mean != 0]


def weeks(changed: Frames, unchanged: Frames, policy: str) -> list[Week]:
    """The difference of profit in each seven days from the first on."""
    daily = [
        _of(frames["simulated_days"], policy).pivot(
            index="replication", columns="date", values="profit_usd"
        )
        for frames in (unchanged, changed)
    ]
    gap = daily[1] - daily[0]
    return [
        Week(gap.columns[first], interval(gap.iloc[:, first : first + 7].sum(axis=1).to_numpy()))
        for first in range(0, gap.shape[1], 7)
    ]


@dataclass(frozen=True)
class Insurance:
    """What it takes to have in stock, all the run, what a change made unsaleable.

    goods_usd: its cost; carrying_usd: capital and storage of it in ``days``; every_days: days from
    one such change to the next up to which that is less than what the change costs, days times its
    cost over carrying_usd.
    """

    goods_usd: float
    carrying_usd: float
    days: int
    every_days: float


def insurance(parts: list[Effect], unchanged: Frames, policy: str) -> Insurance | None:
    """None where the change does not clearly lose sales and profit, or nothing is in stock.

    parts: of whole_run. A dollar of stock is carried at what a mean one of the unchanged run is.
    """
    named = {part.label: part for part in parts}
    profit, goods = named["Profit"].difference, named["Cost of goods"].difference.mean
    stock_usd = float(_of(unchanged["simulated_totals"], policy)["inventory_usd"].mean())
    is_clear = named["All lost sales"].difference.low > 0 and profit.high < 0
    if not is_clear or goods <= 0 or stock_usd <= 0:
        return None
    carried = -sum(named[label].without.mean for label in ("Capital in stock", "Storage"))
    carrying = goods * carried / stock_usd
    days = _of(unchanged["simulated_days"], policy)["date"].nunique()
    return Insurance(goods, carrying, days, days * -profit.mean / max(carrying, 1e-9))


def _of(frame: pd.DataFrame, policy: str) -> pd.DataFrame:
    return frame[frame["policy"].astype("str") == policy]


def _lost(rows: pd.DataFrame, cause: str, replications: pd.Index) -> pd.Series:
    """Lost usd by replication; cause: empty for all."""
    if cause:
        rows = rows[rows["loss_cause"].astype("str") == cause]
    sums = rows.groupby("replication")["lost_usd"].sum()
    return sums.reindex(replications, fill_value=0.0)


def _effect(group: str, label: str, without: pd.Series, changed: pd.Series) -> Effect:
    values = [part.to_numpy(np.float64) for part in (without, changed)]
    return Effect(group, label, 0, interval(values[0]), interval(values[1]),
                  interval(values[1] - values[0]))  # fmt: skip
