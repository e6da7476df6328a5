"""Page *Compare*: two nights, or two what-if runs of one night, side by side."""

from __future__ import annotations

from typing import Any

from pipeline.desk.tables import NightTables


def comparison(first: NightTables, second: NightTables) -> dict[str, Any]:
    """Key figures of both, the order lines that differ, and the prices that differ."""
    return {
        "figures": _figures(first, second),
        "orders": _orders(first, second),
        "prices": _prices(first, second),
    }


def _figures(first: NightTables, second: NightTables) -> list[dict[str, Any]]:
    query = "select kpi, value, measure_unit from plan_kpis order by kpi"
    left = {row["kpi"]: row for row in first.rows(query, (), "plan_kpis")}
    right = {row["kpi"]: row for row in second.rows(query, (), "plan_kpis")}
    return [
        {
            "kpi": name,
            "unit": (left.get(name) or right[name])["measure_unit"],
            "first": left[name]["value"] if name in left else None,
            "second": right[name]["value"] if name in right else None,
        }
        for name in sorted({*left, *right})
    ]


def _orders(first: NightTables, second: NightTables) -> list[dict[str, Any]]:
    query = (
        "select item_id, vendor_id, any_value(item_name) as item_name, sum(order_units) as units, "
        "sum(order_cost_usd) as usd from purchase_orders left join items using (item_id) "
        "group by 1, 2"
    )
    tables = ("purchase_orders", "items")
    left = {(row["item_id"], row["vendor_id"]): row for row in first.rows(query, (), *tables)}
    right = {(row["item_id"], row["vendor_id"]): row for row in second.rows(query, (), *tables)}
    nothing = {"units": 0, "usd": 0.0}
    rows = []
    for key in {*left, *right}:
        a, b = left.get(key, nothing), right.get(key, nothing)
        if a["units"] != b["units"]:
            rows.append({
                "item_id": key[0], "vendor_id": key[1],
                "item_name": (left.get(key) or right[key])["item_name"],
                "first": a["units"], "second": b["units"], "usd": b["usd"] - a["usd"],
            })  # fmt: skip
    rows.sort(key=lambda row: (-abs(row["usd"]), row["item_id"], row["vendor_id"]))
    _explain(second, rows)
    return rows


def _explain(night: NightTables, rows: list[dict[str, Any]]) -> None:
    sentences = {
        row["change_key"]: row["sentence"]
        for row in night.rows(
            "select change_key, any_value(sentence) as sentence from plan_changes group by 1", (),
            "plan_changes",
        )
    }  # fmt: skip
    for row in rows:
        row["sentence"] = sentences.get(f"order/{row['item_id']}", "")


def _prices(first: NightTables, second: NightTables) -> list[dict[str, Any]]:
    query = (
        "select node_id, resource, sum(price_usd_per_capacity_unit) as price from capacity_prices "
        "group by 1, 2"
    )
    left = {(row["node_id"], row["resource"]): row["price"]
            for row in first.rows(query, (), "capacity_prices")}  # fmt: skip
    right = {(row["node_id"], row["resource"]): row["price"]
             for row in second.rows(query, (), "capacity_prices")}  # fmt: skip
    rows = [
        {"node_id": key[0], "resource": key[1], "first": left.get(key, 0.0),
         "second": right.get(key, 0.0)}
        for key in {*left, *right}
        if abs(left.get(key, 0.0) - right.get(key, 0.0)) > 1e-9
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-abs(row["second"] - row["first"]), row["node_id"],
                                         row["resource"]))  # fmt: skip
