"""What of a night asks for a person, with the money at stake: the rows of the page *Tonight*.

Written with the night, so that the desk and the alerts read a few hundred rows where there are
millions of orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline.review.forecasts import WHOLE, moved_by
from pipeline.review.orders import largest_orders, oddest_orders

SHOWN = 12
"""At most so many of each kind, those with the most money at stake."""
_LEAST_SHORT_UNITS = 0.5
_RESOURCES = {
    "storage_cuft": "storage", "inbound_units_per_day": "inbound",
    "outbound_units_per_day": "outbound", "lane_cuft_per_day": "the lane to it",
    "budget_usd_per_day": "budget",
}  # fmt: skip
_ONE_MORE = {
    "storage_cuft": "cubic foot", "inbound_units_per_day": "unit a day",
    "outbound_units_per_day": "unit a day", "lane_cuft_per_day": "cubic foot a day",
    "budget_usd_per_day": "dollar a day",
}  # fmt: skip
Tables = Mapping[str, pd.DataFrame]
Rows = Iterator[tuple[str, str, float, str, str, str]]


@dataclass(frozen=True)
class NightView:
    """A night's tables with ids as text, its orders as viewed, the worst window of each item
    (`Findings.risk`), its date."""

    tables: Tables
    orders: pd.DataFrame
    risk: pd.DataFrame
    as_of: date

    def today(self, name: str) -> pd.DataFrame:
        """The rows of a snapshot table at the business date."""
        frame = self.tables[name]
        return frame[frame["date"] == pd.Timestamp(self.as_of)]


def as_text(tables: Tables) -> dict[str, pd.DataFrame]:
    """The tables that exceptions are made of, with categories as text."""
    names = (
        "items", "nodes", "vendors", "vendor_items", "stock", "open_orders", "open_transfers",
        "order_candidates", "capacity_prices", "forecast_changes", "quarantine",
    )  # fmt: skip
    return {
        name: tables[name].astype(
            dict.fromkeys(tables[name].select_dtypes("category").columns, "str")
        )
        for name in names
    }


def exceptions(night: NightView, approval_usd: float) -> pd.DataFrame:
    """Table `exceptions`: at most SHOWN of each kind; money in USD, 0 where none can be told."""
    rows = [
        *_large(night.orders, approval_usd), *_odd(night.orders, approval_usd), *_short(night),
        *_full(night), *_late(night), *_moved(night), *_data(night),
    ]  # fmt: skip
    columns = [
        "exception_kind", "exception_key", "at_stake_usd", "exception_title", "exception_detail",
        "desk_page",
    ]  # fmt: skip
    found = pd.DataFrame(rows, columns=columns)
    found["exception_key"] = found["exception_kind"] + "/" + found["exception_key"]
    return found.astype({"at_stake_usd": "float64"})


def _large(orders: pd.DataFrame, approval_usd: float) -> Rows:
    largest = largest_orders(orders, SHOWN)
    largest = largest[largest["order_cost_usd"] >= approval_usd]
    odd = oddest_orders(largest, SHOWN).set_index("order_line_id")["oddities"]
    for row in largest.itertuples():
        title = f"{row.order_units:,} {row.item_name}"
        why = f" Odd: {odd[row.order_line_id]}." if row.order_line_id in odd.index else ""
        yield ("large_order", row.order_line_id, row.order_cost_usd, title,
               f"{row.sentence}{why}", f"items/{row.item_id}")  # fmt: skip


def _odd(orders: pd.DataFrame, approval_usd: float) -> Rows:
    """The oddest orders that are not told as large ones."""
    large = largest_orders(orders, SHOWN)
    large = large.loc[large["order_cost_usd"] >= approval_usd, "order_line_id"]
    rest = orders[~orders["order_line_id"].isin(large)]
    for row in oddest_orders(rest, SHOWN).itertuples():
        detail = f"{row.order_units:,} units: {row.oddities}."
        yield ("odd_order", row.order_line_id, row.order_cost_usd, row.item_name, detail,
               f"items/{row.item_id}")  # fmt: skip


def _short(night: NightView) -> Rows:
    """Items that may sell out before a later order could help, by what that loses at list price:
    the report's stock-out risk, with what is known of it."""
    found = night.risk[night.risk["shortfall_units"] >= _LEAST_SHORT_UNITS]
    found = found.sort_values(["shortfall_usd", "item_id"], ascending=[False, True]).head(SHOWN)
    chosen = set(found["item_id"])
    coming = night.today("open_orders")
    coming = coming[coming["item_id"].isin(chosen)]
    days = (coming["expected_arrival_date"] - coming["date"]).dt.days
    ahead = coming.assign(days=days)[days >= 0].groupby("item_id")["days"].min()
    open_units = coming.groupby("item_id")["open_units"].sum()
    ordered = night.orders[night.orders["item_id"].isin(chosen)].set_index("item_id")
    ordered = ordered[~ordered.index.duplicated()]
    offers = night.tables["order_candidates"]
    why_not = _best_refused(offers[offers["item_id"].isin(chosen)])
    overdue = _overdue(night)
    for row in found.itertuples():
        texts = [
            f"{row.run_out_probability:.0%} likely to run out within {row.window_days} days, "
            f"before a later order could help: {row.mean_units:,.0f} expected to sell, "
            f"{row.on_hand_units:,.0f} on hand, {row.supply_units - row.on_hand_units:,.0f} to "
            "come by then",
            _coming(open_units.get(row.item_id, 0), ahead.get(row.item_id, np.nan)),
        ]
        if row.item_id in overdue.index:
            late = overdue.loc[row.item_id]
            texts.append(f"{late['units']:,.0f} of them overdue by {_days(late['days'])}")
        texts.append(_tonight(row.item_id, ordered, why_not))
        yield ("may_run_out", row.item_id, row.shortfall_usd, str(row.item_name),
               "; ".join(texts) + ".", f"items/{row.item_id}")  # fmt: skip


