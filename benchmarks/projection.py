"""Table `projection` against the closed loop: how often the week is inside the band as promised.

    python benchmarks/projection.py --items 12 --days 56 --replications 2 --json projection.json

The production plan lives in the simulator night by night (docks, lanes and storage as they are).
Demand is M5's as it came, or the sample's drawn from its past, which knows no season (--demand).
Every seventh night is projected, too; each week that the run reaches is compared with what was
projected for it. A band of 10 to 90 % should hold 80 %. Stock is what the nodes hold and what is on
the way between them, as it is in the projection.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.simulate.rivals.plan import Echelon
from pipeline.simulate.rivals.policies import POLICIES
from pipeline.simulate.rivals.situation import Plan, Situation
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.stage import run_scenario

MEASURES = ("stock_units", "fill_rate", "lost_units")
QUICK = {
    "forecast": {"mean": {"trees": 60, "leaves": 15, "leaf_rows": 40},
                 "shape": {"trees": 20, "leaves": 8, "leaf_rows": 100}, "calibration_days": 28},
    "optimize": {"scenarios": 128, "rank_banks": 4, "exact_items": 0, "audit_items": 0},
    "run": {"threads": 1},
}  # fmt: skip


@dataclass(frozen=True)
class Projected(Echelon):
    """The production plan, which also keeps what every seventh night projected."""

    name: str = "projected"
    stages: tuple[str, ...] = (*Echelon.stages, "project")
    reads: tuple[str, ...] = (*Echelon.reads, "projection", "stock", "open_transfers")
    seen: list[tuple[date, pd.DataFrame]] = field(default_factory=list)
    held: dict[date, float] = field(default_factory=dict)

    def decide(self, situation: Situation) -> Plan:
        """The plan's own decision."""
        days = (situation.as_of - self.seen[0][0]).days if self.seen else 0
        if days % 7 == 0:
            frame = situation.tables["projection"].astype({"projected_by": "str", "measure": "str"})
            own = frame[(frame["projected_by"] == "network") & frame["measure"].isin(MEASURES)]
            self.seen.append((situation.as_of, own))
            self.held[situation.as_of] = sum(
                float(rows.loc[rows["date"] == pd.Timestamp(situation.as_of), units].sum())
                for rows, units in (
                    (situation.tables["stock"], "on_hand_units"),
                    (situation.tables["open_transfers"], "open_units"),
                )
            )
        return super().decide(situation)


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=12)
    parser.add_argument("--days", type=int, default=56)
    parser.add_argument("--replications", type=int, default=2)
    parser.add_argument("--m5", type=Path, help="folder of the M5 files, instead of the sample")
    parser.add_argument("--start", default="2025-07-13")
    parser.add_argument("--demand", choices=("actual", "resampled"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    demand = given.demand or ("actual" if given.m5 else "resampled")
    rows: list[dict[str, object]] = []
    for replication in range(given.replications):
        policy = Projected()
        POLICIES[policy.name] = policy
        scenario = Scenario.model_validate({
            "name": "projection", "start": given.start, "days": given.days, "replications": 1,
            "seed": 1 + replication, "items": given.items, "demand": demand,
            "settings": QUICK, "dataset": "m5" if given.m5 else "sample",
            "raw_dir": str(given.m5 or "data/sample"),
        })  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            tables = run_scenario(scenario, [policy.name], Path(folder), with_bound=False).tables
        rows += compared(policy, tables, replication)
    frame = pd.DataFrame(rows)
    told = frame.groupby("measure", sort=False).agg(
        weeks=("inside", "size"), inside=("inside", "mean"), below=("below", "mean"),
        above=("above", "mean"), actual=("actual", "mean"), median=("median", "mean"),
    )  # fmt: skip
    print(told.round(3).to_string())
    by_week = frame.pivot_table(index="ahead", columns="measure", values="inside")
    print(by_week.round(2).to_string())
    if given.json:
        given.json.write_text(json.dumps(frame.to_dict("records"), indent=1, default=str) + "\n")


def compared(
    policy: Projected, tables: dict[str, pd.DataFrame], replication: int
) -> Iterator[dict[str, object]]:
    """One row for each projected week that came, by measure."""
    days = tables["simulated_days"].set_index("date").sort_index()
    for as_of, projected in policy.seen:
        for row in projected.itertuples():
            first = pd.Timestamp(row.week_start)
            week = days.loc[first : first + pd.Timedelta(days=6)]
            end = (first + pd.Timedelta(days=6)).date()
            if len(week) < 7 or end not in policy.held:
                continue
            asked, lost = week["demand_units"].sum(), week["lost_units"].sum()
            came = {
                "stock_units": policy.held[end], "lost_units": float(lost),
                "fill_rate": float(1 - lost / asked) if asked else 1.0,
            }  # fmt: skip
            actual = came[str(row.measure)]
            yield {
                "replication": replication, "as_of": str(as_of), "measure": row.measure,
                "ahead": (first.date() - as_of).days // 7 + 1, "actual": actual,
                "low": row.low_value, "median": row.median_value, "high": row.high_value,
                "below": actual < row.low_value - 1e-9, "above": actual > row.high_value + 1e-9,
                "inside": row.low_value - 1e-9 <= actual <= row.high_value + 1e-9,
            }  # fmt: skip


if __name__ == "__main__":
    main()
