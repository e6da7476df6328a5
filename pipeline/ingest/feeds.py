"""Each feed against its own past: what is not there is not zero.

A snapshot says all that there is on a day. Where it has no row of tonight, or far less than the
last one explains (what was sold, received or expected since), its export is late or cut, and what
it leaves out would be bought again. Sales and master data are compared with what is usual for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.findings import Finding, Severity
from pipeline.ingest.raw_file import RawFile
from pipeline.ingest.repeats import COUNTED
from pipeline.ingest.thresholds import SNAPSHOTS

Tables = Mapping[str, pd.DataFrame]
Files = Mapping[str, RawFile]
_WORDS = {"open_orders": "open orders", "open_transfers": "open transfers", "stock": "stock"}
LEAST_CHANCE = 1e-3
"""An absence less likely than this, by the feed's own past, is told."""
_LARGE_SHARE = 0.2
SAME_WEEKDAYS = 8
_FEW_ITEMS = 3
"""Others with receipts from which it is judged how many an item should have had."""


def feed_findings(
    tables: Tables, files: Files, as_of: date, settings: IngestSettings
) -> list[Finding]:
    """What of tonight's feeds is absent or far below its past; fatal where the settings say so.

    files: those that were found, by table; a part without a row declares that there is none.
    """
    today = pd.Timestamp(as_of)
    return [
        *_only_a_header(tables, files),
        *_no_rows(tables, files, today, settings),
        *_shrunk(tables, today, settings),
        *_gone_nodes(tables, today),
        *_last_day(tables, today, settings),
        *_gone_regions(tables, today),
        *_cut_off(tables, today),
        *_silent(tables, today),
        *_unpriced(tables, today),
    ]


_OFTEN_EMPTY = {
    "lanes", "open_orders", "open_transfers", "prices", "receipts", "sales", "stock",
}  # fmt: skip
"""Without rows of their own right, or spoken of below."""
_COUNTED_DAYS = 60


def _only_a_header(tables: Tables, files: Files) -> Iterator[Finding]:
    """Files that are there and hold no row: an export that broke off says nothing, not none."""
    for name in sorted(set(files) - _OFTEN_EMPTY):
        if name in tables and not len(files[name].rows) and not files[name].empty_days:
            yield Finding(
                name, 0, "", "has a header and no row", "",
                "The night goes on as if there were none. Export it again, or take the file away "
                "where none is meant.", "warning",
            )  # fmt: skip


def _never_any(tables: Tables, name: str, today: pd.Timestamp) -> Iterator[Finding]:
    """An on-order table without a row on any day, of a company that has received or can move."""
    if name == "open_transfers":
        if len(tables["lanes"]):
            yield Finding(
                name, 0, "", "no transfer is known on any day", "", "Nothing is taken to be on its "
                "way between nodes. Export what is, or name it in ingest.may_be_empty.", "warning",
            )  # fmt: skip
        return
    arrived = tables["receipts"]["arrival_date"]
    count = int(arrived.between(today - pd.Timedelta(days=_COUNTED_DAYS), today).sum())
    yield Finding(
        name, 0, "", "no open order is known on any day",
        f"{count:,} lines were received in the last {_COUNTED_DAYS} days",
        "Nothing is taken to be on order, and what is will be bought again. Export the open "
        "orders, or name open_orders in ingest.may_be_empty.", "fatal" if count else "warning",
    )  # fmt: skip


def _no_rows(
    tables: Tables, files: Files, today: pd.Timestamp, settings: IngestSettings
) -> Iterator[Finding]:
    for name in ("open_orders", "open_transfers"):
        frame = tables[name]
        newest = frame["date"].max()
        declared = files[name].empty_days if name in files else frozenset()
        if newest == today or today.date() in declared:
            continue
        if pd.isna(newest):
            if name not in settings.may_be_empty:
                yield from _never_any(tables, name, today)
            continue
        is_meant = name in settings.may_be_empty or _is_explained(tables, name, newest, today)
        yield Finding(
            name, 0, "date", f"no {_WORDS[name]} are known at the end of {today:%Y-%m-%d}",
            f"the newest is {newest:%Y-%m-%d}",
            "Export that day's rows: what is left out is bought again. Where there are none, name "
            f"{name} in ingest.may_be_empty, or give a Parquet part of that date without rows.",
            "warning" if is_meant else "fatal",
        )  # fmt: skip


