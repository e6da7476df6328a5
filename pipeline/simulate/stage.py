"""Simulate: policies through a scenario, held against a bound, told in tables and a page.

Runs are in `loop`, what they share in `prepare`; this file reads and writes the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.simulate.loop import OnDay
from pipeline.simulate.prepare import prepare
from pipeline.simulate.report import record
from pipeline.simulate.report.page import render
from pipeline.simulate.rivals.policies import named_policies
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.side_by_side import all_runs, in_turn
from pipeline.stages import SIMULATE
from pipeline.store import Night, Store


def run_scenario(
    scenario: Scenario, compare: Sequence[str], out: Path, days: int | None = None,
    with_bound: bool = True, on_day: OnDay | None = None, jobs: int = 1,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Run the policies named in `compare` through the scenario; returns the simulated tables.

    Tables and report are published under out/results for the first business date. A folder of
    another scenario is refused; one of the same scenario is resumed. If the scenario asks for it,
    the unchanged world is run first, in out/unchanged, and the report tells what the changes do.
    jobs: processes that work side by side; they change nothing but the time.
    """
    policies = named_policies(compare, scenario.policies)
    if days is not None:
        scenario = scenario.model_copy(update={"days": days})
    unchanged = None
    if scenario.against_unchanged and scenario.changes:
        plain = scenario.model_copy(update={
            "changes": (), "against_unchanged": False, "name": f"{scenario.name}_unchanged",
        })  # fmt: skip
        unchanged = run_scenario(plain, compare, out / "unchanged", None, with_bound, on_day, jobs)
    base = prepare(scenario, out)
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in SIMULATE.writes}
    runs = all_runs(base, scenario, compare, jobs, with_bound, on_day)
    for name, replication, found in in_turn(runs, list(policies)):
        rows = record.tables(found, base.model, base.truth.days, name, replication,
                             runs.bound_usd.get(replication))  # fmt: skip
        for table, frame in rows.items():
            parts[table].append(frame)
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
    night = Night(Store(out / "results"), SIMULATE, scenario.start, base.settings)
    for name, frame in tables.items():
        night.write(name, frame)
    night.write_files("simulation_report", render(scenario, tables, unchanged))
    night.publish()
    return tables
