"""The night's purchase orders from tables to tables: the main path of buy.

An item asks for an order when it is short by the dead band (a share of a review period's demand):
small orders every night would only churn. Where its vendor gets an order anyway, others join at a
lower shortfall: the can-order policy (s, c, S) of Balintfy (1964), with S the order-up-to level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.buy.binding import Decision, decide
from pipeline.buy.curves import curves_of
from pipeline.buy.ladder import (
    best_at_breaks,
    best_cases,
    break_cases,
    case_limits,
    ladder,
    safety_weeks,
)
from pipeline.buy.life import NOT_ITS_TURN, NOT_TONIGHT, life_limits
from pipeline.buy.overrides import order_rules
from pipeline.buy.position import inventory_positions
from pipeline.buy.price_breaks import breaks_of
from pipeline.buy.trucks import trucks_of
from pipeline.buy.waiting import Waits, waits_of, without_waiting
from pipeline.buy.worth import Pairs, Worth, worth_of
from pipeline.contracts.settings import BuySettings, PlanningSettings
from pipeline.core.lots import band_units
from pipeline.core.ordering import (
    NO_TRUCKS,
    Choice,
    Options,
    Terms,
    broken_vendors,
    choose_orders,
)

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_LATE_LEVEL = 0.95


def _none(*ids: str) -> Callable[[], pd.DataFrame]:
    """Makes an empty table: a company that says nothing of the kind."""
    return lambda: pd.DataFrame({name: pd.Series(dtype="str") for name in ids})


@dataclass(frozen=True)
class BuyTables:
    """What buy reads, by the names of the tables."""

    vendors: pd.DataFrame
    vendor_items: pd.DataFrame
    lead_times: pd.DataFrame
    stock: pd.DataFrame
    open_orders: pd.DataFrame
    open_transfers: pd.DataFrame
    overrides: pd.DataFrame
    item_life: pd.DataFrame
    vendor_calendar: pd.DataFrame
    network_targets: pd.DataFrame
    position_values: pd.DataFrame
    items: pd.DataFrame = field(default_factory=_none("item_id"))
    price_breaks: pd.DataFrame = field(default_factory=_none("vendor_id", "item_id"))
    award_standing: pd.DataFrame = field(default_factory=_none("vendor_id", "item_id"))
    truck_terms: pd.DataFrame = field(default_factory=_none("vendor_id"))


@dataclass(frozen=True)
class Ordering:
    """The night's decision and all that led to it.

    frame: the pairs with their ids and levels; best, fewest, most: cases of each pair.
    band: the dead band, units short at which a pair asks for an order; asks, joins: whether it is
    short by the band, and by the lower share for joining.
    pair: the pair of each option. system_units: what each item would get without overrides, before
    terms and budget; is_overridden: items whose overrides bind. life_note: which part of the item's
    life limits a pair; life: table item_life by item. plain: best cases of each pair if there were
    no price breaks. waits: which vendors' orders wait for more lines.
    """

    frame: pd.DataFrame
    worth: Worth
    best: Ints
    fewest: Ints
    most: Ints
    band: npt.NDArray[np.float64]
    asks: Bools
    joins: Bools
    pair: Ints
    options: Options
    terms: Terms
    choice: Choice
    system_units: Ints
    is_overridden: Bools
    life_note: npt.NDArray[np.object_]
    life: pd.DataFrame
    plain: Ints
    waits: Waits


def plan_orders(
    tables: BuyTables, as_of: date, planning: PlanningSettings, buy: BuySettings
) -> Ordering:
    """Orders of the night; `lines.purchase_orders` and `lines.order_candidates` show them."""
    frame = pair_frame(tables, as_of)
    pairs = _pairs(frame, tables)
    worth = worth_of(
        pairs, planning.review_period_days, planning.holding_rate_per_year, buy.order_line_usd
    )
    life = _text(tables.item_life, ["item_id"])
    known = frame["item_id"].map(life.set_index("item_id")["known_days"]).fillna(0)
    weeks = safety_weeks(known.to_numpy(dtype=np.int64), buy.max_safety_weeks)
    fewest, most = case_limits(worth, buy.max_excess_weeks, weeks)
    lived, note = life_limits(frame, life, worth, fewest, as_of, buy)
    is_shut = ~frame["takes_orders"].to_numpy(dtype=bool)
    lived = np.where(is_shut, 0, lived)
    note = np.where(is_shut, NOT_TONIGHT, np.where(lived < most, note, ""))
    is_out = ~frame["is_next"].to_numpy(dtype=bool)
    lived, note = np.where(is_out, 0, lived), np.where(is_out, NOT_ITS_TURN, note)
    most = np.minimum(most, lived)
    plain = best_cases(worth.without_breaks(), fewest, most)
    best = best_at_breaks(worth, plain, fewest, most)
    best_gain = worth.gain(np.arange(len(pairs)), best * pairs.case)
    band = np.maximum(dead_band_units(worth, buy), 1)
    asks = pairs.needed >= band
    asks &= (best_gain > 0) & (best >= 1) & (best <= most)
    joins = pairs.needed >= np.maximum(buy.join_share * band, 1)
    trucks = trucks_of(tables.truck_terms, tables.items, tables.vendors, frame)
    rules = order_rules(tables.overrides, as_of)
    items = frame.groupby("item_index")["item_id"].first().tolist()
    ruled = {i: rules.get("", []) + rules.get(item, []) for i, item in enumerate(items)}
    budget = None if buy.budget_usd is None else int(np.floor(buy.budget_usd * 100 + 1e-6))

    def attempt(least_fill: Ints, cases: Ints) -> tuple[Decision, Terms, Ints]:
        terms = _terms(tables.vendors, least_fill)
        also = np.concatenate([break_cases(worth), plain[:, None], cases], axis=1)
        rungs = ladder(best, fewest, most, also)
        pair, units = _candidates(pairs, rungs, asks | joins, asks)
        free = _as_options(worth, trucks.load, pair, units, np.zeros(len(pair), dtype=bool))
        system = _system_units(free, pairs)
        decided = decide(
            (pair, units), {i: found for i, found in ruled.items() if found}, pairs, system,
            lambda *rows: _preferred_first(rows[0], _as_options(worth, trucks.load, *rows), pairs),
            lambda options: choose_orders(options, terms, budget),
        )  # fmt: skip
        return decided, terms, system

    no_fill, no_cases = np.full_like(trucks.least_fill, NO_TRUCKS), np.zeros((len(pairs), 0), int)
    decided, terms, system = attempt(no_fill, no_cases)
    # Trucks that the plan fills anyway change nothing, neither a quantity nor its reason.
    asked = _terms(tables.vendors, trucks.least_fill)
    if broken_vendors(decided.options, asked, decided.choice.rows).any():
        decided, terms, system = attempt(trucks.least_fill, trucks.cases(pairs.case))
    waits = waits_of(
        worth, decided.options, terms, decided.choice, _order_gaps(tables, terms)
    )  # fmt: skip
    return Ordering(
        frame, worth, best, fewest, most, band, asks, joins, decided.pair, decided.options, terms,
        without_waiting(decided.options, decided.choice, waits), system,
        np.isin(np.arange(len(items)), decided.bound), note, life.set_index("item_id"), plain,
        waits,
    )  # fmt: skip


def _order_gaps(tables: BuyTables, terms: Terms) -> Ints:
    """Days [vendors] until each vendor takes another order after tonight."""
    calendar = _text(tables.vendor_calendar, ["vendor_id"]).sort_values("vendor_id", kind="stable")
    gaps = calendar["order_gap_days"].to_numpy(dtype=np.int64)
    return gaps if len(gaps) == len(terms.minimum_cents) else np.ones_like(terms.minimum_cents)


def dead_band_units(worth: Worth, buy: BuySettings) -> npt.NDArray[np.float64]:
    """Units [pairs] that an item is short of before it asks for an order: a share of a review
    period's demand, but no more than the economic order quantity: what sells fast is ordered often
    and arrives evenly."""
    pairs = worth.pairs
    holding = pairs.unit_cost * worth.holding_per_day
    most_days = buy.dead_band_share * worth.review_days
    return band_units(pairs.daily_demand, holding, buy.order_line_usd, most_days)


def pair_frame(tables: BuyTables, as_of: date) -> pd.DataFrame:
    """A row for each item and vendor with a target, by item and vendor: levels, terms, position."""
    ids = ["item_id", "vendor_id"]
    frame = _text(tables.network_targets, ids).merge(_text(tables.vendor_items, ids), on=ids)
    lead = _text(tables.lead_times, ids)
    late = lead.assign(late=_late_days(lead)).groupby(ids)["late"].max()
    lead = lead.drop_duplicates(ids).merge(late.rename("late_days"), on=ids)
    frame = frame.merge(lead[[*ids, "mean_lead_time_days", "late_days"]], on=ids, how="left")
    frame["late_days"] = frame["late_days"].fillna(0.0)
    frame["mean_lead_time_days"] = frame["mean_lead_time_days"].fillna(
        frame["quoted_lead_time_days"]
    )
    calendar = _text(tables.vendor_calendar, ["vendor_id"])
    calendar = calendar[["vendor_id", "takes_orders", "next_order_date"]]
    frame = frame.merge(calendar, on="vendor_id", how="left")
    frame["takes_orders"] = frame["takes_orders"].fillna(True).astype(bool)
    awards = _text(tables.award_standing, ids)
    frame["is_next"] = ~frame["item_id"].isin(awards["item_id"])
    if len(awards):
        turn = awards.loc[awards["is_next"], ids].apply(tuple, axis=1)
        frame["is_next"] |= frame[ids].apply(tuple, axis=1).isin(set(turn))
    waits = (pd.to_datetime(frame["next_order_date"]) - pd.Timestamp(as_of)).dt.days
    waits = waits.fillna(np.inf).where(~frame["takes_orders"], 0.0)
    frame["wait_days"] = waits.where(frame["is_next"], np.inf)
    frame = frame.sort_values(ids, kind="stable", ignore_index=True)
    # What nodes are to hold beside, and what is lost before an order can come, move the level.
    lost = frame["sold_out_units"].fillna(0)  # a night of before the column may be read again
    frame["moved_units"] = frame["node_override_units"] - lost
    frame["order_up_to_units"] = (frame["order_up_to_units"] + frame["moved_units"]).clip(lower=0)
    frame["position_units"] = inventory_positions(
        frame, _text(tables.stock, ["item_id"]), _text(tables.open_orders, ["item_id"]),
        _text(tables.open_transfers, ["item_id"]), as_of,
    )  # fmt: skip
    frame["item_index"] = pd.factorize(frame["item_id"], sort=True)[0]
    vendors = sorted(tables.vendors["vendor_id"].astype("str").tolist())
    frame["vendor_index"] = np.searchsorted(vendors, frame["vendor_id"].tolist())
    return frame


def _late_days(lead_times: pd.DataFrame) -> pd.Series:
    """Days beyond the mean that an order may take: no later than 19 of 20 come."""
    ordered = lead_times.sort_values(["vendor_id", "item_id", "lead_time_days"], kind="stable")
    before = ordered.groupby(["vendor_id", "item_id"])["probability"].cumsum()
    is_reached = before - ordered["probability"] < _LATE_LEVEL
    late = ordered["lead_time_days"] - ordered["mean_lead_time_days"]
    return late.where(is_reached, 0.0).clip(lower=0.0)


def _pairs(frame: pd.DataFrame, tables: BuyTables) -> Pairs:
    position_values = tables.position_values
    case = frame["case_pack_units"].to_numpy(dtype=np.int64)
    moq = np.maximum(frame["moq_units"].to_numpy(dtype=np.int64), 1)
    cover_days = np.maximum(frame["cover_days"].to_numpy(dtype=np.float64), 1.0)
    return Pairs(
        item=frame["item_index"].to_numpy(dtype=np.int64),
        vendor=frame["vendor_index"].to_numpy(dtype=np.int64),
        level=frame["order_up_to_units"].to_numpy(dtype=np.int64),
        position=frame["position_units"].to_numpy(dtype=np.int64),
        unit_cost=frame["unit_cost_usd"].to_numpy(dtype=np.float64),
        case=case,
        moq=-(-moq // case) * case,
        cover_days=cover_days,
        daily_demand=frame["cover_demand_units"].to_numpy(dtype=np.float64) / cover_days,
        late_days=frame["late_days"].to_numpy(dtype=np.float64),
        wait_days=frame["wait_days"].to_numpy(dtype=np.float64),
        curves=curves_of(_text(position_values, ["item_id", "vendor_id"]), frame).moved(
            frame["moved_units"].to_numpy(dtype=np.float64)
        ),
        breaks=breaks_of(tables.price_breaks, frame),
    )


def _terms(vendors: pd.DataFrame, least_fill: Ints) -> Terms:
    ordered = _text(vendors, ["vendor_id"]).sort_values("vendor_id", kind="stable")
    minimum = np.ceil(ordered["order_minimum_usd"].to_numpy(dtype=np.float64) * 100 - 1e-6)
    capacity = ordered["vendor_capacity_units_per_order"].astype("Float64").fillna(-1)
    return Terms(minimum.astype(np.int64), capacity.to_numpy().astype(np.int64), least_fill)


def _candidates(
    pairs: Pairs, rungs: tuple[Ints, Ints], may: Bools, asks: Bools
) -> tuple[Ints, Ints]:
    """(pair, units) weighed of the rungs (pair, cases): pairs that `may` be ordered from vendors of
    whom something `asks`."""
    is_open = np.isin(pairs.vendor, pairs.vendor[asks])
    pair, count = rungs
    kept = (may & is_open)[pair]
    return pair[kept], (count * pairs.case[pair])[kept]


def _as_options(worth: Worth, load: Ints, pair: Ints, units: Ints, required: Bools) -> Options:
    pairs = worth.pairs
    return Options(
        item=pairs.item[pair],
        vendor=pairs.vendor[pair],
        units=units,
        cost_cents=np.rint(units * pairs.cost(pair, units) * 100).astype(np.int64),
        gain=np.rint(worth.gain(pair, units) * 1e6).astype(np.int64),
        is_required=required,
        load=load[pair] * units[:, None],
    )


def _system_units(options: Options, pairs: Pairs) -> Ints:
    """Units of each item's best candidate, 0 where none gains anything."""
    n_items = int(pairs.item.max()) + 1 if len(pairs) else 0
    units = np.zeros(n_items, dtype=np.int64)
    order = np.lexsort((options.cost_cents, options.gain))
    gaining = order[options.gain[order] > 0]
    units[options.item[gaining]] = options.units[gaining]  # the last, best one stays
    return units


def _preferred_first(pair: Ints, options: Options, pairs: Pairs) -> tuple[Ints, Options]:
    """Sorted by item; among equal gains what ends nearest to the level, then what costs least."""
    off = np.abs(pairs.position[pair] + options.units - pairs.level[pair])
    order = np.lexsort((options.units, options.vendor, options.cost_cents, off, options.item))
    return pair[order], options.take(order)


def _text(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(columns, "str"))
