"""Items that replace others: the old one's sales teach the new one, and end when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.check import cast_column
from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.ingest.findings import Finding

_PACE_DAYS = 56


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


def with_passed_on(
    tables: Mapping[str, pd.DataFrame], as_of: date
) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """`tables` (stock, open_orders: tonight's) with what predecessors will have left as coming in
    under their successors' ids, and one finding for each.

    Left is what is on hand and on order before the launch less what sells until then at the pace of
    the last 56 days, in the same proportion everywhere; what arrives later comes as it is. It
    counts where it lies, from the launch on; orders that come after it leave the predecessor.
    """
    items, orders = tables["items"], tables["open_orders"]
    heirs = items[items.get("predecessor_stock", pd.Series(index=items.index)) == "used_up"]
    heirs = heirs[heirs["predecessor_item_id"].notna()].sort_values(["launch_date", "item_id"])
    heirs = heirs.drop_duplicates("predecessor_item_id")  # the first to launch uses it up
    if heirs.empty:
        return dict(tables), []
    today = pd.Timestamp(as_of)
    offers = tables["vendor_items"].astype({"vendor_id": "str", "item_id": "str"})
    vendor_of = offers.groupby("item_id")["vendor_id"].min()
    sales = tables["sales"]
    recent = sales[(sales["date"] > today - pd.Timedelta(days=_PACE_DAYS))
                   & (sales["date"] <= today)]  # fmt: skip
    pace = recent.groupby(recent["item_id"].astype("str"))["units"].sum() / _PACE_DAYS
    plain = orders.astype({"order_id": "str", "vendor_id": "str", "item_id": "str",
                           "node_id": "str"})  # fmt: skip
    parts, findings = [plain], []
    for heir in heirs.itertuples():
        old, new = str(heir.predecessor_item_id), str(heir.item_id)
        vendor = vendor_of.get(new, vendor_of.get(old))
        launch = max(pd.Timestamp(heir.launch_date), today + pd.Timedelta(days=1))
        coming = (plain["item_id"] == old) & (plain["expected_arrival_date"] >= launch)
        held = _held(tables["stock"], plain[(plain["item_id"] == old) & ~coming], old)
        sells = float(pace.get(old, 0.0)) * ((launch - today).days - 1)
        left = max(1.0 - sells / max(int(held.sum()), 1), 0.0)
        units = np.floor(held.to_numpy() * left).astype(np.int64)
        later = int(plain.loc[coming, "open_units"].sum())
        plain.loc[coming, "item_id"] = new
        if vendor is None or units.sum() + later == 0:
            continue
        rows = pd.DataFrame({
            "date": today, "order_id": f"stock of {old}", "vendor_id": vendor, "item_id": new,
            "node_id": held.index, "order_date": today, "confirmed_date": pd.NaT,
            "expected_arrival_date": launch, "open_units": units,
        })  # fmt: skip
        parts.append(rows[rows["open_units"] > 0])
        findings.append(Finding(
            "items", 0, "predecessor_stock", f"{int(units.sum()) + later:,} units of {old} count "
            f"as coming in of {new} on {launch:%Y-%m-%d}",
            f"{int(held.sum()):,} now, {sells:,.0f} sell before", "Sell them as the new item, or "
            "say kept_apart.", "mended", new,
        ))  # fmt: skip
    return dict(tables) | {"open_orders": _as_before(parts, orders)}, findings


def _held(stock: pd.DataFrame, orders: pd.DataFrame, item: str) -> pd.Series:
    """Units by node of an item, on hand and on order."""
    mine = stock[stock["item_id"].astype("str") == item]
    both = pd.concat([
        mine.groupby(mine["node_id"].astype("str"))["on_hand_units"].sum(),
        orders.groupby("node_id")["open_units"].sum(),
    ])  # fmt: skip
    return both.groupby(level=0).sum().sort_index()


def _as_before(parts: list[pd.DataFrame], like: pd.DataFrame) -> pd.DataFrame:
    """The parts in the columns, types and order of rows of `like`."""
    whole = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    typed = {name: cast_column(whole[name], COLUMNS[name])[0] for name in like.columns}
    table = pd.DataFrame(typed, columns=list(like.columns))
    return table.sort_values(list(TABLES["open_orders"].key), kind="stable", ignore_index=True)
