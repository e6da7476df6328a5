"""Numbers as people read them: separators, units, and a dash for what does not exist."""

from __future__ import annotations

import math
import re


def count(value: float, decimals: int = 0) -> str:
    """12345.6 -> '12,346'."""
    return _or_dash(value, f"{value:,.{decimals}f}")


def usd(value: float, decimals: int = 0) -> str:
    """-1234.5 -> '−$1,234'."""
    text = f"${abs(value):,.{decimals}f}"
    is_zero = not text.strip("$0.,")
    return _or_dash(value, f"−{text}" if value < 0 and not is_zero else text)


def share(value: float, decimals: int = 1) -> str:
    """0.1234 -> '12.3%'."""
    return _or_dash(value, f"{value * 100:,.{decimals}f}%".replace("-", "−"))


def signed(value: float) -> str:
    """-12 -> '−12', 12 -> '+12'."""
    return _or_dash(value, f"{value:+,.0f}".replace("-", "−"))


def figure(value: float, unit: str) -> str:
    """A key figure with its unit: usd, share, or a plain number."""
    if unit == "usd":
        return usd(value, 0 if abs(value) >= 100 else 2)
    if unit == "share":
        return share(value, 1 if abs(value) >= 0.01 or value == 0 else 2)
    return count(value, 0 if abs(value) >= 100 or float(value).is_integer() else 2)


def change(value: float, unit: str) -> str:
    """A difference of key figures, with its sign."""
    if not math.isfinite(value) or value == 0:
        return "–" if math.isfinite(value) else ""
    return ("+" if value > 0 else "−") + figure(abs(value), unit)


_LABELS = {
    "order_vendors": "Vendors ordered from", "order_units": "Units ordered",
    "transfer_units": "Units transferred", "transfer_lanes": "Lanes used",
    "transfer_freight_usd": "Freight of transfers", "stock_units": "Units in stock",
    "stock_cover_weeks": "Weeks of stock", "open_order_units": "Units on order",
    "violation": "Capacity violation", "capacities": "Capacities of nodes",
    "capacities_full": "Capacities full in some week",
    "capacities_exceeded": "Capacities exceeded in some week",
    "forecast_coverage_90": "Demand under the 90% quantile",
    "forecast_coverage_95": "Demand under the 95% quantile",
    "forecast_relative_bias": "Forecast bias",
    "forecast_revision": "Forecast moved since yesterday",
    "forecast_scaled_pinball_loss": "Pinball loss of mean demand",
    "audit_nested_excess": "Audited items cost more than by the general model",
    "audit_nested_excess_at_most": "Audited items cost more than by the general model, at most",
    "audit_skipped_items": "Items not audited, their network being too wide",
    "general_skipped_items": "Items planned as if nodes nested, their network being too wide",
    "in_stock_share_last_week": "In stock, last week",
    "expected_fill_rate": "Expected fill rate, next week",
    "items_likely_to_run_out": "Items that will probably run out",
    "items_not_worth_stocking": "Items not worth stocking",
    "expected_profit_usd": "Expected profit a week",
    "shortage_cost_usd": "Cost of what will be short, a week",
    "overflow_cost_usd": "Cost of overfull capacities, a week",
    "items_kept_for_goodwill": "Items stocked for goodwill alone",
    "same_day_site": "Same-day site", "lost_usd": "Sales lost", "lost_units": "Units lost",
    "receipts_units": "Units received", "storage_cuft": "Storage, cubic feet",
}  # fmt: skip


def label(name: str) -> str:
    """'order_value_usd' -> 'Order value'; some names have better words."""
    if name in _LABELS:
        return _LABELS[name]
    words = name.removesuffix("_usd").replace("_", " ")
    return words[:1].upper() + words[1:]


def group_words(group: str) -> tuple[str, float]:
    """Words for a group of scores, and the least sales a day of a class of pace (others: −1):
    'velocity 0.5-2 a day' -> ('items selling 0.5 to 2 a day', 0.5)."""
    found = re.fullmatch(r"velocity ([\d.]+)-([\d.]+|inf) a day", group)
    if not found:
        return ("all items" if group == "all" else group), -1.0
    low, high = found[1], found[2]
    if high == "inf":
        return f"items selling {low} a day or more", float(low)
    pace = f"{low} to {high}" if float(low) else f"below {high}"
    return f"items selling {pace} a day", float(low)


def _or_dash(value: float, text: str) -> str:
    return text if math.isfinite(value) else "–"
