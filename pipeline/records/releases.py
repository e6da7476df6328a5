"""Release: approved lines leave for the ERP exactly once, whatever is killed in between.

Three steps, each safe to repeat: *prepare* (one transaction claims the lines and keeps the payload
under a key made of it), *deliver* (the target is given the key and must take a key once),
*confirm*. A line can be claimed by one release only: that is the database's primary key, not a
check before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import insert, select, update

from pipeline.records.database import RELEASED_LINES, RELEASES, Records, now

Deliver = Callable[[str, dict[str, Any]], None]
"""Takes the key and the payload; gives up with an error; a key that it has taken is no error."""


@dataclass(frozen=True)
class Release:
    """A release as recorded: its key, night, state (prepared, delivered, confirmed) and size."""

    release_key: str
    as_of: date
    target: str
    state: str
    person: str
    lines: int
    units: int
    value_usd: float


LINE_COLUMNS = (
    "order_line_id", "vendor_id", "item_id", "node_id", "order_units", "order_cost_usd",
    "expected_arrival_date",
)  # fmt: skip


def prepare(
    records: Records, place: str, as_of: date, lines: pd.DataFrame, target: str, person: str
) -> str | None:
    """Claim the lines (LINE_COLUMNS) not yet released and keep their payload; its key.

    None where every line is released already. Running it again after a kill gives the same key, or
    none if the first attempt got through.
    """
    detail = f"{len(lines)} lines of {as_of} to {target}"
    with records.writing(person, "prepare release", place, detail) as connection:
        taken = set(
            connection.scalars(
                select(RELEASED_LINES.c.order_line_id).where(RELEASED_LINES.c.place == place)
            )
        )
        left = lines[~lines["order_line_id"].isin(taken)].sort_values(["order_line_id", "node_id"])
        if left.empty:
            return None
        payload = order_document(place, as_of, left)
        text = json.dumps(payload, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        connection.execute(
            insert(RELEASES).values(
                release_key=key, place=place, as_of=as_of, target=target, payload=text,
                state="prepared", person=person, recorded_at=now(),
            )
        )  # fmt: skip
        connection.execute(
            insert(RELEASED_LINES),
            [
                {
                    "place": place, "release_key": key, "as_of": as_of,
                    **{name: _plain(row[name]) for name in LINE_COLUMNS},
                }
                for row in left.to_dict("records")
            ],
        )  # fmt: skip
    return key


def deliver_prepared(records: Records, place: str, deliver: Deliver, person: str) -> list[str]:
    """Deliver every release that is prepared; the keys delivered. A failure leaves it prepared."""
    query = (
        select(RELEASES.c.release_key, RELEASES.c.payload)
        .where(RELEASES.c.place == place, RELEASES.c.state == "prepared")
        .order_by(RELEASES.c.recorded_at, RELEASES.c.release_key)
    )
    with records.reading() as connection:
        waiting = connection.execute(query).all()
    done = []
    for key, payload in waiting:
        deliver(key, json.loads(payload))
        with records.writing(person, "deliver release", key, place) as connection:
            connection.execute(
                update(RELEASES).where(RELEASES.c.release_key == key).values(state="delivered")
            )
        done.append(key)
    return done


def confirm(records: Records, key: str, as_of: date, person: str) -> None:
    """The ERP shows a delivered release as its own open orders, from business date `as_of` on."""
    with records.writing(person, "confirm release", key, "") as connection:
        connection.execute(
            update(RELEASES)
            .where(RELEASES.c.release_key == key, RELEASES.c.state == "delivered")
            .values(state="confirmed", confirmed_from=as_of)
        )


def releases(records: Records, place: str, as_of: date | None = None) -> list[Release]:
    """The releases of a place (and night), the newest first."""
    query = select(RELEASES).where(RELEASES.c.place == place)
    if as_of is not None:
        query = query.where(RELEASES.c.as_of == as_of)
    with records.reading() as connection:
        rows = connection.execute(query.order_by(RELEASES.c.recorded_at.desc())).mappings().all()
    found = []
    for row in rows:
        totals = json.loads(row["payload"])["totals"]
        found.append(
            Release(row["release_key"], row["as_of"], row["target"], row["state"], row["person"],
                    totals["lines"], totals["units"], totals["value_usd"])
        )  # fmt: skip
    return found


def released_lines(records: Records, place: str, until: date) -> pd.DataFrame:
    """Lines released on nights up to `until`, with their release's state; sorted by line.

    confirmed_from: the first business date on which the ERP shows them, or None.
    """
    query = (
        select(RELEASED_LINES, RELEASES.c.state, RELEASES.c.confirmed_from)
        .join(RELEASES, RELEASES.c.release_key == RELEASED_LINES.c.release_key)
        .where(RELEASED_LINES.c.place == place, RELEASED_LINES.c.as_of <= until)
        .order_by(RELEASED_LINES.c.order_line_id, RELEASED_LINES.c.node_id)
    )
    with records.reading() as connection:
        rows: Sequence[Any] = connection.execute(query).mappings().all()
    columns = [*LINE_COLUMNS, "release_key", "as_of", "state", "confirmed_from"]
    return pd.DataFrame([{name: row[name] for name in columns} for row in rows], columns=columns)


def order_document(place: str, as_of: date, lines: pd.DataFrame) -> dict[str, Any]:
    """The lines as purchase orders by vendor, with the segments of an EDI 850 in JSON words.

    BEG: purpose and order number; PO1: line, quantity, unit, price, item; CTT: lines in all.
    """
    orders = []
    for vendor, own in lines.groupby("vendor_id", sort=True):
        orders.append({
            "BEG": {"purpose": "00", "type": "NE", "purchase_order": f"{as_of}/{vendor}",
                    "date": as_of.isoformat()},
            "N1": {"entity": "SE", "vendor_id": str(vendor)},
            "PO1": [
                {
                    "line": row["order_line_id"], "quantity": int(row["order_units"]), "unit": "EA",
                    "price_usd": round(float(row["order_cost_usd"]) / int(row["order_units"]), 6),
                    "item_id": str(row["item_id"]), "ship_to": str(row["node_id"]),
                    "deliver_by": str(_plain(row["expected_arrival_date"])),
                }
                for row in own.to_dict("records")
            ],
            "CTT": {"lines": len(own)},
        })  # fmt: skip
    return {
        "place": place, "as_of": as_of.isoformat(), "orders": orders,
        "totals": {"lines": len(lines), "units": int(lines["order_units"].sum()),
                   "value_usd": round(float(lines["order_cost_usd"].sum()), 2)},
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.date()
    return value.item() if hasattr(value, "item") else value
