"""Which planner's override touches a line, and who made it why."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd


def override_notes(
    lines: pd.DataFrame,
    overrides: pd.DataFrame,
    target: str,
    as_of: date,
    level: pd.Series,
    slack: pd.Series,
    node: str = "",
) -> pd.Series:
    """'planner: why' of the override of `target` that holds for each line; '' where none does.

    It holds if it is in force on a day from tomorrow to the end of the line's `cover_days` (one
    day where `lines` has none), for the line's item_id and, if `node` names a column, that node.
    A null item or node means all. An item's own override goes before one for all items, the last
    by override_id before others. What `level`, the quantity after all overrides, keeps by more than
    `slack` does not bind and is not named: a ceiling far above, a floor far below, times one.
    """
    days = lines["cover_days"].to_numpy(dtype="float64") if "cover_days" in lines else np.array(1.0)
    own = overrides[overrides["override_target"].astype("str") == target]
    own = own[own["item_id"].isna() | own["item_id"].astype("str").isin(lines["item_id"].tolist())]
    own = own.assign(is_own=own["item_id"].notna()).sort_values(["is_own", "override_id"])
    notes = np.full(len(lines), "", dtype=object)
    for row in own.to_dict("records"):
        begins, ends = ((row[name] - pd.Timestamp(as_of)).days
                        for name in ("start_date", "expiry_date"))  # fmt: skip
        holds = np.broadcast_to((begins <= np.maximum(days, 1)) & (ends >= 1), notes.shape).copy()
        if not pd.isna(row["item_id"]):
            holds &= (lines["item_id"] == str(row["item_id"])).to_numpy(dtype=bool)
        if node and not pd.isna(row["node_id"]):
            holds &= (lines[node] == str(row["node_id"])).to_numpy(dtype=bool)
        holds &= _binds(str(row["override_kind"]), float(row["override_value"]), level, slack)
        notes[holds] = f"{row['planner']}: {row['why']}"
    return pd.Series(notes, index=lines.index, dtype="str")


def _binds(
    kind: str, value: float, level: pd.Series, slack: pd.Series
) -> npt.NDArray[np.bool_]:  # fmt: skip
    held = level.to_numpy(dtype="float64")
    near = np.maximum(slack.to_numpy(dtype="float64"), 0.0)
    if kind == "at_most":
        return np.asarray(held + near >= np.floor(value))
    if kind == "at_least":
        return np.asarray(held - near <= np.ceil(value)) & (value > 0)
    return np.full(held.shape, kind != "multiply" or value != 1.0)
