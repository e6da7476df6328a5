"""What will really be asked for: held-out actual demand, or days of the past drawn again.

Drawing whole days keeps the dependence between items and regions; a day is drawn from the same
weekday of the last half year, the same for every policy.
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
    found = np.zeros((len(days), len(model.items), len(model.regions)), dtype=np.int64)
    frame = daily[(daily["date"] >= days[0]) & (daily["date"] <= days[-1]) & (daily["units"] > 0)]
    k = model.items.get_indexer(frame["item_id"].astype("str"))
    r = model.regions.get_indexer(frame["region_id"].astype("str"))
    t = days.get_indexer(frame["date"])
    known = (k >= 0) & (r >= 0)
    found[t[known], k[known], r[known]] = frame["units"].to_numpy(np.int64)[known]
    return found


def resampled_demand(
    daily: pd.DataFrame, model: WorldModel, days: pd.DatetimeIndex, seed: int
) -> Ints:
    """[days, items, regions] units of past days drawn with replacement, weekday by weekday."""
    last = daily["date"].max()
    past = pd.date_range(last - pd.Timedelta(days=7 * _PAST_WEEKS - 1), last)
    history = actual_demand(daily, model, past)
    draw = np.random.default_rng([seed, days[0].toordinal()]).integers(0, _PAST_WEEKS, len(days))
    weekday = (days.day_of_week.to_numpy() - past[0].day_of_week) % 7
    return history[draw * 7 + weekday]


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
    return Truth(days, demand, selling_prices(tables, model, days),
                 capacities(tables, model.nodes, days))  # fmt: skip
