"""What the tasks of DAGs `release_orders` and `watch_nights` do: ask, settle, release, and tell.

Only the newest scheduled or a manual run asks and releases; backfills never do. A rerun finds its
lines decided and released, and does nothing again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from echelon_airflow.tasks import open_night

ANSWERS = (
    "Approve all", "Approve all but the lines named", "Refuse all", "Leave them waiting"
)  # fmt: skip
"""As in pipeline.desk.releasing, which imports pandas; a test holds the two together."""
WAIT = timedelta(hours=float(os.environ.get("ECHELON_APPROVAL_HOURS", "12")))
DEFAULT = os.environ.get("ECHELON_APPROVAL_DEFAULT", ANSWERS[-1])
"""How long a person has, and what holds when nobody answers; declared by the environment."""


def may_release(run_type: str) -> bool:
    """Whether a run of this type asks and releases at all, and there is somewhere to release to."""
    if run_type not in ("scheduled", "manual"):
        print(f"A {run_type} run never asks and never releases.")
        return False
    if not os.environ.get("ECHELON_RECORDS") or not os.environ.get("ECHELON_RELEASE_TO"):
        print("ECHELON_RECORDS and ECHELON_RELEASE_TO are not both set: nothing is released.")
        return False
    return True


def question(night: Mapping[str, str]) -> str:
    """What waits for a person, as text; '' where nothing does."""
    from pipeline.desk.releasing import waiting
    from pipeline.records.database import Records

    store, _, settings = open_night(night)
    day, records = date.fromisoformat(night["as_of"]), Records(os.environ["ECHELON_RECORDS"])
    found = waiting(store, day, records, settings.review)
    if not found.lines:
        return ""
    desk = os.environ.get("AIRFLOW__API__BASE_URL", "").rstrip("/")
    return f"{found.text}\n\n[Open the desk]({desk}/desk/plans/{day}/approval)"


def settle_and_release(night: Mapping[str, str], response: Mapping[str, Any] | None) -> None:
    """Record the answer, if anybody was asked, and release what may leave, once."""
    from pipeline.desk.releasing import release_night, settle, waiting
    from pipeline.errors import UsageError
    from pipeline.records.database import Records

    store, _, settings = open_night(night)
    day, records = date.fromisoformat(night["as_of"]), Records(os.environ["ECHELON_RECORDS"])
    least = settings.review.approval_usd
    if response is not None:
        given, who = response.get("params_input") or {}, response.get("responded_by_user") or {}
        person = str(who.get("name") or "nobody answered in time")
        answer = str(response["chosen_options"][0])
        comment = str(given.get("comment") or "")
        try:
            found = waiting(store, day, records, settings.review)
            settle(
                records, store.root, found, answer, str(given.get("lines") or ""), comment, person
            )
        except UsageError as error:
            raise AirflowFailException(str(error)) from None
    keys = release_night(store, day, records, least, os.environ["ECHELON_RELEASE_TO"], "airflow")
    print(f"Released: {', '.join(keys) or 'nothing new'}.")


def tell_of(night: Mapping[str, str]) -> None:
    """Tell of the store's nights by the ways that the environment names, each alert once."""
    from pipeline.records.database import Records
    from pipeline.tell.alerts import due_alerts
    from pipeline.tell.once import tell
    from pipeline.tell.send import channels

    ways = channels(os.environ)
    if not ways or not os.environ.get("ECHELON_RECORDS"):
        raise AirflowSkipException("nobody to tell, or no ECHELON_RECORDS to remember it in.")
    store, _, settings = open_night(night)
    base = os.environ.get("AIRFLOW__API__BASE_URL", "").rstrip("/")
    due = due_alerts(store, datetime.now(UTC), f"{base}/desk", settings.review.approval_usd)
    told, problems = tell(Records(os.environ["ECHELON_RECORDS"]), store.root, due, ways)
    print("\n".join([*told, *problems]) or "Nothing new to tell.")
    if problems:
        raise AirflowException("some alerts could not be sent; they are tried again.")
