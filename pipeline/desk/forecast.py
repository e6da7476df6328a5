"""Page *Forecast*: demand at any level of the hierarchy, how good it was lately, what moved."""

from __future__ import annotations

from typing import Any

from pipeline.desk.tables import NightTables

BELOW = {"all": ("category", "department", "item"), "category": ("department", "item"),
         "department": ("item",), "item": ()}  # fmt: skip
"""Levels of products below each, the nearest first: what a figure is broken down by."""
PLACES_BELOW = {"network": ("territory", "region"), "territory": ("region",), "region": ()}
_ROWS = 60


def forecast_page(night: NightTables) -> dict[str, Any]:
    """`scores`, `accuracy`, `moved` and `findings`, each the most telling first."""
    return {
        "scores": night.rows(
            "select * from forecast_scores where region_group = 'network' "
            "order by item_group, window_days", (), "forecast_scores",
        ),
        "accuracy": night.rows(
            "select * from forecast_accuracy where region_group = 'network' "
            "order by horizon_days, item_group <> 'all', item_group", (), "forecast_accuracy",
        ),
        "moved": night.rows(
            "select c.item_id, i.item_name, i.category, c.previous_mean_units, c.mean_units, "
            "c.change_units, c.change_units * i.list_price_usd as change_usd, "
            "(select arg_max(driver, abs(change_units)) from forecast_changes d "
            "where d.item_id = c.item_id and driver <> 'all') as driver "
            "from forecast_changes c join items i using (item_id) where driver = 'all' "
            "order by abs(change_usd) desc, c.item_id limit 50", (), "forecast_changes", "items",
        ),
        "findings": night.rows(
            "select f.*, i.item_name from demand_findings f left join items i using (item_id) "
            "order by abs(observed_units - usual_units) desc, item_id, region_id, finding_date "
            "limit 50", (), "demand_findings", "items",
        ),
    }  # fmt: skip


def hierarchy(night: NightTables, product: str, place: str, period: str) -> dict[str, Any]:
    """Demand of a product and place, both 'level/id', by period, and what it is made of.

    `series`: period, expected units, their band (5 to 95 %), and USD. `parts` by product and
    `places` by place: what the first period's figure adds up of, with `parts_left`, `places_left`:
    the difference of the sum, which is rounding. `options` to choose from.
    """
    options = {
        "products": _options(night, "product"), "places": _options(night, "place"),
        "periods": [row["period"] for row in night.rows(
            "select distinct period from demand_hierarchy order by 1", (), "demand_hierarchy")],
    }  # fmt: skip
    if product not in options["products"] and not product.startswith("item/"):
        product = options["products"][0] if options["products"] else "all/all"
    if place not in options["places"]:
        place = options["places"][0] if options["places"] else "network/network"
    period = period if period in options["periods"] else "week"
    level, name = product.split("/", 1)
    where, spot = place.split("/", 1)
    series = night.rows(
        'select cast(period_start_date as varchar) as week, period_days, mean_units, '
        '"q0.05" as low_value, "q0.5" as median_value, "q0.95" as high_value, mean_usd, '
        '"q0.05_usd" as low_usd, "q0.95_usd" as high_usd from demand_hierarchy where '
        "product_level = ? and product_id = ? and place_level = ? and place_id = ? and period = ? "
        "order by 1", [level, name, where, spot, period], "demand_hierarchy",
    )  # fmt: skip
    first = series[0]["week"] if series else None
    total = series[0]["mean_units"] if series else 0.0
    parts = _parts(night, (level, name), (where, spot), period, first)
    places = _places(night, (level, name), (where, spot), period, first)
    return {
        "options": options, "product": product, "place_chosen": place, "period": period,
        "series": series, "first": first,
        "parts": parts[:_ROWS], "parts_left": sum(row["units"] for row in parts) - total,
        "places": places[:_ROWS], "places_left": sum(row["units"] for row in places) - total,
        "hidden": max(0, len(parts) - _ROWS),
    }  # fmt: skip


def _options(night: NightTables, what: str) -> list[str]:
    """'level/id' of all there are but for items, the broadest first."""
    rows = night.rows(
        f"select distinct {what}_level as level, {what}_id as id from demand_hierarchy "
        f"where {what}_level <> 'item'", (), "demand_hierarchy",
    )  # fmt: skip
    levels = [*BELOW, *PLACES_BELOW]
    rows.sort(key=lambda row: (levels.index(row["level"]), row["id"]))
    return [f"{row['level']}/{row['id']}" for row in rows]


def _parts(
    night: NightTables, product: tuple[str, str], place: tuple[str, str], period: str,
    first: str | None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The nearest level of products below that is forecast there, largest first."""
    level, name = product
    own = "true" if level == "all" else f'i."{level}" = ?'  # a level of BELOW, not of a request
    for below in BELOW[level]:
        rows = night.rows(
            "select product_level || '/' || product_id as product, product_id as name, "
            "mean_units as units, mean_usd as usd from demand_hierarchy h where product_level = ? "
            "and place_level = ? and place_id = ? and period = ? "
            "and period_start_date = cast(? as date) and product_id in "
            f'(select "{below if below != "item" else "item_id"}" from items i where {own}) '
            "order by units desc, 1",
            [below, *place, period, first, *([] if level == "all" else [name])],
            "demand_hierarchy", "items",
        )  # fmt: skip
        if rows:
            return rows
    return []


def _places(
    night: NightTables, product: tuple[str, str], place: tuple[str, str], period: str,
    first: str | None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The nearest level of places below, largest first. A territory's regions are not told apart
    from others' in the table, so only the network is broken down."""
    for below in PLACES_BELOW[place[0]] if place[0] == "network" else ():
        rows = night.rows(
            "select place_level || '/' || place_id as place, place_id as name, "
            "mean_units as units, mean_usd as usd from demand_hierarchy where product_level = ? "
            "and product_id = ? and place_level = ? and period = ? "
            "and period_start_date = cast(? as date) order by units desc, 1",
            [*product, below, period, first], "demand_hierarchy",
        )  # fmt: skip
        if rows:
            return rows
    return []
