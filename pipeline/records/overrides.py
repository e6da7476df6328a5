"""Overrides as governed records: versions are added, never erased; a night gets a snapshot."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from pipeline.contracts.columns import OVERRIDE_KINDS, OVERRIDE_TARGETS
from pipeline.errors import RecordsError, UsageError
from pipeline.records.database import OVERRIDES, Records, now

MOST_VALUE = 1e9
TEXT_LENGTH = 500
SCOPES = ("item_id", "item_group", "vendor_id", "node_id", "region_id", "event_name")
ROW_COLUMNS = (
    "override_id", "item_id", "item_group", "node_id", "region_id", "event_name",
    "override_target", "override_kind", "override_value", "start_date", "expiry_date", "planner",
    "why",
)  # fmt: skip
"""Of the raw table `overrides`."""


@dataclass(frozen=True)
class Override:
    """One version of an override; scopes that are None mean all.

    known_from: the first business date whose night knows it. planner: who is answerable for it.
    """

    override_target: str
    override_kind: str
    override_value: float
    start_date: date
    expiry_date: date
    planner: str
    why: str
    known_from: date
    item_id: str | None = None
    item_group: str | None = None
    vendor_id: str | None = None
    node_id: str | None = None
    region_id: str | None = None
    event_name: str | None = None
    override_id: str = ""
    version: int = 0
    is_withdrawn: bool = False

    def problems(self) -> list[str]:
        """Everything wrong with it, each with its field; empty where it may be saved."""
        found = []
        if self.override_target not in OVERRIDE_TARGETS:
            found.append(f"override_target: one of {', '.join(OVERRIDE_TARGETS)}")
        if self.override_kind not in OVERRIDE_KINDS:
            found.append(f"override_kind: one of {', '.join(OVERRIDE_KINDS)}")
        if not math.isfinite(self.override_value) or not 0 <= self.override_value <= MOST_VALUE:
            found.append(f"override_value: a number from 0 to {MOST_VALUE:,.0f}")
        if self.expiry_date < self.start_date:
            found.append(
                f"expiry_date: {self.expiry_date} lies before start_date {self.start_date}"
            )
        for name in ("planner", "why"):
            text = getattr(self, name).strip()
            if not text:
                found.append(f"{name}: must be filled")
            elif len(text) > TEXT_LENGTH:
                found.append(f"{name}: at most {TEXT_LENGTH} characters")
        if not any(getattr(self, name) for name in SCOPES):
            found.append(
                "scope: name an item, a group of items, a vendor, a node, a region, an event"
            )
        if self.node_id and self.override_target != "base_stock_units":
            found.append("node_id: only base_stock_units has a node")
        for name in ("region_id", "event_name"):
            if getattr(self, name) and self.override_target != "demand":
                found.append(f"{name}: only demand has one")
        return found


def save_override(records: Records, override: Override, person: str) -> Override:
    """Add the first or the next version; returns it as kept.

    `override.version` is the version that the person saw (0: a new override). UsageError lists all
    that is wrong with it; it also tells when somebody else has changed it since.
    """
    problems = override.problems()
    if problems:
        raise UsageError("the override was not saved:\n- " + "\n- ".join(problems)
                         + "\nNext: correct these fields.")  # fmt: skip
    kept = replace(
        override, override_id=override.override_id or f"D-{uuid.uuid4().hex[:12]}",
        version=override.version + 1,
    )  # fmt: skip
    action = "withdraw" if kept.is_withdrawn else "override"
    detail = f"version {kept.version}: {describe(kept)}"
    try:
        with records.writing(person, action, kept.override_id, detail) as connection:
            newest = _newest(connection, kept.override_id)
            if newest is not None and newest["version"] >= kept.version:
                raise _stale(newest)
            values = asdict(kept) | {"is_withdrawn": int(kept.is_withdrawn), "recorded_at": now()}
            connection.execute(insert(OVERRIDES).values(**values))
    except RecordsError as error:
        if isinstance(error.__cause__, IntegrityError):  # both read before either wrote
            with records.reading() as connection:
                raise _stale(_newest(connection, kept.override_id) or {}) from error
        raise
    return kept


def current_overrides(records: Records, as_of: date) -> list[Override]:
    """The newest version, known on the business date, of each override that is not withdrawn."""
    newest = _versions_known(records, as_of)
    return [override for override in newest if not override.is_withdrawn]


def override_history(records: Records, override_id: str) -> list[Override]:
    """Every version of an override, the first first; empty where there is none."""
    query = select(OVERRIDES).where(OVERRIDES.c.override_id == override_id)
    with records.reading() as connection:
        rows = connection.execute(query.order_by(OVERRIDES.c.version)).mappings().all()
    return [_from_row(dict(row)) for row in rows]


def override_rows(
    records: Records, as_of: date, items: pd.DataFrame, vendor_items: pd.DataFrame
) -> pd.DataFrame:
    """Rows of the raw table `overrides` for a night, one for each item that a scope covers.

    A group (category or department) or vendor is spread over its items of that night; a node,
    region or event alone stays one row. Sorted by override_id: the same records, the same bytes.
    """
    return rows_of(current_overrides(records, as_of), as_of, items, vendor_items)


def rows_of(
    overrides: Sequence[Override], as_of: date, items: pd.DataFrame, vendor_items: pd.DataFrame
) -> pd.DataFrame:
    """The same for given overrides; those that have ended by the planned day have no row."""
    rows: list[dict[str, Any]] = []
    for override in overrides:
        if override.expiry_date <= as_of:
            continue
        base = {name: getattr(override, name) for name in ROW_COLUMNS[3:]} | {"item_group": None}
        scope = _scope(override, items, vendor_items)
        if scope is None:
            rows.append(base | {"override_id": override.override_id or "new", "item_id": None})
        else:
            rows += [
                base | {"override_id": f"{override.override_id or 'new'}/{item}", "item_id": item}
                for item in scope
            ]
    frame = pd.DataFrame(rows, columns=list(ROW_COLUMNS))
    frame = frame.sort_values("override_id", kind="stable", ignore_index=True)
    for name in ("start_date", "expiry_date"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


def describe(override: Override) -> str:
    """The override in words: 'order_units at_least 40 for item X, 2025-07-01 to 2025-07-14'."""
    scope = [f"{name.removesuffix('_id')} {getattr(override, name)}" for name in SCOPES
             if getattr(override, name)]  # fmt: skip
    value = "" if override.override_kind == "block" else f" {override.override_value:g}"
    return (
        f"{override.override_target} {override.override_kind}{value} for {', '.join(scope)}, "
        f"{override.start_date} to {override.expiry_date}"
    )


def parse_pasted(text: str, planner: str, known_from: date) -> tuple[list[Override], list[str]]:
    """Overrides pasted from a spreadsheet (a header line, then tabs, commas or semicolons).

    Returns the overrides and everything that is wrong, each with its line.
    """
    lines = [line for line in text.replace("\r", "").split("\n") if line.strip()]
    if not lines:
        return [], ["nothing was pasted"]
    separator = next((mark for mark in ("\t", ";", ",") if mark in lines[0]), ",")
    header = [name.strip().lower() for name in lines[0].split(separator)]
    needed = {"override_target", "override_kind", "start_date", "expiry_date", "why"}
    missing = sorted(needed - set(header))
    if missing:
        return [], [f"line 1: the header lacks {', '.join(missing)}"]
    found, problems = [], []
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line.split(separator)]
        if len(cells) != len(header):
            problems.append(f"line {number}: {len(cells)} cells where the header has {len(header)}")
            continue
        own = {"planner": planner} | {k: v for k, v in zip(header, cells, strict=True) if v}
        try:
            override = from_fields(own, known_from)
        except UsageError as error:
            problems.append(f"line {number}: {error}")
            continue
        problems += [f"line {number}: {text}" for text in override.problems()]
        found.append(override)
    return found, problems


def from_fields(fields: Mapping[str, str], known_from: date) -> Override:
    """An override from text fields (a form, a pasted row); UsageError names what does not parse."""
    problems = []
    dates: dict[str, date] = {}
    for name in ("start_date", "expiry_date"):
        try:
            dates[name] = date.fromisoformat(fields.get(name, ""))
        except ValueError:
            problems.append(f"{name}: {fields.get(name, '')!r} is not a date like 2025-07-01")
    kind = fields.get("override_kind", "")
    text = fields.get("override_value", "") or ("0" if kind == "block" else "")
    try:
        value = float(text)
    except ValueError:
        problems.append(f"override_value: {text!r} is not a number")
        value = 0.0
    version = fields.get("version", "") or "0"
    if not (version.isascii() and version.isdigit()):
        problems.append(f"version: {version!r} is not a whole number")
    if problems:
        raise UsageError("; ".join(problems))
    item, group, vendor, node, region, event = (fields.get(name) or None for name in SCOPES)
    return Override(
        override_target=fields.get("override_target", ""), override_kind=kind, override_value=value,
        start_date=dates["start_date"], expiry_date=dates["expiry_date"],
        planner=fields.get("planner", ""), why=fields.get("why", ""), known_from=known_from,
        item_id=item, item_group=group, vendor_id=vendor, node_id=node, region_id=region,
        event_name=event,
        override_id=fields.get("override_id", ""), version=int(version),
    )  # fmt: skip


def _versions_known(records: Records, as_of: date) -> list[Override]:
    query = select(OVERRIDES).where(OVERRIDES.c.known_from <= as_of)
    query = query.order_by(OVERRIDES.c.override_id, OVERRIDES.c.version)
    with records.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return list({row["override_id"]: _from_row(dict(row)) for row in rows}.values())


def _newest(connection: Connection, override_id: str) -> Mapping[str, Any] | None:
    query = select(OVERRIDES).where(OVERRIDES.c.override_id == override_id)
    found = connection.execute(query.order_by(OVERRIDES.c.version.desc()).limit(1)).mappings()
    return found.first()  # type: ignore[return-value]  # a mapping of column names


def _stale(newest: Mapping[str, Any]) -> UsageError:
    return UsageError(
        f"{newest.get('planner', 'somebody')} has changed this override since you opened it "
        f"(version {newest.get('version', '?')}: {newest.get('why', '')!r}). Nothing was saved. "
        "Next: look at theirs, then change it again."
    )


def _from_row(row: Mapping[str, Any]) -> Override:
    values = {name: row[name] for name in Override.__dataclass_fields__}
    return Override(**(values | {"is_withdrawn": bool(row["is_withdrawn"])}))


def _scope(
    override: Override, items: pd.DataFrame, vendor_items: pd.DataFrame
) -> Sequence[str] | None:
    """The items that a scope covers, in order; None where it names nothing but a node."""
    if override.item_id:
        return [override.item_id]
    ids = items["item_id"].astype("str")
    chosen = pd.Series(True, index=items.index)
    if not (override.item_group or override.vendor_id):
        return None
    if override.item_group:
        groups = items[["category", "department"]].astype("str")
        chosen &= (groups == override.item_group).any(axis=1)
    if override.vendor_id:
        own = vendor_items["vendor_id"].astype("str") == override.vendor_id
        chosen &= ids.isin(vendor_items.loc[own, "item_id"].astype("str"))
    return sorted(ids[chosen])
