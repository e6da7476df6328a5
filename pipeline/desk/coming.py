"""Page *Events*: what is coming, whether stock and docks are ready, and what was built ahead."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.desk.network import RESOURCE_WORDS
from pipeline.desk.site import Known, The
from pipeline.desk.tables import NightTables

AHEAD_DAYS = 91
_SHOWN = 12
router = APIRouter()


@router.get("/{place}/{as_of}/events")
def events(
    request: Request, desk: The, person: Known, place: str, as_of: date, week: str = ""
) -> Response:
    """The coming weeks with their events; one week in detail."""
    night = desk.nights.night(place, as_of)
    found = night.remember(("events", week), lambda: events_page(night, week))
    return desk.show(request, person, place, as_of, "events", **found)


def events_page(night: NightTables, chosen: str) -> dict[str, Any]:
    """`weeks`: expected demand and events of each; of the chosen one (default: the first with an
    event, else the first): `docks` (use and price), `built` (items held ahead for it) and `short`
    (projected sales lost in it by category).
    """
    weeks = _weeks(night)
    known = {week["start"] for week in weeks}
    first = next((week["start"] for week in weeks if week["events"]), min(known, default=""))
    chosen = chosen if chosen in known else first
    return {
        "weeks": weeks, "chosen": chosen, "docks": _docks(night, chosen),
        "built": _built(night, chosen), "short": _short(night, chosen),
    }  # fmt: skip


def _weeks(night: NightTables) -> list[dict[str, Any]]:
    """Seven days each from tomorrow: expected units against the mean of the weeks, and events."""
    rows = night.rows(
        "select date_diff('day', cast(? as date), period_start_date) // 7 as week, "
        "sum(mean_units) as units, count(*) as days from demand_hierarchy where period = 'day' and "
        "product_level = 'all' and place_level = 'network' group by 1 having days = 7 order by 1",
        [night.as_of + timedelta(days=1)], "demand_hierarchy",
    )  # fmt: skip
    days = night.rows(
        "select date, string_agg(distinct event_name, ', ' order by event_name) as names "
        "from calendar where date > cast(? as date) and date <= cast(? as date) group by 1 "
        "order by 1", [night.as_of, night.as_of + timedelta(days=AHEAD_DAYS)], "calendar",
    )  # fmt: skip
    expected = {int(row["week"]): float(row["units"]) for row in rows}
    usual = sum(expected.values()) / len(expected) if expected else None
    found = []
    for week in range(AHEAD_DAYS // 7):
        start = night.as_of + timedelta(days=1 + 7 * week)
        own = [row for row in days if 0 <= (_day(row["date"]) - start).days < 7]
        units = expected.get(week)
        found.append({
            "start": str(start), "units": units,
            "against": units / usual - 1 if units is not None and usual else None,
            "events": told([(_day(row["date"]), str(row["names"])) for row in own]),
        })  # fmt: skip
    return found


def told(events: list[tuple[date, str]]) -> str:
    """Events of a week by name; days in a row as one span: 'SNAP (Mon 02 May to Sun 08 May)'."""
    days: dict[str, list[date]] = {}
    for day, names in events:
        for name in names.split(", "):
            days.setdefault(name, []).append(day)
    texts = []
    for name, own in days.items():
        spans: list[list[date]] = []
        for day in own:
            if spans and (day - spans[-1][-1]).days == 1:
                spans[-1].append(day)
            else:
                spans.append([day])
        texts.append(f"{name} ({', '.join(_span(span) for span in spans)})")
    return "; ".join(texts)


def _span(days: list[date]) -> str:
    first, last = f"{days[0]:%a %d %b}", f"{days[-1]:%a %d %b}"
    return first if first == last else f"{first} to {last}"


def _day(value: Any) -> date:
    found: date = value.date() if hasattr(value, "date") else value
    return found


def _docks(night: NightTables, start: str) -> list[dict[str, Any]]:
    """Capacities in the planning week that holds the chosen day, the fullest first."""
    rows = night.rows(
        "select n.node_name, c.node_id, resource, cast(week_start as varchar) as week, usage, "
        "capacity, price_usd_per_capacity_unit as price, overflow, "
        "case when capacity > 0 then usage / capacity else 1 end as use from capacity_prices c "
        "left join nodes n using (node_id) where week_start = (select max(week_start) from "
        "capacity_prices where week_start <= cast(? as date)) and usage > 0 "
        f"order by use desc, c.node_id, resource limit {_SHOWN}", [start or None],
        "capacity_prices", "nodes",
    )  # fmt: skip
    for row in rows:
        row["title"] = RESOURCE_WORDS.get(row["resource"], row["resource"])
    return rows


def _built(night: NightTables, start: str) -> list[dict[str, Any]]:
    """Items whose level tonight holds units for that week or a later one, by their cost."""
    return night.rows(
        "select t.item_id, i.item_name, i.category, max(built_ahead_units) as units, "
        "cast(min(built_ahead_week) as varchar) as week, "
        "max(built_ahead_units) * min(coalesce(c.unit_cost_usd, 0)) as usd from network_targets t "
        "join items i using (item_id) left join vendor_items c using (vendor_id, item_id) "
        "where built_ahead_units > 0 and built_ahead_week >= cast(? as date) - 6 "
        "and built_ahead_week <= cast(? as date) + 6 "
        f"group by 1, 2, 3 order by usd desc, 1 limit {_SHOWN}", [start or None, start or None],
        "network_targets", "items", "vendor_items",
    )  # fmt: skip


def _short(night: NightTables, start: str) -> list[dict[str, Any]]:
    """Share served and sales lost of each category in the week, as projected."""
    return night.rows(
        "select p.projected_group as name, p.median_value as served, p.low_value as served_low, "
        "l.median_value as lost_usd, l.high_value as lost_high from projection p left join "
        "projection l on l.projected_by = p.projected_by and l.projected_group = p.projected_group "
        "and l.week_start = p.week_start and l.measure = 'lost_usd' where p.measure = 'fill_rate' "
        "and p.projected_by in ('network', 'category') and p.week_start = cast(? as date) "
        "order by p.projected_by desc, lost_usd desc, 1", [start or None], "projection",
    )  # fmt: skip
