"""Policies on M5's real, held-out demand: the nightly plan in closed loop against tuned rules.

    python -m benchmarks.policies --m5 ../shared/data/m5 --items 100 --weeks 13 --replications 5 \
        --tune-weeks 8 --assignment replacement --jobs 2 --out policies --json policies.json

Demand is what Walmart sold in the weeks after the start; stock, costs, vendors and capacities are
the declared assumptions of configs/networks/m5.yaml. Every policy's orders are assigned by the same
rule. The rules' parameters are tuned by simulation on the weeks before each period (--tune-weeks 0:
their defaults). Stops and resumes: the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from datetime import date, timedelta
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline.errors import UsageError
from pipeline.simulate.loop import SimulatedDay
from pipeline.simulate.report.effect import Effect
from pipeline.simulate.report.intervals import Interval, paired, summary
from pipeline.simulate.report.whole_run import item_effects, whole_run
from pipeline.simulate.scenarios.scenario import Scenario
from pipeline.simulate.stage import Ran, run_scenario
from pipeline.simulate.tune import tune

LAST_DAY = date(2016, 4, 24)  # d_1913, the last of M5's training data
COLUMNS = (
    "profit_usd", "before_overflow_usd", "share_of_clairvoyant", "in_stock_rate", "kept_share",
    "shipping_usd_per_unit", "lost_units", "inventory_usd", "order_churn", "overflow_usd",
    "refused_lines",
)  # fmt: skip
NAMES = "weeks_of_supply,newsvendor,single_echelon,base_stock,drp,min_max,echelon"
CONSOLE = Console()


def main() -> None:
    """Run the comparison of each period, print its table, write the JSON."""
    arguments = _arguments()
    names = arguments.policies.split(",")
    starts = [date.fromisoformat(text) for text in arguments.starts.split(",") if text]
    starts = starts or [LAST_DAY - timedelta(weeks=arguments.weeks)]
    worlds = arguments.worlds.split(",")
    found = [_period(arguments, names, start, world) for start in starts for world in worlds]
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--m5", type=Path, required=True, help="folder of the M5 files")
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--weeks", type=int, default=13)
    parser.add_argument("--starts", default="", help="first business date of each period, by "
                        "commas; default: one period that ends with the data")  # fmt: skip
    parser.add_argument("--replications", type=int, default=5)
    parser.add_argument("--policies", default=NAMES, help="the last is held against the others")
    parser.add_argument("--tune-weeks", type=int, default=8)
    parser.add_argument("--worlds", default="as_is", help="by commas: as_is; short_docks, which "
                        "receive 60 %% for two weeks; event: hobbies, a fifth of the items, sell "
                        "twice as much for two weeks; both announced")  # fmt: skip
    parser.add_argument("--assignment", default="replacement")
    parser.add_argument("--forecasts", default="own", choices=["own", "stored"])
    parser.add_argument("--keep-losing-items", action="store_true",
                        help="stock what costs more to deliver than it brings, too; profit is what "
                        "is compared, so by default no policy buys it")  # fmt: skip
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON, laid over the "
                        "planner's settings")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("policies"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--no-bound", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _changes(world: str) -> list[dict[str, Any]]:
    """What is announced in the world: changes of the scenario; of M5's items a fifth are
    hobbies."""
    days = {"from_day": 22, "to_day": 35}
    if world == "as_is":
        return []
    if world == "short_docks":
        return [{"kind": "capacity", "resource": "inbound_units_per_day", "factor": 0.6, **days}]
    if world != "event":
        raise UsageError(f"no world {world!r}. Next: use as_is, short_docks or event.")
    return [{"kind": "surge", "factor": 2.0, "planned_factor": 2.0, "item_groups": ["HOBBIES"],
             "event_name": "benchmark event", **days}]  # fmt: skip


def _scenario(
    arguments: argparse.Namespace, start: date, changes: list[dict[str, Any]]
) -> Scenario:
    """M5 from the date on, with the planner's settings."""
    settings = {
        "run": {"threads": 1},
        "planning": {"drops_losing_items": not arguments.keep_losing_items},
        "buy": {"order_line_usd": 0.0},  # the world charges nothing for a line
    }
    for section, values in arguments.settings.items():
        settings[section] = {**settings.get(section, {}), **values}
    return Scenario.model_validate({
        "name": "m5_policies", "dataset": "m5", "raw_dir": arguments.m5, "start": start,
        "days": 7 * arguments.weeks, "replications": arguments.replications,
        "items": arguments.items, "world": {"assignment": arguments.assignment},
        "forecasts": arguments.forecasts, "settings": settings, "changes": changes,
    })  # fmt: skip


