"""Feeds far above their own past: a slipped decimal mark, cases read as units, a file sent twice.

A single item may sell or hold ten times what it did. When nearly all of them do so at once, and no
event or same week of an earlier year explains it, the column is in another unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.feeds import SAME_WEEKDAYS
from pipeline.ingest.findings import Finding, Severity
from pipeline.ingest.repeats import COUNTED

Tables = Mapping[str, pd.DataFrame]
_LEAST_WEEKS = 4
_BROAD_SHARE = 0.5
"""Share of the items that must have grown alike before it is called another unit."""


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
    near = sales[(age >= 0) & (age < 7 * (SAME_WEEKDAYS + 1)) & (age % 7 < span)]
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
        f"the same days of {SAME_WEEKDAYS} weeks before", f"at most {int(usual):,} before",
        is_unit and not _has_event(tables, today, span), ", or name the event in calendar",
    )  # fmt: skip


def _has_event(tables: Tables, today: pd.Timestamp, span: int) -> bool:
    age = (today - tables["calendar"]["date"]).dt.days
    return bool(((age >= 0) & (age < span)).any())


def _snapshots(tables: Tables, today: pd.Timestamp, settings: IngestSettings) -> Iterator[Finding]:
    """Tonight's stock and old open orders against the last snapshot and what has come since.

    Stock may grow by what was received; an order placed before the last snapshot cannot grow.
    """
    for name in ("stock", "open_orders"):
        frame, column = tables[name], COUNTED[name]
        before = frame[frame["date"] < today]
        now = frame[frame["date"] == today]
        if before.empty or now.empty:
            continue
        newest = before["date"].max()
        parts = {"last": _by_item(before[before["date"] == newest], column)}
        if name == "stock":
            received = tables["receipts"]
            received = received[received["arrival_date"].between(newest, today)]
            parts["come"] = _by_item(received, "units")
        else:
            now = now[now["order_date"] < newest]
        held = pd.DataFrame({"now": _by_item(now, column), **parts}).fillna(0).astype(float)
        known = held.drop(columns="now").sum(axis=1)
        units, was = float(held["now"].sum()), float(known.sum())
        times = units / max(was, 1.0)
        if times < settings.told_times or units - was < settings.quarantine_threshold_units:
            continue
        grew = held["now"] > settings.stop_times / 2 * known
        seen = (known > 0) & (held["now"] > 0)
        yield _finding(
            name, column, f"holds {int(units):,} units, {times:,.1f} times what was known on "
            f"{newest:%Y-%m-%d}" + (" and was received since" if name == "stock" else ""),
            f"{int(was):,} before",
            times >= settings.stop_times and grew[seen].mean() >= _BROAD_SHARE,
        )  # fmt: skip


def _by_item(frame: pd.DataFrame, column: str) -> pd.Series:
    return frame.groupby(frame["item_id"].astype("str"))[column].sum()


def _finding(
    table: str, column: str, rule: str, value: str, is_fatal: bool, unless: str = ""
) -> Finding:
    severity: Severity = "fatal" if is_fatal else "warning"
    return Finding(
        table, 0, column, rule, value, "Another unit (cases, grams, a slipped decimal mark), or a "
        f"file sent twice? Export it again{unless}. Limits: ingest.told_times and stop_times.",
        severity,
    )  # fmt: skip
