"""Settings: unknown keys are refused by name, and what only runs faster changes no hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.settings import Settings, load_settings
from pipeline.errors import SettingsError


def test_misspelt_keys_and_wrong_values_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("planning: {review_days: 7, horizon_weeks: 0}\ningestion: {}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    text = str(caught.value)
    assert "3 problem(s)" in text
    for name in ("planning.review_days", "planning.horizon_weeks", "ingestion"):
        assert name in text


def test_overrides_lie_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("ingest: {history_days: 100, stale_after_days: 3}\n")
    ingest = load_settings(path, {"ingest": {"history_days": 50}}).ingest
    assert (ingest.history_days, ingest.stale_after_days) == (50, 3)


def test_hash_ignores_how_the_work_is_done() -> None:
    plain = Settings()
    assert load_settings(None, {"run": {"threads": 7}}).sha256() == plain.sha256()
    assert load_settings(None, {"ingest": {"history_days": 99}}).sha256() != plain.sha256()


def test_file_that_is_no_yaml_is_told(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("planning: [")
    with pytest.raises(SettingsError, match=r"night\.yaml"):
        load_settings(path)
