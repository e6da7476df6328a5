"""Where stock may run out before an order not yet placed could help."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.review.pooled import PooledDemand, expected_shortfall, run_out_probability

F64 = npt.NDArray[np.float64]


def arrivals(
    open_orders: pd.DataFrame, open_transfers: pd.DataFrame, orders: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Units to come into or within the network: item_id, arrival_day (1 is tomorrow), units.

    Transfers count as there at once: they are in the network already. What is overdue is taken to
    be as late again as it is already.
    """
    day = pd.Timestamp(as_of)
    known = open_orders[open_orders["date"] == day]
    moving = open_transfers[open_transfers["date"] == day]
    parts = [
        (known, "open_units"),
        (moving.assign(expected_arrival_date=day), "open_units"),
        (orders, "order_units"),
    ]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "item_id": frame["item_id"].astype("str"),
                    "arrival_day": (frame["expected_arrival_date"] - day).dt.days.abs(),
                    "units": frame[units].astype("float64"),
                }
            )
            for frame, units in parts
        ],
        ignore_index=True,
    )


def stock_out_risk(
    demand: PooledDemand, on_hand: pd.Series, coming: pd.DataFrame, cover_days: pd.Series
) -> pd.DataFrame:
    """The worst window of each item: one row an item, the largest expected shortfall first.

    Columns: item_id, window_days, mean_units, supply_units (on hand and arriving in the window),
    on_hand_units, run_out_probability, shortfall_units. Windows longer than the cover of tonight's
    order (`cover_days` by item) are left out, except the shortest: later orders can still help.
    """
    near = demand.where((demand.keys["window_start_day"] == 1).to_numpy())
    days = near.keys["window_days"].to_numpy()
    limit = near.keys["item_id"].map(cover_days).fillna(np.inf).to_numpy(dtype="float64")
    shortest = days.min() if days.size else 0
    near = near.where((days <= limit) | (days == shortest))
    held = near.keys["item_id"].map(on_hand).fillna(0).to_numpy(dtype="float64")
    supply = held + _arriving(near.keys, coming)
    frame = near.keys.assign(
        mean_units=near.mean,
        on_hand_units=held,
        supply_units=supply,
        shortfall_units=expected_shortfall(near.quantiles, supply),
        run_out_probability=run_out_probability(near.quantiles, supply),
    ).drop(columns="window_start_day")
    ranked = frame.sort_values(
        ["shortfall_units", "run_out_probability", "item_id", "window_days"],
        ascending=[False, False, True, True],
    )
    return ranked.drop_duplicates("item_id").reset_index(drop=True)


def expected_fill_rate(
    demand: PooledDemand, on_hand: pd.Series, coming: pd.DataFrame
) -> tuple[int, float] | None:
    """(days, share of demand served) in the shortest window, wherever in the network stock lies."""
    near = demand.where((demand.keys["window_start_day"] == 1).to_numpy())
    if near.keys.empty:
        return None
    days = int(near.keys["window_days"].min())
    first = near.window(1, days)
    held = first.keys["item_id"].map(on_hand).fillna(0).to_numpy(dtype="float64")
    short = expected_shortfall(first.quantiles, held + _arriving(first.keys, coming)).sum()
    total = first.mean.sum()
    return (days, float(1 - short / total)) if total > 0 else None


def _arriving(windows: pd.DataFrame, coming: pd.DataFrame) -> F64:
    supply = np.zeros(len(windows))
    for days in sorted(windows["window_days"].unique()):
        within = coming[coming["arrival_day"] <= days].groupby("item_id")["units"].sum()
        rows = (windows["window_days"] == days).to_numpy()
        supply[rows] = windows.loc[rows, "item_id"].map(within).fillna(0).to_numpy()
    return supply
