"""Simulate: policies through a scenario, held against a bound, told in tables and a page.

Runs are in `loop`, what they share in `prepare`; this file reads and writes the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.errors import UsageError
from pipeline.simulate.bound.clairvoyant import Bound, clairvoyant_bound
from pipeline.simulate.loop import OnDay, run_policy
from pipeline.simulate.prepare import prepare
from pipeline.simulate.report import record
from pipeline.simulate.report.page import render
from pipeline.simulate.rivals.policies import POLICIES
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.stages import SIMULATE
from pipeline.store import Night, Store


def run_scenario(
    scenario: Scenario, compare: Sequence[str], out: Path, days: int | None = None,
    with_bound: bool = True, on_day: OnDay | None = None,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Run the policies named in `compare` through the scenario; returns the simulated tables.

    Tables and report are published under out/results for the first business date. A folder of
    another scenario is refused; one of the same scenario is resumed. If the scenario asks for it,
    the unchanged world is run first, in out/unchanged, and the report tells what the changes do.
    """
    unknown = sorted(set(compare) - set(POLICIES))
    if unknown or not compare:
        raise UsageError(
            f"unknown policies: {', '.join(unknown) or 'none named'}. "
            f"Next: use some of {', '.join(POLICIES)}."
        )
    if days is not None:
        scenario = scenario.model_copy(update={"days": days})
    unchanged = None
    if scenario.against_unchanged and scenario.changes:
        plain = scenario.model_copy(update={
            "changes": (), "against_unchanged": False, "name": f"{scenario.name}_unchanged",
        })  # fmt: skip
        unchanged = run_scenario(plain, compare, out / "unchanged", None, with_bound, on_day)
    base = prepare(scenario, out)
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in SIMULATE.writes}
    bound: Bound | None = None
    for replication in range(scenario.replications):
        if with_bound and not base.model.rules.lets_wait:
            bound = clairvoyant_bound(
                base.model, base.times, base.truth, base.tables, scenario.seed + replication,
                scenario.start, None if bound is None else bound.price_usd,
            )  # fmt: skip
        for name in compare:
            found = run_policy(base, scenario, POLICIES[name], replication, on_day)
            rows = record.tables(found, base.model, base.truth.days, name, replication,
                                 None if bound is None else bound.usd)  # fmt: skip
            for table, frame in rows.items():
                parts[table].append(frame)
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
    night = Night(Store(out / "results"), SIMULATE, scenario.start, base.settings)
    for name, frame in tables.items():
        night.write(name, frame)
    night.write_files("simulation_report", render(scenario, tables, unchanged))
    night.publish()
    return tables
