"""What is generated is checked in: docs/tables.md, docs/settings.md and configs/default.yaml."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from pipeline.contracts.docs import COMMAND, generated
from pipeline.contracts.settings import Settings, load_settings
from pipeline.contracts.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(generated()))
def test_generated_file_matches_its_definitions(name: str) -> None:
    path = ROOT / name
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    diff = "\n".join(difflib.unified_diff(old.splitlines(), generated()[name].splitlines(),
                                          f"{name} (checked in)", f"{name} (generated)",
                                          lineterm="", n=1))  # fmt: skip
    if diff:
        pytest.fail(f"{diff}\n\nMend with: {COMMAND}", pytrace=False)


def test_default_file_means_the_defaults() -> None:
    assert load_settings(ROOT / "configs/default.yaml") == Settings()


def test_every_table_and_column_is_in_the_dictionary() -> None:
    page = generated()["docs/tables.md"]
    for table in TABLES.values():
        assert f"### {table.name}\n" in page
    assert "`cutoff_hour`" in page
