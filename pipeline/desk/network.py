"""Page *Network*: the map of nodes, and use and price of every capacity by week."""

from __future__ import annotations

from typing import Any

from pipeline.desk.tables import NightTables

RESOURCE_WORDS = {
    "storage_cuft": "Storage, cubic feet", "inbound_units_per_day": "Inbound, units a day",
    "outbound_units_per_day": "Outbound, units a day",
    "lane_cuft_per_day": "Lane to the node, cubic feet a day",
    "budget_usd_per_day": "Budget, USD a day",
}  # fmt: skip
_MARGIN = 0.06


def network_page(night: NightTables) -> dict[str, Any]:
    """`resources`: heat rows by node and week; `nodes` with x, y in 0…1 and their stock."""
    return night.remember("network", lambda: _network(night))


def _network(night: NightTables) -> dict[str, Any]:
    cells = night.rows(
        "select node_id, resource, cast(week_start as varchar) as week, capacity, usage, overflow, "
        "price_usd_per_capacity_unit as price, left_derivative_usd, right_derivative_usd, "
        "case when capacity > 0 then usage / capacity when usage > 0 then 1 else 0 end as use "
        "from capacity_prices order by resource, node_id, week_start", (), "capacity_prices",
    )  # fmt: skip
    nodes = night.rows(
        "select n.*, coalesce(s.units, 0) as units, coalesce(s.value_usd, 0) as value_usd, "
        "coalesce(s.cuft, 0) as cuft from nodes n left join (select node_id, "
        "sum(on_hand_units) as units, sum(on_hand_units * unit_cube_cuft) as cuft, "
        "sum(on_hand_units * c.cost) as value_usd from stock join items using (item_id) "
        "left join (select item_id, min(unit_cost_usd) as cost from vendor_items group by 1) c "
        "using (item_id) where date = (select max(date) from stock) group by 1) s "
        "using (node_id) order by tier, node_id",
        (), "nodes", "stock", "items", "vendor_items",
    )  # fmt: skip
    names = {node["node_id"]: node["node_name"] for node in nodes}
    return {
        "weeks": sorted({cell["week"] for cell in cells}),
        "resources": _heat(cells, names),
        "nodes": _placed(_with_room(nodes, cells)),
        "lanes": _lines(night, nodes),
        "worth": _worth(cells, names),
        "service": night.rows(
            "select *, concat_ws(', ', 'class ' || abc_class, item_group, region_id, speed) as "
            "about from service_levels order by target_usd_per_week desc, target_id", (),
            "service_levels",
        ),
    }  # fmt: skip


def _with_room(nodes: list[dict[str, Any]], cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`room_cuft` of each node in the first planned week, and how `full` tonight's stock makes it;
    None where the storage has no limit."""
    room: dict[str, float] = {}
    for cell in cells:  # by week
        if cell["resource"] == "storage_cuft":
            room.setdefault(cell["node_id"], cell["capacity"])
    known = [(node, room.get(node["node_id"])) for node in nodes]
    return [
        node | {"room_cuft": has, "full": node["cuft"] / has if has else None}
        for node, has in known
    ]


def _heat(cells: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for cell in cells:
        found.setdefault(cell["resource"], {}).setdefault(cell["node_id"], {})[cell["week"]] = cell
    return [
        {
            "title": RESOURCE_WORDS.get(resource, resource),
            "rows": [(names.get(node, node), weeks) for node, weeks in sorted(rows.items())],
        }
        for resource, rows in found.items()
    ]


def _worth(cells: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """What a tenth more or less of each scarce capacity brings a week, by the derivatives."""
    rows = []
    for cell in cells:
        if not cell["price"]:
            continue
        step = 0.1 * cell["capacity"]
        rows.append({
            **cell, "node": names.get(cell["node_id"], cell["node_id"]),
            "title": RESOURCE_WORDS.get(cell["resource"], cell["resource"]),
            "more_usd": step * (cell["right_derivative_usd"] or 0.0),
            "less_usd": step * (cell["left_derivative_usd"] or 0.0),
        })  # fmt: skip
    return sorted(rows, key=lambda row: (-row["more_usd"], row["node_id"], row["week"]))[:60]


def _placed(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes with x and y between 0 and 1 by their coordinates, north up."""
    if not nodes:
        return []
    east = [node["longitude"] for node in nodes]
    north = [node["latitude"] for node in nodes]
    wide = max(east) - min(east) or 1.0
    high = max(north) - min(north) or 1.0
    room = 1 - 2 * _MARGIN
    return [
        node | {
            "x": _MARGIN + room * (node["longitude"] - min(east)) / wide,
            "y": _MARGIN + room * (max(north) - node["latitude"]) / high,
        }
        for node in nodes
    ]  # fmt: skip


def _lines(night: NightTables, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tonight's transfers by lane, as lines between placed nodes."""
    place = {node["node_id"]: node for node in _placed(nodes)}
    moves = night.rows(
        "select from_node_id, to_node_id, sum(transfer_units) as units from transfers "
        "group by 1, 2 order by units desc, 1, 2 limit 400", (), "transfers",
    )  # fmt: skip
    return [
        move | {"a": place[move["from_node_id"]], "b": place[move["to_node_id"]]}
        for move in moves
        if move["from_node_id"] in place and move["to_node_id"] in place
    ]
