"""Checks a user's raw folder: everything that is wrong, at once, before any night is run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.contracts.settings import IngestSettings
from pipeline.contracts.tables import TABLES
from pipeline.ingest.clean import Cleaned, clean
from pipeline.ingest.demand import daily_demand
from pipeline.ingest.findings import Finding
from pipeline.ingest.on_order import on_order
from pipeline.ingest.raw import RawTables, read_folder
from pipeline.ingest.reach import out_of_reach
from pipeline.ingest.structure import dates_of, future_dates, structure_findings
from pipeline.ingest.succession import succeeded
from pipeline.ingest.world import night_findings

_SHOWN_EACH = 5
_HEADINGS = {
    "fatal": "Stops a night", "set_aside": "Rows that a night sets aside",
    "mended": "Mended on the way", "warning": "Good to know",
}  # fmt: skip


@dataclass(frozen=True)
class RawReport:
    """What a raw folder holds and every finding about it."""

    folder: Path
    rows: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def is_fatal(self) -> bool:
        """Whether a night on this folder would stop."""
        return any(finding.severity == "fatal" for finding in self.findings)

    def lines(self) -> list[str]:
        """The report as text: fatal findings first, at most five of each kind and rule."""
        lines = [f"{self.folder}: {sum(self.rows.values()):,} rows in {len(self.rows)} tables"]
        for severity, heading in _HEADINGS.items():
            found = [finding for finding in self.findings if finding.severity == severity]
            if not found:
                continue
            lines += ["", f"{heading} ({sum(finding.rows for finding in found):,}):"]
            groups: dict[tuple[str, str, str], list[Finding]] = {}
            for finding in found:
                groups.setdefault((finding.table, finding.column, finding.rule), []).append(finding)
            for group in groups.values():
                lines += [f"  - {finding}" for finding in group[:_SHOWN_EACH]]
                more = sum(finding.rows for finding in group[_SHOWN_EACH:])
                if more:
                    lines.append(f"    … and {more:,} more rows like these")
        ready = "A night would stop here." if self.is_fatal else "Ready for a night."
        return [*lines, "", ready]


def check_raw(
    folder: Path, as_of: date | None = None, settings: IngestSettings | None = None
) -> RawReport:
    """Every finding about a raw folder, over all its rows; raises nothing for bad data.

    History dated after `as_of` (today, where it is not given) is told of. The rules of a single
    night are checked for `as_of`, or for the newest day that has stock.
    """
    settings = settings or IngestSettings()
    raw = read_folder(folder, settings)
    day = as_of or _newest_stock(raw, settings) or date.today()
    cleaned = clean(raw, day, settings, sees_future=True)
    findings = list(cleaned.findings) + future_dates(raw, as_of or date.today(), settings)
    if not cleaned.fatal:
        findings += _night_findings(cleaned, raw, day, settings)
    return RawReport(folder, {name: len(frame) for name, frame in sorted(raw.frames.items())},
                     tuple(findings))  # fmt: skip


def _newest_stock(raw: RawTables, settings: IngestSettings) -> date | None:
    stock = raw.frames.get("stock", pd.DataFrame())
    if "date" not in stock:
        return None
    newest = dates_of(stock["date"], settings).max()
    return None if pd.isna(newest) else newest.date()


def _night_findings(
    cleaned: Cleaned, raw: RawTables, day: date, settings: IngestSettings
) -> list[Finding]:
    tables = {name: frame[frame[TABLES[name].history_date] <= pd.Timestamp(day)]
              if TABLES[name].history_date else frame
              for name, frame in cleaned.tables.items()}  # fmt: skip
    found = structure_findings(tables, day, settings)
    if any(finding.severity == "fatal" for finding in found):
        return found
    found += night_findings(tables, raw, day, settings)
    if any(finding.severity == "fatal" for finding in found):
        return found
    found += on_order(tables, day, settings)[1]
    daily = daily_demand(succeeded(tables), day, settings)
    return [*found, *daily.findings, *out_of_reach(tables, day)]
