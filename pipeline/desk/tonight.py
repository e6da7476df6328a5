"""Page *Tonight*: what needs a person, ranked by the money at stake, and the night's totals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pipeline.desk.listings import ITEMS, ORDERS
from pipeline.desk.tables import NightTables
from pipeline.store import Store

HIGH_COVER_WEEKS = 13.0
"""An order that leads to more weeks of cover than a season asks for a look."""
_SHOWN = 12
TOTALS = (
    ("order_value_usd", "Orders, value"), ("order_lines", "Order lines"),
    ("order_units", "Units ordered"), ("transfer_units", "Units transferred"),
    ("stock_value_usd", "Stock, value"), ("stock_cover_weeks", "Weeks of stock"),
    ("in_stock_share_last_week", "In stock, last week"),
    ("items_likely_to_run_out", "Items likely to run out"),
)  # fmt: skip


def tonight(night: NightTables, large_order_usd: float) -> dict[str, Any]:
    """`points` (ranked by usd, the largest first), `totals` with yesterday's, `trend` by figure."""
    points = [
        *_large(night, large_order_usd), *_odd(night), *_short(night), *_full(night),
        *_late(night), *_moved(night), *_findings(night),
    ]  # fmt: skip
    points.sort(key=lambda point: (-point["usd"], point["kind"], point["title"]))
    trend = kpi_history(night.store, night)
    return {
        "points": points,
        "totals": [
            {"name": name, "title": title, "days": trend[name], **_steps(trend[name])}
            for name, title in TOTALS
            if trend.get(name)
        ],
        "hidden": max(0, len(points) - 60),
    }


def kpi_history(store: Store, night: NightTables, nights: int = 15) -> dict[str, list[Any]]:
    """For each key figure its values on the last nights up to this one: (date, value, unit)."""
    days = [day for day in store.dates("plan_kpis") if day <= night.as_of][-nights:]
    history: dict[str, list[Any]] = {}
    for day in days:
        for row in store.read(day, "plan_kpis").to_dict("records"):
            history.setdefault(str(row["kpi"]), []).append(
                (day, float(row["value"]), str(row["measure_unit"]))
            )
    return history


def _steps(values: list[Any]) -> dict[str, Any]:
    """Tonight's value, and those of the night before and of a week before where they exist."""
    by_day = {day: value for day, value, _ in values}
    last, value, unit = values[-1]
    return {
        "value": value, "unit": unit, "yesterday": by_day.get(last - timedelta(days=1)),
        "last_week": by_day.get(last - timedelta(days=7)),
    }  # fmt: skip


def _point(kind: str, usd: float | None, title: str, detail: str, link: str) -> dict[str, Any]:
    return {"kind": kind, "usd": float(usd or 0.0), "title": title, "detail": detail, "link": link}


def _large(night: NightTables, least_usd: float) -> list[dict[str, Any]]:
    where, order = "where order_cost_usd >= ?", "order_cost_usd desc"
    rows = ORDERS.best(night, where, [least_usd], order, _SHOWN)
    return [
        _point("Large order", row["order_cost_usd"], f"{row['order_units']:,} {row['item_name']}",
               row["sentence"], f"items/{row['item_id']}")
        for row in ORDERS.tell(night, rows)
    ]  # fmt: skip


def _odd(night: NightTables) -> list[dict[str, Any]]:
    """Orders that last longer than a season, or gain less than a hundredth of their cost."""
    where = "where weeks_after > ? or weekly_units = 0 or value_gained_usd < 0.001 * order_cost_usd"
    rows = ORDERS.best(night, where, [HIGH_COVER_WEEKS], "order_cost_usd desc", _SHOWN)
    points = []
    for row in ORDERS.tell(night, rows):
        weeks = row["weeks_after"]
        if weeks is None or weeks > HIGH_COVER_WEEKS:
            lasts = "nothing is expected to sell" if weeks is None else f"lasts {weeks:,.0f} weeks"
            detail = f"{row['order_units']:,} units: {lasts}. {row['sentence']}"
        else:
            detail = (
                f"${row['order_cost_usd']:,.0f} that gain ${row['value_gained_usd']:,.2f}: it can "
                f"wait. {row['sentence']}"
            )
        points.append(_point("Odd order", row["order_cost_usd"], row["item_name"], detail,
                             f"items/{row['item_id']}"))  # fmt: skip
    return points


def short_items(night: NightTables) -> list[dict[str, Any]]:
    """Items that will sell out before anything arrives, by what that loses at list price."""
    return night.rows(
        "select *, greatest(weekly_units * least(coalesce(next_days, 28), 28) / 7 "
        "- on_hand_units, 0) * list_price_usd as usd "
        f"from {ITEMS.kept(night)} i left join (select item_id, "
        "min(expected_arrival_date - date) as next_days from open_orders "
        "where date = (select max(date) from open_orders) "
        "and expected_arrival_date >= date group by 1) n using (item_id) "
        "where weekly_units > 0 and weekly_units * least(coalesce(next_days, 28), 28) / 7 "
        f">= on_hand_units + 1 order by usd desc, item_id limit {_SHOWN}", (), "open_orders",
    )  # fmt: skip


