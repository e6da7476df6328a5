"""What will be sold out before an order of tonight can come: it is lost, so it is not ordered.

An order-up-to level covers all demand until the next order after tonight's has come. Where stock
and what is on the way do not last until then, part of that demand is lost before, whatever is
ordered tonight, and to order for it leaves as much too much when the order has come: an event that
will be over, a shortage that no vendor can end sooner. With B(s) the expected demand of the next s
days and A(s) what is there by then of stock and open orders, each on the day on which it is
expected, the sales lost in L days are those of a stock that starts at zero again,

    lost(L) = max over s <= L of (B(s) - A(s))+

(the reflection of a queue's net input: J. M. Harrison, Brownian Motion and Stochastic Flow Systems,
1985, section 2.2), L the vendor's mean lead time. What a level leaves short on purpose, the demand
that it is to cover less the level, is lost on every night and counted in the level: only what is
lost beyond is left out. On a usual night that is nothing. Chances instead of expected days count
what may come after tonight's order as if it served what is lost before: an item that ran out was
then ordered less and less.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.arrivals import day_chances
from pipeline.core.arithmetic import product
from pipeline.optimize.item_model import DemandCube
from pipeline.optimize.targets import Vendors

Floats = NDArray[np.float64]


def sold_out_units(
    cube: DemandCube, vendors: Vendors, tables: Mapping[str, pd.DataFrame], as_of: date
) -> Floats:
    """Units [vendor rows] of expected demand that are lost before an order of tonight can come."""
    days = int(np.ceil(vendors.lead_days.max(initial=0.0)))
    until = np.arange(days + 1)
    lacks = cube.mean_over(until.astype(np.float64)) - _there(cube.items, tables, as_of, days)
    lost = np.maximum.accumulate(np.maximum(lacks, 0.0), axis=1)
    mean = np.rint(product(vendors.chances, vendors.lead_days)).astype(np.int64)
    return np.asarray(lost[vendors.item, mean])


def left_out_units(
    sold_out: Floats, cover_demand: Floats, level: NDArray[np.int64]
) -> NDArray[np.int64]:  # fmt: skip
    """Units [rows] that orders leave out of the levels: what is sold out beyond that part of the
    demand to be covered which the level leaves short on purpose."""
    beyond = sold_out - np.maximum(cover_demand - level, 0.0)
    return np.floor(np.maximum(beyond, 0.0) + 0.5).astype(np.int64)


def _there(
    items: list[str], tables: Mapping[str, pd.DataFrame], as_of: date, days: int
) -> Floats:  # fmt: skip
    """Units [items, days + 1] that are on hand, between nodes, or have come by each of the coming
    days, where every order comes on its mean day; tonight's first."""
    ids, found = pd.Index(items), np.zeros((len(items), days + 1))
    for name, column in (("stock", "on_hand_units"), ("open_transfers", "open_units")):
        rows = _known(tables[name], ids, as_of)
        np.add.at(found, (rows["row"], 0), rows[column].to_numpy(np.float64))
    lines = _known(tables["open_orders"], ids, as_of)
    chances = day_chances(lines, tables["lead_times"], as_of, days)
    # What is not due within the longest lead time of any vendor comes after all that is ordered.
    total = np.maximum(chances.sum(axis=1), 1e-9)
    day = np.rint(product(chances, np.arange(1.0, days + 1.0)) / total).astype(np.int64)
    is_due = day > 0
    units = lines["open_units"].to_numpy(np.float64)[is_due]
    np.add.at(found, (lines["row"].to_numpy()[is_due], day[is_due]), units)
    return found.cumsum(axis=1)


def _known(frame: pd.DataFrame, ids: pd.Index, as_of: date) -> pd.DataFrame:
    """Rows of the night that are about the items, with the item's row."""
    today = frame[frame["date"] == pd.Timestamp(as_of)]
    rows = today.assign(row=ids.get_indexer(today["item_id"].astype(str)))
    return rows[rows["row"] >= 0]
