"""How far forecasts move from one night to the next, and which driver moved them.

Tonight's model forecasts the same days twice, as known yesterday and as known today: what differs
is what the last day told, a promotion announced or a price changed, not the luck of training.

The change of a day's mean is shared among the drivers by their Shapley values: the features of a
set of drivers are taken from today, all others from yesterday, and a driver gets the mean of what
it adds over all orders in which the drivers can turn from one night to the other. With six drivers
those are 64 predictions, exact and cheaper than the Shapley values of single features; the shares
add up to the change without remainder (Shapley, 1953).
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.forecast.explanation import DRIVERS
from pipeline.forecast.features import drivers_of_features
from pipeline.forecast.panel import F32, F64, Panel, Totals
from pipeline.forecast.windows import OFF_SALE_UNITS, day_features, foresee, on_sale

REVISED_DAYS = 28
WHOLE = "all"

MeanOf = Callable[[F32], F64]


def means_of_two_nights(mean_of: MeanOf, shard: Panel, totals: Totals) -> tuple[F64, F64]:
    """Expected units (series,) of the next 28 days, as known yesterday and as known today."""
    last = shard.days - 1
    before = foresee(mean_of, shard, totals, last - 1, [(2, REVISED_DAYS)]).mean
    after = foresee(mean_of, shard, totals, last, [(1, REVISED_DAYS)]).mean
    return (
        np.where(before > OFF_SALE_UNITS, before, 0.0), np.where(after > OFF_SALE_UNITS, after, 0.0)
    )  # fmt: skip


def drivers_of_change(mean_of: MeanOf, shard: Panel, totals: Totals) -> F64:
    """Units (series, DRIVERS) that each driver added since yesterday to the next 28 days."""
    ahead, last = np.arange(1, REVISED_DAYS + 1, dtype=np.int32), shard.days - 1
    sold = on_sale(shard, last + ahead)
    after = day_features(shard, totals, last, ahead)
    before = day_features(shard, totals, last - 1, ahead + np.int32(1))
    share = shapley(mean_of, before, after)
    return (share.reshape(*sold.shape, -1) * sold[:, :, None]).sum(axis=1)


def shapley(mean_of: MeanOf, before: F32, after: F32) -> F64:
    """Shares (rows, DRIVERS) of the change of the mean between two feature matrices."""
    n = len(DRIVERS)
    group = np.array([DRIVERS.index(driver) for driver in drivers_of_features(before.shape[1])])
    differs = np.array([
        not np.array_equal(before[:, group == k], after[:, group == k], equal_nan=True)
        for k in range(n)
    ])  # fmt: skip
    value: dict[int, F64] = {}

    def worth(chosen: int) -> F64:
        chosen &= sum(1 << k for k in range(n) if differs[k])  # the others change nothing
        if chosen not in value:
            taken = np.array([chosen >> k & 1 for k in range(n)], bool)[group]
            value[chosen] = mean_of(np.where(taken, after, before))
        return value[chosen]

    out = np.zeros((len(before), n))
    for chosen in range(1 << n):
        size = chosen.bit_count()
        for k in range(n):
            if differs[k] and not chosen >> k & 1:
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                out[:, k] += weight * (worth(chosen | 1 << k) - worth(chosen))
    return out


def forecast_changes(
    mean_of: MeanOf,
    panel: Panel,
    totals: Totals,
    shards: list[slice],
    items: npt.NDArray[np.object_],
    explained: int,
) -> pd.DataFrame:
    """Table forecast_changes: every item's change, and the drivers of the largest `explained`.

    `items` (series,) names the items; a history of one day has no yesterday and gives no rows, nor
    does one whose last week or month is not reported yet.
    """
    columns = ["item_id", "driver", "previous_mean_units", "mean_units", "change_units"]
    if panel.days < 3 or panel.whole_origin(panel.days - 1) < panel.days - 1:
        return pd.DataFrame(columns=columns)
    parts = [means_of_two_nights(mean_of, panel.take(rows), totals) for rows in shards]
    table = pd.DataFrame({
        "item_id": items,
        "previous_mean_units": np.concatenate([part[0] for part in parts] or [np.empty(0)]),
        "mean_units": np.concatenate([part[1] for part in parts] or [np.empty(0)]),
    }).groupby("item_id", sort=True).sum().reset_index()  # fmt: skip
    table["change_units"] = table["mean_units"] - table["previous_mean_units"]
    moved = table.assign(size=table["change_units"].abs()).nlargest(explained, "size")
    found = [table.assign(driver=WHOLE)]
    rows = np.flatnonzero(np.isin(items, moved["item_id"].to_numpy(object)))
    if len(rows):
        share = drivers_of_change(mean_of, panel.take(rows), totals)
        by_item = pd.DataFrame(share, columns=list(DRIVERS)).groupby(items[rows]).sum()
        long = by_item.rename_axis("item_id").stack().rename_axis(["item_id", "driver"])
        own = long.rename("change_units").reset_index()
        found.append(own.merge(table.drop(columns="change_units"), on="item_id"))
    changes = pd.concat(found, ignore_index=True)[columns]
    return changes.sort_values(["item_id", "driver"], ignore_index=True)