def _is_explained(tables: Tables, name: str, newest: pd.Timestamp, today: pd.Timestamp) -> bool:
    """Whether all that was on order on the newest day has come; or, of transfers, was due by today
    where days without any are nothing new."""
    last = tables[name][tables[name]["date"] == newest]
    if name == "open_transfers":
        stock, moves = tables["stock"]["date"], tables[name]["date"]
        days = set(stock[(stock >= moves.min()) & (stock < today)])
        return bool(days - set(moves)) and bool((last["expected_arrival_date"] <= today).all())
    came = _received(tables, newest, today)
    return bool((last["open_units"] <= last["order_id"].map(came).fillna(0)).all())


def _received(tables: Tables, after: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
    receipts = tables["receipts"]
    receipts = receipts[(receipts["arrival_date"] > after) & (receipts["arrival_date"] <= until)]
    return receipts.groupby("order_id", observed=True)["units"].sum()


def _shrunk(tables: Tables, today: pd.Timestamp, settings: IngestSettings) -> Iterator[Finding]:
    """Snapshots that lost more since the last one than what was sold, received or due."""
    for name in SNAPSHOTS:
        frame, units = tables[name], COUNTED[name]
        days = frame["date"][frame["date"] < today]
        now = frame[frame["date"] == today]
        if now.empty or days.empty:
            continue
        newest = days.max()
        last = frame[frame["date"] == newest]
        before, left = int(last[units].sum()), int(now[units].sum())
        share = (left + _outflow(tables, name, last, newest, today)) / max(before, 1)
        if before < settings.quarantine_threshold_units or share >= settings.feed_warn_share:
            continue
        severity: Severity = "fatal" if share < settings.feed_stop_share else "warning"
        yield Finding(
            name, 0, units, f"holds {left:,} units where {before:,} were known on "
            f"{newest:%Y-%m-%d}, and what came, left or was due explains little of it",
            f"{len(now):,} rows after {len(last):,}",
            "Export the whole day; what is cut off is bought again. Limits: ingest.feed_stop_share "
            "and feed_warn_share.", severity,
        )  # fmt: skip


def _outflow(
    tables: Tables, name: str, last: pd.DataFrame, newest: pd.Timestamp, today: pd.Timestamp
) -> int:
    """Units that a snapshot may have lost between two days."""
    if name == "open_orders":
        return int(_received(tables, newest, today).sum())
    if name == "open_transfers":
        return int(last.loc[last["expected_arrival_date"] <= today, "open_units"].sum())
    sales, moves = tables["sales"], tables["open_transfers"]
    sold = sales.loc[(sales["date"] > newest) & (sales["date"] <= today), "units"].sum()
    return int(sold) + int(moves.loc[moves["date"] == today, "open_units"].sum())


def _gone_nodes(tables: Tables, today: pd.Timestamp) -> Iterator[Finding]:
    """Nodes that had stock in every snapshot before tonight's and have no row in it."""
    stock = tables["stock"]
    before = stock[stock["date"] < today]
    if before.empty or not (stock["date"] == today).any():
        return
    days = before.groupby("node_id", observed=True)["date"].nunique()
    always = set(days[days == before["date"].nunique()].index.astype("str"))
    gone = always - set(stock.loc[stock["date"] == today, "node_id"].astype("str"))
    last = before[before["date"] == before["date"].max()]
    held = last.groupby(last["node_id"].astype("str"))["on_hand_units"].sum()
    for node in sorted(gone):
        share = held.get(node, 0) / max(int(held.sum()), 1)
        yield Finding(
            "stock", 0, "node_id", f"node {node} has no stock tonight and had some every day",
            f"{int(held.get(node, 0)):,} units the day before",
            "Export its stock; a row with 0 units says that it is empty.",
            "fatal" if share >= 0.05 else "warning",
        )  # fmt: skip


def _last_day(tables: Tables, today: pd.Timestamp, settings: IngestSettings) -> Iterator[Finding]:
    """Sales of tonight far below every same weekday of the last eight weeks."""
    sales = tables["sales"]
    past = [today - pd.Timedelta(weeks=week) for week in range(1, SAME_WEEKDAYS + 1)]
    units = sales[sales["date"].isin([today, *past])].groupby("date")["units"].sum()
    usual = units[units.index != today]
    now = int(units.get(today, 0))
    if len(usual) < 4 or now == 0:  # a day without any sale is a closing or a missing day
        return
    least = float(usual.min())
    if now >= settings.feed_stop_share * least or now >= least - 4 * np.sqrt(least):
        return
    # Uneven weeks of a small company fall so low by themselves: told, but no night is stopped.
    is_uneven = now >= least - 2 * float(usual.std(ddof=1))
    yield Finding(
        "sales", 0, "units", f"{now:,} units were sold on {today:%Y-%m-%d}, far below the same "
        f"weekday of {len(usual)} weeks", f"at least {int(least):,} before",
        "Export that day again if it was cut; lower ingest.feed_stop_share if it is right.",
        "warning" if is_uneven else "fatal",
    )  # fmt: skip


def _gone_regions(tables: Tables, today: pd.Timestamp) -> Iterator[Finding]:
    """Regions without a sale tonight, though the others sold and it nearly always did."""
    sales = tables["sales"]
    last = sales[sales["date"] == today]
    if last.empty:
        return
    days = [today - pd.Timedelta(weeks=week) for week in range(1, SAME_WEEKDAYS + 1)]
    past = sales[sales["date"].isin(days)]
    seen = past.groupby(past["region_id"].astype("str"))["date"].nunique()
    count = past["date"].nunique()
    for region in sorted(set(seen.index) - set(last["region_id"].astype("str"))):
        if count >= 4 and seen[region] == count:
            yield Finding(
                "sales", 0, "region_id", f"region {region} sold nothing on {today:%Y-%m-%d} and "
                f"sold on each of {count} same weekdays before", "",
                "Export its sales of that day, or declare it closed: none is read as no demand.",
                "warning",
            )  # fmt: skip


def _cut_off(tables: Tables, today: pd.Timestamp) -> Iterator[Finding]:
    """Tables in which the last items, in order of their ids, have no row though others have."""
    items = tables["items"]
    old = items["launch_date"] <= today - pd.Timedelta(days=28)
    old &= ~(items["end_date"] < today)
    names = np.array(sorted(items.loc[old, "item_id"].astype("str")))
    for table in ("sales", "prices", "vendor_items", "receipts"):
        has = pd.Index(names).isin(tables[table]["item_id"].astype("str").unique())
        if not len(names):
            continue
        if not has.any() and table == "receipts":
            yield Finding(
                table, 0, "", "no receipt is known", "", "Lead times follow the quotes of "
                "vendors alone. Export receipts where there are any.", "warning",
            )  # fmt: skip
            continue
        if not has.any():
            yield Finding(
                table, 0, "", "has no row of any item", "",
                "Items without prices sell at their list price; is the file cut off?", "warning",
            )  # fmt: skip
            continue
        run = int(np.argmax(has[::-1]))
        rest = has[: len(names) - run]
        odds = run * np.log((int((~rest).sum()) + 1) / (len(rest) + 2))
        if table == "receipts":
            odds = min(odds, -_receipts_missed(tables, names[len(names) - run :]))
        if run >= 2 and odds < np.log(LEAST_CHANCE):
            yield Finding(
                table, 0, "item_id", f"has no row of the last {run} of {len(names)} items, by id",
                f"after {names[len(names) - run - 1]}",
                "The file may be cut off: export it again. Items without rows are taken for items "
                "without sales, prices or vendors.",
                "fatal" if run >= max(3, _LARGE_SHARE * len(names)) and table != "receipts"
                else "warning",
            )  # fmt: skip


def _receipts_missed(tables: Tables, names: np.ndarray) -> float:
    """Receipts that `names` should have had, by what others received for each unit they sold.

    The lower quartile of the others, so that items ordered in large lots do not raise alarms; what
    a small company's few items cannot show by their number, what they sold meanwhile does.
    """
    receipts, sales = tables["receipts"], tables["sales"]
    first = receipts["arrival_date"].min()
    sold = sales[sales["date"] >= first].groupby(sales["item_id"].astype("str"))["units"].sum()
    count = receipts.groupby(receipts["item_id"].astype("str")).size()
    size = receipts.groupby(receipts["item_id"].astype("str"))["units"].mean()
    others = count.index.intersection(sold.index[sold > 0])
    if len(others) < _FEW_ITEMS:
        return 0.0
    # A lot is taken as large beside the item's own pace, whatever that is.
    lots = float(np.quantile((size / sold)[others].to_numpy(dtype=float), 0.75))
    turned = float(np.quantile((count * size / sold)[others].to_numpy(dtype=float), 0.25))
    mine = sold.reindex(names).fillna(0)
    return float((mine > 0).sum() * turned / max(lots, 1e-9))


_SILENCES = {
    ("receipts", "arrival_date"): (
        "nothing was received", "The export may be cut; open orders of those days count as late."),
    ("prices", "start_date"): (
        "no price began", "The export may be cut; the prices before are taken to hold on."),
}  # fmt: skip


def _silent(tables: Tables, today: pd.Timestamp) -> Iterator[Finding]:
    """A silence of receipts or of new prices that is improbable beside the days before it."""
    for (table, column), (what, action) in _SILENCES.items():
        days = np.sort(tables[table][column].dropna().unique())
        days = days[days <= np.datetime64(today)]
        if len(days) < 10:
            continue
        newest = pd.Timestamp(days[-1])
        silent = (today - newest).days
        rate = len(days) / ((newest - pd.Timestamp(days[0])).days + 1)
        if silent * np.log(max(1 - rate, 1e-9)) < np.log(LEAST_CHANCE) and silent > 3:
            yield Finding(
                table, 0, column, f"{what} in the {silent} days before {today:%Y-%m-%d}",
                f"the newest is of {newest:%Y-%m-%d}", action, "warning",
            )  # fmt: skip


def _unpriced(tables: Tables, today: pd.Timestamp) -> Iterator[Finding]:
    """Items sold lately in a region without a price there, where most others have one."""
    sales = tables["sales"]
    sales = sales[(sales["date"] > today - pd.Timedelta(days=28)) & (sales["units"] > 0)]
    keys = ["item_id", "region_id"]
    sold = sales[keys].astype("str").drop_duplicates()
    priced = tables["prices"][keys].astype("str").drop_duplicates().assign(is_priced=True)
    known = set(tables["items"]["item_id"].astype("str"))
    sold = sold[sold["item_id"].isin(known)].merge(priced, on=keys, how="left").sort_values(keys)
    without = sold[sold["is_priced"].isna()]
    if 0 < len(without) <= len(sold) / 2:
        first = without.iloc[0]
        yield Finding(
            "prices", 0, "", f"has no price for {len(without)} of {len(sold)} items × regions that "
            "sold in the last 28 days", f"the first is {first['item_id']} in {first['region_id']}",
            "They are taken to sell at their list price. Is the file cut off?", "warning",
        )  # fmt: skip
