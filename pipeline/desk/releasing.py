"""What waits of a night, an answer to it, and the release: the same for the desk and Airflow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipeline.contracts.settings import ReviewSettings
from pipeline.desk.approving import approved_lines, waiting_lines
from pipeline.desk.listings import ORDERS
from pipeline.desk.tables import NightTables
from pipeline.errors import StaleInputError, UsageError
from pipeline.records.database import Records
from pipeline.records.decisions import decide
from pipeline.records.releases import deliver_prepared, prepare
from pipeline.records.targets import target
from pipeline.store import Store, not_whole

APPROVE, APPROVE_BUT, REFUSE, LEAVE = (
    "Approve all", "Approve all but the lines named", "Refuse all", "Leave them waiting"
)  # fmt: skip
ANSWERS = (APPROVE, APPROVE_BUT, REFUSE, LEAVE)
_LISTED = 15


@dataclass(frozen=True)
class Waiting:
    """Lines that wait for a person: (order_line_id, units), and what to show of them."""

    lines: list[tuple[str, int]]
    text: str


def require_whole(store: Store, as_of: date) -> None:
    """StaleInputError unless the night is the one that its last finished run left."""
    if missing := not_whole(store, as_of):
        raise StaleInputError(
            f"the night of {as_of} is not whole: {', '.join(missing[:5])} "
            f"{'is' if len(missing) == 1 else 'are'} not of its last finished run. Nothing was "
            f"released. Next: run the night again to its end: echelon run --as-of {as_of}, or from "
            "Airflow."
        )


def waiting(store: Store, as_of: date, records: Records, review: ReviewSettings) -> Waiting:
    """The lines of a whole night at or above the threshold that nobody has decided on.

    Lines above the limit of planners are told, but wait for a lead at the desk: who answers here is
    not known to be one.
    """
    require_whole(store, as_of)
    night = NightTables(store, as_of)
    found = waiting_lines(night, records, store.root, review.approval_usd)
    rows = [row for row in found if row["order_cost_usd"] <= review.planner_approval_usd]
    for_lead = len(found) - len(rows)
    total = sum(row["order_cost_usd"] for row in rows)
    shown = [
        f"- `{row['order_line_id']}` {row['order_units']:,} {row['item_name']}, "
        f"${row['order_cost_usd']:,.0f}. {row['sentence']}"
        for row in ORDERS.tell(night, rows[:_LISTED])
    ]
    more = [f"- and {len(rows) - _LISTED} more: see the desk"] if len(rows) > _LISTED else []
    if for_lead:
        more.append(
            f"- {for_lead} above ${review.planner_approval_usd:,.0f} wait for a lead, at the desk"
        )
    head = (
        f"{len(rows)} order lines of {as_of} from ${review.approval_usd:,.0f} on wait, "
        f"${total:,.0f} in all."
    )
    return Waiting(
        [(row["order_line_id"], int(row["order_units"])) for row in rows],
        "\n".join([head, "", *shown, *more]),
    )


def settle(
    records: Records, root: str, found: Waiting, answer: str, but: str, comment: str, person: str
) -> int:
    """Record an answer about the lines that wait; how many were decided.

    but: ids of lines, by comma or space, that are refused where all others are approved; UsageError
    for ids that do not wait.
    """
    if answer not in ANSWERS:
        raise UsageError(f"no answer {answer!r}. Next: one of {', '.join(ANSWERS)}.")
    named = set(but.replace(",", " ").split())
    known = {line for line, _ in found.lines}
    if unknown := sorted(named - known):
        raise UsageError(f"no line that waits: {', '.join(unknown)}. Next: copy ids from the list.")
    if answer == APPROVE_BUT and not named:
        raise UsageError("no line was named to leave out. Next: name some, or approve all.")
    if answer == LEAVE or not found.lines:
        return 0
    good = [line for line in found.lines if answer != REFUSE and line[0] not in named]
    bad = [line for line in found.lines if line not in good]
    return sum(
        decide(records, root, lines, is_approved, comment, person)
        for lines, is_approved in ((good, True), (bad, False))
        if lines
    )


def release_night(
    store: Store, as_of: date, records: Records, least_usd: float, release_to: str, person: str
) -> list[str]:
    """Prepare what may leave of a whole night, deliver all that is prepared; keys delivered.

    Each line leaves once, whatever fails in between; running it again sends nothing twice.
    """
    require_whole(store, as_of)
    lines = approved_lines(NightTables(store, as_of), records, store.root, least_usd)
    prepare(records, store.root, as_of, lines, release_to, person)
    return deliver_prepared(records, store.root, target(release_to), person)
