"""Tables of the night's orders: the lines, and the alternatives with why they were not chosen."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.buy.life import NOT_ITS_TURN, NOT_TONIGHT, life_words
from pipeline.buy.plan import Ordering
from pipeline.contracts.settings import BuySettings
from pipeline.core.ordering import TRUCK, Options

Ints = npt.NDArray[np.int64]
_ALTERNATIVES = 3


def purchase_orders(plan: Ordering, as_of: date) -> pd.DataFrame:
    """The order lines, columns of the table purchase_orders.

    order_units = needed_units + rounding + override_units, where rounding is what case pack, MOQ,
    order minimum, vendor capacity and budget make of it; needed_units = order_up_to_units -
    inventory_position_units where that is positive.
    """
    rows, pairs = plan.choice.rows, plan.worth.pairs
    pair, units = plan.pair[rows], plan.options.units[rows]
    frame = plan.frame.iloc[pair]
    override = np.where(
        plan.is_overridden[pairs.item[pair]] & (units != plan.system_units[pairs.item[pair]]),
        units - plan.system_units[pairs.item[pair]],
        0,
    )
    lead_days = np.maximum(np.rint(frame["mean_lead_time_days"].to_numpy(dtype="float64")), 1)
    prefix = as_of.isoformat()
    return pd.DataFrame({
        "order_line_id": prefix + "/" + frame["vendor_id"] + "/" + frame["item_id"],
        "vendor_id": frame["vendor_id"],
        "item_id": frame["item_id"],
        "order_units": units,
        "cases": units // pairs.case[pair],
        "unit_cost_usd": pairs.cost(pair, units),
        "order_cost_usd": plan.options.cost_cents[rows] / 100,
        "needed_units": pairs.needed[pair],
        "override_units": override,
        "order_up_to_units": pairs.level[pair],
        "inventory_position_units": pairs.position[pair],
        "order_date": pd.Timestamp(as_of),
        "expected_arrival_date": pd.Timestamp(as_of) + pd.to_timedelta(lead_days, unit="D"),
        "value_gained_usd": plan.options.gain[rows] / 1e6,
        "reason_code": _reason_codes(plan, pair, units, override),
    })  # fmt: skip


def _reason_codes(plan: Ordering, pair: Ints, units: Ints, override: Ints) -> Ints:
    """Main reason of each line: what decided its quantity."""
    pairs = plan.worth.pairs
    case, moq, needed = pairs.case[pair], pairs.moq[pair], pairs.needed[pair]
    best = plan.best[pair] * case
    note = plan.life_note[pair].astype("str")
    limit = "budget" if plan.choice.budget_price > 0 else "vendor_capacity"
    fills = plan.terms.least_fill[pairs.vendor[pair]] >= 0
    is_cheaper = pairs.cost(pair, units) < pairs.cost(pair, np.maximum(plan.plain[pair], 1) * case)
    is_held = (units == plan.most[pair] * case) & (needed - units >= case)
    return np.select(
        [override != 0, (units > best) & fills, units > best, (units < best) & fills, units < best,
         is_cheaper & (units - needed >= case), is_held & (note != ""), is_held,
         (units == moq) & (needed < moq) & (moq > case), (units - needed) * 2 > units],
        ["override", "truck_fill", "order_minimum", "truck_fill", limit, "price_break", note,
         "cover_limit", "moq", "case_pack"],
        "below_order_up_to",
    )  # fmt: skip


def order_candidates(plan: Ordering, buy: BuySettings) -> pd.DataFrame:
    """Alternatives of every item that was ordered or is below its level, with why not."""
    chosen = _chosen_rows(plan)
    parts = [
        _ordered_items(plan, chosen, buy),
        _unordered_items(plan, chosen, buy),
    ]
    found = pd.concat(parts, ignore_index=True)
    pair = found.pop("pair").to_numpy(dtype=np.int64)
    found["item_id"] = plan.frame["item_id"].to_numpy()[pair]
    found["vendor_id"] = plan.frame["vendor_id"].to_numpy()[pair]
    return found.drop_duplicates(["item_id", "vendor_id", "candidate_units"], ignore_index=True)


def _chosen_rows(plan: Ordering) -> Ints:
    """The chosen option of each item, -1 for none."""
    chosen = np.full(len(plan.system_units), -1, dtype=np.int64)
    chosen[plan.options.item[plan.choice.rows]] = plan.choice.rows
    return chosen


def _ordered_items(plan: Ordering, chosen: Ints, buy: BuySettings) -> pd.DataFrame:
    """The chosen option, its best rivals, and ordering nothing."""
    options = plan.options
    mine = chosen[options.item]
    rank = np.lexsort((-options.gain, options.item))
    is_rival = (mine >= 0) & (mine != np.arange(len(options)))
    position = pd.Series(is_rival[rank]).groupby(options.item[rank]).cumsum().to_numpy()
    rivals = np.sort(rank[is_rival[rank] & (position <= _ALTERNATIVES)])
    rows = np.sort(plan.choice.rows)
    rest = options.gain[mine[rivals]] - options.gain[rivals]
    why = [
        f"worth ${less / 1e6:,.2f} less" if less > 0 else _constraint(plan, int(row), buy)
        for row, less in zip(rivals, rest, strict=True)
    ]
    none = pd.DataFrame({
        "pair": plan.pair[rows], "candidate_units": 0, "order_cost_usd": 0.0,
        "value_gained_usd": 0.0, "is_chosen": False,
        "why_not": [_why_not_nothing(plan, int(row)) for row in rows],
    })  # fmt: skip
    return pd.concat([_weighed(plan, rows, True, None), _weighed(plan, rivals, False, why), none])


def _unordered_items(plan: Ordering, chosen: Ints, buy: BuySettings) -> pd.DataFrame:
    """For items below their level that get nothing: nothing (chosen), and the best order."""
    pairs = plan.worth.pairs
    everything = np.arange(len(pairs))
    gain = plan.worth.gain(everything, plan.best * pairs.case)
    short = (pairs.needed > 0) & (chosen[pairs.item] < 0)
    order = np.lexsort((-np.where(short, gain, -np.inf), pairs.item))
    order = order[short[order]]
    first = np.ones(len(order), dtype=bool)
    first[1:] = pairs.item[order][1:] != pairs.item[order][:-1]
    pair = np.sort(order[first])
    units = plan.best[pair] * pairs.case[pair]
    why = [_why_unordered(plan, int(p), float(gain[p]), buy) for p in pair]
    none = pd.DataFrame({
        "pair": pair, "candidate_units": 0, "order_cost_usd": 0.0, "value_gained_usd": 0.0,
        "is_chosen": True, "why_not": None,
    })  # fmt: skip
    best = pd.DataFrame({
        "pair": pair, "candidate_units": units,
        "order_cost_usd": np.rint(units * pairs.cost(pair, units) * 100) / 100,
        "value_gained_usd": gain[pair], "is_chosen": False, "why_not": why,
    })  # fmt: skip
    return pd.concat([none, best[best["candidate_units"] > 0]])


def _weighed(plan: Ordering, rows: Ints, is_chosen: bool, why: list[str] | None) -> pd.DataFrame:
    return pd.DataFrame({
        "pair": plan.pair[rows], "candidate_units": plan.options.units[rows],
        "order_cost_usd": plan.options.cost_cents[rows] / 100,
        "value_gained_usd": plan.options.gain[rows] / 1e6, "is_chosen": is_chosen, "why_not": why,
    })  # fmt: skip


def _why_not_nothing(plan: Ordering, row: int) -> str:
    gain = plan.options.gain[row] / 1e6
    if gain >= 0:
        return f"gives up ${gain:,.2f} of expected value"
    return f"an override or the order minimum asks for it, at ${-gain:,.2f}"


def _why_unordered(plan: Ordering, pair: int, gain: float, buy: BuySettings) -> str:
    """Why the pair's best candidate was not ordered."""
    pairs = plan.worth.pairs
    needed = int(pairs.needed[pair])
    if plan.is_overridden[pairs.item[pair]] and plan.system_units[pairs.item[pair]] > 0:
        return "held back by a planner's override"
    if plan.fewest[pair] > plan.most[pair]:
        return _why_least_is_too_much(plan, pair, buy)
    if gain <= 0:
        return f"costs ${-gain:,.2f} more than it brings tonight"
    band = float(plan.band[pair])
    if needed < band and not (plan.pair == pair).any():
        return f"waits: {needed} short, orders start at {np.ceil(band):.0f}"
    rows = np.flatnonzero(plan.pair == pair)
    if not len(rows):
        return "waits for an order to its vendor"
    return _constraint(plan, int(rows[plan.options.gain[rows].argmax()]), buy)


