"""A shop of ordinary items and a few odd ones, whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.forecast.panel import F64

AS_OF = date(2024, 7, 31)
DAYS, AHEAD = 800, 60
FAIRS = ("2022-08-12", "2023-08-18", "2024-08-09")
FAIR_DAYS = 4
FEAST_MONTHS = ("2022-08-25", "2023-08-14", "2024-08-03")
FEAST_DAYS = 30
LAUNCHED_BEFORE_FEAST = 372
"""Days before the night: twenty before the last feast."""
WEEKDAY = np.array([0.85, 0.85, 0.9, 1.0, 1.15, 1.25, 1.0])


@dataclass(frozen=True)
class Odd:
    """A kind of item: its expected units a day, and the first day on sale."""

    name: str
    days: int
    """Length of the window that is judged; 0: nobody could know what it will sell."""


KINDS = (
    Odd("august", 56), Odd("event_4", 28), Odd("event_20", 28), Odd("doubling", 56),
    Odd("halving", 56), Odd("ten_days", 28), Odd("christmas", 56), Odd("promoted", 28),
    Odd("promotion_ahead", 28),
)  # fmt: skip
MORE_KINDS = (
    Odd("step_up", 28), Odd("step_down", 28), Odd("saturdays", 28),
    Odd("wave", 56), Odd("before_fair", 28), Odd("thirty_days", 28),
)  # fmt: skip
FEAST_KINDS = (
    Odd("feast_month", 28), Odd("launched", 0), Odd("saturdays", 28), Odd("steady", 28),
)  # fmt: skip
"""Of a world whose calendar knows a moving month of feasts."""
RHYTHM_KINDS = (
    Odd("fortnightly", 28), Odd("third_week", 28), Odd("month_end", 56), Odd("quarter", 56),
    Odd("third_thursday", 56), Odd("big_customer", 28),
)  # fmt: skip
"""Of a world whose orders come by the calendar."""
CHANGE_KINDS = (
    Odd("step_up", 28), Odd("step_down", 28), Odd("drop", 28), Odd("jump", 28), Odd("steady", 28),
)  # fmt: skip
"""Of a world whose levels change for good."""
PRICE, CUT, ELASTICITY = 10.0, 7.0, 3.0
PROMOTIONS = (150, 300, 450, 620, DAYS - 14, DAYS + 7)
"""First days of fortnights at the cut price; the last but one ends tonight."""


def prices(kind: str, days: int) -> F64:
    """Price (days,) of an item."""
    price = np.full(days, PRICE)
    if kind.startswith("promot"):
        for start in PROMOTIONS[: -2 if kind == "promotion_ahead" else -1]:
            price[start : start + 14] = CUT
    if kind == "promotion_ahead":
        price[PROMOTIONS[-1] : PROMOTIONS[-1] + 14] = CUT
    return price


def rates(kind: str, size: float, dates: pd.DatetimeIndex) -> tuple[F64, int]:
    """Expected units (days,) of an item of about `size`, and the day of its launch."""
    day = np.arange(len(dates)) - DAYS
    fair = _on(FAIRS, FAIR_DAYS, dates)
    if kind == "august":
        return np.where(dates.month == 8, 20.0 * size, 0.0), 0
    if kind == "christmas":
        return np.where(dates.month >= 11, 8.0 * size, 0.3 * size), 0
    if kind.startswith("event_"):
        return 0.75 * size * np.where(fair, float(kind[6:]), 1.0), 0
    if kind in ("doubling", "halving"):
        rate = 2.0 if kind == "doubling" else 0.5
        return 4.0 * size * rate ** (day / 365.0), 0
    if kind.startswith("promot"):
        return 4.0 * size * (prices(kind, len(dates)) / PRICE) ** -ELASTICITY, 0
    known = {"ten_days": 10, "thirty_days": 30, "launched": LAUNCHED_BEFORE_FEAST}
    return size * _shape(kind, dates, fair), DAYS - known.get(kind, DAYS)


def _on(begins: tuple[str, ...], days: int, dates: pd.DatetimeIndex) -> npt.NDArray[np.bool_]:
    """Whether dates lie within so many days from one of some days on."""
    out = np.zeros(len(dates), bool)
    for begin in begins:
        first = pd.Timestamp(begin)
        out |= (dates >= first) & (dates < first + pd.Timedelta(days=days))
    return out


def _shape(kind: str, dates: pd.DatetimeIndex, fair: npt.NDArray[np.bool_]) -> F64:
    """Expected units (days,) of an item of size 1 that is not lifted by a fair itself."""
    day, week = np.arange(len(dates)) - DAYS, WEEKDAY[dates.day_of_week]
    if kind == "ten_days":
        week = np.ones(len(dates))
    if kind in _STEPS:
        since, factor = _STEPS[kind]
        return 4.0 * week * np.where(day >= -since, factor, 1.0)
    if kind == "feast_month":
        week = 2.0 * week * np.where(_on(FEAST_MONTHS, FEAST_DAYS, dates), 3.0, 1.0)
    if kind in _ORDERS:
        units, usual, comes = _ORDERS[kind]
        return np.where(comes(dates, day), units, usual * week)
    if kind == "launched":
        week = week * np.where((day >= -352) & (day < -296), 9.0, 1.0)
    if kind == "saturdays":
        return np.where(dates.day_of_week == 5, 10.0, 0.0)
    if kind == "wave":
        turn = 2 * np.pi * (dates.day_of_year.to_numpy() - 120) / 365.25
        return 4.0 * week * (1 + 0.6 * np.sin(turn))
    if kind == "before_fair":
        ahead = np.array([fair[d + 1 : d + 6].any() and not fair[d] for d in range(len(fair))])
        return 2.0 * week * np.where(ahead, 6.0, 1.0)
    return week


_STEPS = {"step_up": (60, 2.0), "step_down": (60, 0.5), "drop": (25, 0.25), "jump": (25, 3.0)}
"""Days since a level became another, and by what factor."""
_Days = Callable[[pd.DatetimeIndex, npt.NDArray[np.int64]], Any]
_ORDERS: dict[str, tuple[float, float, _Days]] = {
    "fortnightly": (28.0, 0.0, lambda _, day: day % 14 == 3),
    "third_week": (9.0, 0.0, lambda _, day: day // 7 % 3 == 0),
    "month_end": (30.0, 0.0, lambda dates, _: dates.is_month_end),
    "quarter": (120.0, 0.0, lambda dates, _: (dates.day == 10) & (dates.month % 3 == 2)),
    "third_thursday": (
        40.0, 0.0, lambda dates, _: (dates.day_of_week == 3) & ((dates.day - 1) // 7 == 2)),
    "big_customer": (90.0, 1.5, lambda _, day: day % 28 == 22),
}  # fmt: skip
"""Units of an order, of a usual day beside it, and the days (dates, days from the night) of it."""


def odd_world(
    ordinary: int, kin: int, kinds: tuple[Odd, ...] = KINDS,
    regions: tuple[str, ...] = ("east", "west"), seed: int = 1,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:  # fmt: skip
    """Tables of `ordinary` items and `kin` of each kind, and the truth of each odd item: item_id,
    kind, days, expected units of the next `days`."""
    random = np.random.default_rng(seed)
    dates = pd.date_range(pd.Timestamp(AS_OF) - pd.Timedelta(days=DAYS - 1), periods=DAYS + AHEAD)
    plan = [("ordinary", float(s)) for s in np.exp(random.normal(0.3, 1.1, ordinary))]
    sizes = [1.0, *np.exp(random.normal(0.3, 0.4, max(kin - 1, 0)))][:kin]
    plan += [(kind.name, float(s)) for kind in kinds for s in sizes]
    rows, items, truth, planned = [], [], [], []
    for k, (kind, size) in enumerate(plan):
        item = f"item_{k:04d}"
        rate, launch = rates(kind, size, dates)
        items.append((item, ("toys", "tools")[k % 2], dates[launch]))
        price = prices(kind, len(dates))
        steps = np.flatnonzero(np.diff(price, prepend=0.0))
        for place, region in enumerate(regions):
            planned += [(item, region, dates[d], price[d]) for d in steps]
            share = (1.0 + place) / sum(range(1, len(regions) + 1))
            units = random.poisson(share * rate[launch:DAYS])
            rows.append(pd.DataFrame({
                "item_id": item, "region_id": region, "date": dates[launch:DAYS],
                "units": units.astype(float), "price_usd": price[launch:DAYS],
            }))  # fmt: skip
        days = {odd.name: odd.days for odd in kinds}.get(kind)
        if days:
            truth.append((item, kind, days, rate[DAYS : DAYS + days].sum()))
    ids = [row[0] for row in items]
    fairs = [(pd.Timestamp(b) + pd.Timedelta(days=d), r, "fair", "local")
             for b in FAIRS for d in range(FAIR_DAYS) for r in regions]  # fmt: skip
    if FEAST_KINDS[0] in kinds:
        fairs += [(pd.Timestamp(b) + pd.Timedelta(days=d), r, "feast month", "religious")
                  for b in FEAST_MONTHS for d in range(FEAST_DAYS) for r in regions]  # fmt: skip
    demand = pd.concat(rows, ignore_index=True)
    tables = {
        "items": pd.DataFrame({
            "item_id": ids, "department": [row[1] for row in items],
            "category": [row[1] for row in items], "launch_date": [row[2] for row in items],
            "end_date": pd.Series(pd.NaT, range(len(ids)), dtype="datetime64[us]"),
            "list_price_usd": 10.0,
        }),
        "item_attributes": pd.DataFrame(columns=["item_id", "attribute", "attribute_value"]),
        "regions": pd.DataFrame({"region_id": list(regions)}),
        "prices": pd.DataFrame(
            planned, columns=["item_id", "region_id", "start_date", "price_usd"]
        ),
        "calendar": pd.DataFrame(
            fairs, columns=["date", "region_id", "event_name", "event_type"]
        ),
        "daily_demand": demand.assign(in_stock_share=1.0, is_censored=False),
    }  # fmt: skip
    return tables, pd.DataFrame(truth, columns=["item_id", "kind", "days", "units"])
