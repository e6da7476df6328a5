"""Service targets, as a user's own file brings them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ContractError
from pipeline.store import Store
from tests.ingest.conftest import AS_OF

HEAD = "target_id,service_measure,target_share,abc_class,item_group,region_id,speed\n"


def test_without_the_file_there_are_none(ingest: Callable[..., Store]) -> None:
    assert len(ingest().read(AS_OF, "service_targets")) == 0


BAD = {
    "percent,fill_rate,98,A,,,": "is outside [0.01, 0.9999]",
    "class,fill_rate,0.98,D,,,": "is none of A, B, C",
    "measure,filled,0.98,A,,,": "is none of fill_rate, promises_kept",
    "two,fill_rate,0.98,,,,one_day": "limits a fill rate",
    "speed,promises_kept,0.98,,,,next_year": "is promised in no region",
    "group,fill_rate,0.98,,no such group,,": "is no category and no department of an item",
    "region,fill_rate,0.98,,,ATLANTIS,": "is unknown in regions.region_id",
}


def test_targets_that_mean_nothing_are_told_with_what_to_do(
    raw: Path, ingest: Callable[..., Store]
) -> None:
    rows = ["good,fill_rate,0.95,B,,,", *BAD]
    (raw / "service_targets.csv").write_text(HEAD + "\n".join(rows) + "\n")
    with pytest.raises(ContractError) as told:
        ingest()
    lines = [line for line in str(told.value).splitlines() if "service_targets" in line]
    for number, rule in enumerate(BAD.values(), 2):
        assert any(f"at row {number}: {rule}" in line for line in lines), (number, lines)


def test_a_good_target_is_published(raw: Path, ingest: Callable[..., Store]) -> None:
    (raw / "service_targets.csv").write_text(HEAD + "good,fill_rate,0.95,B,,,\n")
    found = ingest().read(AS_OF, "service_targets")
    assert found[["target_id", "abc_class"]].astype(str).to_numpy().tolist() == [["good", "B"]]
