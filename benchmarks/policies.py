"""Policies on M5's real, held-out demand: the nightly plan in closed loop against three rules.

    python benchmarks/policies.py --m5 ../shared/data/m5 --items 300 --weeks 13 --replications 5 \
        --out policies --json policies.json

Demand is what Walmart sold in the weeks after the start; stock, costs, vendors and capacities are
the declared assumptions of configs/networks/m5.yaml. Stops and resumes: the same command goes on.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from datetime import date, timedelta
from math import isnan
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.simulate.loop import SimulatedDay
from pipeline.simulate.report.intervals import Interval, paired, summary
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.stage import run_scenario

LAST_DAY = date(2016, 4, 24)  # d_1913, the last of M5's training data
COLUMNS = (
    "profit_usd", "share_of_clairvoyant", "in_stock_rate", "kept_share", "shipping_usd_per_unit",
    "lost_units", "inventory_usd", "order_churn", "overflow_cuft_days",
)  # fmt: skip


def main() -> None:
    """Run the comparison, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--m5", type=Path, required=True, help="folder of the M5 files")
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--weeks", type=int, default=13)
    parser.add_argument("--replications", type=int, default=5)
    parser.add_argument("--policies", default="weeks_of_supply,newsvendor,single_echelon,"
                        "echelon_unpriced,echelon,echelon_protected")  # fmt: skip
    parser.add_argument(
        "--keep-losing-items",
        action="store_true",
        help="stock what costs more to deliver than it brings, too; profit is what is compared, so "
        "by default no policy buys it",
    )
    parser.add_argument("--out", type=Path, default=Path("policies"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    scenario = Scenario(
        name="m5_policies", dataset="m5", raw_dir=arguments.m5,
        start=LAST_DAY - timedelta(weeks=arguments.weeks), days=7 * arguments.weeks,
        replications=arguments.replications, items=arguments.items,
        settings={"run": {"threads": arguments.threads},
                  "planning": {"drops_losing_items": not arguments.keep_losing_items},
                  "buy": {"order_line_usd": 0.0}},  # the world charges nothing for a line
    )  # fmt: skip
    console = Console()
    seconds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def on_day(day: SimulatedDay) -> None:
        seconds[day.policy][0] += day.planner_s
        seconds[day.policy][1] += day.world_s
        if day.as_of.weekday() == 6:
            console.log(f"{day.policy} #{day.replication} {day.as_of} {day.planner_s:.1f} s")

    names = arguments.policies.split(",")
    tables = run_scenario(scenario, names, arguments.out, on_day=on_day)
    figures = summary(tables["simulated_totals"], list(COLUMNS))
    console.print(_table(figures))
    gaps = {}
    for other in names[:-1]:
        gap = paired(tables["simulated_totals"], "profit_usd", names[-1], other)
        gaps[other] = gap
        base = abs(figures[other]["profit_usd"].mean)
        console.print(f"{names[-1]} less {other}: {gap.mean:+,.0f} USD ({gap.mean / base:+.2%}), "
                      f"95 % interval {gap.low:,.0f} to {gap.high:,.0f}")  # fmt: skip
    for name, (planner, world) in seconds.items():
        console.print(f"{name}: planner {planner:,.0f} s, world {world:,.0f} s of CPU "
                      f"({world / max(planner + world, 1e-9):.1%} in the world)")  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps(_content(scenario, figures, gaps), indent=1) + "\n")


def _table(figures: dict[str, dict[str, Interval]]) -> Table:
    table = Table("", *figures, title="M5, closed loop on held-out demand")
    for name in COLUMNS:
        cells = [values[name] for values in figures.values()]
        table.add_row(name, *(
            f"{x.mean:,.3f}" if isnan(x.half_width) else f"{x.mean:,.3f} ± {x.half_width:,.3f}"
            for x in cells
        ))  # fmt: skip
    return table


def _content(
    scenario: Scenario, figures: dict[str, dict[str, Interval]], gaps: dict[str, Interval]
) -> dict[str, object]:
    policies = {
        policy: {
            **{name: values[name].mean for name in COLUMNS},
            "profit_ci_usd": [values["profit_usd"].low, values["profit_usd"].high],
        }
        for policy, values in figures.items()
    }
    return {
        "scenario": json.loads(scenario.model_dump_json(exclude={"raw_dir"})),
        "policies": policies,
        "profit_gap_usd": {name: [gap.low, gap.mean, gap.high] for name, gap in gaps.items()},
    }


if __name__ == "__main__":
    main()
