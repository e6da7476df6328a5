"""The night's tables as a panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.core.arithmetic import significant
from pipeline.forecast.attributes import Attribute, attribute_matrix, attributes_of
from pipeline.forecast.censoring import demand_behind
from pipeline.forecast.events import occasions
from pipeline.forecast.features import EVENT_TYPES
from pipeline.forecast.outliers import find_spikes
from pipeline.forecast.panel import F32, I32, Calendar, Panel, align, event_distance
from pipeline.forecast.seasons import with_exposure

LIKE_DAYS = 56


@dataclass(frozen=True)
class Names:
    """What the codes of a panel's features stand for; saved with the model. Prices are counted in
    the median list price, when it was trained, of what had no last day: the same in any currency.
    """

    regions: tuple[str, ...]
    departments: tuple[str, ...]
    categories: tuple[str, ...]
    event_types: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    price_unit_usd: float = 1.0

    @staticmethod
    def of(
        items: pd.DataFrame,
        regions: pd.DataFrame,
        calendar: pd.DataFrame,
        attributes: pd.DataFrame | None = None,
    ) -> Names:
        """Names in alphabetical order; of the event types, the most frequent ones."""
        counts = calendar["event_type"].astype(str).value_counts()
        frequent = counts.reset_index().sort_values(
            ["count", "event_type"], ascending=[False, True]
        )
        listed = items.loc[items["end_date"].isna(), "list_price_usd"]
        return Names(
            tuple(sorted(regions["region_id"].astype(str))),
            tuple(sorted(items["department"].astype(str).unique())),
            tuple(sorted(items["category"].astype(str).unique())),
            tuple(sorted(frequent["event_type"].head(EVENT_TYPES))),
            () if attributes is None else attributes_of(attributes),
            float(listed[listed > 0].median()) if (listed > 0).any() else 1.0,
        )

    def to_notes(self) -> dict[str, Any]:
        """Plain lists and a number, to be saved with a model."""
        return {name: list(getattr(self, name)) for name in _LISTED} | {
            "price_unit_usd": self.price_unit_usd
        }

    @staticmethod
    def from_notes(notes: Mapping[str, Any]) -> Names:
        """The names that `to_notes` wrote."""
        listed: dict[str, Any] = {name: tuple(notes[name]) for name in _LISTED}
        return Names(**listed, price_unit_usd=float(notes["price_unit_usd"]))

    def in_price_units(self, usd: pd.Series) -> pd.Series:
        """Prices as a panel counts them, to nine digits: in any currency the same bits."""
        return pd.Series(significant(usd.to_numpy(np.float64) / self.price_unit_usd, 9))


_LISTED = ("regions", "departments", "categories", "event_types", "attributes")


@dataclass(frozen=True)
class Assembled:
    """A panel, the keys of its series, and the demand that was kept out of it as spikes."""

    panel: Panel
    spikes: npt.NDArray[np.bool_]
    demand: F32
    items: npt.NDArray[np.object_]
    regions: npt.NDArray[np.object_]


def inherits(items: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Items whose days before their launch are those of a predecessor."""
    old = items.get("predecessor_item_id", pd.Series(index=items.index))
    return old.notna().to_numpy(dtype=bool)


