"""Stage place: read what is where, decide transfers and receiving nodes, publish them."""

from __future__ import annotations

from pipeline.place.plan import TABLES, plan_placement
from pipeline.store import Night


def run(night: Night) -> None:
    """Publish the night's placement, and by what orders are assigned."""
    tables = {name: night.read(name) for name in TABLES}
    for name, frame in plan_placement(tables, night.as_of, night.settings).items():
        night.write(name, frame)