def _period(
    arguments: argparse.Namespace, names: list[str], start: date, world: str
) -> dict[str, Any]:
    began, cpu = time.time(), defaultdict(lambda: [0.0, 0.0])
    scenario = _scenario(arguments, start, _changes(world))
    tuned: dict[str, dict[str, Any]] = {}
    if arguments.tune_weeks:
        tuned = tune(scenario, names, arguments.tune_weeks, arguments.out / f"{start}_tuning")
        scenario = scenario.model_copy(update={"policies": tuned})
        CONSOLE.log(f"tuned in {time.time() - began:,.0f} s: {tuned}")

    def on_day(day: SimulatedDay) -> None:
        cpu[day.policy][0] += day.planner_s
        cpu[day.policy][1] += day.world_s
        if day.as_of.weekday() == 6:
            CONSOLE.log(f"{day.policy} #{day.replication} {day.as_of} {day.planner_s:.1f} s")

    ran = run_scenario(scenario, names, arguments.out / f"{start}_{world}", on_day=on_day,
                       with_bound=not arguments.no_bound, jobs=arguments.jobs)  # fmt: skip
    totals = ran.tables["simulated_totals"]
    totals = totals.assign(before_overflow_usd=totals["profit_usd"] + totals["overflow_usd"])
    figures = summary(totals, list(COLUMNS))
    CONSOLE.print(_table(figures, start, world))
    gaps = _gaps(totals, names)
    rival = max(names[:-1], key=lambda name: figures[name]["profit_usd"].mean, default=None)
    parts = {} if rival is None else whence(ran, names[-1], rival)
    for name, (planner, lived) in cpu.items():
        CONSOLE.print(f"{name}: planner {planner:,.0f} s, world {lived:,.0f} s of CPU")
    CONSOLE.print(f"{start} {world}: {time.time() - began:,.0f} s in all")
    return {
        "world": world,
        "scenario": json.loads(scenario.model_dump_json(exclude={"raw_dir"})),
        "tuned": tuned,
        "policies": {
            policy: {name: value.in_json for name, value in values.items()}
            for policy, values in figures.items()
        },
        "lead_usd": gaps, "best_rival": rival, "whence_usd": parts, "cpu_s": dict(cpu),
    }  # fmt: skip


def _gaps(totals: pd.DataFrame, names: list[str]) -> dict[str, dict[str, list[float | None]]]:
    """The last policy's lead over each other, after and before overflow: [low, mean, high]."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for other in names[:-1]:
        for column in ("profit_usd", "before_overflow_usd"):
            gap = paired(totals, column, names[-1], other)
            base = totals[totals["policy"].astype("str") == other][column].mean()
            found.setdefault(other, {})[column] = gap.in_json
            sure = f"95 % interval {gap.low:,.0f} to {gap.high:,.0f}"
            if isnan(gap.low):
                sure = "one replication, no interval"
            CONSOLE.print(f"{names[-1]} less {other}, {column}: {gap.mean:+,.0f} "
                          f"({gap.mean / abs(base):+.1%}), {sure}")  # fmt: skip
    return found


def whence(ran: Ran, name: str, other: str) -> dict[str, list[float]]:
    """Of what the lead over a rival is made: parts of profit, lost sales by cause, and the items
    that lead or trail most: [rival, policy, difference], means over the replications."""
    rival = {table: frame[frame["policy"].astype("str") == other].assign(policy=name)
             for table, frame in ran.tables.items()}  # fmt: skip
    found: list[Effect] = [*whole_run(ran.tables, rival, name),
                           *item_effects(ran.tables, rival, name, ran.items)]  # fmt: skip
    shown = Table("of what", other, name, "difference", title=f"{name} less {other}")
    for effect in found:
        values = (effect.without, effect.changed, effect.difference)
        shown.add_row(effect.label, *(f"{value.mean:,.0f}" for value in values))
    CONSOLE.print(shown)
    return {effect.label: [effect.without.mean, effect.changed.mean, effect.difference.mean]
            for effect in found}  # fmt: skip


def _table(figures: dict[str, dict[str, Interval]], start: date, world: str) -> Table:
    table = Table("", *figures, title=f"M5, {world}: closed loop on held-out demand from {start}")
    for name in COLUMNS:
        cells = [values.get(name) for values in figures.values()]
        table.add_row(name, *(
            "–" if x is None else f"{x.mean:,.3f}" if isnan(x.half_width)
            else f"{x.mean:,.3f} ± {x.half_width:,.3f}"
            for x in cells
        ))  # fmt: skip
    return table


if __name__ == "__main__":
    main()
