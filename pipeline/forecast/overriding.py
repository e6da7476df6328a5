"""Planners' overrides of demand, laid over the forecast."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.columns import QUANTILE_COLUMNS
from pipeline.forecast.panel import F64


def apply_overrides(quantiles: pd.DataFrame, overrides: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """`quantiles` with every demand override that holds on days of a window.

    `multiply` and `block` act on all regions alike; `set`, `at_least` and `at_most` name units a
    day of an item over all regions, and scale the regions in proportion. A window is changed in
    the share of its days on which the override holds. Overrides apply in the order of their ids.
    """
    out = quantiles
    own = overrides[overrides["override_target"].astype(str) == "demand"]
    for row in own.sort_values("override_id").to_dict("records"):
        rows = np.ones(len(out), bool)
        if not pd.isna(row["item_id"]):
            rows = (out["item_id"].astype(str) == str(row["item_id"])).to_numpy()
        first = out["window_start_day"].to_numpy()
        last = first + out["window_days"].to_numpy() - 1
        begins = (row["start_date"] - pd.Timestamp(as_of)).days
        ends = (row["expiry_date"] - pd.Timestamp(as_of)).days
        held = np.clip(np.minimum(last, ends) - np.maximum(first, begins) + 1, 0, None)
        share = np.where(rows, held / (last - first + 1), 0.0)
        if not share.any():
            continue
        factor = 1.0 + share * (_factor(out, row["override_kind"], row["override_value"]) - 1)
        out = out.assign(
            mean_units=out["mean_units"] * factor,
            **{name: np.rint(out[name] * factor) for name in QUANTILE_COLUMNS},
        )
    return out


def _factor(frame: pd.DataFrame, kind: str, value: float) -> F64:
    if kind in ("multiply", "block"):
        return np.full(len(frame), value if kind == "multiply" else 0.0)
    keys = ["item_id", "window_start_day", "window_days"]
    total = frame.groupby(keys, observed=True)["mean_units"].transform("sum").to_numpy()
    daily = np.maximum(total / frame["window_days"].to_numpy(), 1e-9)
    wanted = {
        "set": np.full(len(frame), value),
        "at_least": np.maximum(daily, value),
        "at_most": np.minimum(daily, value),
    }[kind]
    return np.asarray(wanted / daily)
