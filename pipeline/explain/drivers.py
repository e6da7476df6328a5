"""Additive integer drivers of orders and transfers: they sum exactly to the quantity.

Every quantity is taken apart along the way it was made: expected demand over the cover, what
uncertainty adds, what is built ahead of later weeks, what scarce capacity changes and what service
targets add, less what there is and what is coming; then what packs, minima and limits change, and
last what a planner's override changes. Each driver is the difference between two neighbouring
levels on that way, so the sum telescopes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.columns import DRIVERS, TRANSFER_DRIVERS

I64 = npt.NDArray[np.int64]


def order_drivers(lines: pd.DataFrame, on_hand: pd.Series) -> pd.DataFrame:
    """Drivers of order lines (columns DRIVERS, rows as `lines`), summing to order_units.

    `lines` has order_units, override_units, order_up_to_units and inventory_position_units as in
    purchase_orders, and target_units, unpriced_target_units, node_override_units, sold_out_units,
    built_ahead_units, service_units and cover_demand_units from network_targets; a quantity of zero
    is explained as well. `on_hand` is by item_id.
    """
    quantity, level = _int(lines["order_units"]), _int(lines["order_up_to_units"])
    position = _int(lines["inventory_position_units"])
    held = _int(lines["item_id"].map(on_hand).fillna(0))
    demand = _int(np.rint(lines["cover_demand_units"].to_numpy(dtype="float64")))
    unpriced, target = _int(lines["unpriced_target_units"]), _int(lines["target_units"])
    override, early = _int(lines["override_units"]), _int(lines["built_ahead_units"])
    service = _int(lines["service_units"])
    # Of what is lost before an order can come no more was ever to be ordered than the level.
    wanted = np.maximum(target + _int(lines["node_override_units"]), 0)
    lost = np.minimum(_int(lines["sold_out_units"]), wanted)
    return pd.DataFrame(
        {
            "demand_over_cover": demand,
            "safety_stock": unpriced - demand,
            "built_ahead": early,
            "capacity_price": target - early - service - unpriced,
            "service_target": service,
            "sold_out": -lost,
            "stock_on_hand": -held,
            "on_order": held - position,
            "rounding": quantity - override - (level - position),
            "override": override + (level + lost - target),
        },
        columns=list(DRIVERS),
        index=lines.index,
    )


def transfer_drivers(moves: pd.DataFrame, overridden: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Drivers of transfers (columns TRANSFER_DRIVERS, rows as `moves`), summing to transfer_units.

    `moves` has transfer_units, case_units, expected_demand_units, base_stock_units,
    unpriced_base_stock_units, filled_ahead_units and service_units of the receiving node,
    on_hand_units there, and inbound_units: all that is on the way to it, the night's other
    transfers of the item included.

    What differs from the need by less than a case is rounding; the rest is the source's doing: it
    has less to give, or more than it should keep. `overridden` marks receivers whose level a
    planner's override set: what it changes of the unpriced level is the override's, not capacity's.
    """
    quantity, level = _int(moves["transfer_units"]), _int(moves["base_stock_units"])
    demand = _int(np.rint(moves["expected_demand_units"].to_numpy(dtype="float64")))
    unpriced = _int(moves["unpriced_base_stock_units"])
    service = np.where(overridden, 0, _int(moves["service_units"]))
    ahead = _int(moves["filled_ahead_units"])
    held, inbound = _int(moves["on_hand_units"]), _int(moves["inbound_units"])
    gap = quantity - (level - held - inbound)
    is_rounding = np.abs(gap) < _int(moves["case_units"])
    return pd.DataFrame(
        {
            "demand_over_cover": demand,
            "safety_stock": unpriced - demand,
            "built_ahead": ahead,
            "capacity_price": np.where(overridden, 0, level - ahead - service - unpriced),
            "service_target": service,
            "stock_on_hand": -held,
            "on_order": -inbound,
            "source_limit": np.where(is_rounding, 0, gap),
            "rounding": np.where(is_rounding, gap, 0),
            "override": np.where(overridden, level - ahead - unpriced, 0),
        },
        columns=list(TRANSFER_DRIVERS),
        index=moves.index,
    )


def usual_quantity(needed: I64, moq: I64, case: I64) -> I64:
    """Order for a need: none if there is none, else MOQ at least, in whole cases."""
    wanted = np.maximum(needed, moq)
    return np.where(needed > 0, -(-wanted // case) * case, 0)


def long_drivers(
    wide: pd.DataFrame, keys: pd.DataFrame, sentences: list[str], keep_zero: bool = True
) -> pd.DataFrame:
    """One row for each driver: the columns of `keys`, driver, driver_order, driver_units, sentence.

    Without `keep_zero` drivers of 0 units are left out, except that no quantity loses its last row.
    """
    rows, drivers = len(wide), list(wide.columns)
    units = wide.to_numpy(dtype="int64").reshape(rows, len(drivers))
    result = keys.loc[keys.index.repeat(len(drivers))].reset_index(drop=True)
    result["driver"] = np.tile(np.array(drivers, dtype=object), rows)
    result["driver_order"] = np.tile(np.arange(len(drivers)), rows)
    result["driver_units"] = units.ravel()
    result["sentence"] = np.repeat(np.array(sentences, dtype=object), len(drivers))
    if keep_zero:
        return result
    shown = units != 0
    shown[:, 0] |= ~shown.any(axis=1)
    return result[shown.ravel()].reset_index(drop=True)


def _int(values: object) -> I64:
    return np.asarray(values, dtype="float64").astype(np.int64)
