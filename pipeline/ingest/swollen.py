"""Feeds far above their own past: a slipped decimal mark, cases read as units, a file sent twice.

A single item may sell or hold ten times what it did. When nearly all of them do so at once, and no
event or same week of an earlier year explains it, the column is in another unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.findings import Finding, Severity

Tables = Mapping[str, pd.DataFrame]
_WEEKS = 8
_LEAST_WEEKS = 4
_BROAD_SHARE = 0.5
"""Share of the items that must have grown alike before it is called another unit."""
_SNAPSHOTS = {"stock": "on_hand_units", "open_orders": "open_units"}


def swollen_findings(tables: Tables, as_of: date, settings: IngestSettings) -> list[Finding]:
    """Sales of the last day and week, stock and open orders that are many times their past.

    Told above `told_times`; fatal above `stop_times` where at least half of the items grew so.
    """
    today = pd.Timestamp(as_of)
    return [
        *_sales(tables, today, 7, settings), *_sales(tables, today, 1, settings),
        *_snapshots(tables, today, settings),
    ]  # fmt: skip


def _sales(
    tables: Tables, today: pd.Timestamp, span: int, settings: IngestSettings
) -> Iterator[Finding]:
    """The last `span` days against the most of the same days of the weeks before."""
    sales = tables["sales"]
    age = (today - sales["date"]).dt.days
    near = sales[(age >= 0) & (age < 7 * (_WEEKS + 1)) & (age % 7 < span)]
    week = ((today - near["date"]).dt.days // 7).to_numpy()
    units = near.groupby([near["item_id"].astype("str"), week])["units"].sum().unstack(fill_value=0)
    past = units.drop(columns=0, errors="ignore")
    if 0 not in units or int((past.sum() > 0).sum()) < _LEAST_WEEKS:
        return
    usual = float(past.sum().max())
    now = float(units[0].sum())
    year_ago = sales[(age >= 364) & (age < 364 + span)]["units"].sum()
    times = now / max(usual, float(year_ago), 1.0)
    if times < settings.told_times or now - usual < settings.quarantine_threshold_units:
        return
    seen = (past.max(axis=1) > 0) & (units[0] > 0)
    grew = units[0] > settings.stop_times / 2 * past.max(axis=1)
    is_unit = times >= settings.stop_times and grew[seen].mean() >= _BROAD_SHARE
    when = f"on {today:%Y-%m-%d}" if span == 1 else f"in the {span} days to {today:%Y-%m-%d}"
    yield _finding(
        "sales", "units", f"{int(now):,} units were sold {when}, {times:,.1f} times the most of "
        f"the same days of {_WEEKS} weeks before", f"at most {int(usual):,} before",
        is_unit and not _has_event(tables, today, span),
    )  # fmt: skip


def _has_event(tables: Tables, today: pd.Timestamp, span: int) -> bool:
    age = (today - tables["calendar"]["date"]).dt.days
    return bool(((age >= 0) & (age < span)).any())


def _snapshots(tables: Tables, today: pd.Timestamp, settings: IngestSettings) -> Iterator[Finding]:
    """Tonight's stock and old open orders against the last snapshot and what has come since.

    Stock may grow by what was received; an order placed before the last snapshot cannot grow.
    """
    for name, column in _SNAPSHOTS.items():
        frame = tables[name]
        before = frame[frame["date"] < today]
        now = frame[frame["date"] == today]
        if before.empty or now.empty:
            continue
        newest = before["date"].max()
        last = before[before["date"] == newest]
        come = pd.Series(dtype=float)
        if name == "stock":
            receipts = tables["receipts"]
            receipts = receipts[receipts["arrival_date"].between(newest, today)]
            come = receipts.groupby(receipts["item_id"].astype("str"))["units"].sum()
        else:
            now = now[now["order_date"] < newest]
        held = pd.concat([
            now.groupby(now["item_id"].astype("str"))[column].sum(),
            last.groupby(last["item_id"].astype("str"))[column].sum(), come,
        ], axis=1, keys=["now", "last", "come"]).fillna(0).astype(float)  # fmt: skip
        known = held["last"] + held["come"]
        times = float(held["now"].sum()) / max(float(known.sum()), 1.0)
        extra = float(held["now"].sum() - known.sum())
        if times < settings.told_times or extra < settings.quarantine_threshold_units:
            continue
        seen = (known > 0) & (held["now"] > 0)
        grew = float((held["now"] > settings.stop_times / 2 * known)[seen].mean())
        yield _finding(
            name, column, f"holds {int(held['now'].sum()):,} units, {times:,.1f} times what was "
            f"known on {newest:%Y-%m-%d}" + (" and was received since" if name == "stock" else ""),
            f"{int(known.sum()):,} before",
            times >= settings.stop_times and np.nan_to_num(grew) >= _BROAD_SHARE,
        )  # fmt: skip


def _finding(table: str, column: str, rule: str, value: str, is_fatal: bool) -> Finding:
    severity: Severity = "fatal" if is_fatal else "warning"
    return Finding(
        table, 0, column, rule, value,
        "Another unit (cases, grams, a slipped decimal mark), or a file sent twice? Export it "
        "again, or name the event in calendar. Limits: ingest.told_times and stop_times.", severity,
    )  # fmt: skip
