"""The synthetic night, published and reviewed once for all tests of this folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.store import Store
from tests.review.small_night import AS_OF, publish_night


@pytest.fixture(scope="session")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with yesterday's and tonight's plan."""
    root: Path = tmp_path_factory.mktemp("nights")
    publish_night(root, AS_OF - timedelta(days=1), level=0.9)
    return publish_night(root)


@pytest.fixture(scope="session")
def page(two_nights: Store) -> str:
    """Tonight's report."""
    return two_nights.read_files(AS_OF, "report")["report.html"].decode()