def _days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:,.0f} days"


def _coming(open_units: float, days: float) -> str:
    if not open_units:
        return "nothing on order"
    if not np.isfinite(days):
        return f"{open_units:,.0f} on order"
    return f"{open_units:,.0f} on order, the next in {_days(days)}"


def _tonight(item_id: str, ordered: pd.DataFrame, why_not: pd.Series) -> str:
    """What is being done about it: tonight's order, or why there is none."""
    if item_id in ordered.index:
        line = ordered.loc[item_id]
        arrives = line["expected_arrival_date"].date()
        return f"{line['order_units']:,} ordered tonight, to arrive on {arrives}"
    if item_id in why_not.index:
        return f"nothing ordered tonight: {why_not[item_id]}"
    return "nothing ordered tonight"


def _best_refused(offers: pd.DataFrame) -> pd.Series:
    """Why the best alternative of each item was not chosen, by item_id."""
    refused = offers[(offers["candidate_units"] > 0) & ~offers["is_chosen"].astype(bool)]
    best = refused.sort_values(
        ["item_id", "value_gained_usd", "vendor_id", "candidate_units"],
        ascending=[True, False, True, True],
    ).drop_duplicates("item_id")
    return best.set_index("item_id")["why_not"]


def _overdue(night: NightView) -> pd.DataFrame:
    """units and days (the longest) of overdue open orders, by item_id."""
    rows = _late_lines(night)
    return rows.groupby("item_id").agg(units=("open_units", "sum"), days=("days", "max"))


def _late_lines(night: NightView) -> pd.DataFrame:
    rows = night.today("open_orders")
    rows = rows.assign(days=(rows["date"] - rows["expected_arrival_date"]).dt.days)
    return rows[(rows["days"] > 0) & (rows["open_units"] > 0)]