def assemble(
    as_of: date,
    ahead: int,
    names: Names,
    items: pd.DataFrame,
    prices: pd.DataFrame,
    calendar: pd.DataFrame,
    daily_demand: pd.DataFrame,
    attributes: pd.DataFrame | None = None,
    demand_calendar: pd.DataFrame | None = None,
    launch_plans: pd.DataFrame | None = None,
) -> Assembled:
    """Series on sale now or within `ahead` days, sorted by item and region."""
    items = items.sort_values("item_id", ignore_index=True, kind="stable")
    item_ids = items["item_id"].astype(str).to_numpy(object)
    last = pd.Timestamp(as_of)
    first = daily_demand["date"].min() if len(daily_demand) else last
    days = (last - first).days + 1
    item = places(item_ids, daily_demand["item_id"])
    region = places(np.array(names.regions, object), daily_demand["region_id"])
    known = (item >= 0) & (region >= 0)
    cells = item * len(names.regions) + region
    ended = items["end_date"].notna() & (items["end_date"] <= last)
    coming = np.flatnonzero((items["launch_date"] > last) & ~ended)
    new = (coming[:, None] * len(names.regions) + np.arange(len(names.regions))).ravel()
    keys = np.unique(np.concatenate([np.unique(cells[known]), new])).astype(np.int64)
    keys = keys[~ended.to_numpy()[keys // len(names.regions)]]
    row = np.full(len(items) * len(names.regions), -1)
    row[keys] = np.arange(len(keys))
    place = np.where(known, row[np.where(known, cells, 0)], -1)
    kept = place >= 0
    at = (place[kept], (daily_demand["date"].to_numpy() - first.to_datetime64())[kept]
          // np.timedelta64(1, "D"))  # fmt: skip
    units = _matrix(daily_demand["units"], kept, at, (len(keys), days), np.nan)
    share = _matrix(daily_demand["in_stock_share"], kept, at, (len(keys), days), 1.0)
    cut = _matrix(daily_demand["is_censored"], kept, at, (len(keys), days), 0.0) > 0
    paid = names.in_price_units(daily_demand["price_usd"])
    price = _matrix(paid, kept, at, (len(keys), days + ahead), np.nan)
    _hold(price[:, :days])
    plan = planned_prices(prices, last, ahead, item_ids, names, row)
    future_price(price, days, plan)
    key_item, key_region = keys // len(names.regions), keys % len(names.regions)
    department = places(np.array(names.departments, object), items["department"])[key_item]
    category = places(np.array(names.categories, object), items["category"])[key_item]
    launch = _days_from(items["launch_date"], first, 0)[key_item]
    seen = np.isfinite(units)
    began = np.where(seen.any(axis=1), seen.argmax(axis=1), launch)
    began = np.where(began > 0, began, np.minimum(launch, 0))
    demand = demand_behind(units, share, cut)
    future = known_calendar(calendar, first, days + ahead, names, demand_calendar)
    planned = np.asarray(occasions(future.named, len(names.regions), days + ahead).any(axis=0))
    spikes = find_spikes(demand, planned[:, :days][key_region])
    panel = Panel(
        first.to_datetime64().astype("datetime64[D]"),
        np.where(spikes, np.float32(np.nan), demand),
        price,
        cut,
        np.where(inherits(items)[key_item], launch, began).astype(np.int32),
        _days_from(items["end_date"], first, 10**6)[key_item].astype(np.int32),
        key_item.astype(np.int32),
        key_region.astype(np.int32),
        department.astype(np.int32),
        category.astype(np.int32),
        ((department + 1) * len(names.regions) + key_region).astype(np.int32),
        future,
        attribute_matrix(attributes, names.attributes, item_ids)[key_item]
        if attributes is not None and names.attributes
        else None,
        tuple(k for k, (_, words) in enumerate(names.attributes) if words),
        _expected(launch_plans, item_ids, names, row, demand),
        price_unit_usd=names.price_unit_usd,
    )
    panel = with_exposure(panel)
    return Assembled(
        panel, spikes, demand, item_ids[key_item], np.array(names.regions, object)[key_region]
    )


def _expected(
    plans: pd.DataFrame | None,
    item_ids: npt.NDArray[np.object_],
    names: Names,
    row: npt.NDArray[np.int64],
    demand: F32,
) -> F32 | None:
    """Units a day (series,) that planners expect at launch; None where they say nothing.

    Where they name an item to sell like instead, what it sold a day on the last `LIKE_DAYS` days
    seen in the same region; nothing where it is not sold there.
    """
    if plans is None or plans.empty:
        return None
    region = places(np.array(names.regions, object), plans["region_id"])

    def series(column: pd.Series) -> npt.NDArray[np.int64]:
        item = places(item_ids, column)
        cell = np.where((item >= 0) & (region >= 0), item * len(names.regions) + region, -1)
        return np.where(cell >= 0, row[np.maximum(cell, 0)], -1)

    units = plans["expected_daily_units"].to_numpy(np.float32, na_value=np.nan)
    if "like_item_id" in plans:
        like = series(plans["like_item_id"])
        sold = demand[np.maximum(like, 0), -LIKE_DAYS:]
        seen = np.isfinite(sold).sum(axis=1) * (like >= 0)
        pace = np.where(seen > 0, np.nansum(sold, axis=1) / np.maximum(seen, 1), np.nan)
        units = np.where(np.isfinite(units), units, pace).astype(np.float32)
    expected = np.full(len(demand), np.nan, np.float32)
    place = series(plans["item_id"])
    expected[place[place >= 0]] = units[place >= 0]
    return expected


def places(names: npt.NDArray[np.object_], column: pd.Series) -> npt.NDArray[np.int64]:
    """Place of each value of `column` among `names`, -1 where it is not there."""
    values = column.astype("category")
    place = pd.Index(names).get_indexer(values.cat.categories.astype(str))
    codes = values.cat.codes.to_numpy()
    return np.where(codes >= 0, np.append(place, -1)[codes], -1).astype(np.int64)


def _days_from(dates: pd.Series, first: pd.Timestamp, missing: int) -> npt.NDArray[np.int64]:
    days = (dates - first).dt.days
    return np.asarray(days.fillna(missing), np.int64)


def _matrix(
    column: pd.Series,
    kept: npt.NDArray[np.bool_],
    at: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    shape: tuple[int, int],
    empty: float,
) -> F32:
    out = np.full(shape, empty, np.float32)
    out[at] = column.to_numpy(np.float32, na_value=np.nan)[kept]
    return out


def planned_prices(
    prices: pd.DataFrame,
    last: pd.Timestamp,
    ahead: int,
    item_ids: npt.NDArray[np.object_],
    names: Names,
    row: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], F32]:
    """Series, day (0 is the last observed one) and the prices, in price units, that hold from then
    on.

    The newest price up to `last` stands at day 0; planned ones stand at the days they begin.
    """
    soon = prices[prices["start_date"] <= last + pd.Timedelta(days=ahead)]
    item = places(item_ids, soon["item_id"])
    region = places(np.array(names.regions, object), soon["region_id"])
    cell = np.where((item >= 0) & (region >= 0), item * len(names.regions) + region, -1)
    series = np.where(cell >= 0, row[np.maximum(cell, 0)], -1)
    day = np.maximum((soon["start_date"] - last).dt.days.to_numpy(np.int64), 0)
    start = soon["start_date"].to_numpy()
    order = np.lexsort([start, series])
    order = order[series[order] >= 0]
    paid = names.in_price_units(soon["price_usd"]).to_numpy(np.float32)
    return series[order], day[order], paid[order]


def future_price(
    price: F32, days: int, plan: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], F32]
) -> None:
    """Fill the columns of `price` after the last observed day; a price holds until the next."""
    series, day, paid = plan
    future = np.full((price.shape[0], price.shape[1] - days + 1), np.nan, np.float32)
    future[series, day] = paid  # of several up to today, the newest comes last
    today = price[:, days - 1]
    future[:, 0] = np.where(np.isfinite(today), today, future[:, 0])
    held = np.where(np.isfinite(future), np.arange(future.shape[1]), 0)
    held = np.maximum.accumulate(held, axis=1)
    price[:, days:] = np.take_along_axis(future, held, axis=1)[:, 1:]


