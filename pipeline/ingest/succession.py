"""Items that replace others: the old one's sales teach the new one, and end when it starts."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def succeeded(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with the sales of predecessors before their successors' launch under both ids, and
    with the last day of a predecessor that names none: the day before that launch."""
    items = tables["items"]
    if "predecessor_item_id" not in items or items["predecessor_item_id"].isna().all():
        return dict(tables)
    pairs = items.loc[items["predecessor_item_id"].notna()]
    pairs = pd.DataFrame({
        "new": pairs["item_id"].astype("str"), "old": pairs["predecessor_item_id"].astype("str"),
        "launch": pairs["launch_date"],
    }).sort_values(["old", "launch", "new"])  # fmt: skip
    first = pairs.groupby("old")["launch"].min()
    ends = items["item_id"].astype("str").map(first) - pd.Timedelta(days=1)
    ends = ends.where(ends >= items["launch_date"])
    ended = items.assign(end_date=items["end_date"].fillna(ends).astype("datetime64[s]"))
    found = dict(tables) | {"items": ended}
    for name in ("sales", "availability"):
        frame = tables[name]
        old = frame.astype({"item_id": "str"}).merge(pairs, left_on="item_id", right_on="old")
        old = old[old["date"] < old["launch"]]
        taken = old.assign(item_id=old["new"])[list(frame.columns)]
        whole = pd.concat([frame.astype({"item_id": "str"}), taken], ignore_index=True)
        whole = whole.drop_duplicates(["item_id", "region_id", "date"])
        found[name] = whole.astype({"item_id": "category", "region_id": "category"})
    return found
