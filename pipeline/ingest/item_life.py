"""Where each item stands in its life: how long it is known, its last sale, whether it has gone
quiet, its end.

An item is quiet when it sold nowhere on so many days that could have sold (open, in stock, on
sale) that its own pace before makes that less likely than one in a hundred; and, without any sale,
after twice the days. Days count by what its sisters sold and what it sold itself around them a year
ago. That is a question for a planner: a run too long for a stock-out may still be one that nobody
recorded. How likely it is dead is told beside it, see `dead`: days up to which it sold, in a week,
less than a tenth of what it does, and on that day less than half, are silent there, so that one
piece found in a corner brings nothing to life.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ingest.dead import absences, dead_probability, groups_of, silent_days

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.integer]
_PACE_DAYS = 112
_CHANCE = 0.01
_FAINT_WEEK, _FAINT_DAY, _USUAL_DAYS = 0.1, 0.5, 182


def item_life(
    items: pd.DataFrame, names: pd.Index, days: pd.DatetimeIndex, units: npt.NDArray[np.integer],
    could_sell: Bools, quiet_after_days: int,
) -> pd.DataFrame:  # fmt: skip
    """Table item_life; units, could_sell: [items, days], items in the order of `names`.

    Quiet: n >= quiet_after_days days since the last sale, as `dead.silent_days` and `dead.of_year`
    count, and p^n < 0.01, with p the share without sales of the 112 days before that could sell,
    (zeros + 1) / (days + 2).
    """
    last = _last_sale(units > 0)
    after = np.arange(len(days)) > last[:, None]
    quiet = (could_sell & after).sum(axis=1)
    sales, seen = _pace(units > 0, could_sell, last)
    share = (seen - sales + 1) / (seen + 2)
    group = groups_of(items, names)
    silent = silent_days(group, units, could_sell, last, _PACE_DAYS, by_year=True)
    is_quiet = (silent >= quiet_after_days) & (share**silent < _CHANCE)
    is_quiet = np.where(last < 0, quiet >= 2 * quiet_after_days, is_quiet)
    known = items.set_index(items["item_id"].astype("str")).reindex(names)
    dates = days.to_numpy().astype("datetime64[s]")
    ended = (known["end_date"] <= days[-1]).to_numpy(dtype=bool)
    return pd.DataFrame({
        "item_id": names, "last_sale_date": pd.Series(dates[last]).where(last >= 0),
        "known_days": could_sell.sum(axis=1), "quiet_days": quiet,
        "is_quiet": is_quiet.astype(bool),
        "dead_probability": np.where(ended, 1.0, _dead(group, units, could_sell)),
        "end_date": known["end_date"].to_numpy(),
        "shelf_life_days": known["shelf_life_days"].to_numpy()
        if "shelf_life_days" in known else pd.array([pd.NA] * len(names), dtype="Int64"),
    })  # fmt: skip


def _dead(
    group: npt.NDArray[np.integer], units: npt.NDArray[np.integer], could_sell: Bools
) -> npt.NDArray[np.float64]:
    """Probability (items,) of being dead."""
    near = could_sell[:, -_USUAL_DAYS:]
    usual = (units[:, -_USUAL_DAYS:] * near).sum(axis=1) / np.maximum(near.sum(axis=1), 1)
    week, could = _of_week(units * could_sell), _of_week(could_sell.astype(np.int64))
    is_faint = (week < _FAINT_WEEK * usual[:, None] * could) & (units < _FAINT_DAY * usual[:, None])
    heard = np.where(is_faint, 0, units)
    last = _last_sale(heard > 0)
    silent = silent_days(group, heard, could_sell, last, _PACE_DAYS)
    return dead_probability(
        *_pace(heard > 0, could_sell, last), silent, could_sell.sum(axis=1),
        *absences(heard > 0, could_sell),
    )  # fmt: skip


def _of_week(values: Ints) -> Ints:
    """Sums (items, days) over each day and the six before it."""
    running = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    end = np.arange(values.shape[1]) + 1
    return np.asarray(running[:, end] - running[:, np.maximum(end - 7, 0)])


def _pace(sold: Bools, could_sell: Bools, last: Ints) -> tuple[Ints, Ints]:
    """Days (items,) with a sale among those that could have one, of the last ones up to a sale."""
    day = np.arange(sold.shape[1])
    near = could_sell & (day <= last[:, None]) & (day > last[:, None] - _PACE_DAYS)
    return (sold & near).sum(axis=1), near.sum(axis=1)


def _last_sale(sold: Bools) -> Ints:
    """Last day (items,) of a sale, -1 without."""
    return np.where(sold.any(axis=1), sold.shape[1] - 1 - sold[:, ::-1].argmax(axis=1), -1)
