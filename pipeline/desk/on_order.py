"""Page *On order*: where each line stands, what is stuck, and what could be done about open orders.

proposed -> approved -> released -> on order -> received. Open orders get proposals: expedite what
comes after the shelf is empty, postpone what comes long before it is needed, cancel what nobody
will miss for a year. Money is an estimate at tonight's forecast, said to be one.
"""

from __future__ import annotations

from datetime import date
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
  coalesce(s.on_hand, 0) + coalesce(sum(p.open_units) over (partition by p.item_id
    order by p.expected_arrival_date, p.order_id, p.node_id
    rows between unbounded preceding and 1 preceding), 0) as before_units,
  i.list_price_usd, coalesce(c.cost, 0) as unit_cost_usd
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
    found = []
    for row in night.rows(_LINES, (), *_TABLES):
        daily, days = row["daily_units"] or 0.0, float(row["days"])
        left = row["before_units"] - daily * days
        usd = row["open_units"] * row["unit_cost_usd"]
        a_day = usd * holding_rate_per_year / 365
        if left < 0 and days > 1:
            empty_days = days - max(row["before_units"] / daily, 1.0)
            lost = min(row["open_units"], daily * empty_days)
            gain = lost * max(row["list_price_usd"] - row["unit_cost_usd"], 0.0)
            found.append(row | {
                "ask": "expedite", "usd": gain, "why": f"sold out {empty_days:,.0f} days before "
                f"it comes: {lost:,.0f} sales are lost",
            })  # fmt: skip
        elif left > DEAD_WEEKS * 7 * daily:
            cover = "nothing is expected to sell" if not daily else (
                f"{left / daily / 7:,.0f} weeks of cover are left when it comes"
            )  # fmt: skip
            found.append(row | {
                "ask": "cancel", "usd": a_day * 365,
                "why": f"{cover}; it frees ${usd:,.0f}",
            })  # fmt: skip
        elif left > LATE_WEEKS * 7 * daily:
            later = left / daily - KEPT_WEEKS * 7
            found.append(row | {
                "ask": "postpone", "usd": a_day * later, "why": f"{left / daily / 7:,.0f} weeks of "
                f"cover are left when it comes: {later:,.0f} days later is soon enough",
            })  # fmt: skip
    found.sort(key=lambda row: (-row["usd"], row["order_id"], row["item_id"], row["node_id"]))
    return found


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
