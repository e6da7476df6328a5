"""Attributes of items, as a user's own file brings them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.store import Store
from tests.ingest.conftest import AS_OF


def test_attributes_are_published_and_those_of_unknown_items_set_aside(
    raw: Path, ingest: Callable[..., Store]
) -> None:
    rows = "item_id,attribute,attribute_value\nITEM-0002,seats,4\nITEM-7777,seats,2\n"
    (raw / "item_attributes.csv").write_text(rows + "ITEM-0001,color,red\n")
    store = ingest()
    found = store.read(AS_OF, "item_attributes").astype(str)
    assert found.to_numpy().tolist() == [["ITEM-0001", "color", "red"], ["ITEM-0002", "seats", "4"]]
    assert "ITEM-7777" in store.read(AS_OF, "quarantine")["bad_value"].astype(str).tolist()


def test_without_the_file_there_are_none(ingest: Callable[..., Store]) -> None:
    assert len(ingest().read(AS_OF, "item_attributes")) == 0
