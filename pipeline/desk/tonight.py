"""Page *Tonight*: what needs a person, ranked by the money at stake, and the night's totals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pipeline.desk.reports import REPORTS
from pipeline.desk.tables import NightTables
from pipeline.store import Store

SHOWN = 60
TOTALS = (
    ("order_value_usd", "Orders, value"), ("order_budget_usd", "Budget"),
    ("order_lines", "Order lines"), ("order_units", "Units ordered"),
    ("transfer_units", "Units transferred"),
    ("stock_value_usd", "Stock, value"), ("stock_cover_weeks", "Weeks of stock"),
    ("in_stock_share_last_week", "In stock, last week"),
    ("items_likely_to_run_out", "Items likely to run out"),
)  # fmt: skip


def tonight(night: NightTables) -> dict[str, Any]:
    """`points` (ranked by usd, the largest first), `totals` with yesterday's, `trend` by figure."""
    points = exceptions(night)
    trend = kpi_history(night.store, night)
    return {
        "points": points[:SHOWN],
        "totals": [
            {"name": name, "title": title, "days": trend[name], **_steps(trend[name])}
            for name, title in TOTALS
            if trend.get(name)
        ],
        "hidden": max(0, len(points) - SHOWN),
        "is_reviewed": night.has("exceptions"),
        "reports": [(name, title) for name, title in REPORTS.items() if night.has(name)],
    }


def exceptions(night: NightTables) -> list[dict[str, Any]]:
    """Table `exceptions` as rows, the most money first; see pipeline.review.exceptions."""
    return night.rows(
        "select * from exceptions order by at_stake_usd desc, exception_key", (), "exceptions"
    )


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
