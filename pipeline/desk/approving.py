"""Which of tonight's lines wait for a person, which may leave, and which have left."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.desk.listings import ORDERS
from pipeline.desk.tables import NightTables
from pipeline.records.database import Records
from pipeline.records.decisions import decisions
from pipeline.records.releases import LINE_COLUMNS, released_lines, releases

WORDS = {
    "waiting": "waits for a person", "free": "below the threshold, may leave",
    "approved": "approved", "refused": "refused", "changed": "approved, but has changed since",
    "prepared": "prepared", "delivered": "delivered", "confirmed": "on order",
}  # fmt: skip


MOST_LINES = 500
_TYPES = {"order_line_id": "str", "word": "str", "units": "int64", "note": "str"}
_NONE = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _TYPES.items()})


def approval_page(
    night: NightTables, records: Records | None, place: str, least_usd: float
) -> dict[str, Any]:
    """`lines` with their state (what waits first, then by value; at most MOST_LINES), `counts` and
    value by state, `releases` of the night.
    """
    states, frames = _states(night, records, place)
    counts = night.frame(
        f"select state, count(*) as lines, sum(order_cost_usd) as usd from ({states}) "
        "group by 1 order by 1", [least_usd], "purchase_orders", frames=frames,
    )  # fmt: skip
    lines = night.frame(
        f"select * from ({states}) order by state not in ('waiting', 'changed'), "
        f"order_cost_usd desc, order_line_id limit {MOST_LINES}", [least_usd], "purchase_orders",
        frames=frames,
    )  # fmt: skip
    own = [] if records is None else releases(records, place, night.as_of)
    return {
        "lines": ORDERS.tell(night, lines.to_dict("records")), "words": WORDS,
        "least_usd": least_usd, "counts": counts.to_dict("records"), "releases": own,
        "has_records": records is not None, "most_lines": MOST_LINES,
        "count": int(counts["lines"].sum()),
    }  # fmt: skip


def waiting_lines(
    night: NightTables, records: Records, place: str, least_usd: float
) -> list[dict[str, Any]]:
    """Every line that waits for a person, the dearest first, with its sentence."""
    states, frames = _states(night, records, place)
    lines = night.frame(
        f"select * from ({states}) where state in ('waiting', 'changed') "
        "order by order_cost_usd desc, order_line_id", [least_usd], "purchase_orders",
        frames=frames,
    )  # fmt: skip
    return lines.to_dict("records")


def approved_lines(
    night: NightTables, records: Records, place: str, least_usd: float
) -> pd.DataFrame:
    """What may leave, by line and receiving node (LINE_COLUMNS), costs by share of the units.

    A line may leave below the threshold, or approved with the units that it has now.
    """
    states, frames = _states(night, records, place)
    by_node = night.frame(
        "select l.order_line_id, l.vendor_id, l.item_id, coalesce(a.node_id, '') as node_id, "
        "coalesce(a.assigned_units, l.order_units) as order_units, l.order_cost_usd "
        "* coalesce(a.assigned_units, l.order_units) / l.order_units as order_cost_usd, "
        f"l.expected_arrival_date from ({states}) l left join (select * from inbound_assignments "
        "where assigned_units > 0) a using (order_line_id) where state in ('free', 'approved') "
        "order by 1, 4", [least_usd], "inbound_assignments", frames=frames,
    )  # fmt: skip
    return by_node[list(LINE_COLUMNS)]


def _states(
    night: NightTables, records: Records | None, place: str
) -> tuple[str, dict[str, pd.DataFrame]]:
    """A query of every line with `state` and `comment`; it takes the least value that waits."""
    made, gone = _NONE, _NONE
    if records is not None:
        chosen = decisions(records, place, f"{night.as_of}/").values()
        if chosen:
            made = pd.DataFrame({
                "order_line_id": [one.order_line_id for one in chosen],
                "word": ["approved" if one.is_approved else "refused" for one in chosen],
                "units": [one.order_units for one in chosen],
                "note": [one.comment for one in chosen],
            })  # fmt: skip
        left = released_lines(records, place, night.as_of)
        gone = left.drop_duplicates("order_line_id").rename(columns={"state": "word"})
    query = f"""
select o.* exclude (searched, place), coalesce(d.note, '') as comment, case
  when g.word is not null then g.word
  when d.word is null and o.order_cost_usd >= ? then 'waiting'
  when d.word is null then 'free'
  when d.word = 'approved' and d.units <> o.order_units then 'changed'
  else d.word end as state
from {ORDERS.kept(night)} o
left join made d on d.order_line_id = o.order_line_id
left join gone g on g.order_line_id = o.order_line_id
"""
    return query, {"made": made, "gone": gone[["order_line_id", "word"]]}
