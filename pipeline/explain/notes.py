"""What a sentence says beside the drivers: an item is new or quiet, a source was held back."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

NEW_DAYS, QUIET_DAYS = 56, 28
_FULL_SHARE = 0.995
_LANE = ["from_node_id", "to_node_id"]


def life_notes(items: pd.DataFrame, life: pd.DataFrame, as_of: date) -> pd.Series:
    """'New: on sale since …' or 'It has not sold for … weeks' by item_id, where it is so."""
    today = pd.Timestamp(as_of)
    launch = pd.Series(items["launch_date"].to_numpy(), index=items["item_id"].astype("str"))
    is_new = (launch > today - pd.Timedelta(days=NEW_DAYS)) & launch.notna()
    new = launch[is_new].dt.strftime("New: on sale since %Y-%m-%d")
    new[launch[is_new] > today] = launch[is_new].dt.strftime("New: on sale from %Y-%m-%d on")
    quiet = pd.Series(life["quiet_days"].to_numpy(), index=life["item_id"].astype("str"))
    quiet = quiet[(quiet >= QUIET_DAYS) & ~quiet.index.isin(new.index)]
    told = (quiet // 7).map(lambda weeks: f"It has not sold for {weeks:,} weeks")
    return pd.concat([new.astype("object"), told.astype("object")])


def source_notes(
    lines: pd.DataFrame, stock: pd.DataFrame, lanes: pd.DataFrame, cube: pd.Series, as_of: date
) -> list[str]:
    """Why a source gave less than was needed: it has no more, the lane is full, or it keeps them.

    lines: the night's transfers; cube: cubic feet of a unit by item_id.
    """
    held = stock[stock["date"] == pd.Timestamp(as_of)].astype({"item_id": "str", "node_id": "str"})
    on_hand = held.groupby(["item_id", "node_id"])["on_hand_units"].sum()
    given = lines.groupby(["item_id", "from_node_id"])["transfer_units"].transform("sum")
    source = pd.MultiIndex.from_frame(lines[["item_id", "from_node_id"]])
    is_out = given.to_numpy() >= on_hand.reindex(source).fillna(0).to_numpy()
    cuft = lines["transfer_units"] * lines["item_id"].map(cube).astype("float64").fillna(0.0)
    used = cuft.groupby([lines[name] for name in _LANE]).transform("sum")
    room = lanes.astype(dict.fromkeys(_LANE, "str")).set_index(_LANE)["lane_capacity_cuft_per_day"]
    room = room.reindex(pd.MultiIndex.from_frame(lines[_LANE])).astype("float64")
    is_full = used.to_numpy() >= _FULL_SHARE * room.fillna(np.inf).to_numpy()
    return [
        "the source has no more" if out else "the lane is full" if full
        else "the source needs them more"
        for out, full in zip(is_out, is_full, strict=True)
    ]  # fmt: skip
