"""Numbers as people read them: separators, units, and a dash for what does not exist."""

from __future__ import annotations

import math


def count(value: float, decimals: int = 0) -> str:
    """12345.6 -> '12,346'."""
    return _or_dash(value, f"{value:,.{decimals}f}")


def usd(value: float, decimals: int = 0) -> str:
    """-1234.5 -> '−$1,234'."""
    sign = "−" if value < 0 else ""
    return _or_dash(value, f"{sign}${abs(value):,.{decimals}f}")


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


def label(name: str) -> str:
    """'order_value_usd' -> 'Order value'."""
    words = name.removesuffix("_usd").replace("_", " ")
    return words[:1].upper() + words[1:]


def _or_dash(value: float, text: str) -> str:
    return text if math.isfinite(value) else "–"
