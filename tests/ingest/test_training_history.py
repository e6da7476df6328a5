"""A date's history can be learned from without that day's stock; it cannot be planned."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline import runner
from pipeline.contracts.settings import Settings
from pipeline.errors import ContractError
from pipeline.store import Source, Store


def test_history_for_training_needs_no_stock_snapshot(small_world: Path, tmp_path: Path) -> None:
    store, source, settings = Store(tmp_path), Source("raw", small_world), Settings()
    day = date(2025, 5, 25)  # the world keeps the stock of its last 8 days, to 2025-06-14
    with pytest.raises(ContractError, match="no stock is known at the end of"):
        runner.run_stage(store, source, settings, day, "ingest")
    run = runner.run_stage(store, source, settings, day, "ingest", is_for_training=True)
    assert run.rows["stock"] == 0
    assert run.rows["daily_demand"] > 0
