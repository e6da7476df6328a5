"""A whole night, every stage: blind to the future, and the same bytes when run again."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline import runner
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import RAW_TABLES
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.store import Source, Store

AS_OF = date(2025, 6, 8)  # a Sunday, on which a model is due
LAST_DAY = date(2025, 6, 14)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night") / "raw"
    write_sample(folder, SampleSize(items=12, regions=2, days=200, snapshot_days=8), LAST_DAY, 5)
    return folder


@pytest.fixture(scope="module")
def planned(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _plan(raw, tmp_path_factory.mktemp("planned") / "out")


def test_corrupting_every_later_record_changes_no_byte_of_the_plan(
    raw: Path, planned: Path, tmp_path: Path
) -> None:
    corrupted = Path(shutil.copytree(raw, tmp_path / "raw"))
    changed = 0
    for table in RAW_TABLES:
        path = corrupted / f"{table.name}.csv"
        if not table.history_date or not path.exists():
            continue
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
        is_later = pd.to_datetime(frame[table.history_date], errors="coerce") > pd.Timestamp(AS_OF)
        for column in ("units", "on_hand_units", "open_units", "in_stock_share"):
            if column in frame:
                frame.loc[is_later, column] = "-7x"
        changed += int(is_later.sum())
        frame.to_csv(path, index=False)
    assert changed > 100
    assert _files(_plan(corrupted, tmp_path / "out")) == _files(planned)


def test_a_night_run_again_leaves_the_same_bytes(raw: Path, planned: Path) -> None:
    before = _files(planned)
    assert any("/report/report-" in name for name in before)
    assert _files(_plan(raw, planned)) == before


def _plan(raw: Path, out: Path) -> Path:
    runner.run_night(Store(out), Source("raw", raw), Settings(), AS_OF)
    return out


def _files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*")) if path.is_file()}  # fmt: skip
