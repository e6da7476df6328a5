"""Page *Vendors*: lead times against the quote, what is late, minimums, and tonight's spend."""

from __future__ import annotations

from typing import Any

from pipeline.desk.tables import NightTables

RECENT_MONTHS = 3


def vendors_page(night: NightTables) -> list[dict[str, Any]]:
    """One row for each vendor, the greatest spend tonight first, with its lead-time law."""
    vendors = night.rows(
        """
select v.*, q.items, q.quoted_days, l.mean_days, l.p90_days,
  coalesce(l.receipts, 0) as receipts, coalesce(o.lines, 0) as lines,
  coalesce(o.spend_usd, 0) as spend_usd, coalesce(p.open_units, 0) as open_units,
  coalesce(p.late_units, 0) as late_units, coalesce(p.late_usd, 0) as late_usd,
  coalesce(m.short_items, 0) as short_items, coalesce(m.short_usd, 0) as short_usd, m.why_not
from vendors v
left join (select vendor_id, count(*) as items, avg(quoted_lead_time_days) as quoted_days
  from vendor_items group by 1) q using (vendor_id)
left join (select vendor_id, sum(lead_time_days * probability) / sum(probability) as mean_days,
  quantile_disc(lead_time_days, 0.9) as p90_days, max(observed_receipts) as receipts
  from lead_times group by 1) l using (vendor_id)
left join (select vendor_id, count(*) as lines, sum(order_cost_usd) as spend_usd
  from purchase_orders group by 1) o using (vendor_id)
left join (select p.vendor_id, sum(open_units) as open_units,
  sum(open_units) filter (expected_arrival_date < date) as late_units,
  sum(open_units * unit_cost_usd) filter (expected_arrival_date < date) as late_usd
  from open_orders p left join vendor_items using (vendor_id, item_id)
  where date = (select max(date) from open_orders) group by 1) p using (vendor_id)
left join (select vendor_id, count(distinct item_id) as short_items,
  sum(value_gained_usd) as short_usd, any_value(why_not) as why_not
  from order_candidates where not is_chosen and why_not ilike '%minimum%' group by 1) m
  using (vendor_id)
order by spend_usd desc, v.vendor_id
""", (), "vendors", "vendor_items", "lead_times", "purchase_orders", "open_orders",
        "order_candidates",
    )  # fmt: skip
    laws = night.rows(
        "select vendor_id, lead_time_days as days, sum(probability) / "
        "(select count(distinct item_id) from lead_times m where m.vendor_id = l.vendor_id) "
        "as share from lead_times l group by 1, 2 order by 1, 2", (), "lead_times",
    )  # fmt: skip
    by_vendor: dict[str, list[dict[str, Any]]] = {}
    for law in laws:
        by_vendor.setdefault(law["vendor_id"], []).append(law)
    months = _months(night)
    for vendor in vendors:
        own = months.get(vendor["vendor_id"], [])
        vendor |= {"law": by_vendor.get(vendor["vendor_id"], []), "months": own}
        vendor["trend"] = trend(own)
    return vendors


def trend(months: list[dict[str, Any]]) -> dict[str, Any]:
    """How punctual a vendor was over the last year, and whether it is getting worse.

    on_time: share of the units due that came by the promised day. days_late: of an average unit in
    the newest three months, and before: in those before them; word: worse or better where they
    differ by a day and a quarter of the greater.
    """
    late, early = _average(months[-RECENT_MONTHS:]), _average(months[:-RECENT_MONTHS])
    due = sum(month["due_units"] for month in months)
    word = ""
    if late is not None and early is not None:
        apart = late - early
        if abs(apart) >= max(1.0, 0.25 * max(late, early)):
            word = "getting worse" if apart > 0 else "getting better"
    return {
        "on_time": sum(month["on_time_units"] for month in months) / due if due else None,
        "days_late": late, "before": early, "word": word,
    }  # fmt: skip


def _average(months: list[dict[str, Any]]) -> float | None:
    """Days late of an average unit over some months."""
    due = sum(month["due_units"] for month in months)
    late = sum(month["mean_days_late"] * month["due_units"] for month in months)
    return late / due if due else None


def _months(night: NightTables) -> dict[str, list[dict[str, Any]]]:
    rows = night.rows(
        "select vendor_id, strftime(month_start_date, '%Y-%m') as month, due_units, on_time_units, "
        "mean_days_late from vendor_months order by 1, 2", (), "vendor_months",
    )  # fmt: skip
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["vendor_id"], []).append(row)
    return found
