"""Page *Money*: what is committed by month, how old stock is, and what another budget would do."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.contracts.columns import AGE_BANDS
from pipeline.desk.preview import budget_preview
from pipeline.desk.site import Known, The
from pipeline.desk.tables import NightTables
from pipeline.errors import UsageError

GROUPS = {"vendor": "vendor_name", "category": "category", "department": "department"}
_ROWS = 100
router = APIRouter()

_DUE = """
select {group} as name, strftime(greatest(arrives, date '{as_of}'), '%Y-%m') as month,
  sum(usd) as usd
from (
  select p.item_id, p.vendor_id, p.expected_arrival_date as arrives,
    p.open_units * coalesce(c.unit_cost_usd, 0) as usd
  from open_orders p left join vendor_items c using (vendor_id, item_id)
  where p.date = (select max(date) from open_orders)
  union all
  select item_id, vendor_id, expected_arrival_date, order_cost_usd from purchase_orders
) left join items using (item_id) left join vendors using (vendor_id)
group by 1, 2 order by 1, 2
"""

_AGE = """
select {group} as name, age_band, sum(aged_units * coalesce(c.cost, 0)) as usd
from stock_age a join items using (item_id)
left join (select item_id, min(unit_cost_usd) as cost from vendor_items group by 1) c
  using (item_id)
group by 1, 2 order by 1, 2
"""


@router.get("/{place}/{as_of}/money")
def money(
    request: Request, desk: The, person: Known, place: str, as_of: date, by: str = "category",
    budget: str = "",
) -> Response:  # fmt: skip
    """Committed spend, stock by age, and a what-if of the night's budget."""
    night = desk.nights.night(place, as_of)
    seen, problem = None, ""
    if budget:
        try:
            seen = budget_preview(desk.nights.store(place), as_of, desk.settings, _usd(budget))
        except UsageError as error:
            problem = str(error)
    return desk.show(
        request, person, place, as_of, "money", seen=seen, problem=problem, budget=budget,
        status=422 if problem else 200, **money_page(night, by),
    )  # fmt: skip


def money_page(night: NightTables, by: str) -> dict[str, Any]:
    """`due`: money that arrives by month, open orders and tonight's; `aged`: stock's value by age.

    Each has `columns`, `rows` (name, values by column, total; the greatest first) and `total`.
    """
    by = by if by in GROUPS and by != "vendor" else by if by == "vendor" else "category"
    due = night.rows(
        _DUE.format(group=GROUPS[by], as_of=night.as_of), (), "open_orders", "vendor_items",
        "purchase_orders", "items", "vendors",
    )  # fmt: skip
    # Stock does not remember whom it was bought from.
    own = GROUPS[by] if by != "vendor" else "category"
    aged = night.rows(_AGE.format(group=own), (), "stock_age", "items", "vendor_items")
    months = sorted({row["month"] for row in due})
    return {
        "by": by, "groups": list(GROUPS), "due": _table(due, "month", months),
        "aged": _table(aged, "age_band", list(AGE_BANDS)), "aged_by": own,
    }  # fmt: skip


def _table(rows: list[dict[str, Any]], key: str, columns: list[str]) -> dict[str, Any]:
    by_name: dict[str, dict[str, float]] = {}
    for row in rows:
        by_name.setdefault(row["name"] or "–", {})[row[key]] = float(row["usd"] or 0.0)
    found = [(name, values, sum(values.values())) for name, values in by_name.items()]
    found.sort(key=lambda row: (-row[2], row[0]))
    total = {name: sum(row[1].get(name, 0.0) for row in found) for name in columns}
    return {
        "columns": columns, "rows": found[:_ROWS], "total": total, "usd": sum(total.values()),
        "hidden": max(0, len(found) - _ROWS),
    }  # fmt: skip


def _usd(text: str) -> float:
    """A budget as typed: '80,000' or '$80000'; UsageError for what is none."""
    try:
        value = float(text.strip().lstrip("$").replace(",", ""))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e12:
        raise UsageError(f"budget: {text[:40]!r} is not an amount. Next: e.g. 80000.")
    return value
