"""Sums of an item over regions: their own spread, learned on past sums as sums.

Quantiles of regions never add up, and how much regions move together differs from item to item.
The expectation of a sum is the sum of its regions' expectations; its spread is learned as that of
a region is (`spread`), on past forecasts of sums in windows of a day, a week and four weeks, so
that width and place are those of sums, out of sample, and saved with the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.arithmetic import single_exp
from pipeline.forecast.features import COLUMN
from pipeline.forecast.levels import Codes, Sums
from pipeline.forecast.panel import F32, F64, I32, Calendar, Panel, Totals
from pipeline.forecast.panel import totals as totals_of
from pipeline.forecast.shape import dispersion, shape_features
from pipeline.forecast.windows import OFF_SALE_UNITS, Windows, day_features

LATEST_FEATURES = 50
LEARNED = [(day, 1) for day in (1, 2, 4, 7, 10, 13, 17, 21, 25, 28)]
LEARNED += [(1, 7), (8, 7), (22, 7), (1, 28)]
"""Windows (start day, days) of past sums that the spread is learned from."""


@dataclass(frozen=True)
class Summed:
    """Sums of a panel's series, of several levels one after another: as a panel of their own."""

    parts: list[Sums]
    panel: Panel
    totals: Totals

    def add(self, values: npt.NDArray[Any]) -> F64:
        """Sums (sums, …) of `values` (series, …)."""
        return np.concatenate([own.add(values) for own in self.parts])

    def take(self, rows: Codes) -> tuple[Panel, Totals]:
        """The panel of some sums, and the totals of all."""
        return self.panel.take(rows), self.totals


def summed(panel: Panel, territory: Codes) -> Summed:
    """Items over the whole network (place 0) and over each territory (places 1, 2, …)."""
    item = panel.item.astype(np.int64)
    parts = [Sums.of(item, np.zeros(len(item), np.int64)),
             Sums.of(item, 1 + territory[panel.region].astype(np.int64))]  # fmt: skip
    made = _summed_panel(panel, parts)
    return Summed(parts, made, totals_of(made))


def _summed_panel(panel: Panel, parts: list[Sums]) -> Panel:
    """Prices are means over regions; a day is seen if it was in any region."""

    def add(values: npt.NDArray[Any]) -> F64:
        return np.concatenate([own.add(values) for own in parts])

    def least(values: I32, sign: int) -> I32:
        out = [np.full(len(own.product), 10**6 * sign, np.int32) for own in parts]
        for found, own in zip(out, parts, strict=True):
            (np.minimum if sign > 0 else np.maximum).at(found, own.code, values)
        return np.concatenate(out)

    first = least(np.arange(panel.series, dtype=np.int32), 1)
    place = np.concatenate([own.place for own in parts]).astype(np.int32)
    priced = add(np.isfinite(panel.price))
    places = int(place.max()) + 1
    return replace(
        panel,
        demand=_known(add(np.nan_to_num(panel.demand)), add(np.isfinite(panel.demand))),
        price=_known(add(np.nan_to_num(panel.price)) / np.maximum(priced, 1), priced),
        is_censored=np.zeros((len(first), panel.days), bool),
        launch_day=least(panel.launch_day, 1),
        end_day=least(panel.end_day, -1),
        item=np.concatenate([own.product for own in parts]).astype(np.int32),
        region=place,
        department=panel.department[first],
        category=panel.category[first],
        group=(panel.department[first] + 1) * places + place,
        calendar=_of_places(panel, parts, places),
        attributes=None if panel.attributes is None else panel.attributes[first],
        expected=None,
        lift=None,
        lift_seen=None,
        price_lift=None,
    )


def _known(values: F64, count: F64) -> F32:
    return np.where(count > 0, values, np.nan).astype(np.float32)


def _of_places(panel: Panel, parts: list[Sums], places: int) -> Calendar:
    """The calendar of places: the mean of their regions' flags, the nearest of their events."""
    own = panel.calendar
    member = np.zeros((places, own.flags.shape[0]), bool)
    for sums in parts:
        member[sums.place[sums.code], panel.region] = True
    member[~member.any(axis=1)] = True
    pick = [np.flatnonzero(row) for row in member]
    closed = None
    if own.closed is not None:
        closed = np.stack([own.closed[rows].all(axis=0) for rows in pick])
    return replace(
        own,
        flags=np.stack([own.flags[rows].mean(axis=0) for rows in pick]),
        days_to=np.stack([own.days_to[rows].min(axis=0) for rows in pick]),
        days_since=np.stack([own.days_since[rows].min(axis=0) for rows in pick]),
        closed=closed,
        named=None,
    )


def windows_of_sums(
    panel: Panel, totals: Totals, origin: int, windows: list[tuple[int, int]], mean: F64
) -> Windows:
    """Windows of the sums of `panel` (see `summed_panel`) after day `origin`, of the given `mean`
    (sums, windows). Features are those of the first day of a window's week."""
    start, days = (np.array(column, np.int32) for column in zip(*windows, strict=True))
    latest = min(LATEST_FEATURES, panel.price.shape[1] - 1 - origin)
    week = np.minimum((start - 1) // 7 * 7 + 1, latest).astype(np.int32)
    known = np.unique(week)
    by_day = day_features(panel, totals, origin, known).reshape(panel.series, len(known), -1)
    x = by_day[:, np.searchsorted(known, week)].reshape(-1, by_day.shape[2])
    n = panel.series
    tiled_start, tiled_days = np.tile(start, n), np.tile(days, n)
    expected = np.maximum(mean, OFF_SALE_UNITS).ravel()
    exposure = np.maximum(single_exp(x[:, COLUMN["log_exposure"]]).astype(np.float64), 1e-3)
    return Windows(
        np.repeat(np.arange(n, dtype=np.int32), len(windows)),
        np.full(n * len(windows), origin, np.int32),
        tiled_start,
        tiled_days,
        expected,
        shape_features(
            x,
            expected,
            exposure * tiled_days,
            tiled_start,
            tiled_days,
            np.repeat(dispersion(panel, origin), len(windows)),
        ),
    )


def window_sums(daily: F64, windows: list[tuple[int, int]]) -> F64:
    """Sums (rows, windows) of windows of `daily` (rows, days), whose first column is day 1."""
    start, days = (np.array(column) for column in zip(*windows, strict=True))
    running = np.zeros((len(daily), daily.shape[1] + 1))
    np.cumsum(daily, axis=1, out=running[:, 1:])
    return np.asarray(running[:, start + days - 1] - running[:, start - 1])
