"""Page *On order*: where each line stands, what is stuck, and what could be done about open orders.

proposed -> approved -> released -> on order -> received. Open orders get proposals: expedite what
comes after the shelf is empty, postpone what comes long before it is needed, cancel what nobody
will miss for a year. Money is an estimate at tonight's forecast, said to be one.
"""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from pipeline.desk.approving import approval_page
from pipeline.desk.tables import NightTables
from pipeline.records.database import Records
from pipeline.records.releases import released_lines

STATES = ("proposed", "approved", "prepared", "delivered", "on order", "overdue")
STATE_WORDS = {
    "proposed": "proposed tonight, waits or below the threshold", "approved": "approved, not yet "
    "released", "prepared": "released, not yet taken by the target", "delivered": "released, the "
    "ERP does not show it yet", "on order": "on order", "overdue": "on order and overdue",
}  # fmt: skip
STUCK_DAYS = {"prepared": 1, "delivered": 2, "overdue": 1}
"""Days from which on a line counts as stuck in a state."""
LATE_WEEKS, KEPT_WEEKS, DEAD_WEEKS = 8.0, 4.0, 52.0
"""Cover at arrival from which on to postpone, until so much is left; and from which to cancel."""
_SHOWN = 200

_LINES = """
select p.order_id, p.item_id, i.item_name, p.vendor_id, v.vendor_name, p.node_id,
  p.expected_arrival_date, p.open_units, p.order_date,
  greatest(p.expected_arrival_date - p.date, 0) as days, w.daily as daily_units,
  coalesce(s.on_hand, 0) as on_hand_units, i.list_price_usd, coalesce(c.cost, 0) as unit_cost_usd
from open_orders p
left join items i using (item_id)
left join vendors v using (vendor_id)
left join (select item_id, sum(mean_units) / any_value(window_days) as daily from demand_quantiles
  where window_start_day = 1 and window_days = (select window_days from demand_quantiles
    where window_start_day = 1 order by abs(window_days - 28), window_days limit 1)
  group by 1) w using (item_id)
left join (select item_id, sum(on_hand_units) as on_hand from stock
  where date = (select max(date) from stock) group by 1) s using (item_id)
left join (select item_id, min(unit_cost_usd) as cost from vendor_items group by 1) c
  using (item_id)
where p.date = (select max(date) from open_orders) and p.open_units > 0
order by p.item_id, p.expected_arrival_date, p.order_id, p.node_id
"""
_TABLES = ("open_orders", "items", "vendors", "demand_quantiles", "stock", "vendor_items")


def on_order_page(
    night: NightTables, records: Records | None, place: str, least_usd: float,
    holding_rate_per_year: float,
) -> dict[str, Any]:  # fmt: skip
    """`states`: lines, value and oldest age of each state; `stuck` lines; `proposals` by money."""
    states = []
    if records is not None:
        states += _left(records, place, night.as_of)
    states += _open(night)
    summary = _tonight(night, records, place, least_usd)
    for state in STATES[2:]:
        own = [row for row in states if row["state"] == state]
        summary.append({
            "state": state, "words": STATE_WORDS[state], "lines": len(own),
            "usd": sum(row["usd"] for row in own),
            "oldest": max((row["age_days"] for row in own), default=None),
        })  # fmt: skip
    stuck = [row for row in states if row["age_days"] >= STUCK_DAYS.get(row["state"], 10**6)]
    stuck = _merged(stuck)
    stuck.sort(key=lambda row: (-row["age_days"], -row["usd"], row["line"]))
    return {
        "states": summary, "stuck": stuck[:_SHOWN], "stuck_lines": len(stuck),
        "proposals": proposals(night, holding_rate_per_year)[:_SHOWN],
    }  # fmt: skip


def proposals(night: NightTables, holding_rate_per_year: float) -> list[dict[str, Any]]:
    """Open orders worth a call to the vendor: what to ask for, why, and the usd that it brings.

    Expedite: the margin of what sells between the empty shelf and the arrival, this order's units
    at most. Postpone: the holding cost of the days until KEPT_WEEKS of cover are left. Cancel: the
    holding cost of a year, and the order's money is free.
    """
    lines = night.rows(_LINES, (), *_TABLES)
    found = [
        row | asked
        for _, own in groupby(lines, key=itemgetter("item_id"))
        for row in arrivals(list(own))
        if (asked := _asked(row, holding_rate_per_year))
    ]
    found.sort(key=lambda row: (-row["usd"], row["order_id"], row["item_id"], row["node_id"]))
    return found