def _why_least_is_too_much(plan: Ordering, pair: int, buy: BuySettings) -> str:
    """Why the pair may not even order its least quantity."""
    pairs = plan.worth.pairs
    if plan.life_note[pair] == NOT_TONIGHT:
        return f"the vendor takes its next order on {plan.frame['next_order_date'][pair]:%Y-%m-%d}"
    if plan.life_note[pair] == NOT_ITS_TURN:
        return "the item is split among vendors, and tonight's order is another's by its share"
    if plan.life_note[pair]:
        life = plan.life.loc[plan.frame["item_id"].iloc[pair]]
        least = float(pairs.moq[pair] * pairs.unit_cost[pair])
        return life_words(str(plan.life_note[pair]), life, least, buy.quiet_order_usd)
    excess = pairs.position[pair] + pairs.moq[pair] - pairs.level[pair]
    weeks = excess / max(float(pairs.daily_demand[pair]) * 7, 1e-6)
    text = f"{weeks:.0f}" if weeks < 1000 else "more than 1000"
    return (
        f"the least quantity, {pairs.moq[pair]}, would last {text} weeks beyond the level; "
        f"the limit is {buy.max_excess_weeks:g}"
    )


def _most_cents(options: Options, vendor: int) -> int:
    """Cost in cents of the best options of all items that the vendor could supply tonight."""
    mine = np.flatnonzero((options.vendor == vendor) & (options.gain > 0))
    order = mine[np.lexsort((-options.gain[mine], options.item[mine]))]
    first = np.diff(options.item[order], prepend=-1) != 0
    return int(options.cost_cents[order[first]].sum())


