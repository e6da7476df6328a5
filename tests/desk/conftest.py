"""A desk over two planned nights of a small world, and people at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient

from pipeline import runner
from pipeline.contracts.settings import Settings
from pipeline.desk.app import create_app
from pipeline.desk.people import Person
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.records.database import Records
from pipeline.store import Source, Store

LAST = date(2025, 6, 30)
QUICK = Settings.model_validate({
    "forecast": {
        "mean": {"trees": 40, "leaves": 15, "leaf_rows": 40},
        "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100}, "calibration_days": 28,
    },
    "optimize": {"scenarios": 64, "rank_banks": 4, "exact_items": 0, "audit_items": 0},
    "run": {"threads": 1},
})  # fmt: skip
ORIGIN = {"Origin": "http://desk.test"}


@dataclass(frozen=True)
class World:
    """Raw files and planned nights."""

    raw: Path
    out: Path


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("desk")
    write_sample(
        folder / "raw", SampleSize(items=10, regions=2, days=150, snapshot_days=3), LAST, 7
    )
    store, source = Store(folder / "out"), Source("raw", folder / "raw")
    runner.run_nights(store, source, QUICK, date(2025, 6, 29), LAST)
    return World(folder / "raw", folder / "out")


def recognise(request: Request) -> Person:
    """Tests say who they are in a header."""
    name = request.headers.get("x-person", "ana")
    if name == "nobody":
        raise HTTPException(401, "Log in.")
    return Person(name, may_write=name != "viewer", is_lead=name != "planner")


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(f"sqlite:///{tmp_path}/records.sqlite")


@pytest.fixture
def desk(world: World, records: Records, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app({"plans": str(world.out)}, recognise, records, str(tmp_path / "erp"), QUICK)
    with TestClient(app, base_url="http://desk.test", headers=ORIGIN) as client:
        yield client