def _full(night: NightView) -> Rows:
    """Capacities that are scarce in some week, by what a tenth more of each would bring."""
    cells = night.tables["capacity_prices"]
    cells = cells[cells["price_usd_per_capacity_unit"] > 0]
    brings = cells["right_derivative_usd"].fillna(0.0) * cells["capacity"] * 0.1
    found = cells.assign(usd=brings).groupby(["node_id", "resource"], as_index=False).agg(
        weeks=("usd", "size"), first=("week_start", "min"), usd=("usd", "sum"),
        price=("price_usd_per_capacity_unit", "max"),
    )  # fmt: skip
    found = found.sort_values(["usd", "node_id", "resource"], ascending=[False, True, True])
    nodes = night.tables["nodes"]
    names = dict(zip(nodes["node_id"], nodes["node_name"], strict=True))
    for row in found[found["usd"] >= 1].head(SHOWN).itertuples():
        first = pd.Timestamp(row.first).date()
        weeks = (
            f"{row.weeks} of the coming weeks, the first from {first}" if row.weeks != 1
            else f"the week from {first}"
        )  # fmt: skip
        detail = (
            f"Planned full in {weeks}; one more {_ONE_MORE[row.resource]} is worth up to "
            f"${row.price:,.2f} a week. At stake: what a tenth more would bring in all of them."
        )
        title = f"{names.get(row.node_id, row.node_id)}: {_RESOURCES[row.resource]}"
        key = f"{row.node_id}/{row.resource}/{first}"
        yield "full_node", key, row.usd, title, detail, "network"


def _late(night: NightView) -> Rows:
    """Vendors whose open orders are overdue, by the cost of what is late."""
    offers = night.tables["vendor_items"][["vendor_id", "item_id", "unit_cost_usd"]]
    rows = _late_lines(night).merge(offers, on=["vendor_id", "item_id"], how="left")
    rows = rows.assign(usd=rows["open_units"] * rows["unit_cost_usd"].fillna(0.0))
    found = rows.groupby("vendor_id", as_index=False).agg(
        lines=("usd", "size"), units=("open_units", "sum"), days=("days", "max"), usd=("usd", "sum")
    )
    found = found.sort_values(["usd", "vendor_id"], ascending=[False, True])
    vendors = night.tables["vendors"]
    names = dict(zip(vendors["vendor_id"], vendors["vendor_name"], strict=True))
    for row in found.head(SHOWN).itertuples():
        one = row.lines == 1
        detail = (
            f"{row.lines:,} line{'' if one else 's'} with {row.units:,} units "
            f"{'is' if one else 'are'} overdue, by up to {_days(row.days)}."
        )
        yield ("late_vendor", row.vendor_id, row.usd, names.get(row.vendor_id, row.vendor_id),
               detail, f"vendors#{row.vendor_id}")  # fmt: skip


def _moved(night: NightView) -> Rows:
    """Forecasts that moved since yesterday, by the sales that they moved by at list price."""
    changes = night.tables["forecast_changes"]
    rows = changes[(changes["driver"] == WHOLE) & (changes["change_units"].abs() >= 1)]
    items = night.tables["items"][["item_id", "item_name", "list_price_usd"]]
    rows = rows.merge(items, on="item_id")
    rows = rows.assign(usd=rows["change_units"].abs() * rows["list_price_usd"])
    rows = rows.sort_values(["usd", "item_id"], ascending=[False, True])
    for row in rows.head(SHOWN // 2).itertuples():
        why = moved_by(changes[changes["item_id"] == row.item_id])
        named = ", ".join(f"{driver} {units:+,.0f}" for driver, units in why)
        detail = (
            f"The next 28 days: {row.previous_mean_units:,.0f} expected yesterday, "
            f"{row.mean_units:,.0f} today{f': {named}' if named else ''}."
        )
        yield ("forecast_moved", row.item_id, row.usd, row.item_name, detail,
               f"items/{row.item_id}")  # fmt: skip


def _data(night: NightView) -> Rows:
    rows = night.tables["quarantine"]
    found = rows.groupby(["table_name", "rule"], as_index=False).agg(
        n=("row_count", "sum"), value=("bad_value", "min"), reason=("reason", "first")
    )
    found = found.sort_values(["n", "table_name", "rule"], ascending=[False, True, True])
    for row in found.head(SHOWN).itertuples():
        such = f", e.g. {row.value}" if row.value else ""
        detail = f"{row.n:,} finding{'s' * (row.n != 1)}{such}. {row.reason}"
        yield ("data_finding", f"{row.table_name}/{row.rule}", 0.0, f"{row.table_name}: {row.rule}",
               detail, f"findings?table_name={row.table_name}")  # fmt: skip
