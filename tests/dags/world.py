"""A small world to plan, and the comparison of what two ways of planning it left."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

from pipeline.contracts.settings import Settings
from pipeline.ingest.sample import SAMPLE_AS_OF, SampleSize, write_sample
from pipeline.runner import run_nights
from pipeline.store import Source, Store

FIRST = SAMPLE_AS_OF
QUICK = Settings.model_validate({
    "forecast": {"mean": {"trees": 40, "leaves": 15, "leaf_rows": 40},
                 "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100}},
    "optimize": {"scenarios": 64, "rank_banks": 2},
})  # fmt: skip
"""A small model, for what does not depend on its size."""


def make_world(folder: Path) -> Path:
    """Raw data of a few items, with history around FIRST."""
    write_sample(folder, SampleSize(items=12, regions=2, days=150))
    return folder


def plan_by_runner(
    raw: Path, out: Path, last: date = FIRST, settings: Settings | None = None
) -> None:
    """The nights from FIRST to `last`, as the command line runs them."""
    run_nights(Store(out), Source("sample", raw), settings or Settings(), FIRST, last)


def contents(root: Path) -> dict[str, str]:
    """Hash of every file below `root`, by relative path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
