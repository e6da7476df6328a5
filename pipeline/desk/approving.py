"""Which of tonight's lines wait for a person, which may leave, and which have left."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.desk.tables import NightTables
from pipeline.records.database import Records
from pipeline.records.decisions import Decision, decisions
from pipeline.records.releases import LINE_COLUMNS, released_lines, releases

WORDS = {
    "waiting": "waits for a person", "free": "below the threshold, may leave",
    "approved": "approved", "refused": "refused", "changed": "approved, but has changed since",
    "prepared": "prepared", "delivered": "delivered", "confirmed": "on order",
}  # fmt: skip


def approval_page(
    night: NightTables, records: Records | None, place: str, least_usd: float
) -> dict[str, Any]:
    """`lines` with their state, `counts` and value by state, `releases` of the night."""
    lines = _lines(night, records, place, least_usd)
    counts = lines.groupby("state").agg(
        lines=("order_units", "size"), usd=("order_cost_usd", "sum")
    )
    own = [] if records is None else releases(records, place, night.as_of)
    return {
        "lines": lines.to_dict("records"), "words": WORDS, "least_usd": least_usd,
        "counts": counts.reset_index().to_dict("records"), "releases": own,
        "has_records": records is not None,
    }  # fmt: skip


def approved_lines(
    night: NightTables, records: Records, place: str, least_usd: float
) -> pd.DataFrame:
    """What may leave, by line and receiving node (LINE_COLUMNS), costs by share of the units.

    A line may leave below the threshold, or approved with the units that it has now.
    """
    lines = _lines(night, records, place, least_usd)
    may = lines.loc[lines["state"].isin(["free", "approved"])]
    nodes = night.frame(
        "select order_line_id, node_id, assigned_units from inbound_assignments "
        "where assigned_units > 0 order by 1, 2", (), "inbound_assignments",
    )  # fmt: skip
    by_node = may.merge(nodes, on="order_line_id", how="left")
    units = by_node["assigned_units"].fillna(by_node["order_units"]).astype("int64")
    share = units / by_node["order_units"]
    by_node = by_node.assign(
        order_units=units, order_cost_usd=by_node["order_cost_usd"] * share,
        node_id=by_node["node_id"].fillna(""),
    )  # fmt: skip
    return by_node[list(LINE_COLUMNS)]


def _lines(
    night: NightTables, records: Records | None, place: str, least_usd: float
) -> pd.DataFrame:
    """A row for each line, with its state; the dearest first."""
    lines = night.frame(
        "select o.order_line_id, o.vendor_id, v.vendor_name, o.item_id, i.item_name, "
        "o.order_units, o.order_cost_usd, o.expected_arrival_date, o.reason_code, "
        "coalesce((select any_value(sentence) from order_reasons r "
        "where r.order_line_id = o.order_line_id), '') as sentence "
        "from purchase_orders o left join items i using (item_id) "
        "left join vendors v using (vendor_id) "
        "order by o.order_cost_usd desc, o.order_line_id",
        (), "purchase_orders", "items", "vendors",
        "order_reasons",
    )  # fmt: skip
    made: dict[str, Decision] = {}
    gone: dict[str, str] = {}
    if records is not None:
        made = decisions(records, place, f"{night.as_of}/")
        left = released_lines(records, place, night.as_of)
        gone = dict(zip(left["order_line_id"], left["state"], strict=True))
    lines["comment"] = [
        made[line].comment if line in made else "" for line in lines["order_line_id"]
    ]
    lines["state"] = [
        gone.get(line) or _state(made.get(line), int(units), float(usd), least_usd)
        for line, units, usd in zip(
            lines["order_line_id"], lines["order_units"], lines["order_cost_usd"], strict=True
        )
    ]
    return lines


def _state(made: Decision | None, units: int, usd: float, least_usd: float) -> str:
    if made is None:
        return "waiting" if usd >= least_usd else "free"
    if not made.is_approved:
        return "refused"
    return "approved" if made.order_units == units else "changed"
