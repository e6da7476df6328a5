"""Tonight's orders as a planner sees them: names, reasons, cover, and what is odd about them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import DRIVERS, RAISED_WORDS

HIGH_COVER_FACTOR = 2.0
FORECAST_FACTOR = 3.0
ROUNDING_SHARE = 0.5
TINY_ORDER_USD = 10.0
GAIN_SHARE = 0.002
"""An order that gains less than this share of its cost can as well wait."""
SEASON_WEEKS = 13
STOCKED_FACTOR = 2.0

_BEYOND = "since it should bring more than it costs to hold"
_BEYOND_NEED = RAISED_WORDS | {"case_pack": "to fill cases"}
F64 = npt.NDArray[np.float64]
Words = Callable[[pd.Series], str]


def order_view(
    orders: pd.DataFrame, reasons: pd.DataFrame, items: pd.DataFrame, vendors: pd.DataFrame,
    targets: pd.DataFrame, weekly_mean: pd.Series, trailing_weekly: pd.Series,
) -> pd.DataFrame:  # fmt: skip
    """One row for each order line with names, sentence, drivers and weeks of cover.

    `weekly_mean` is the expected and `trailing_weekly` the lately sold units a week, by item_id.
    Cover is in weeks of expected demand; it is NaN where none is expected.
    """
    text = {"item_id": "str", "vendor_id": "str"}
    view = orders.astype({**text, "reason_code": "str"})
    view = view.merge(targets.astype(text)[["item_id", "vendor_id", "cover_days"]],
                      on=["item_id", "vendor_id"], how="left")  # fmt: skip
    view["item_name"] = _mapped(view["item_id"], items, "item")
    view["vendor_name"] = _mapped(view["vendor_id"], vendors, "vendor")
    wide = reasons.pivot(index="order_line_id", columns="driver", values="driver_units")
    sentence = reasons.drop_duplicates("order_line_id").set_index("order_line_id")["sentence"]
    view["sentence"] = view["order_line_id"].map(sentence).astype("object").fillna("")
    for driver in DRIVERS:
        units = wide[driver] if driver in wide else pd.Series(dtype="float64")
        view[driver] = view["order_line_id"].map(units).fillna(0).astype("int64")
    weekly = view["item_id"].map(weekly_mean).fillna(0).astype("float64")
    view["weekly_mean_units"] = weekly
    view["trailing_weekly_units"] = view["item_id"].map(trailing_weekly).fillna(0).astype("float64")
    before = view["inventory_position_units"].astype("float64")
    after = before + view.groupby("item_id")["order_units"].transform("sum")
    safe = weekly.where(weekly > 0)
    view["weeks_before"], view["weeks_after"] = before / safe, after / safe
    return view


def largest_orders(view: pd.DataFrame, count: int) -> pd.DataFrame:
    """The orders of the greatest value."""
    return view.sort_values(["order_cost_usd", "order_line_id"], ascending=[False, True]).head(
        count
    )


def orders_by_vendor(view: pd.DataFrame, vendors: pd.DataFrame) -> pd.DataFrame:
    """One row for each vendor ordered from, the greatest value first.

    Columns: vendor_id, vendor_name, lines, units, value_usd, order_minimum_usd, first_arrival and
    last_arrival (dates).
    """
    totals = view.groupby(["vendor_id", "vendor_name"], as_index=False).agg(
        lines=("order_line_id", "size"),
        units=("order_units", "sum"),
        value_usd=("order_cost_usd", "sum"),
        first_arrival=("expected_arrival_date", "min"),
        last_arrival=("expected_arrival_date", "max"),
    )
    minimum = vendors.astype({"vendor_id": "str"}).set_index("vendor_id")["order_minimum_usd"]
    totals["order_minimum_usd"] = totals["vendor_id"].map(minimum).astype("float64")
    return totals.sort_values(
        ["value_usd", "vendor_id"], ascending=[False, True], ignore_index=True
    )


def is_odd(view: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each order fails some test of `oddest_orders`."""
    return np.any([ratio > 1 for ratio, _ in _tests(view)], axis=0)


