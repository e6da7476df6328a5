"""Stock, receipts, spend and lost sales of the coming weeks: the plan's own policy on demand paths.

A network model, item by item: each week what is due arrives, demand is met as far as stock goes,
and what lacks to the order-up-to level (moved with expected demand) is ordered in whole cases. It
knows neither capacity nor where stock lies; the closed-loop simulation does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from pipeline.review.pooled import LEVELS, PooledDemand

WEEKS, PATHS = 13, 100
SHARED = 0.1
"""Share of an item's forecast error that all items have in common; without it, bands of sums would
be too narrow."""
BANDS = (0.1, 0.5, 0.9)
COLUMNS = (
    "projected_by", "projected_group", "week_start", "measure", "mean_value", "low_value",
    "median_value", "high_value", "measure_unit",
)  # fmt: skip

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Items:
    """What the policy knows of each item; arrays over items, in the order of `demand_paths`.

    due: units that arrive in each week (items, weeks), tonight's orders included; tonight: units of
    these alone; all in units but cube (cubic feet), cost and price (USD a unit), lead (weeks until
    an order arrives, at least 1).
    """

    on_hand: F64
    due: F64
    tonight: F64
    level: F64
    case: F64
    moq: F64
    lead: I64
    cube: F64
    cost: F64
    price: F64


def demand_paths(demand: PooledDemand, items: list[str], seed: list[int]) -> tuple[F64, F64]:
    """Units by week: (items, WEEKS) expected, and (items, WEEKS, PATHS) drawn.

    A path keeps one rank for all windows of its item, so that its sums over the weeks have the
    published distribution of each window; beyond the longest window its daily rate goes on.
    """
    near = demand.where((demand.keys["window_start_day"] == 1).to_numpy())
    row = pd.Index(items).get_indexer(near.keys["item_id"])
    days = np.sort(near.keys["window_days"].unique()).astype(np.float64)
    place = np.searchsorted(days, near.keys["window_days"].to_numpy())
    mean = np.zeros((len(items), len(days) + 1))
    quantiles = np.zeros((len(items), len(days) + 1, len(LEVELS)))
    mean[row, place + 1], quantiles[row, place + 1] = near.mean, near.quantiles
    draw = np.random.default_rng(seed)
    common, own = draw.standard_normal(PATHS), draw.standard_normal((len(items), PATHS))
    ranks = ndtr(np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * own)
    grid = np.concatenate([[0.0], days])
    sums, drawn = np.zeros((len(items), WEEKS + 1)), np.zeros((len(items), WEEKS + 1, PATHS))
    for week in range(1, WEEKS + 1):
        low, share, stretch = _between(grid, 7.0 * week)
        at = [stretch * ((1 - share) * part[:, low] + share * part[:, low + 1])
              for part in (mean, quantiles)]  # fmt: skip
        sums[:, week] = at[0]
        drawn[:, week] = [np.interp(u, LEVELS, q) for u, q in zip(ranks, at[1], strict=True)]
    return np.diff(sums, axis=1), np.diff(np.maximum.accumulate(drawn, axis=1), axis=1)


def follow_policy(items: Items, expected: F64, demand: F64) -> dict[str, F64]:
    """Measures by item, week and path (see MEASURES), each (items, WEEKS, PATHS)."""
    shape = demand.shape
    arriving = np.zeros((shape[0], WEEKS + int(items.lead.max(initial=1)) + 1, PATHS))
    arriving[:, :WEEKS] += items.due[:, :, None]
    found = {name: np.zeros(shape) for name in
             ("stock_units", "receipts_units", "ordered_units", "lost_units")}  # fmt: skip
    stock = np.repeat(items.on_hand[:, None], PATHS, axis=1)
    rows = np.arange(shape[0])
    now = np.maximum(expected[:, :4].mean(axis=1), 1e-9)
    for week in range(WEEKS):
        receipts = arriving[:, week]
        stock = stock + receipts
        sold = np.minimum(stock, demand[:, week])
        stock = stock - sold
        # The last weeks have no four weeks of forecast ahead of them: theirs are the last known.
        ahead = expected[:, min(week, WEEKS - 4) : min(week, WEEKS - 4) + 4].mean(axis=1)
        level = (items.level * ahead / now)[:, None]
        short = level - stock - arriving[:, week + 1 :].sum(axis=1)
        cases = np.ceil(np.maximum(short, 0) / items.case[:, None]) * items.case[:, None]
        # What a week has sold is ordered by its end; smaller lacks than a minimum wait.
        is_asked = short >= np.maximum(items.moq, items.case)[:, None] / 2
        ordered = np.where(is_asked, np.maximum(cases, items.moq[:, None]), 0.0)
        arriving[rows, week + items.lead] += ordered
        found["stock_units"][:, week], found["receipts_units"][:, week] = stock, receipts
        found["ordered_units"][:, week] = ordered
        found["lost_units"][:, week] = demand[:, week] - sold
    found["ordered_units"][:, 0] += items.tonight[:, None]
    return found


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


def _between(grid: F64, days: float) -> tuple[int, float, float]:
    """Index below, share of the way to the next, and how far beyond the last window."""
    if days >= grid[-1]:
        return len(grid) - 2, 1.0, days / grid[-1]
    low = int(np.searchsorted(grid, days, side="right")) - 1
    return low, float((days - grid[low]) / (grid[low + 1] - grid[low])), 1.0
