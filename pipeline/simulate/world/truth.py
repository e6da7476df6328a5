"""What will really be asked for: held-out actual demand, or days of the past drawn again.

Drawing whole days keeps the dependence between items and regions; a day is drawn from the same
weekday of the last half year, or of all that is known where that is less, the same for every
policy. An item that was not on sale in a region on the drawn day, or sold out, tells nothing of
what is asked for: it takes another of the days on which it does. Nobody asks for an item after its
last day on sale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.simulate.world.model import Tables, WorldModel, capacities, selling_prices
from pipeline.simulate.world.supply import Ints

_PAST_WEEKS = 26


@dataclass(frozen=True)
class Truth:
    """days: [days] dates; demand: int [days, items, regions]; price_usd: [days, items, regions];
    capacity: [days, nodes, resources]."""

    days: pd.DatetimeIndex
    demand: Ints
    price_usd: NDArray[np.float64]
    capacity: NDArray[np.float64]


def actual_demand(daily: pd.DataFrame, model: WorldModel, days: pd.DatetimeIndex) -> Ints:
    """[days, items, regions] units of daily_demand; raises UsageError if the data end too soon."""
    last = daily["date"].max()
    if last < days[-1]:
        raise UsageError(
            f"actual demand ends on {last.date()}, the simulation on {days[-1].date()}. "
            "Next: simulate fewer days, start earlier, or set demand: resampled."
        )
    return _on_grid(daily[daily["units"] > 0], "units", model, days)


def resampled_demand(
    daily: pd.DataFrame, model: WorldModel, days: pd.DatetimeIndex, seed: int
) -> Ints:
    """[days, items, regions] units of past days drawn with replacement, weekday by weekday; raises
    UsageError if less than a week is known."""
    last = daily["date"].max()
    weeks = min(((last - daily["date"].min()).days + 1) // 7, _PAST_WEEKS)
    if weeks < 1:
        raise UsageError("demand: resampled draws from past weeks, and less than one is known. "
                         "Next: give more days of sales.")  # fmt: skip
    past = pd.date_range(last - pd.Timedelta(days=7 * weeks - 1), last)
    shape = (weeks, 7, len(model.items), len(model.regions))
    units = _on_grid(daily, "units", model, past).reshape(shape)
    tells = daily[~daily["is_censored"].astype(bool)].assign(tells=1)
    is_told = _on_grid(tells, "tells", model, past).reshape(shape) > 0
    rng = np.random.default_rng([seed, days[0].toordinal()])
    week, among = rng.integers(0, weeks, len(days)), rng.random(len(days))
    weekday = (days.day_of_week.to_numpy() - past[0].day_of_week) % 7
    told = is_told.sum(axis=0)
    telling = np.argsort(~is_told, axis=0, kind="stable")  # weeks that tell come first
    found = np.empty((len(days), *shape[2:]), dtype=np.int64)
    for t, at in enumerate(weekday):
        other = np.floor(among[t] * told[at]).astype(np.int64)
        other = np.take_along_axis(telling[:, at], other[None], axis=0)
        takes_other = ~is_told[week[t], at] & (told[at] > 0)
        chosen = np.where(takes_other, other[0], week[t])
        found[t] = np.take_along_axis(units[:, at], chosen[None], axis=0)[0]
    return found


def _on_grid(
    rows: pd.DataFrame, column: str, model: WorldModel, days: pd.DatetimeIndex
) -> Ints:  # fmt: skip
    """[days, items, regions] the column of the rows, 0 where there is none."""
    found = np.zeros((len(days), len(model.items), len(model.regions)), dtype=np.int64)
    frame = rows[(rows["date"] >= days[0]) & (rows["date"] <= days[-1])]
    k = model.items.get_indexer(frame["item_id"].astype("str"))
    r = model.regions.get_indexer(frame["region_id"].astype("str"))
    t = days.get_indexer(frame["date"])
    known = (t >= 0) & (k >= 0) & (r >= 0)
    found[t[known], k[known], r[known]] = frame[column].to_numpy(np.int64)[known]
    return found


def truth(
    tables: Tables, daily: pd.DataFrame, model: WorldModel, start: date, n_days: int,
    is_resampled: bool, seed: int,
) -> Truth:  # fmt: skip
    """Demand, prices and capacity of the days after `start`."""
    days = pd.date_range(pd.Timestamp(start) + pd.Timedelta(days=1), periods=n_days)
    if is_resampled:
        demand = resampled_demand(daily, model, days, seed)
    else:
        demand = actual_demand(daily, model, days)
    items = tables["items"].set_index(tables["items"]["item_id"].astype("str"))
    ends = pd.to_datetime(items["end_date"].reindex(model.items)).to_numpy()
    demand[days.to_numpy()[:, None] > ends] = 0  # never later than a date that is not known
    return Truth(days, demand, selling_prices(tables, model, days),
                 capacities(tables, model.nodes, days))  # fmt: skip
