"""What a change does: the changed world against the same world without it, on the same luck.

Differences are paired by replication. Figures are means by day over the second half of the run,
because both runs start from the same stock and orders take their lead times to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from pipeline.simulate.report.intervals import Interval, interval

Frames = dict[str, pd.DataFrame]
Figure = Callable[[Frames], pd.Series]  # a value for each replication
_COSTS = ("shipping_usd", "missed_speed_usd", "handling_usd", "transport_usd", "storage_usd",
          "holding_usd", "goodwill_usd", "overflow_usd")  # fmt: skip
_COST_LABELS = ("Delivery to customers", "Goodwill for late units", "Handling", "Transport between "
                "nodes", "Storage", "Capital", "Goodwill for lost units", "Overflow")  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """One figure without and with the change, and the paired difference.

    group: what it is a figure of; label: its name; digits: decimals to show.
    """

    group: str
    label: str
    digits: int
    without: Interval
    changed: Interval
    difference: Interval

    @property
    def share(self) -> float:
        """The difference as a share of the figure without the change; NaN if that is 0."""
        base = self.without.mean
        return self.difference.mean / abs(base) if base else float("nan")


def effects(changed: Frames, unchanged: Frames, policy: str) -> list[Effect]:
    """All figures of one policy, in reading order: stock, promise, costs of a unit sold."""
    pair = tuple(_settled(frames, policy) for frames in (unchanged, changed))
    found = [_effect(pair, "Stock, USD", "all nodes", 0, _stock(None, ""))]
    for tier in sorted(pair[0]["simulated_tiers"]["tier"].astype("str").unique()):
        found.append(_effect(pair, "Stock, USD", tier_name(tier), 0,
                             _stock("tier", tier)))  # fmt: skip
    for speed in sorted(pair[0]["simulated_speeds"]["speed"].astype("str").unique()):
        name = speed.replace("_", "-")
        found.append(_effect(pair, "Orders, % of units", f"promised {name}", 1, _asked(speed)))
        found.append(_effect(pair, "Promises kept, % of units", name, 1, _kept(speed)))
    found.append(_effect(pair, "Promises kept, % of units", "all", 1, _kept(None)))
    for column, label in zip(_COSTS, _COST_LABELS, strict=True):
        found.append(_effect(pair, "Cost, USD a unit sold", label, 3, _per_unit(column)))
    found.append(_effect(pair, "Trade, a day", "Units lost", 1, _daily("lost_units")))
    found.append(_effect(pair, "Trade, a day", "Profit, USD", 0, _daily("profit_usd")))
    order = list(dict.fromkeys(effect.group for effect in found))
    return sorted(found, key=lambda effect: order.index(effect.group))


def node_effects(changed: Frames, unchanged: Frames, policy: str) -> list[Effect]:
    """Stock of each node in usd, the largest change first; group: the node's tier."""
    pair = tuple(_settled(frames, policy) for frames in (unchanged, changed))
    nodes = pair[1]["simulated_nodes"].astype({"node_id": "str", "tier": "str"})
    found = [
        _effect(pair, tier_name(tier)[:-1], node, 0, _stock("node_id", node))
        for node, tier in nodes[["node_id", "tier"]].drop_duplicates().itertuples(index=False)
    ]
    return sorted(found, key=lambda effect: (-abs(effect.difference.mean), effect.label))


def tier_name(tier: str) -> str:
    """A tier's name in the plural, e.g. same-day sites."""
    return tier.replace("same_day", "same-day").replace("_", " ") + "s"


def first_settled_day(days: pd.Series) -> pd.Timestamp:
    """The first day of the second half."""
    dates = sorted(days.unique())
    return pd.Timestamp(dates[len(dates) // 2])


def _settled(frames: Frames, policy: str) -> Frames:
    """The policy's rows of the second half."""
    start = first_settled_day(frames["simulated_days"]["date"])
    return {
        name: frame[(frame["policy"].astype("str") == policy) & (frame["date"] >= start)]
        for name, frame in frames.items()
        if "date" in frame
    }


def _effect(
    pair: tuple[Frames, ...], group: str, label: str, digits: int, figure: Figure
) -> Effect:
    without, changed = (figure(frames) for frames in pair)
    everywhere = without.index.union(changed.index)  # a new site has no stock without the change
    without, changed = (part.reindex(everywhere, fill_value=0.0) for part in (without, changed))
    return Effect(group, label, digits, interval(without.to_numpy(float)),
                  interval(changed.to_numpy(float)),
                  interval((changed - without).to_numpy(float)))  # fmt: skip


def _stock(column: str | None, name: str) -> Figure:
    """Mean stock at day's end by replication, of all nodes or of those that `column` names."""

    def figure(frames: Frames) -> pd.Series:
        rows = frames["simulated_nodes"]
        rows = rows if column is None else rows[rows[column].astype("str") == name]
        return rows.groupby(["replication", "date"])["inventory_usd"].sum().groupby(level=0).mean()

    return figure


def _asked(speed: str) -> Figure:
    def figure(frames: Frames) -> pd.Series:
        asked = _by_speed(frames)["demand_units"].unstack()
        return 100 * asked[speed] / asked.sum(axis=1)

    return figure


def _kept(speed: str | None) -> Figure:
    def figure(frames: Frames) -> pd.Series:
        sums = _by_speed(frames)
        rows = sums.groupby(level=0).sum() if speed is None else sums.xs(speed, level=1)
        return 100 * rows["kept_units"] / rows["demand_units"].clip(lower=1)

    return figure


def _by_speed(frames: Frames) -> pd.DataFrame:
    rows = frames["simulated_speeds"]
    by = [rows["replication"], rows["speed"].astype("str")]
    return rows.groupby(by)[["demand_units", "kept_units"]].sum()


def _per_unit(column: str) -> Figure:
    def figure(frames: Frames) -> pd.Series:
        sums = frames["simulated_days"].groupby("replication")[
            [column, "kept_units", "late_units"]
        ].sum()  # fmt: skip
        return sums[column] / (sums["kept_units"] + sums["late_units"]).clip(lower=1)

    return figure


def _daily(column: str) -> Figure:
    return lambda frames: frames["simulated_days"].groupby("replication")[column].mean()
