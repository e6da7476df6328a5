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


def make_world(folder: Path) -> Path:
    """Raw data of a few items, with history around FIRST."""
    write_sample(folder, SampleSize(items=12, regions=2, days=150))
    return folder


def plan_by_runner(raw: Path, out: Path, last: date = FIRST) -> None:
    """The nights from FIRST to `last`, as the command line runs them."""
    run_nights(Store(out), Source("sample", raw), Settings(), FIRST, last)


def contents(root: Path) -> dict[str, str]:
    """Hash of every file below `root`, by relative path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
