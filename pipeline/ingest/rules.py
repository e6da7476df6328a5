"""Rules of a row that no single column can state: dates in order, quantities that can be ordered.

Each rule returns the rows that break it, given its table's frame and the tables cleaned before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.columns import WEEKDAYS

Tables = Mapping[str, pd.DataFrame]
_WEEKDAYS_AS = "Write weekdays as mon tue wed thu fri sat sun, parted by spaces."


@dataclass(frozen=True)
class RowRule:
    """A named rule on rows: the column it points at, what is wrong, what to do, and the test."""

    column: str
    rule: str
    action: str
    broken: Callable[[pd.DataFrame, Tables], np.ndarray]


def _before(early: str, late: str, or_equal: bool = False) -> Callable[..., np.ndarray]:
    """Rows in which `late` lies before `early` (or on the same day, where that is wrong too)."""

    def broken(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
        wrong = frame[late] <= frame[early] if or_equal else frame[late] < frame[early]
        return np.asarray(wrong, dtype=bool)

    return broken


def _price_is_zero(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    return _numbers(frame["price_usd"]) <= 0


def _least_order_units(frame: pd.DataFrame) -> np.ndarray:
    """MOQ in whole cases."""
    moq, case = _numbers(frame["moq_units"]), _numbers(frame["case_pack_units"])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.maximum(np.ceil(moq / case), 1) * case


def _moq_above_vendor_capacity(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    vendors = tables["vendors"]
    limit = _looked_up(frame["vendor_id"], vendors["vendor_id"],
                       vendors["vendor_capacity_units_per_order"])  # fmt: skip
    return _least_order_units(frame) > limit


def _moq_above_storage(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    """The least order fills more than the largest receiving node that accepts the item."""
    items, nodes, capacity = tables["items"], tables["nodes"], tables["node_capacity"]
    storage = capacity[capacity["resource"] == "storage_cuft"]
    largest = storage.groupby("node_id", observed=True)["capacity"].max()
    receiving = nodes[nodes["is_vendor_receiving"].astype("bool")]
    room = {
        size: max((float(largest.get(node, 0.0)) for node, accepts in zip(
            receiving["node_id"], receiving["accepts"], strict=True)
            if accepts in (size, "any")), default=0.0)
        for size in ("sortable", "non_sortable")
    }  # fmt: skip
    limit = items["size_class"].astype("str").map(room)
    cube = _looked_up(frame["item_id"], items["item_id"], items["unit_cube_cuft"])
    return _least_order_units(frame) * cube > _looked_up(frame["item_id"], items["item_id"], limit)


def _limits_other_than_demand(column: str) -> Callable[..., np.ndarray]:
    def broken(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
        is_other = frame["override_target"].astype("str") != "demand"
        return np.asarray(frame[column].notna() & is_other, dtype=bool)

    return broken


def _numbers(values: pd.Series) -> np.ndarray:
    return values.to_numpy(dtype="float64", na_value=np.nan)


def _looked_up(keys: pd.Series, names: pd.Series, values: pd.Series) -> np.ndarray:
    table = dict(zip(names.astype("str"), _numbers(values), strict=True))
    return keys.astype("object").map(table).to_numpy(dtype="float64", na_value=np.nan)


def _words(text: object) -> list[str]:
    return [] if pd.isna(text) else str(text).replace(",", " ").lower().split() or ["-"]


def _unknown_weekday(column: str) -> Callable[..., np.ndarray]:
    """Rows whose column names something that is no weekday."""

    def found(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
        words = frame[column].astype("object").map(_words)
        return np.array([any(word not in WEEKDAYS for word in row) for row in words], dtype=bool)

    return found


def _fill_rate_of_a_speed(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    is_fill = frame["service_measure"].astype("str") == "fill_rate"
    return np.asarray(frame["speed"].notna() & is_fill, dtype=bool)


def _unknown(column: str, table: str, *places: str) -> Callable[..., np.ndarray]:
    """Rows whose text is none of those in the places of another table."""

    def broken(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
        known = {str(text) for place in places for text in tables[table][place].dropna().unique()}
        return np.array([not (pd.isna(text) or str(text) in known) for text in frame[column]], bool)

    return broken


def _most_below_least(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return _numbers(frame["most_units"]) < _numbers(frame["least_units"])


def _node_and_region(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    return np.asarray(frame["node_id"].notna() & frame["region_id"].notna(), dtype=bool)


def _offers(frame: pd.DataFrame) -> pd.Series:
    return frame["vendor_id"].astype("object") + "\0" + frame["item_id"].astype("object")


def _without_offer(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    return np.asarray(~_offers(frame).isin(set(_offers(tables["vendor_items"]))), dtype=bool)


def _break_saves_nothing(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    offers = tables["vendor_items"]
    cost = _looked_up(_offers(frame), _offers(offers), offers["unit_cost_usd"])
    return _without_offer(frame, tables) | (_numbers(frame["break_cost_usd"]) >= cost)


def _no_size(frame: pd.DataFrame, tables: Tables) -> np.ndarray:
    return np.asarray(frame["truck_cuft"].isna() & frame["truck_lb"].isna(), dtype=bool)


_RECEIVED = RowRule(
    "arrival_date", "lead time is zero or negative",
    "An order arrives at least a day after order_date; correct either date.",
    _before("order_date", "arrival_date", or_equal=True),
)  # fmt: skip
_CONFIRMED = RowRule(
    "confirmed_date", "is before order_date", "Correct either date.",
    _before("order_date", "confirmed_date"),
)  # fmt: skip

ROW_RULES: dict[str, tuple[RowRule, ...]] = {
    "items": (
        RowRule("end_date", "is before launch_date", "Correct either date.",
                _before("launch_date", "end_date")),
    ),
    "vendor_items": (
        RowRule("moq_units", "MOQ is above the vendor's capacity per order",
                "The item can never be ordered; correct the MOQ, case pack or capacity.",
                _moq_above_vendor_capacity),
        RowRule("moq_units", "MOQ is above the storage capacity of every receiving node",
                "The least order fits nowhere; correct the MOQ, cube or capacity.",
                _moq_above_storage),
    ),
    "vendors": (
        RowRule("order_weekdays", "names something that is no weekday",
                _WEEKDAYS_AS, _unknown_weekday("order_weekdays")),
        RowRule("delivery_weekdays", "names something that is no weekday",
                _WEEKDAYS_AS, _unknown_weekday("delivery_weekdays")),
    ),
    "service_targets": (
        RowRule("speed", "limits a fill rate",
                "What is served from stock has no speed: leave it empty, or count promises_kept.",
                _fill_rate_of_a_speed),
        RowRule("speed", "is promised in no region", "Name a speed of delivery_speeds.",
                _unknown("speed", "delivery_speeds", "speed")),
        RowRule("item_group", "is no category and no department of an item",
                "Name one of table items.", _unknown("item_group", "items", "category",
                                                     "department")),
    ),
    "prices": (
        RowRule("price_usd", "is zero", "Leave the row out, or give the price.", _price_is_zero),
    ),
    "open_orders": (
        RowRule("order_date", "is after the snapshot's date", "Correct either date.",
                _before("order_date", "date")),
        RowRule("expected_arrival_date", "lead time is zero or negative",
                "An order arrives at least a day after order_date; correct either date.",
                _before("order_date", "expected_arrival_date", or_equal=True)),
        _CONFIRMED,
    ),
    "open_transfers": (
        RowRule("expected_arrival_date", "is before ship_date", "Correct either date.",
                _before("ship_date", "expected_arrival_date")),
    ),
    "receipts": (_RECEIVED, _CONFIRMED),
    "stock_limits": (
        RowRule("most_units", "is below least_units", "Correct either.", _most_below_least),
    ),
    "item_blocks": (
        RowRule("expiry_date", "is before start_date", "Correct either date.",
                _before("start_date", "expiry_date")),
        RowRule("region_id", "is named beside a node", "Write two rows: one is not held at the "
                "node, one not sold in the region.", _node_and_region),
    ),
    "price_breaks": (
        RowRule("break_cost_usd", "is no lower than the cost without it",
                "Leave the row out, or correct either cost.", _break_saves_nothing),
    ),
    "vendor_awards": (
        RowRule("vendor_id", "does not offer the item", "Add the offer to vendor_items, or leave "
                "the row out.", _without_offer),
    ),
    "truck_terms": (
        RowRule("truck_cuft", "has neither a volume nor a weight", "Give one of them.",
                _no_size),
    ),
    "overrides": (
        RowRule("expiry_date", "is before start_date", "Correct either date.",
                _before("start_date", "expiry_date")),
        *(RowRule(column, "limits an override of something else than demand",
                  "Leave it empty, or override demand.", _limits_other_than_demand(column))
          for column in ("item_group", "region_id", "event_name")),
    ),
}  # fmt: skip