def _why_it_waits(plan: Ordering, vendor: int) -> str:
    """Why the vendor's order waits for the lines of coming days."""
    waits, minimum = plan.waits, plan.terms.minimum_cents[vendor] / 100
    return (
        f"waits for more lines: in {waits.days[vendor]} day(s) the vendor's order should reach its "
        f"minimum of ${minimum:,.2f}; waiting costs ${waits.waiting_usd[vendor]:,.2f} at most, "
        f"filling it up tonight ${waits.padding_usd[vendor]:,.2f}"
    )


def _constraint(plan: Ordering, row: int, buy: BuySettings) -> str:
    """Which common limit kept a better option out."""
    vendor = int(plan.options.vendor[row])
    return _why_it_waits(plan, vendor) if plan.waits.days[vendor] else _limit(plan, row, buy)


def _limit(plan: Ordering, row: int, buy: BuySettings) -> str:
    options, terms = plan.options, plan.terms
    vendor = int(options.vendor[row])
    rows = plan.choice.rows[options.vendor[plan.choice.rows] == vendor]
    minimum, capacity = int(terms.minimum_cents[vendor]), int(terms.capacity_units[vendor])
    if minimum > 0 and not len(rows):
        lacks = (minimum - _most_cents(options, vendor)) / 100
        short = f", ${lacks:,.2f} short" if lacks > 0 else ""
        return f"the vendor's order would stay below its minimum of ${minimum / 100:,.2f}{short}"
    others = rows[options.item[rows] != options.item[row]]
    if capacity >= 0 and options.units[others].sum() + options.units[row] > capacity:
        return f"the vendor carries {capacity} units an order, and other lines are worth more"
    spent = int(options.cost_cents[plan.choice.rows].sum())
    if buy.budget_usd is not None and plan.choice.budget_price > 0:
        return (
            f"the budget of ${buy.budget_usd:,.2f} is spent (${spent / 100:,.2f}) on lines "
            f"that bring more than {plan.choice.budget_price:.2f} a dollar"
        )
    if terms.least_fill[vendor] >= 0:
        return (
            "the vendor's order fills its trucks "
            f"to {terms.least_fill[vendor] / TRUCK:.0%} at least, and no more than they hold"
        )
    if minimum > 0:
        return f"the vendor's order needs more to reach its minimum of ${minimum / 100:,.2f}"
    return "worth the same, but further from the level"
