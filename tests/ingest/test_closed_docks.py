"""Closing days of nodes are days on which their docks take nothing in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.contracts.columns import NO_LIMIT
from pipeline.ingest.closed_docks import INBOUND, with_closed_docks
from pipeline.store import Store
from tests.ingest.test_vendor_days import closures

AS_OF = pd.Timestamp("2025-06-29")  # a Sunday
NODES = pd.DataFrame({"node_id": ["a", "b", "c"]})


def capacity(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["node_id", "resource", "start_date", "capacity"])
    return frame.astype({"start_date": "datetime64[s]"})


def by_day(found: pd.DataFrame, node: str, days: int) -> list[float]:
    """Inbound capacity of the node on each coming day, as whoever reads the table sees it."""
    rows = found[(found["node_id"] == node) & (found["resource"] == INBOUND)]
    rows = rows.sort_values("start_date", kind="stable")
    ahead = AS_OF + pd.to_timedelta(np.arange(1, days + 1), unit="D")
    at = rows["start_date"].searchsorted(ahead, side="right") - 1
    return rows["capacity"].to_numpy()[at].tolist()


def test_a_dock_takes_nothing_on_its_closing_days_and_what_is_stated_on_others() -> None:
    stated = capacity(
        ("a", INBOUND, "2025-01-01", 100.0), ("a", INBOUND, "2025-07-05", 60.0),
        ("a", "storage_cuft", "2025-01-01", 900.0), ("b", INBOUND, "2025-01-01", 50.0),
    )  # fmt: skip
    rules = closures(("a", None, "sat", None, None), ("a", None, None, "2025-07-01", "2025-07-02"))
    tables = {"node_capacity": stated, "nodes": NODES, "closures": rules}
    found = with_closed_docks(tables, AS_OF)
    # Monday, closed on Tuesday and Wednesday, open to Friday, closed on Saturday, then 60
    assert by_day(found, "a", 8) == [100, 0, 0, 100, 100, 0, 60, 60]
    assert not found.duplicated(["node_id", "resource", "start_date"]).any()
    assert by_day(found, "a", 400)[12::7] == [0.0] * 56
    others = found[(found["node_id"] != "a") | (found["resource"] != INBOUND)]
    assert len(others) == 2
    past = found[(found["node_id"] == "a") & (found["start_date"] <= AS_OF)]
    assert past["capacity"].tolist() == [100.0, 900.0]


def test_a_dock_without_a_stated_capacity_is_closed_all_the_same() -> None:
    tables = {"node_capacity": capacity(("b", INBOUND, "2025-01-01", 50.0)), "nodes": NODES,
              "closures": closures(("c", None, None, "2025-07-03", "2025-07-04"))}  # fmt: skip
    found = with_closed_docks(tables, AS_OF)
    assert by_day(found, "c", 6) == [*[NO_LIMIT] * 3, 0, 0, NO_LIMIT]
    assert by_day(found, "b", 2) == [50.0, 50.0]


def test_without_closing_days_of_nodes_nothing_changes() -> None:
    stated = capacity(("a", INBOUND, "2025-01-01", 100.0))
    for rules in (closures(), closures((None, "v", "sun", None, None))):
        tables = {"node_capacity": stated, "nodes": NODES, "closures": rules}
        assert with_closed_docks(tables, AS_OF) is stated
    assert with_closed_docks({"node_capacity": stated, "nodes": NODES}, AS_OF) is stated


def test_the_night_publishes_closed_docks(raw: Path, ingest: Callable[..., Store]) -> None:
    (raw / "closures.csv").write_text(
        "closure_id,node_id,start_date,expiry_date\nstocktaking,DC-EAST,2025-06-12,2025-06-13\n"
    )
    found = ingest().read(date(2025, 6, 10), "node_capacity")
    rows = found[(found["node_id"] == "DC-EAST") & (found["resource"] == INBOUND)]
    known = rows.set_index("start_date")["capacity"]
    assert known[pd.Timestamp("2025-06-12")] == 0.0
    assert known[pd.Timestamp("2025-06-14")] == known[pd.Timestamp("2025-06-11")] > 0.0
