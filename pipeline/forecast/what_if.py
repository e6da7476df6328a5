"""What if an item were on promotion: its distribution, whom it takes from, the dip after.

The night's own model forecasts the item twice, with the calendar and prices as they are and as
asked. A lift that is named takes the place of what the model says. What the promotion takes from
other items of the group and from the weeks after it comes from past promotions (`promotions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline.errors import UsageError
from pipeline.forecast.assemble import Assembled
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.panel import F64, Panel, totals
from pipeline.forecast.promotions import AFTER_DAYS, Effects, effects_of, past_runs
from pipeline.forecast.stage import what_is_known
from pipeline.forecast.sum_spread import summed, window_sums, windows_of_sums
from pipeline.forecast.windows import OFF_SALE_UNITS, foresee_tonight
from pipeline.store import Night

LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


@dataclass(frozen=True)
class Promotion:
    """A promotion of an item from `start` to `end`, both included.

    price_usd   its price then; None as planned
    event       an event of the calendar that it coincides with, if any; every region has it
    lift        what the item's demand is multiplied by; None: what the model says
    """

    item: str
    start: date
    end: date
    price_usd: float | None = None
    event: str | None = None
    lift: float | None = None


@dataclass(frozen=True)
class Answer:
    """Units over all regions.

    windows   rows 'promotion' and 'after': window_days, units_without, units_with, quantiles
              (q0.05 … q0.95) of units_with, usd_without, usd_with
    taken     other items of the group: units_without during the promotion, units_taken
    effects   shares of the gain, and the past promotions of the group that they come from
    """

    windows: pd.DataFrame
    taken: pd.DataFrame
    effects: Effects


def what_if(night: Night, model: Model, asked: Promotion) -> Answer:
    """The answer for one promotion; raises UsageError where it lies beyond what is known."""
    first = (asked.start - night.as_of).days
    days = (asked.end - asked.start).days + 1
    if first < 1 or days < 1:
        raise UsageError(
            f"a promotion from {asked.start} to {asked.end} is not ahead of {night.as_of}. "
            "Next: give days after the night, the first no later than the last."
        )
    reach = first + days - 1 + AFTER_DAYS
    windows = [(first, days), (first + days, AFTER_DAYS)]
    now = what_is_known(night, model, reach + 1)
    rows = np.flatnonzero(now.items == asked.item)
    if not len(rows):
        raise UsageError(
            f"item {asked.item} has no forecast on {night.as_of}. Next: name one of the items on "
            "sale then."
        )
    changed = _tables(night, now, asked)
    then = what_is_known(night, model, reach + 1, changed)
    without, price = _daily(now, model, rows, reach)
    with_it, new_price = _daily(then, model, rows, reach)
    during = slice(first - 1, first - 1 + days)
    if asked.lift is not None:
        with_it = without.copy()
        with_it[:, during] *= asked.lift
    else:
        with_it[:, : first - 1] = without[:, : first - 1]
    group, code = _groups(night, now), int(now.panel.item[rows[0]])
    effects = effects_of(past_runs(now.panel, group), group, int(group[code]))
    gain = max(float((with_it - without)[:, during].sum()), 0.0)
    after = slice(first - 1 + days, reach)
    usual = without[:, after].sum()
    with_it[:, after] = without[:, after] * max(1 - effects.dip * gain / max(usual, 1e-9), 0.1)
    table = _windows(now.panel.take(rows), model, windows, without, with_it)
    table["usd_without"] = window_sums(without * price, windows).sum(axis=0)
    table["usd_with"] = window_sums(with_it * new_price, windows).sum(axis=0)
    others = _others(now, model, group, code, reach, during)
    share = others["units_without"] / max(others["units_without"].sum(), 1e-9)
    taken = np.minimum(share * effects.taken * gain, 0.9 * others["units_without"])
    return Answer(table, others.assign(units_taken=taken), effects)


def _tables(night: Night, now: Assembled, asked: Promotion) -> dict[str, pd.DataFrame]:
    """The night's prices and calendar with the promotion in them."""
    out = {}
    start, after = pd.Timestamp(asked.start), pd.Timestamp(asked.end) + pd.Timedelta(days=1)
    if asked.price_usd is not None:
        prices = night.read("prices")
        own = prices["item_id"].astype(str) == asked.item
        inside = own & (prices["start_date"] >= start) & (prices["start_date"] < after)
        held = prices[own & (prices["start_date"] < after)].sort_values(
            ["region_id", "start_date"], kind="stable"
        )
        last = held.drop_duplicates("region_id", keep="last")
        back = last[~last["region_id"].isin(
            prices[own & (prices["start_date"] == after)]["region_id"]
        )].assign(start_date=after)  # fmt: skip
        new = last.assign(start_date=start, price_usd=asked.price_usd)
        out["prices"] = pd.concat([prices[~inside], new, back], ignore_index=True)
    if asked.event is not None:
        calendar = night.read("calendar")
        known = calendar[calendar["event_name"].astype(str) == asked.event]
        if known.empty:
            raise UsageError(
                f"the calendar has no event {asked.event!r}. Next: name one of "
                f"{', '.join(sorted(calendar['event_name'].astype(str).unique())[:8])} …"
            )
        kind = str(known["event_type"].iloc[0])
        regions = sorted(set(now.regions))
        days = pd.date_range(start, asked.end)
        rows = pd.DataFrame(
            [(day, region, asked.event, kind) for day in days for region in regions],
            columns=["date", "region_id", "event_name", "event_type"],
        )
        merged = pd.concat(
            [frame.astype(dict.fromkeys(("region_id", "event_name", "event_type"), str))
             for frame in (calendar, rows)], ignore_index=True,
        )  # fmt: skip
        out["calendar"] = merged.drop_duplicates(["date", "region_id", "event_name"])
    return out


