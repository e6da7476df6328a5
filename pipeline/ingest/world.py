"""The main path of ingest: raw frames in, every table of the night out. Pure; no store."""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.errors import ContractError
from pipeline.ingest.clean import clean
from pipeline.ingest.demand import daily_demand
from pipeline.ingest.findings import quarantine_frame
from pipeline.ingest.lead_times import lead_times
from pipeline.ingest.raw import RawTables
from pipeline.ingest.structure import structure_findings

_SNAPSHOTS = ("stock", "open_orders", "open_transfers")


def clean_world(
    raw: RawTables, as_of: date, settings: IngestSettings, needs_snapshot: bool = True
) -> dict[str, pd.DataFrame]:
    """Every table that ingest publishes; raises ContractError with all that is fatal at once.

    needs_snapshot: whether a date without a stock snapshot is refused; training needs none.
    """
    cleaned = clean(raw, as_of, settings)
    if not cleaned.fatal:
        cleaned.findings += structure_findings(cleaned.tables, as_of, settings, needs_snapshot)
    if cleaned.fatal:
        aside = [finding for finding in cleaned.findings if finding.severity == "set_aside"]
        action = "correct the raw files; echelon check --raw DIR lists everything."
        raise ContractError([*cleaned.fatal, *aside[:20]], action)
    tables = cleaned.tables
    daily = daily_demand(tables, as_of, settings)
    today = pd.Timestamp(as_of)
    snapshots = {name: tables[name][tables[name]["date"] == today] for name in _SNAPSHOTS}
    overrides = tables["overrides"]
    return {
        **tables,
        **snapshots,
        "overrides": overrides[overrides["expiry_date"] > today],
        "daily_demand": daily.demand,
        "demand_calendar": daily.calendar,
        "lead_times": lead_times(tables, as_of, settings),
        "quarantine": quarantine_frame([*cleaned.findings, *daily.findings]),
    }
