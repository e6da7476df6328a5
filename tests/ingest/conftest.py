"""A small world in the raw contract that tests copy and break."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.runner import run_stage
from pipeline.store import Source, Store

AS_OF = date(2025, 6, 10)
LAST_DAY = date(2025, 6, 14)


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated folder that no test may change."""
    folder = tmp_path_factory.mktemp("raw") / "world"
    write_sample(folder, SampleSize(items=10, regions=2, days=90, snapshot_days=8), LAST_DAY, 3)
    return folder


@pytest.fixture
def raw(small_world: Path, tmp_path: Path) -> Path:
    """A copy of the small world to break."""
    return Path(shutil.copytree(small_world, tmp_path / "raw"))


@pytest.fixture
def ingest(raw: Path, tmp_path: Path) -> Callable[..., Store]:
    """Runs ingest on the copy for a date; returns the store."""

    def run(as_of: date = AS_OF, settings: Settings | None = None, out: str = "out") -> Store:
        store = Store(tmp_path / out)
        run_stage(store, Source("raw", raw), settings or Settings(), as_of, "ingest")
        return store

    return run


def edit(raw: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> None:
    """Change one CSV file of a raw folder, every cell as text."""
    path = raw / f"{name}.csv"
    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    changed = change(frame)
    (frame if changed is None else changed).to_csv(path, index=False)


def files_of(store: Store) -> dict[str, bytes]:
    """Every file under a store, by its path from the root."""
    root = Path(store.root)
    return {str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*")) if path.is_file()}  # fmt: skip