def _daily(known: Assembled, model: Model, rows: np.ndarray, reach: int) -> tuple[F64, F64]:
    """Units and prices in usd (rows, reach) of the days ahead."""
    shard = known.panel.take(rows)
    days = foresee_tonight(daily_mean(model.mean), shard, totals(known.panel), [(1, reach)])
    price = np.nan_to_num(shard.price[:, shard.days : shard.days + reach])
    return days.mean[:, 1:], price.astype(np.float64) * shard.price_unit_usd


def _windows(
    panel: Panel, model: Model, windows: list[tuple[int, int]], without: F64, with_it: F64
) -> pd.DataFrame:
    """Units of the windows over all regions, and quantiles with the promotion."""
    made = summed(panel, np.zeros(int(panel.region.max()) + 1, np.int64))
    network, own_totals = made.take(np.arange(len(made.parts[0].product)))
    mean = window_sums(with_it, windows).sum(axis=0, keepdims=True)
    spread = model.sums or model.spread
    seen = windows_of_sums(
        network, own_totals, panel.days - 1, windows, np.maximum(mean, OFF_SALE_UNITS)
    )
    found = spread.quantiles(seen, LEVELS, 1)
    frame = pd.DataFrame({
        "window": ["promotion", "after"],
        "window_days": [days for _, days in windows],
        "units_without": window_sums(without, windows).sum(axis=0),
        "units_with": mean[0],
    })  # fmt: skip
    for k, level in enumerate(LEVELS):
        frame[f"q{level:g}"] = found[:, k]
    return frame


def _groups(night: Night, known: Assembled) -> np.ndarray:
    """Group (items,) of each item of the panel: its choice group, else its department."""
    panel = known.panel
    items = int(panel.item.max()) + 1
    group = np.full(items, int(panel.department.max()) + 1, np.int64)
    group[panel.item] = np.maximum(panel.department, -1) + 1
    chosen = night.read("choice_groups")
    if len(chosen):
        codes, _ = pd.factorize(chosen["choice_group"].astype(str), sort=True)
        by_name = dict(zip(chosen["item_id"].astype(str), codes, strict=True))
        offset = int(group.max()) + 1
        for name, code in dict(zip(known.items, panel.item, strict=True)).items():
            if str(name) in by_name:
                group[code] = offset + by_name[str(name)]
    return group


def _others(
    known: Assembled, model: Model, group: np.ndarray, item: int, reach: int, during: slice
) -> pd.DataFrame:
    """The other items of the group of `item` (code) and what they sell meanwhile."""
    panel = known.panel
    rows = np.flatnonzero((group[panel.item] == group[item]) & (panel.item != item))
    if not len(rows):
        return pd.DataFrame({"item_id": pd.Series(dtype=object),
                             "units_without": pd.Series(dtype=float)})  # fmt: skip
    daily, _ = _daily(known, model, rows, reach)
    frame = pd.DataFrame({"item_id": known.items[rows],
                          "units_without": daily[:, during].sum(axis=1)})  # fmt: skip
    return frame.groupby("item_id", sort=True, as_index=False).sum()
