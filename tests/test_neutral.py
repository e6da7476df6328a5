"""Rows and settings that say what the plan says anyway leave every table equal."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.kills import QUICK
from benchmarks.neutral import AS_OF, CHANGES, SAYS_SO, base_of
from pipeline import runner
from pipeline.contracts.settings import Settings, load_settings
from pipeline.ingest.sample import SampleSize, write_sample
from pipeline.optimize.units import Units, powers
from pipeline.stages import BY_NAME
from pipeline.store import Source, Store

STAGES = ("ingest", "forecast", "assort", "optimize", "buy", "place")
AT_ONCE = (
    "at most 900,000 of each order", "each order times 1", "each demand times 1",
    "limits at nodes that none reaches", "a closure in six years", "a block in six years",
    "price breaks that none reaches", "units of one, dollars at one",
    "a budget that none reaches",
)  # fmt: skip
"""The others of `python -m benchmarks.neutral`, which plans each by itself."""


def planned(raw: Path, out: Path, over: dict[str, Any]) -> Store:
    merged = {name: {**QUICK.get(name, {}), **over.get(name, {})} for name in {*QUICK, *over}}
    store, source, settings = Store(out), Source("raw", raw), load_settings(None, merged)
    for name in STAGES:
        runner.run_stage(store, source, settings, AS_OF, name)
        if name == "ingest":
            runner.ensure_model(store, source, settings, AS_OF)
    return store


def test_a_company_that_writes_down_what_holds_anyway_gets_the_same_plan(tmp_path: Path) -> None:
    write_sample(tmp_path / "raw", SampleSize(6, 1, 100, 4), AS_OF, 3)
    plain = planned(tmp_path / "raw", tmp_path / "plain", {})
    assert len(plain.read(AS_OF, "purchase_orders")) > 1
    base, over = base_of(plain), {}
    shutil.copytree(tmp_path / "raw", tmp_path / "changed")
    for name in AT_ONCE:
        over |= CHANGES[name](tmp_path / "changed", base)
    shutil.copytree(tmp_path / "plain", tmp_path / "out")
    again = planned(tmp_path / "changed", tmp_path / "out", over)
    assert len(again.read(AS_OF, "overrides")) > len(plain.read(AS_OF, "overrides"))
    for stage in STAGES:
        for table in set(BY_NAME[stage].writes) - set(SAYS_SO):
            one, other = plain.read(AS_OF, table), again.read(AS_OF, table)
            assert one.equals(other), table


YEN, LITRES = 150.0, 28.316846592


def _in_other_units(raw: Path) -> dict[str, Any]:
    """Write the folder's money in yen and its volumes in litres; the settings that say so."""
    for path in sorted(raw.glob("*.csv")):
        frame = pd.read_csv(path, dtype=dict.fromkeys(("item_id", "order_id"), "str"))
        Units(YEN, LITRES).written({"": frame})[""].to_csv(path, index=False)
    amounts = {
        "optimize": ("storage_overflow_usd_per_cuft_week", "flow_overflow_usd_per_unit",
                     "lane_overflow_usd_per_cuft"),
        "buy": ("order_line_usd", "quiet_order_usd", "silent_order_usd"),
        "place": ("transfer_line_usd",), "ingest": ("quarantine_threshold_usd",),
    }  # fmt: skip
    return {
        section: {name: getattr(getattr(Settings(), section), name)
                  * YEN ** powers(name)[0] * LITRES ** powers(name)[1] for name in names}
        for section, names in amounts.items()
    }  # fmt: skip


def test_yen_and_litres_give_the_plan_of_dollars_and_feet(tmp_path: Path) -> None:
    write_sample(tmp_path / "raw", SampleSize(8, 1, 100, 4), AS_OF, 3)
    plain = planned(tmp_path / "raw", tmp_path / "plain", {})
    shutil.copytree(tmp_path / "raw", tmp_path / "changed")
    over = _in_other_units(tmp_path / "changed")
    again = planned(tmp_path / "changed", tmp_path / "again", over)
    assert len(plain.read(AS_OF, "purchase_orders")) > 1
    for table in ("demand_quantiles", "base_stock_levels", "network_targets", "purchase_orders",
                  "transfers", "inbound_assignments"):  # fmt: skip
        one, other = plain.read(AS_OF, table), again.read(AS_OF, table)
        whole = [name for name in one if powers(name) == (0, 0)]
        pd.testing.assert_frame_equal(one[whole], other[whole], obj=table, rtol=1e-6)
