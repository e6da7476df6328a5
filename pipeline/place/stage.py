"""Stage place: read what is where, decide transfers and receiving nodes, publish them."""

from __future__ import annotations

from pipeline.place.plan import TABLES, plan_placement
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish inbound_assignments and transfers of the night."""
    tables = {name: night.read(name) for name in TABLES}
    assignments, transfers = plan_placement(tables, night.as_of, night.settings.place)
    night.write("inbound_assignments", assignments)
    night.write("transfers", transfers)
