"""Fixtures that many tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real data and published instances beside the checkout; skips where absent."""
    for parent in Path(__file__).resolve().parents:
        folder = parent / "shared"
        if (folder / "benchmarks").is_dir():
            return folder
    pytest.skip("needs ../shared, which lies beside a developer's checkout only")