def _short(night: NightTables) -> list[dict[str, Any]]:
    return [
        _point("May run out", row["usd"], row["item_name"], _supply(row), f"items/{row['item_id']}")
        for row in short_items(night)
    ]


def _supply(row: dict[str, Any]) -> str:
    """What an item that may run out has, and what is being done about it."""
    coming = "nothing on order"
    if row["next_days"] is not None:
        days = row["next_days"]
        coming = f"{row['on_order_units']:,} on order, the next in {days} day{'s' * (days != 1)}"
    tonight_text = f"{row['order_units']:,} ordered tonight"
    if not row["order_units"]:
        tonight_text = "nothing ordered tonight" + (f": {row['why_not']}" if row["why_not"] else "")
    return (
        f"{row['on_hand_units']:,} on hand, {row['weekly_units']:,.1f} a week expected; {coming}; "
        f"{tonight_text}."
    )


def full_nodes(night: NightTables) -> list[dict[str, Any]]:
    """Capacities that are scarce in some week, by what a tenth more of each would bring."""
    return night.rows(
        "select c.node_id, any_value(n.node_name) as node_name, resource, count(*) as weeks, "
        "min(week_start) as first_week, max(price_usd_per_capacity_unit) as price, "
        "sum(coalesce(right_derivative_usd, 0) * capacity * 0.1) as usd "
        "from capacity_prices c left join nodes n using (node_id) "
        "where price_usd_per_capacity_unit > 0 group by 1, 3 order by usd desc, 1, 3 "
        f"limit {_SHOWN}", (), "capacity_prices", "nodes",
    )  # fmt: skip


def _full(night: NightTables) -> list[dict[str, Any]]:
    return [
        _point(
            "Full node", row["usd"], f"{row['node_name'] or row['node_id']}: {row['resource']}",
            f"Scarce in {row['weeks']} weeks from {row['first_week']}; one more unit of capacity "
            f"is worth up to ${row['price']:,.2f} in a week.", "network",
        )
        for row in full_nodes(night)
    ]  # fmt: skip


def _late(night: NightTables) -> list[dict[str, Any]]:
    """Vendors whose open orders are overdue."""
    rows = night.rows(
        "select p.vendor_id, any_value(v.vendor_name) as vendor_name, count(*) as lines, "
        "sum(open_units) as units, max(date - expected_arrival_date) as days, "
        "sum(open_units * coalesce(c.unit_cost_usd, 0)) as usd from open_orders p "
        "left join vendors v using (vendor_id) left join vendor_items c using (vendor_id, item_id) "
        "where date = (select max(date) from open_orders) and expected_arrival_date < date "
        f"group by 1 order by usd desc, 1 limit {_SHOWN}",
        (), "open_orders", "vendors", "vendor_items",
    )  # fmt: skip
    return [
        _point("Late vendor", row["usd"], row["vendor_name"] or row["vendor_id"],
               f"{row['lines']:,} lines with {row['units']:,} units are overdue, by up to "
               f"{row['days']} days.", f"vendors#{row['vendor_id']}")
        for row in rows
    ]  # fmt: skip


def _moved(night: NightTables) -> list[dict[str, Any]]:
    rows = night.rows(
        "select c.item_id, i.item_name, c.previous_mean_units, c.mean_units, c.change_units, "
        "abs(c.change_units) * i.list_price_usd as usd from forecast_changes c "
        "join items i using (item_id) where driver = 'all' and abs(change_units) >= 1 "
        f"order by usd desc, c.item_id limit {_SHOWN // 2}", (), "forecast_changes", "items",
    )  # fmt: skip
    return [
        _point("Forecast moved", row["usd"], row["item_name"],
               f"The next 28 days: {row['previous_mean_units']:,.0f} expected yesterday, "
               f"{row['mean_units']:,.0f} today.", f"items/{row['item_id']}")
        for row in rows
    ]  # fmt: skip


def _findings(night: NightTables) -> list[dict[str, Any]]:
    rows = night.rows(
        "select table_name, rule, sum(row_count)::bigint as n, min(bad_value) as value, "
        "any_value(reason) as reason from quarantine group by 1, 2 order by n desc, 1, 2 limit 20",
        (), "quarantine",
    )  # fmt: skip
    return [
        _point("Data", 0.0, f"{row['table_name']}: {row['rule']}",
               f"{row['n']:,} finding(s), e.g. {row['value']}. {row['reason']}",
               f"findings?table_name={row['table_name']}")
        for row in rows
    ]  # fmt: skip
