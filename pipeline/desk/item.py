"""Page *Item*: its forecast on its history, stock by tier, levels, open orders, and why."""

from __future__ import annotations

from typing import Any

from pipeline.desk.tables import NightTables

HISTORY_DAYS = 182


def item_page(night: NightTables, item_id: str) -> dict[str, Any] | None:
    """What the item's template shows, or None where the night does not know the item."""
    item = night.one("select * from items where item_id = ?", [item_id], "items")
    if item is None:
        return None

    def rows(query: str, *tables: str) -> list[dict[str, Any]]:
        return night.rows(query, [item_id], *tables)

    return {
        "item": item,
        "chart": _chart(night, item_id),
        "targets": rows(
            "select t.*, v.vendor_name, vi.unit_cost_usd, vi.moq_units, vi.case_pack_units, "
            "vi.quoted_lead_time_days from network_targets t left join vendors v using (vendor_id) "
            "left join vendor_items vi using (vendor_id, item_id) where t.item_id = ? order by 1",
            "network_targets", "vendors", "vendor_items",
        ),
        "orders": rows(
            "select * from purchase_orders where item_id = ? order by 1", "purchase_orders"
        ),
        "waterfall": rows(
            "select o.order_line_id, r.driver, r.driver_units, r.sentence from purchase_orders o "
            "join order_reasons r using (order_line_id) where o.item_id = ? "
            "order by 1, r.driver_order", "purchase_orders", "order_reasons",
        ),
        "candidates": rows(
            "select * from order_candidates where item_id = ? order by vendor_id, candidate_units",
            "order_candidates",
        ),
        "nodes": rows(
            "select n.node_id, n.node_name, n.tier, coalesce(s.on_hand_units, 0) as on_hand_units, "
            "l.base_stock_units, l.unpriced_base_stock_units, l.expected_demand_units, "
            "l.marginal_value_usd, w.unit_worth_usd, w.assignable_units "
            "from nodes n left join (select * from base_stock_levels "
            "where item_id = $1) l using (node_id) left join (select * from assignment_worth "
            "where item_id = $1) w using (node_id) left join (select * from stock "
            "where item_id = $1 and date = (select max(date) from stock)) s using (node_id) "
            "where l.node_id is not null or s.node_id is not null order by n.tier, n.node_id",
            "nodes", "base_stock_levels", "stock", "assignment_worth",
        ),
        "open_orders": rows(
            "select p.*, v.vendor_name from open_orders p left join vendors v using (vendor_id) "
            "where item_id = ? and date = (select max(date) from open_orders) "
            "order by expected_arrival_date, order_id, node_id", "open_orders", "vendors",
        ),
        "transfers": rows(
            "select t.*, (select any_value(sentence) from transfer_reasons r where r.transfer_id = "
            "t.transfer_id) as sentence from transfers t where item_id = ? order by 1",
            "transfers", "transfer_reasons",
        ),
        "changes": rows(
            "select change_key, previous_units, current_units, driver, driver_units, sentence "
            "from plan_changes where item_id = ? order by change_key, driver_order", "plan_changes",
        ),
        "forecast_drivers": rows(
            "select driver, change_units, previous_mean_units, mean_units from forecast_changes "
            "where item_id = ? order by abs(change_units) desc, driver", "forecast_changes",
        ),
        "overrides": rows(
            "select * from overrides where item_id = ? or item_id is null order by override_id",
            "overrides",
        ),
    }  # fmt: skip


def _chart(night: NightTables, item_id: str) -> dict[str, Any]:
    """Daily sales of all regions, their price, and the forecast's windows as a weekly band.

    days: dates as text; units, price; events by day. fan: for each window from tomorrow its last
    day, expected units and, from the sum of the regions' quantiles, a band no narrower than theirs.
    """
    history = night.rows(
        "select cast(date as varchar) as day, sum(units) as units, avg(price_usd) as price, "
        "min(in_stock_share) as in_stock, bool_or(is_censored) as censored from daily_demand "
        f"where item_id = ? and date > (select max(date) from daily_demand) - {HISTORY_DAYS} "
        "group by 1 order by 1", [item_id], "daily_demand",
    )  # fmt: skip
    fan = night.rows(
        'select window_days, sum(mean_units) as mean, sum("q0.05") as low, sum("q0.5") as median, '
        'sum("q0.95") as high from demand_quantiles where item_id = ? and window_start_day = 1 '
        "group by 1 order by 1", [item_id], "demand_quantiles",
    )  # fmt: skip
    events = night.rows(
        "select cast(date as varchar) as day, string_agg(distinct event_name, ', ' order by "
        "event_name) as name from calendar group by 1 order by 1", (), "calendar",
    )  # fmt: skip
    return {"history": history, "fan": fan, "events": events}
