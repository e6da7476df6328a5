"""The main path of ingest: raw frames in, every table of the night out. Pure; no store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.errors import ContractError
from pipeline.ingest.awards import award_standing
from pipeline.ingest.clean import clean
from pipeline.ingest.closed_docks import with_closed_docks
from pipeline.ingest.demand import daily_demand
from pipeline.ingest.feeds import feed_findings
from pipeline.ingest.findings import Finding, quarantine_frame
from pipeline.ingest.lead_times import lead_times
from pipeline.ingest.on_order import on_order
from pipeline.ingest.plausible import plausible_findings
from pipeline.ingest.raw import RawTables
from pipeline.ingest.reach import out_of_reach
from pipeline.ingest.standing_rules import with_standing_rules
from pipeline.ingest.stock_age import stock_age
from pipeline.ingest.structure import structure_findings
from pipeline.ingest.succession import succeeded, with_passed_on
from pipeline.ingest.swollen import swollen_findings
from pipeline.ingest.vendor_days import vendor_calendar, with_waits
from pipeline.ingest.vendor_months import vendor_months


def clean_world(
    raw: RawTables, as_of: date, settings: IngestSettings, needs_snapshot: bool = True
) -> dict[str, pd.DataFrame]:
    """Every table that ingest publishes; raises ContractError with all that is fatal at once.

    needs_snapshot: whether a date without a stock snapshot is refused; training needs none.
    """
    cleaned = clean(raw, as_of, settings)
    if not cleaned.fatal:
        cleaned.findings += structure_findings(cleaned.tables, as_of, settings, needs_snapshot)
    if not cleaned.fatal and needs_snapshot:
        cleaned.findings += night_findings(cleaned.tables, raw, as_of, settings)
    if cleaned.fatal:
        aside = [finding for finding in cleaned.findings if finding.severity == "set_aside"]
        action = "correct the raw files; echelon check --raw DIR lists everything."
        raise ContractError([*cleaned.fatal, *aside[:20]], action)
    made, told = night_tables(cleaned.tables, as_of, settings)
    return {**made, "quarantine": quarantine_frame(
        [*cleaned.findings, *told, *out_of_reach(succeeded(cleaned.tables), as_of)]
    )}  # fmt: skip


def night_tables(
    cleaned: Mapping[str, pd.DataFrame], as_of: date, settings: IngestSettings
) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """Every table that ingest publishes but quarantine, from clean ones, and what was found."""
    tables = succeeded(cleaned)
    daily = daily_demand(tables, as_of, settings)
    today = pd.Timestamp(as_of)
    stock = tables["stock"]
    counted, about_orders = on_order(tables, as_of, settings)
    overrides = with_standing_rules(tables, as_of)
    tonight = {**tables, **counted, "stock": stock[stock["date"] == today]}
    passed, about_heirs = with_passed_on(tonight, as_of)
    return {
        **passed,
        "node_capacity": with_closed_docks(tables, today),
        "overrides": overrides[overrides["expiry_date"] > today],
        "daily_demand": daily.demand,
        "demand_calendar": daily.calendar,
        "item_life": daily.life,
        "lead_times": with_waits(lead_times(tables, as_of, settings), tables, as_of),
        "vendor_calendar": vendor_calendar(tables, as_of),
        "vendor_months": vendor_months(tables, as_of),
        "stock_age": stock_age(tables, as_of),
        "award_standing": award_standing(tables | counted, as_of),
    }, [*daily.findings, *about_orders, *about_heirs]


def night_findings(
    tables: Mapping[str, pd.DataFrame], raw: RawTables, as_of: date, settings: IngestSettings
) -> list[Finding]:
    """What tonight's feeds and figures say beside their own past and each other."""
    feeds = feed_findings(tables, raw.files, as_of, settings)
    return [
        *feeds, *swollen_findings(tables, as_of, settings),
        *plausible_findings(tables, as_of, settings),
    ]  # fmt: skip
