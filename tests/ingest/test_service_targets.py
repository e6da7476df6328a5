"""Service targets, as a user's own file brings them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.store import Store
from tests.ingest.conftest import AS_OF

HEAD = "target_id,service_measure,target_share,abc_class,item_group,region_id,speed\n"


def test_without_the_file_there_are_none(ingest: Callable[..., Store]) -> None:
    assert len(ingest().read(AS_OF, "service_targets")) == 0


BAD = {
    "percent,fill_rate,98,A,,,": "is above 0.9999",
    "class,fill_rate,0.98,D,,,": "is none of A, B, C",
    "measure,filled,0.98,A,,,": "is none of fill_rate, promises_kept",
    "two,fill_rate,0.98,,,,one_day": "limits a fill rate",
    "speed,promises_kept,0.98,,,,next_year": "is promised in no region",
    "group,fill_rate,0.98,,no such group,,": "is no category and no department of an item",
    "region,fill_rate,0.98,,,ATLANTIS,": "regions",
}


def test_targets_that_mean_nothing_are_set_aside_and_told(
    raw: Path, ingest: Callable[..., Store]
) -> None:
    rows = ["good,fill_rate,0.95,B,,,", *BAD]
    (raw / "service_targets.csv").write_text(HEAD + "\n".join(rows) + "\n")
    store = ingest()
    assert store.read(AS_OF, "service_targets")["target_id"].tolist() == ["good"]
    told = store.read(AS_OF, "quarantine")
    mine = told[told["table_name"].astype(str) == "service_targets"].astype(str)
    for row, rule in BAD.items():
        found = mine[mine["row_key"].str.contains(row.split(",")[0])]
        assert rule in " ".join(found["rule"]), (row, mine["rule"].tolist())