def oddest_orders(view: pd.DataFrame, count: int) -> pd.DataFrame:
    """Orders that a planner should look at, the oddest first, with what is odd in `oddities`.

    Each test scores the logarithm of how far the order lies beyond its bound; scores add up, and a
    tie goes to the greater value. Orders that pass every test are not listed.
    """
    score = np.zeros(len(view))
    for ratio, _ in _tests(view):
        score += np.log(np.maximum(ratio, 1.0))
    scored = view.assign(oddity=score)
    found = (
        scored[scored["oddity"] > 0]
        .sort_values(["oddity", "order_cost_usd", "order_line_id"], ascending=[False, False, True])
        .head(count)
    )
    phrases: list[list[str]] = [[] for _ in range(len(found))]
    for ratio, words in _tests(found):
        for row in np.flatnonzero(ratio > 1):
            phrases[row].append(words(found.iloc[row]))
    return found.assign(oddities=["; ".join(own) for own in phrases])


def _tests(view: pd.DataFrame) -> list[tuple[F64, Words]]:
    """For each oddity: how many times beyond its bound each order lies, and the words for it."""
    units = view["order_units"].to_numpy(dtype="float64")
    cover_weeks = view["cover_days"].fillna(7).to_numpy(dtype="float64") / 7
    after = view["weeks_after"].fillna(np.inf).to_numpy(dtype="float64")
    before = view["weeks_before"].fillna(np.inf).to_numpy(dtype="float64")
    rounding = view["rounding"].to_numpy(dtype="float64")
    trailing = view["trailing_weekly_units"].to_numpy(dtype="float64")
    weekly = view["weekly_mean_units"].to_numpy(dtype="float64")
    # One unit a week is noise, not a jump: both sides of the comparison are lifted by it.
    jump = (weekly + 1) / (trailing + 1)
    cost = np.maximum(view["order_cost_usd"].to_numpy(dtype="float64"), 0.01)
    gain = np.maximum(view["value_gained_usd"].to_numpy(dtype="float64"), 0.01)
    return [
        (
            np.minimum(after, 104.0) / np.maximum(HIGH_COVER_FACTOR * cover_weeks, SEASON_WEEKS),
            lambda row: f"lasts {_weeks(row['weeks_after'])}",
        ),
        (
            np.where(rounding > 0, rounding / (ROUNDING_SHARE * units), 0.0),
            lambda row: (
                f"{row['rounding'] / row['order_units']:.0%} of it is more than is needed, ordered "
                f"{_BEYOND_NEED.get(row['reason_code'], _BEYOND)}"
            ),
        ),
        (
            np.maximum(jump, 1 / jump) / FORECAST_FACTOR,
            lambda row: (
                f"{row['weekly_mean_units']:,.1f} a week expected, "
                f"{row['trailing_weekly_units']:,.1f} a week sold lately"
            ),
        ),
        (
            np.minimum(before, 104.0) / (STOCKED_FACTOR * cover_weeks),
            lambda row: f"{_weeks(row['weeks_before'])} of cover before it",
        ),
        (
            TINY_ORDER_USD / cost,
            lambda row: f"worth only ${row['order_cost_usd']:,.2f}",
        ),
        (
            GAIN_SHARE * cost / gain,
            lambda row: (
                f"${row['order_cost_usd']:,.0f} that gain ${row['value_gained_usd']:,.2f}: it can "
                "wait"
            ),
        ),
    ]


def _weeks(weeks: float) -> str:
    return f"{weeks:,.0f} weeks" if np.isfinite(weeks) and weeks < 104 else "more than two years"


def _mapped(ids: pd.Series, frame: pd.DataFrame, what: str) -> pd.Series:
    names = dict(zip(frame[f"{what}_id"].astype("str"), frame[f"{what}_name"], strict=True))
    return ids.map(names).fillna(ids)
