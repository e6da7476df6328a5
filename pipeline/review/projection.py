"""Stock, receipts, spend and lost sales of the coming weeks: the plan's own policy on demand paths.

A network model, vendor by vendor: each day what is due arrives, demand is met as far as stock goes,
and on the nights on which its vendor takes orders an item that lacks its dead band to the
order-up-to level (moved with expected demand, less what will be sold out before an order can come,
which fades within a lead time) asks for whole cases. What lacks a part of the band joins; an order
below its vendor's minimum waits for a review period, and is then filled up if it is half of it. On
every path each order comes on a day of its own, drawn from its vendor's lead times; the lines of an
order come together. It knows neither capacity nor where stock lies; the closed-loop simulation
does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from pipeline.core.arithmetic import product
from pipeline.review.pooled import LEVELS, WEIGHTS, PooledDemand

WEEKS, PATHS = 13, 100
DAYS = 7 * WEEKS
WAYS = 20
"""Days on which an order may come, each as likely."""
_AT_ONCE, _AT_MOST = 64, 256
"""Items that are followed together: what they need lies in the processor's cache, at most so many
of one vendor."""
_LASTING_DAYS = 28
"""Window that tells how much of an error lasts."""
_MOST_SHARED = 0.9
"""Share of their error that items have in common at most, so that each keeps luck of its own."""
MEASURES = ("stock_units", "receipts_units", "ordered_units", "lost_units")
"""What is followed of each item: at a week's end, and in a week."""
BANDS = (0.1, 0.5, 0.9)
COLUMNS = (
    "projected_by", "projected_group", "week_start", "measure", "mean_value", "low_value",
    "median_value", "high_value", "measure_unit",
)  # fmt: skip

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Ways = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Due:
    """Lines on order: row of the item, units, a code of the order, which comes whole, and the days
    (lines, WAYS) from tomorrow, 1, on which it may come."""

    item: I64
    units: F64
    order: I64
    days: I64