def _asked(row: dict[str, Any], holding_rate_per_year: float) -> dict[str, Any]:
    """What to ask the vendor for a line of `arrivals`: ask, usd, why; nothing where it is well."""
    daily, left = row["daily_units"] or 0.0, row["left_units"]
    usd = row["open_units"] * row["unit_cost_usd"]
    a_day = usd * holding_rate_per_year / 365
    if row["lost_units"] > 0:
        gain = row["lost_units"] * max(row["list_price_usd"] - row["unit_cost_usd"], 0.0)
        why = f"sold out {row['empty_days']:,.0f} days before it comes: "
        return {"ask": "expedite", "usd": gain, "why": f"{why}{row['lost_units']:,.0f} sales lost"}
    weeks = left / daily / 7 if daily else 0.0
    cover = f"{weeks:,.0f} weeks of cover are left when it comes"
    if left > DEAD_WEEKS * 7 * daily:
        why = cover if daily else "nothing is expected to sell"
        return {"ask": "cancel", "usd": a_day * 365, "why": f"{why}; it frees ${usd:,.0f}"}
    if weeks > LATE_WEEKS:
        later = (weeks - KEPT_WEEKS) * 7
        why = f"{cover}: {later:,.0f} days later is soon enough"
        return {"ask": "postpone", "usd": a_day * later, "why": why}
    return {}


def arrivals(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An item's open lines by arrival, each with `left_units` on the shelf when it comes,
    `empty_days` before, and `lost_units`: sales lost then that it could have served.

    What is lost is not asked for again, and a lost sale is counted for one line alone of those that
    come next. Nothing that sells tomorrow can still be saved.
    """
    stock, day, lost, empty_days, found = float(lines[0]["on_hand_units"]), 0.0, 0.0, 0.0, []
    for row in lines:
        daily, comes = float(row["daily_units"] or 0.0), max(float(row["days"]), day)
        if daily > 0:
            if comes > day:
                empty_days = max(comes - max(day + stock / daily, 1.0), 0.0)
                lost = empty_days * daily
            stock = max(stock - (comes - day) * daily, 0.0)
        served = min(float(row["open_units"]), lost)
        found.append(row | {"left_units": stock, "empty_days": empty_days, "lost_units": served})
        lost, stock, day = lost - served, stock + row["open_units"], comes
    return found


def _merged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for an order's item in a state, whatever nodes it goes to."""
    found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for row in lines:
        key = (row["state"], row["line"], row["item_id"], row["age_days"])
        own = found.get(key, {"units": 0, "usd": 0.0})
        found[key] = row | {"units": own["units"] + row["units"], "usd": own["usd"] + row["usd"]}
    return list(found.values())


def _tonight(
    night: NightTables, records: Records | None, place: str, least_usd: float
) -> list[dict[str, Any]]:
    counts = approval_page(night, records, place, least_usd)["counts"]
    own = {"proposed": ("waiting", "free", "changed"), "approved": ("approved",)}
    return [
        {
            "state": state, "words": STATE_WORDS[state], "oldest": None,
            "lines": sum(int(row["lines"]) for row in counts if row["state"] in words),
            "usd": sum(float(row["usd"]) for row in counts if row["state"] in words),
        }
        for state, words in own.items()
    ]  # fmt: skip


def _left(records: Records, place: str, as_of: date) -> list[dict[str, Any]]:
    """Released lines that the ERP has not been seen to have."""
    lines = released_lines(records, place, as_of)
    lines = lines[lines["state"].isin(["prepared", "delivered"])]
    return [
        {"state": row["state"], "line": row["order_line_id"], "item_id": row["item_id"],
         "item_name": row["item_id"], "units": row["order_units"], "usd": row["order_cost_usd"],
         "age_days": (as_of - pd.Timestamp(row["as_of"]).date()).days}
        for row in lines.to_dict("records")
    ]  # fmt: skip


def _open(night: NightTables) -> list[dict[str, Any]]:
    rows = night.rows(
        "select *, date_diff('day', expected_arrival_date, cast(? as date)) as late "
        f"from ({_LINES})",
        [night.as_of], *_TABLES,
    )  # fmt: skip
    return [
        {"state": "overdue" if row["late"] > 0 else "on order", "line": row["order_id"],
         "item_id": row["item_id"], "item_name": row["item_name"], "units": row["open_units"],
         "usd": row["open_units"] * row["unit_cost_usd"], "age_days": max(row["late"], 0)}
        for row in rows
    ]  # fmt: skip