def known_calendar(
    calendar: pd.DataFrame,
    first: pd.Timestamp,
    days: int,
    names: Names,
    demand_calendar: pd.DataFrame | None = None,
) -> Calendar:
    """Event flags by region and day, distances to annual events, days alike a year before,
    closing days and ends of reported periods."""
    region = places(np.array(names.regions, object), calendar["region_id"])
    kind = places(np.array(names.event_types, object), calendar["event_type"])
    day = (calendar["date"] - first).dt.days.to_numpy(np.int64)
    flags = np.zeros((len(names.regions), days, len(names.event_types)), np.float32)
    inside = (region >= 0) & (kind >= 0) & (day >= 0) & (day < days)
    flags[region[inside], day[inside], kind[inside]] = 1.0
    is_event = np.zeros((len(names.regions), days), bool)
    starts: list[tuple[str, int]] = []
    named = []
    label, events = pd.factorize(calendar["event_name"].astype(str), sort=True)
    for code, name in enumerate(events):
        rows = np.flatnonzero(label == code)
        begins = _annual_starts(np.unique(day[rows]))
        starts += [(str(name), int(d)) for d in begins]
        own = rows[(day[rows] >= 0) & (day[rows] < days) & (region[rows] >= 0)]
        named.append(np.zeros((len(names.regions), days), bool))
        named[-1][region[own], day[own]] = True
        begun = own[np.isin(day[own], begins)]
        is_event[region[begun], day[begun]] = True
    to_next, since = event_distance(is_event)
    closed, ends = _marked_days(demand_calendar, first, days, names)
    return Calendar(
        flags, to_next, since, align(days, starts), closed, ends,
        np.stack(named) if named else None, tuple(map(str, events)),
    )  # fmt: skip


def _marked_days(
    marks: pd.DataFrame | None, first: pd.Timestamp, days: int, names: Names
) -> tuple[npt.NDArray[np.bool_] | None, I32 | None]:
    """Closing days (regions, days) and ends of periods from the table demand_calendar."""
    if marks is None or marks.empty:
        return None, None
    day = (marks["date"] - first).dt.days.to_numpy(np.int64)
    region = places(np.array(names.regions, object), marks["region_id"])
    # A past day of which nothing is known asks nothing of a forecast, like a closed one.
    is_closed = marks["day_kind"].astype(str).isin(["closed", "unknown"]).to_numpy()
    inside = is_closed & (day >= 0) & (day < days) & (region >= 0)
    closed = np.zeros((len(names.regions), days), bool)
    closed[region[inside], day[inside]] = True
    return closed, np.unique(day[~is_closed]).astype(np.int32)


def _hold(price: F32) -> None:
    """Fill days without a record between others, such as closing days, with the price before."""
    known = np.where(np.isfinite(price), np.arange(price.shape[1], dtype=np.int32), 0)
    np.maximum.accumulate(known, axis=1, out=known)
    price[:] = np.take_along_axis(price, known, axis=1)


def _annual_starts(days: I32) -> I32:
    """First days of the runs of an event, if its runs are at least 200 days apart; else none."""
    begins = days[np.diff(days, prepend=days[0] - 2) > 1]
    return begins if len(begins) < 2 or np.diff(begins).min() >= 200 else begins[:0]
