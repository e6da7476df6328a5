"""What a processor may change is named in the manifest and rounded off in what is published."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.settings import Settings
from pipeline.processor import platform_names, significant
from pipeline.stages import BY_NAME
from pipeline.store import MANIFEST, Night, Store, stale_inputs

DAY = date(2025, 3, 2)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_money_to_the_cent_stays_the_same_number(usd) -> None:
    assert significant(np.array([float(usd), 0.001]))[0] == float(usd)


@given(st.floats(min_value=-1e30, max_value=1e30))
def test_a_value_is_rounded_to_twelve_digits(value: float) -> None:
    slow = float(f"{value:.12g}") if 1e-10 < abs(value) < 1e12 else value
    found = significant(np.array([value, 0.5]))[0]
    assert abs(found - slow) <= 1e-12 * abs(value) + 1e-22


def test_values_that_differ_by_rounding_are_published_as_one() -> None:
    short = np.array([4.5, 0.3, 9.99, 1e6 / 8, -2.25, 1e-5])
    noise = 1 + 1e-15 * np.array([3, -4, 2, -1, 4, 5])
    np.testing.assert_array_equal(significant(short * noise), short)


def test_what_is_no_number_stays_what_it_is() -> None:
    given = np.array([np.nan, np.inf, -np.inf, 0.0, 1e300, 0.1])
    np.testing.assert_array_equal(significant(given), given)
    assert len(significant(np.empty(0))) == 0


def test_rounding_again_changes_nothing() -> None:
    values = np.random.default_rng(0).lognormal(0, 5, 10_000)
    once = significant(values)
    np.testing.assert_array_equal(significant(once), once)
    assert abs(once / values - 1).max() <= 0.5e-11


def test_a_manifest_names_the_platform_and_another_one_makes_nothing_stale(tmp_path: Path) -> None:
    store = Store(tmp_path)
    model = Night(store, BY_NAME["train"], DAY, Settings())
    model.write_files("forecast_model", {"notes.json": b"{}"})
    model.publish()
    night = Night(store, BY_NAME["monitor"], DAY, Settings())
    night.read_model()
    store.publish_files(DAY, "report", {"report.html": b""}, {"inputs": night._inputs})
    path = tmp_path / DAY.isoformat() / "forecast_model" / MANIFEST
    manifest = json.loads(path.read_text())
    assert manifest["platform"] == platform_names()
    assert all(manifest["platform"].values())
    path.write_text(json.dumps(manifest | {"platform": {"machine": "another"}}))
    assert stale_inputs(store, DAY, "report") == []
    path.write_text(json.dumps(manifest | {"rows": 2}))
    assert stale_inputs(store, DAY, "report") == [f"{DAY}/forecast_model"]
