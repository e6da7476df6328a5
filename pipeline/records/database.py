"""The database of records: its tables, and one way to open it.

SQLite in a file by default, PostgreSQL by its address; both through SQLAlchemy. The address comes
from the caller or from ECHELON_RECORDS, never from a settings file: it may hold a password.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
)  # fmt: skip
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import RecordsError

VARIABLE = "ECHELON_RECORDS"
METADATA = MetaData()

OVERRIDES = Table(
    "override_versions", METADATA,
    Column("id", Integer, primary_key=True),
    Column("override_id", String(40), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("known_from", Date, nullable=False, doc="First business date whose night knows it."),
    Column("is_withdrawn", Integer, nullable=False),
    Column("override_target", String(40), nullable=False),
    Column("override_kind", String(20), nullable=False),
    Column("override_value", Float, nullable=False),
    Column("item_id", String(200)), Column("item_group", String(200)),
    Column("vendor_id", String(200)), Column("node_id", String(200)),
    Column("region_id", String(200)), Column("event_name", String(200)),
    Column("start_date", Date, nullable=False), Column("expiry_date", Date, nullable=False),
    Column("planner", String(200), nullable=False), Column("why", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("override_id", "version"),
)  # fmt: skip
DECISIONS = Table(
    "order_decisions", METADATA,
    Column("id", Integer, primary_key=True),
    Column("place", String(400), nullable=False),
    Column("order_line_id", String(400), nullable=False),
    Column("order_units", Integer, nullable=False, doc="What was decided on; a rerun may differ."),
    Column("is_approved", Integer, nullable=False),
    Column("comment", Text, nullable=False), Column("person", String(200), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip
RELEASES = Table(
    "releases", METADATA,
    Column("release_key", String(64), primary_key=True),
    Column("place", String(400), nullable=False), Column("as_of", Date, nullable=False),
    Column("target", String(400), nullable=False), Column("payload", Text, nullable=False),
    Column("state", String(20), nullable=False), Column("person", String(200), nullable=False),
    Column("confirmed_from", Date, doc="First business date on which the ERP shows the orders."),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip
RELEASED_LINES = Table(
    "released_lines", METADATA,
    Column("place", String(400), primary_key=True),
    Column("order_line_id", String(400), primary_key=True),
    Column("release_key", String(64), nullable=False, index=True),
    Column("as_of", Date, nullable=False),
    Column("node_id", String(200), primary_key=True),
    Column("vendor_id", String(200), nullable=False),
    Column("item_id", String(200), nullable=False),
    Column("order_units", Integer, nullable=False),
    Column("order_cost_usd", Float, nullable=False),
    Column("expected_arrival_date", Date, nullable=False),
)  # fmt: skip
ALERTS = Table(
    "alerts", METADATA,
    Column("place", String(400), primary_key=True),
    Column("alert_key", String(400), primary_key=True),
    Column("way", String(40), primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip
AUDIT = Table(
    "audit", METADATA,
    Column("id", Integer, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("person", String(200), nullable=False), Column("action", String(40), nullable=False),
    Column("subject", String(400), nullable=False), Column("detail", Text, nullable=False),
)  # fmt: skip


class Records:
    """An open database of records; its tables are made where they do not exist."""

    def __init__(self, address: str) -> None:
        self.address = address
        if address.startswith("sqlite:///"):
            Path(address.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        try:
            self.engine: Engine = create_engine(address, pool_pre_ping=True)
            if self.engine.dialect.name == "sqlite":
                event.listen(self.engine, "connect", _careful)
            METADATA.create_all(self.engine)
        except (SQLAlchemyError, ImportError, OSError) as error:
            raise RecordsError(_told(address, error)) from error

    @contextmanager
    def writing(self, person: str, action: str, subject: str, detail: str) -> Iterator[Connection]:
        """A transaction with its audit row, or neither; RecordsError if it fails."""
        try:
            with self.engine.begin() as connection:
                yield connection
                connection.execute(
                    insert(AUDIT).values(
                        recorded_at=now(), person=person, action=action, subject=subject,
                        detail=detail,
                    )
                )  # fmt: skip
        except SQLAlchemyError as error:
            raise RecordsError(_told(self.address, error)) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with; RecordsError where the database does not answer."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise RecordsError(_told(self.address, error)) from error


def records_address(given: str | None = None) -> str | None:
    """The address to use: the one given, else ECHELON_RECORDS, else None: no records are kept."""
    return given or os.environ.get(VARIABLE) or None


def now() -> datetime:
    """This moment, with its zone; records of decisions are the one place where the clock counts."""
    return datetime.now(UTC)


def _careful(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # the driver's own connection
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma synchronous=full")
    cursor.execute("pragma busy_timeout=5000")
    cursor.close()


def _told(address: str, error: Exception) -> str:
    place = address.rsplit("@", 1)[-1]  # never the password
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (
        f"the database of records ({place}) does not answer: {first}. Next: start it or correct "
        f"{VARIABLE}; nothing was written."
    )
