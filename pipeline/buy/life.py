"""What an item's life allows to order: nothing that comes or sells too late, little that is quiet.

An order must arrive before the item's last day, and lead no further than what is expected to sell
until then, or within its shelf life. What is silent for so long that it is more likely dead than
not gets what is expected to sell, and safety stock only while it is cheap. What has gone quiet gets
a least quantity at most, and only while that is cheap, or as much of what is expected to sell as
buy.quiet_demand_usd trusts the forecast with: whether it is dead is for a planner to say, with an
override.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.buy.worth import Worth
from pipeline.contracts.settings import BuySettings

Ints = npt.NDArray[np.int64]
LATE, ENDS, SPOILS, QUIET, SILENT = "late", "item_end", "shelf_life", "quiet", "silent"
_LIKELY = 0.5
NOT_TONIGHT, NOT_ITS_TURN = "calendar", "award"


def life_limits(
    frame: pd.DataFrame, life: pd.DataFrame, worth: Worth, fewest: Ints, as_of: date,
    buy: BuySettings,
) -> tuple[Ints, npt.NDArray[np.object_]]:  # fmt: skip
    """Most cases [pairs] that the item's life allows, and what limits them ('' for nothing).

    frame: the pairs with mean_lead_time_days; life: the table item_life, ids as text.
    """
    pairs = worth.pairs
    own = life.set_index("item_id").reindex(frame["item_id"])
    far = np.iinfo(np.int64).max // 4
    most, note = np.full(len(pairs), far), np.full(len(pairs), "", dtype=object)

    def cut(units: npt.NDArray[np.float64], mask: npt.NDArray[np.bool_], word: str) -> None:
        cases = np.where(mask, np.floor(units / pairs.case), far)
        cases = np.maximum(cases, 0).astype(np.int64)
        tighter = mask & (cases < most)
        most[tighter], note[tighter] = cases[tighter], word

    ends = pd.to_datetime(own["end_date"])
    left = (ends - pd.Timestamp(as_of)).dt.days.to_numpy(dtype="float64")
    has_end = np.isfinite(left)
    # What is expected over the cover already leaves out the days after the end.
    days = np.where(left <= pairs.cover_days, pairs.cover_days, left)
    sells = np.ceil(pairs.daily_demand * np.where(has_end, days, 0))
    cut(sells - pairs.position, has_end, ENDS)
    arrives = frame["mean_lead_time_days"].to_numpy(dtype="float64")
    cut(np.zeros(len(pairs)), has_end & (arrives >= left), LATE)
    shelf = own["shelf_life_days"].astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    keeps = np.floor(pairs.daily_demand * np.nan_to_num(shelf))
    cut(keeps - pairs.position, np.isfinite(shelf), SPOILS)
    likely = own["dead_probability"].fillna(0.0).to_numpy(dtype="float64") > _LIKELY
    expected = np.ceil(pairs.daily_demand * pairs.cover_days) - pairs.position
    cut(np.maximum(expected, buy.silent_order_usd / np.maximum(pairs.unit_cost, 1e-9)), likely,
        SILENT)  # fmt: skip
    is_quiet = own["is_quiet"].fillna(False).to_numpy(dtype=bool)
    cheap = fewest * pairs.case * pairs.unit_cost <= buy.quiet_order_usd
    least = np.where(cheap & (pairs.position <= 0), fewest * pairs.case, 0)
    trusted = np.minimum(expected, buy.quiet_demand_usd / np.maximum(pairs.unit_cost, 1e-9))
    cut(np.maximum(least, trusted).astype(float), is_quiet, QUIET)
    return most, note


def life_words(note: str, life: pd.Series, least_usd: float, limit_usd: float) -> str:
    """Why the item's life allows no order, for order_candidates."""
    end = pd.Timestamp(life["end_date"])
    if note == LATE:
        return f"would arrive after the item's last day, {end:%Y-%m-%d}"
    if note == ENDS:
        return f"what there is lasts until the item's last day, {end:%Y-%m-%d}"
    if note == SPOILS:
        return f"would not sell within its shelf life of {int(life['shelf_life_days'])} days"
    if note == SILENT:
        return (
            f"sold next to nothing lately, taken for dead by {life['dead_probability']:.0%}: what "
            "is expected to sell is there, and safety stock waits until it sells again; an "
            "override orders it"
        )
    return (
        f"sold nothing on the last {int(life['quiet_days'])} days: taken for dead by "
        f"{life['dead_probability']:.0%}, and its least order, ${least_usd:,.2f}, is more than the "
        f"${limit_usd:,.2f} that such an item may cost while out of stock; an override orders it"
    )
