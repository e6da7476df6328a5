"""Fixtures that many tests share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed")  # a run that fails fails again

OTHER_DRAWS = os.environ.get("ECHELON_OTHER_DRAWS", "")
"""A number: every seed, of tests and of the product, then means another draw.

A test that fails under it held by the luck of one draw, or compares with bytes drawn elsewhere.
"""

if OTHER_DRAWS:
    _default_rng: Any = np.random.default_rng

    def _another(seed: Any = None) -> np.random.Generator:
        if isinstance(seed, int | np.integer | Sequence | np.ndarray):
            seed = [int(OTHER_DRAWS), *np.atleast_1d(np.asarray(seed)).tolist()]
        generator: np.random.Generator = _default_rng(seed)
        return generator

    np.random.default_rng = _another


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real data and published instances beside the checkout; skips where absent."""
    for parent in Path(__file__).resolve().parents:
        folder = parent / "shared"
        if (folder / "benchmarks").is_dir():
            return folder
    pytest.skip("needs ../shared, which lies beside a developer's checkout only")
