"""Regions that opened later, or have not sold yet, and items that came later than their launch date
says: their silence before the first sale is no demand of zero."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.ingest.feeds import LEAST_CHANCE
from pipeline.ingest.findings import Finding

_BORROWED_DAYS = 28
"""Days without a sale that are added to what a series has shown since its first."""


def not_open_yet(sold: np.ndarray) -> np.ndarray:
    """Days [regions, days] before a region began to sell, from its units `sold` [regions, days].

    All days of a region that never sold while others did. A first sale that merely came late, as
    it would by chance at the pace since, moves nothing.
    """
    mask = np.zeros(sold.shape, dtype=bool)
    some = sold > 0
    if not some.any():
        return mask
    for region, days in enumerate(some):
        if not days.any():
            mask[region] = True
            continue
        first = int(np.argmax(days))
        pace = (days[first:].sum() - 0.5) / (len(days) - first)
        if first * np.log1p(-min(float(pace), 1 - 1e-9)) < np.log(LEAST_CHANCE):
            mask[region, :first] = True
    return mask


def came_late(units: np.ndarray, on_sale: np.ndarray) -> np.ndarray:
    """Days [series, days] on which a series was not on sale yet, though its launch and price say
    so: those before its first sale, more than twice as many as it was ever silent since, where its
    pace since makes them less likely than one in a thousand.

    The pace is that of the days after the first sale, which a sale has chosen, as if
    `_BORROWED_DAYS` days without any had been seen besides: what came yesterday may have sold by
    chance.
    """
    days = units.shape[1]
    some = units > 0
    first, start = some.argmax(axis=1), on_sale.argmax(axis=1)
    rows = np.flatnonzero(some.any(axis=1) & (first - start >= _BORROWED_DAYS))
    late = np.zeros(units.shape, dtype=bool)
    if not len(rows):
        return late
    first, start, some = first[rows], start[rows], some[rows]
    day = np.arange(days)
    last = np.maximum.accumulate(np.where(some, day, -1), axis=1)
    after = day > first[:, None]
    silent = np.where(after & on_sale[rows], day - last, 0).max(axis=1)
    pace = (some & after).sum(axis=1) / (days - 1 - first + _BORROWED_DAYS)
    waited = first - start
    hit = (waited * np.log1p(-pace) < np.log(LEAST_CHANCE)) & (waited > 2 * silent)
    late[rows[hit]] = day < first[hit, None]
    return late & on_sale


def opening_findings(
    mask: np.ndarray, regions: pd.Index, days: pd.DatetimeIndex, planned: set[str]
) -> Iterator[Finding]:
    """Regions of `not_open_yet`; `planned`: those whose launch_plans say what to expect."""
    for region in np.flatnonzero(mask.any(axis=1)):
        name = str(regions[region])
        if not mask[region].all():
            first = days[int(np.argmin(mask[region]))]
            yield Finding(
                "sales", 0, "region_id", f"region {name} sold nothing before {first:%Y-%m-%d}",
                f"{int(mask[region].sum())} days", "Taken for not open yet, not for zero demand; "
                "export its sales of those days if it was.", "warning", name,
            )  # fmt: skip
            continue
        rest = ("launch_plans say what is expected there." if name in planned else
                "Nothing is expected there: export its sales, or say in launch_plans what it will "
                "sell.")  # fmt: skip
        yield Finding(
            "sales", 0, "region_id", f"region {name} has never sold anything",
            f"{len(days)} days", f"Taken for not open yet, not for zero demand. {rest}", "warning",
            name,
        )  # fmt: skip


def late_findings(
    late: np.ndarray, items: pd.Index, regions: pd.Index, days: pd.DatetimeIndex
) -> Iterator[Finding]:
    """One finding of all series that `came_late`."""
    rows = np.flatnonzero(late.any(axis=1))
    if len(rows):
        item, region = divmod(int(rows[0]), len(regions))
        first = days[late.shape[1] - int(late[rows[0], ::-1].argmax())]
        yield Finding(
            "sales", 0, "item_id", f"{len(rows)} of {len(late)} items × regions began to sell long "
            "after their launch and first price", f"the first is {items[item]} in "
            f"{regions[region]}, on {first:%Y-%m-%d}", "Taken for not on sale there before, not "
            "for zero demand; export their sales of those days if there were any.", "warning",
        )  # fmt: skip
