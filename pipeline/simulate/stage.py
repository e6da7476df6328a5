"""Simulate: policies through a scenario, held against a bound, told in tables and a page.

Runs are in `loop`, what they share in `prepare`; this file reads and writes the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.simulate.loop import OnDay
from pipeline.simulate.prepare import prepare
from pipeline.simulate.report import record
from pipeline.simulate.report.overview import overview_row, render_overview
from pipeline.simulate.report.page import render
from pipeline.simulate.rivals.policies import named_policies
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.side_by_side import all_runs, in_turn
from pipeline.stages import SIMULATE
from pipeline.store import Night, Store


@dataclass(frozen=True)
class Ran:
    """A scenario that was run: its simulated tables, those of the same world without its changes
    (None where it did not ask for them), and the table of items."""

    scenario: Scenario
    tables: dict[str, pd.DataFrame]
    unchanged: dict[str, pd.DataFrame] | None
    items: pd.DataFrame


def run_scenarios(
    scenarios: Sequence[Scenario], compare: Sequence[str], out: Path, with_bound: bool = True,
    on_day: OnDay | None = None, jobs: int = 1,
) -> list[Ran]:  # fmt: skip
    """Run one scenario after the other, each in out/<its name>; several are held side by side in
    out/scenarios.html. Scenarios that differ in their changes only share the unchanged world."""
    ran = [run_scenario(scenario, compare, out / scenario.name, None, with_bound, on_day, jobs)
           for scenario in scenarios]  # fmt: skip
    if len(ran) > 1:
        rows = [
            overview_row(one.scenario, one.tables, one.unchanged, policy, _page(out, one.scenario))
            for one in ran
            for policy in one.tables["simulated_totals"]["policy"].astype("str").unique()
        ]
        (out / "scenarios.html").write_bytes(render_overview(rows))
    return ran


def _page(out: Path, scenario: Scenario) -> str:
    """Where the scenario's own page lies from `out`."""
    results = Store(out / scenario.name / "results")
    page = Path(results.address(scenario.start, "simulation_report", "report.html"))
    return page.relative_to(out.resolve()).as_posix()


def run_scenario(
    scenario: Scenario, compare: Sequence[str], out: Path, days: int | None = None,
    with_bound: bool = True, on_day: OnDay | None = None, jobs: int = 1,
) -> Ran:  # fmt: skip
    """Run the policies named in `compare` through the scenario.

    Tables and report are published under out/results for the first business date. A folder of
    another scenario is refused; one of the same scenario is resumed. If the scenario asks for it,
    the unchanged world is run first, beside `out` in a folder named by what it is, which other
    changes of the same world use again, and the report tells what the changes do.
    jobs: processes that work side by side; they change nothing but the time.
    """
    policies = named_policies(compare, scenario.policies)
    if days is not None:
        scenario = scenario.model_copy(update={"days": days})
    unchanged = None
    if scenario.against_unchanged and scenario.changes:
        plain = scenario.model_copy(update={
            "changes": (), "against_unchanged": False, "name": "unchanged", "question": "",
        })  # fmt: skip
        beside = out.parent / f"unchanged_{plain.sha256()[:10]}"
        unchanged = run_scenario(plain, compare, beside, None, with_bound, on_day, jobs).tables
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
    items = base.tables["items"]
    night.write_files("simulation_report", render(scenario, tables, items, unchanged))
    night.publish()
    return Ran(scenario, tables, unchanged, items)