@dataclass(frozen=True)
class Items:
    """What the policy knows of each item; arrays over items, in the order of `demand_paths`.

    tonight: units ordered tonight; sold_out: lost before an order of tonight can come; band,
    joining: units short at which the item asks for an order, and joins one; vendor: code of the
    vendor; lead: days (items, WAYS) until an order may arrive, at least 1; all in units but cube
    (cubic feet), cost and price (USD a unit).
    """

    on_hand: F64
    tonight: F64
    level: F64
    sold_out: F64
    case: F64
    moq: F64
    band: F64
    joining: F64
    vendor: I64
    lead: I64
    cube: F64
    cost: F64
    price: F64

    def take(self, rows: I64) -> Items:
        """These items, in this order."""
        return Items(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Terms:
    """Of each vendor: the least that it takes an order for, USD, and whether it takes one of the
    coming nights, (vendors, DAYS) from tomorrow on; how long an order waits to be enough."""

    least_usd: F64
    takes: Bools
    review_days: int


def demand_paths(
    demand: PooledDemand, items: list[str], total_spread: F64, seed: list[int]
) -> tuple[F64, F64]:
    """Units by week: (items, WEEKS) expected, and (items, WEEKS, PATHS) drawn.

    Each week has the distribution of the first one, moved with its expected demand. Part of an
    item's own error lasts over all weeks, the rest is new each week; how much lasts is what the
    published spreads of the first week, s, and of h weeks, S, imply: S² = s² (p h² + (1 - p) h) for
    a share p. Beyond the longest window its daily rate goes on. All items err together, for as long
    as they are followed, by so much that the total spreads by total_spread (WEEKS,), the standard
    deviation of all items' demand in a week by its mean.
    """
    near = demand.where((demand.keys["window_start_day"] == 1).to_numpy())
    row = pd.Index(items).get_indexer(near.keys["item_id"])
    days = np.sort(near.keys["window_days"].unique()).astype(np.float64)
    place = np.searchsorted(days, near.keys["window_days"].to_numpy())
    mean = np.zeros((len(items), len(days) + 1))
    quantiles = np.zeros((len(items), len(days) + 1, len(LEVELS)))
    mean[row, place + 1], quantiles[row, place + 1] = near.mean, near.quantiles
    grid = np.concatenate([[0.0], days])
    sums = np.stack([_at(grid, mean, 7.0 * week) for week in range(WEEKS + 1)], axis=1)
    expected = np.diff(sums, axis=1)
    first = _at(grid, quantiles, 7.0)
    later = min(_LASTING_DAYS, max(float(days[-1]), 7.0))
    lasting = _lasting_share(first, _at(grid, quantiles, later), later / 7)
    usual = expected[:, :1]
    moved = np.divide(expected, usual, out=np.ones_like(expected), where=usual > 0)
    common = _common_part(_deviation(first)[:, None] * moved, expected.sum(axis=0) * total_spread)
    ranks = ndtr(_errors(lasting, common, np.random.default_rng(seed)))
    drawn = np.stack([np.interp(u, LEVELS, q) for u, q in zip(ranks, first, strict=True)])
    return expected, drawn * moved[:, :, None]


def _deviation(quantiles: F64) -> F64:
    """Standard deviation of each row of quantiles."""
    off = quantiles - product(quantiles, WEIGHTS)[:, None]
    return np.asarray(np.sqrt(product(np.square(off), WEIGHTS)))


def _lasting_share(first: F64, later: F64, weeks: float) -> F64:
    """Share of each item's variance in a week that lasts, from its quantiles of one week and of
    several together (items, levels)."""
    spread = [np.square(_deviation(q)) for q in (first, later)]
    if weeks <= 1:
        return np.ones(len(first))
    ratio = np.divide(spread[1], spread[0], out=np.full(len(first), weeks), where=spread[0] > 0)
    return np.clip((ratio / weeks - 1) / (weeks - 1), 0.0, 1.0)


def _common_part(own: F64, total: F64) -> F64:
    """Share (WEEKS,) of items' variance that all must have in common for the total to deviate by
    `total` (WEEKS,): with deviations s of the items (items, WEEKS) and a share g in common,
    Var = g (Σ s)² + (1 - g) Σ s²."""
    apart, alike = np.square(own).sum(axis=0), np.square(own.sum(axis=0))
    room = alike - apart
    share = np.divide(np.square(total) - apart, room, out=np.zeros(WEEKS), where=room > 0)
    return np.clip(share, 0.0, _MOST_SHARED)


def _errors(lasting: F64, common: F64, draw: np.random.Generator) -> F64:
    """Normal errors (items, WEEKS, PATHS), of unit variance in the first week: what all items have
    in common, which lasts and grows; what of their own lasts; and what is new each week."""
    count = len(lasting)
    share = lasting[:, None, None]
    own = np.sqrt(share) * draw.standard_normal((count, 1, PATHS))
    own = own + np.sqrt(1 - share) * draw.standard_normal((count, WEEKS, PATHS))
    alike = np.sqrt(common)[:, None] * draw.standard_normal((1, PATHS))
    return np.asarray(np.sqrt(1 - common[0]) * own + alike)


def follow_policy(
    items: Items, terms: Terms, due: Due, expected: F64, demand: F64, seed: list[int]
) -> dict[str, F64]:
    """The MEASURES by item, week and path, each (items, WEEKS, PATHS)."""
    found = {name: np.zeros(demand.shape) for name in MEASURES}
    draw = np.random.default_rng([*seed, 1])
    known = draw.integers(0, WAYS, (int(due.order.max(initial=-1)) + 1, PATHS), np.int8)
    later = draw.integers(0, WAYS, (len(terms.least_usd), DAYS, PATHS), np.int8)
    for own in _together(items.vendor):
        mine = np.full(len(demand), -1)
        mine[own] = np.arange(len(own))
        lines = mine[due.item] >= 0
        coming = Due(mine[due.item[lines]], due.units[lines], due.order[lines], due.days[lines])
        for name, values in _follow(
            items.take(own), terms, coming, known, later, expected[own], demand[own]
        ).items():
            found[name][own] = values
    found["ordered_units"][:, 0] += items.tonight[:, None]
    return found


def _together(vendor: I64) -> list[I64]:
    """Items that are followed together: all of a vendor, of several where these are few; a vendor
    of very many in parts, each with its minimum: so many reach it."""
    order = np.argsort(vendor, kind="stable")
    groups: list[I64] = []
    for own in np.split(order, np.flatnonzero(np.diff(vendor[order])) + 1):
        if groups and len(groups[-1]) + len(own) <= _AT_ONCE:
            groups[-1] = np.concatenate([groups[-1], own])
        else:
            groups += [own[at : at + _AT_MOST] for at in range(0, len(own), _AT_MOST)]
    return groups


def _arriving(items: Items, due: Due, ways: Ways) -> F64:
    """Units (items, days, PATHS) that arrive of what is on order already; room for what is not."""
    last = int(max(items.lead.max(initial=1) + DAYS, due.days.max(initial=1)))
    arriving = np.zeros((len(items.on_hand), last + 1, PATHS))
    day = np.take_along_axis(due.days, ways[due.order].astype(np.int64), axis=1)
    np.add.at(arriving, (due.item[:, None], day - 1, np.arange(PATHS)), due.units[:, None])
    return arriving


def _follow(
    items: Items, terms: Terms, due: Due, known: Ways, later: Ways, expected: F64, demand: F64
) -> dict[str, F64]:
    """The MEASURES of items that lie by vendor, day by day; `known` (orders, PATHS) and `later`
    (vendors, DAYS, PATHS) draw the day on which an order comes."""
    found = {name: np.zeros(demand.shape) for name in MEASURES}
    rows, paths = np.arange(len(demand))[:, None], np.arange(PATHS)
    arriving = _arriving(items, due, known)
    on_order = arriving.sum(axis=1)
    stock = np.repeat(items.on_hand[:, None], PATHS, axis=1)
    now = np.maximum(expected[:, :4].mean(axis=1), 1e-9)
    lead_days = items.lead.mean(axis=1)
    waited = np.zeros((len(np.unique(items.vendor)), PATHS), np.int64)
    for day in range(DAYS):
        week = day // 7
        # The last weeks have no four weeks of forecast ahead of them: theirs are the last known.
        ahead = expected[:, min(week, WEEKS - 4) : min(week, WEEKS - 4) + 4].mean(axis=1)
        lost = items.sold_out * np.maximum(1 - day / lead_days, 0.0)
        level = np.maximum(items.level * ahead / now - lost, 0.0)[:, None]
        asked, receipts = demand[:, week] / 7, arriving[:, day]
        stock = stock + receipts
        sold = np.minimum(stock, asked)
        stock = stock - sold
        short = level - stock - (on_order := on_order - receipts)
        ordered = _orders(items, terms, short, day, waited)
        on_order += ordered
        lead = np.take_along_axis(items.lead, later[items.vendor, day].astype(np.int64), axis=1)
        arriving[rows, day + lead, paths] += ordered
        found["stock_units"][:, week] = stock
        found["receipts_units"][:, week] += receipts
        found["ordered_units"][:, week] += ordered
        found["lost_units"][:, week] += asked - sold
    return found


def _orders(items: Items, terms: Terms, short: F64, day: int, waited: I64) -> F64:
    """Units (items, PATHS) ordered on a night by items that lie by vendor and lack so much; moves
    on `waited` (vendors, PATHS), the nights that something has asked for an order."""
    case, moq = items.case[:, None], items.moq[:, None]
    cases = np.maximum(np.floor(short / case + 0.5) * case, moq)
    least = np.maximum(items.moq, items.case) / 2  # of less than half, nothing is nearer
    joins = short >= np.maximum(items.joining, least)[:, None]
    asks = short >= np.maximum(items.band, least)[:, None]
    wanted = np.where(joins & terms.takes[items.vendor, day][:, None], cases, 0.0)
    start = np.flatnonzero(np.diff(items.vendor, prepend=-1))
    minimum = terms.least_usd[items.vendor[start]][:, None]
    spend = np.add.reduceat(wanted * items.cost[:, None], start, axis=0)
    is_asked = np.logical_or.reduceat(asks, start, axis=0)
    is_enough = spend >= minimum - 1e-6
    is_filled = ~is_enough & (waited >= terms.review_days) & (2 * spend >= minimum)
    is_placed = is_asked & (spend > 0) & (is_enough | is_filled)
    waited += 1
    waited[~is_asked | is_placed] = 0
    more = np.divide(minimum, spend, out=np.ones_like(spend), where=is_filled)
    size = np.diff(start, append=len(items.vendor))
    raised = np.ceil(wanted * np.repeat(more, size, axis=0) / case - 1e-9) * case
    return np.asarray(raised * np.repeat(is_placed, size, axis=0))


def projection(
    items: Items, found: Mapping[str, F64], demand: F64, groups: pd.DataFrame, shares: pd.DataFrame,
    as_of: date,
) -> pd.DataFrame:  # fmt: skip
    """Table `projection`: for the network, each category, vendor and tier.

    groups: category and vendor_id of each item, in order. shares: what part of an item's stock lies
    in each tier (a column each).
    """
    rows = _measures(items, found, demand, np.ones((1, len(groups))), ["all"], "network", as_of)
    for kind, column in (("category", "category"), ("vendor", "vendor_id")):
        names = sorted(groups[column].unique())
        member = (groups[column].to_numpy()[None, :] == np.array(names)[:, None]).astype(float)
        rows += _measures(items, found, demand, member, names, kind, as_of)
    tiers = list(shares.columns)
    rows += _measures(items, found, demand, shares.to_numpy().T, tiers, "tier", as_of)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _measures(
    items: Items, found: Mapping[str, F64], demand: F64, member: F64, names: list[str], kind: str,
    as_of: date,
) -> list[tuple[object, ...]]:  # fmt: skip
    weights = {
        "stock_units": ("stock_units", None, "units"),
        "stock_usd": ("stock_units", items.cost, "usd"),
        "storage_cuft": ("stock_units", items.cube, "cuft"),
        "receipts_units": ("receipts_units", None, "units"),
        "receipts_usd": ("receipts_units", items.cost, "usd"),
        "spend_usd": ("ordered_units", items.cost, "usd"),
        "lost_units": ("lost_units", None, "units"), "lost_usd": ("lost_units", items.price, "usd"),
    }  # fmt: skip
    sums: dict[str, tuple[F64, str]] = {}
    for measure, (source, weight, unit) in weights.items():
        if kind == "tier" and source != "stock_units":
            continue  # the network model does not know where units arrive
        values = found[source] if weight is None else found[source] * weight[:, None, None]
        sums[measure] = (_added(member, values), unit)
    if kind != "tier":
        asked = _added(member, demand)
        lost = sums["lost_units"][0]
        served = 1 - np.divide(lost, asked, out=np.zeros_like(lost), where=asked > 0)
        sums["fill_rate"] = (served, "share")
    rows: list[tuple[object, ...]] = []
    for measure, (values, unit) in sums.items():
        bands = np.quantile(values, BANDS, axis=2)
        means = values.mean(axis=2)
        for group, name in enumerate(names):
            for week in range(WEEKS):
                start = pd.Timestamp(as_of + timedelta(days=1 + 7 * week))
                rows.append((kind, name, start, measure, means[group, week],
                             *bands[:, group, week], unit))  # fmt: skip
    return rows


def _added(member: F64, values: F64) -> F64:
    """Sums over the items of each group, in a fixed order: (groups, WEEKS, PATHS)."""
    result = np.zeros((len(member), *values.shape[1:]))
    for group, own in enumerate(member):
        chosen = np.flatnonzero(own)
        result[group] = (values[chosen] * own[chosen][:, None, None]).sum(axis=0)
    return result


def _at(grid: F64, values: F64, days: float) -> F64:
    """Sums over so many days, (items, …): between the windows (items, grid, …) on a line, beyond
    the longest in proportion."""
    if days >= grid[-1]:
        return np.asarray(values[:, -1] * (days / grid[-1]))
    low = int(np.searchsorted(grid, days, side="right")) - 1
    share = float((days - grid[low]) / (grid[low + 1] - grid[low]))
    return np.asarray((1 - share) * values[:, low] + share * values[:, low + 1])
