"""Where each item stands in its life: how long it is known, its last sale, whether it has gone
quiet, its end.

An item is quiet when it sold nowhere on so many days that could have sold (open, in stock, on
sale) that its own pace before makes that less likely than one in a hundred; and, without any sale,
after twice the days. Days count by what its sisters sold and what it sold itself around them a year
ago. That is a question for a planner: a run too long for a stock-out may still be one that nobody
recorded. How likely it is dead is told beside it, see `dead`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ingest.dead import dead_probability, groups_of, silent_days

Bools = npt.NDArray[np.bool_]
_PACE_DAYS = 112
_CHANCE = 0.01


def item_life(
    items: pd.DataFrame, names: pd.Index, days: pd.DatetimeIndex, units: npt.NDArray[np.integer],
    could_sell: Bools, quiet_after_days: int,
) -> pd.DataFrame:  # fmt: skip
    """Table item_life; units, could_sell: [items, days], items in the order of `names`.

    Quiet: n >= quiet_after_days days since the last sale, as `dead.silent_days` counts, and
    p^n < 0.01, with p the share without sales of the 112 days before that could sell,
    (zeros + 1) / (days + 2).
    """
    count = len(days)
    sold = units > 0
    last = np.where(sold.any(axis=1), count - 1 - sold[:, ::-1].argmax(axis=1), -1)
    running = np.zeros((len(names), count + 1), dtype=np.int64)
    np.cumsum(could_sell, axis=1, out=running[:, 1:])
    row = np.arange(len(names))
    quiet = running[:, -1] - running[row, last + 1]
    first = np.maximum(last + 1 - _PACE_DAYS, 0)
    seen = running[row, last + 1] - running[row, first]
    hits = np.zeros_like(running)
    np.cumsum(sold & could_sell, axis=1, out=hits[:, 1:])
    zeros = seen - (hits[row, last + 1] - hits[row, first])
    share = (zeros + 1) / (seen + 2)
    silent = silent_days(groups_of(items, names), units, could_sell, last, _PACE_DAYS)
    dead = dead_probability(seen - zeros, seen, silent, running[:, -1])
    is_quiet = (silent >= quiet_after_days) & (share**silent < _CHANCE)
    is_quiet = np.where(last < 0, quiet >= 2 * quiet_after_days, is_quiet)
    known = items.set_index(items["item_id"].astype("str")).reindex(names)
    dates = days.to_numpy().astype("datetime64[s]")
    ended = (known["end_date"] <= days[-1]).to_numpy(dtype=bool)
    return pd.DataFrame({
        "item_id": names, "last_sale_date": pd.Series(dates[last]).where(last >= 0),
        "known_days": running[:, -1], "quiet_days": quiet, "is_quiet": is_quiet.astype(bool),
        "dead_probability": np.where(ended, 1.0, dead),
        "end_date": known["end_date"].to_numpy(),
        "shelf_life_days": known["shelf_life_days"].to_numpy()
        if "shelf_life_days" in known else pd.array([pd.NA] * len(names), dtype="Int64"),
    })  # fmt: skip
