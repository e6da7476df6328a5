"""What the nights of a store give cause to tell, each with a key that names it for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipeline.desk.tables import NightTables
from pipeline.desk.tonight import exceptions
from pipeline.store import Store, not_whole

READY_HOUR = 7
"""Hour of the day (UTC) at which yesterday's night is to be whole."""


@dataclass(frozen=True)
class Alert:
    """One message: `key` is the same as long as it is about the same thing."""

    key: str
    title: str
    text: str
    link: str


def due_alerts(store: Store, now: datetime, desk_url: str, least_usd: float) -> list[Alert]:
    """Everything that there is to tell at this moment (UTC), the most urgent first.

    desk_url: address of the desk, for links, '' for none. least_usd: stock-outs and full nodes
    below are left to the desk.
    """
    days = store.dates("items")
    whole = [day for day in days if not not_whole(store, day)]
    wanted = now.date() - timedelta(days=1 if now.hour >= READY_HOUR else 2)
    newest = whole[-1] if whole else None
    found = []
    if newest is None or newest < wanted:
        since = f"the newest whole night is that of {newest}" if newest else "no night is whole"
        found.append(Alert(
            f"freshness/{wanted}", f"The night of {wanted} is not there",
            f"It should be whole by {READY_HOUR}:00 UTC; {since}.",
            _link(desk_url, newest, "tonight"),
        ))  # fmt: skip
    for day in days:
        missing = not_whole(store, day) if newest is None or day > newest else []
        if missing:
            found.append(Alert(
                f"failure/{day}/{len(missing)}", f"The night of {day} did not finish",
                f"{len(missing)} tables are not of its last finished run, the first: "
                f"{', '.join(missing[:5])}. Next: run it again.", _link(desk_url, day, "findings"),
            ))  # fmt: skip
    if newest is not None:
        found += _of_night(NightTables(store, newest), desk_url, least_usd)
    return found


def _of_night(night: NightTables, desk_url: str, least_usd: float) -> list[Alert]:
    """Stock-outs (told once a week) and full nodes (once for their first scarce week)."""
    found = []
    for row in exceptions(night):
        if row["at_stake_usd"] < least_usd:
            continue
        key, link = row["exception_key"], _link(desk_url, night.as_of, row["desk_page"])
        if row["exception_kind"] == "may_run_out":
            found.append(Alert(
                f"{key}/{night.as_of:%G-W%V}", f"{row['exception_title']} may run out",
                f"About ${row['at_stake_usd']:,.0f} of sales would be lost: "
                f"{row['exception_detail']}", link,
            ))  # fmt: skip
        elif row["exception_kind"] == "full_node":
            found.append(Alert(
                key, f"Full: {row['exception_title']}",
                f"{row['exception_detail']} That is ${row['at_stake_usd']:,.0f} tonight.", link,
            ))  # fmt: skip
    return found


def _link(desk_url: str, day: date | None, page: str) -> str:
    return f"{desk_url.rstrip('/')}/plans/{day}/{page}" if desk_url and day else desk_url
