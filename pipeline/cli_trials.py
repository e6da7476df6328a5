"""The commands that try plans out: simulate, and lab design | assign | night | read.

Parses, calls, prints, as `pipeline.cli` does, which registers them.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table as RichTable

from pipeline.printing import console, day_progress, plain
from pipeline.project import given_or_shipped, project_file

if TYPE_CHECKING:
    from pipeline.simulate.labs.plan import LabPlan
    from pipeline.store import Store

lab = typer.Typer(
    no_args_is_help=True,
    help="Try two settings files on items side by side (docs/labs.md).",
)

PlanOption = Annotated[Path, typer.Option("--lab", help="A file such as configs/labs/cover.yaml.")]
StoreOption = Annotated[str, typer.Option("--out", help="Folder or s3:// address of the nights.")]
OutcomesOption = Annotated[
    Path | None,
    typer.Option(help="CSV or Parquet of item_id, week_start (or date), profit_usd, guard figures; "
                 "default: the nights of --out."),
]  # fmt: skip
ItemsOption = Annotated[
    Path | None, typer.Option(help="CSV or Parquet of items; default: those of the nights.")
]


def simulate(
    scenario: Annotated[
        list[Path],
        typer.Option(help="A file such as configs/scenarios/baseline.yaml; may be repeated."),
    ],
    compare: Annotated[
        str, typer.Option(help="Policies, by commas: names or module:Class (docs/policies.md).")
    ] = "echelon,base_stock,drp,weeks_of_supply",
    policy: Annotated[
        list[str] | None, typer.Option(help="One more policy, module:Class; may be repeated.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days to simulate. Default: the scenario's.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder; a run in it is resumed.")] = Path(
        "data/runs/simulations"
    ),
    bound: Annotated[bool, typer.Option(help="Compute the clairvoyant bound.")] = True,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that run side by side.")] = 1,
    forecasts: Annotated[
        str, typer.Option(help="own: each run's; stored: shared, for a first look.")
    ] = "",
    tune_weeks: Annotated[
        int, typer.Option(min=0, help="Tune the rules on so many weeks before the scenario.")
    ] = 0,
    items: Annotated[
        int | None,
        typer.Option(min=1, help="So many items, drawn by key. Default: the scenario's."),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="Settings file, laid over those of the scenario.")
    ] = None,
) -> None:
    """Compare policies in a simulated world that answers the nightly plan, with a report.

    echelon simulate --scenario configs/scenarios/one_day_promise.yaml --days 28 --out sim
    """
    from pipeline.errors import UsageError
    from pipeline.simulate.scenarios.scenario import laid_over, load_scenario
    from pipeline.simulate.stage import run_scenarios
    from pipeline.simulate.tune import tune
    from pipeline.store import Store

    if forecasts not in ("", "own", "stored"):
        raise UsageError(f"--forecasts {forecasts} is neither own nor stored. Next: choose one.")
    asked = {"forecasts": forecasts or None, "days": days, "items": items}
    names = [name.strip() for name in compare.split(",") if name.strip()] + (policy or [])
    chosen = []
    for path in scenario:
        one = laid_over(load_scenario(given_or_shipped(path)), asked, settings)
        if tune_weeks:
            tuned = tune(one, names, tune_weeks, out / f"{one.name}_tuning")
            one = one.model_copy(update={"policies": {**one.policies, **tuned}})
            console.print(f"Tuned on the {tune_weeks} weeks before {one.name}: {tuned}")
        chosen.append(one)
    total = sum(one.days * one.replications for one in chosen) * len(names)
    with day_progress(total) as on_day:
        ran = run_scenarios(chosen, names, out, bound, on_day, jobs)
    for run in ran:
        _print_totals(run.scenario.name, run.tables["simulated_totals"])
        results = Store(out / run.scenario.name / "results")
        address = results.address(run.scenario.start, "simulation_report", "report.html")
        console.print(plain(f"Report: {address}"), soft_wrap=True)
    if len(ran) > 1:
        console.print(plain(f"Side by side: {out / 'scenarios.html'}"), soft_wrap=True)


def _print_totals(name: str, totals: Any) -> None:
    from pipeline.simulate.report.intervals import summary

    shown = RichTable("policy", "profit USD", "± 95 %", "of clairvoyant", "in stock", "kept",
                      "lost units", "overflow USD", "refused lines", title=name)  # fmt: skip
    columns = ["profit_usd", "share_of_clairvoyant", "in_stock_rate", "kept_share", "lost_units",
               "overflow_usd", "refused_lines"]  # fmt: skip
    for policy, figures in summary(totals, columns).items():
        share = figures.get("share_of_clairvoyant")
        shown.add_row(
            plain(policy), f"{figures['profit_usd'].mean:,.0f}",
            f"{figures['profit_usd'].half_width:,.0f}",
            "–" if share is None else f"{share.mean:.1%}", f"{figures['in_stock_rate'].mean:.1%}",
            f"{figures['kept_share'].mean:.1%}", f"{figures['lost_units'].mean:,.0f}",
            f"{figures['overflow_usd'].mean:,.0f}", f"{figures['refused_lines'].mean:,.0f}",
        )  # fmt: skip
    console.print(shown)


@lab.command()
def design(
    plan: PlanOption, out: StoreOption = "data/runs", outcomes: OutcomesOption = None,
    items: ItemsOption = None,
) -> None:  # fmt: skip
    """Tell what the lab would find: its chance, and the pairs and the change it is good for."""
    from pipeline.simulate.labs.stage import design_lab

    chosen, store = _open(plan, out)
    found = design_lab(chosen, store, outcomes, items)
    needed = "more than 100,000" if found.pairs_needed is None else f"{found.pairs_needed:,}"
    for line in (
        f"{chosen.name}: {chosen.question}",
        f"{found.pairs:,} pairs of clusters over {chosen.weeks} weeks find {chosen.lift:+.1%} with "
        f"a chance of {found.chance:.0%}; {needed} pairs would with 80 %.",
        f"With 80 % they find {found.least_lift:.2%} and more.",
    ):  # fmt: skip
        console.print(plain(line), highlight=False, soft_wrap=True)


@lab.command()
def assign(
    plan: PlanOption, out: StoreOption = "data/runs", outcomes: OutcomesOption = None,
    items: ItemsOption = None,
) -> None:  # fmt: skip
    """Throw the coins, once, and store which item is in which arm."""
    from pipeline.simulate.labs.stage import assign_lab

    chosen, store = _open(plan, out)
    frame = assign_lab(chosen, store, outcomes, items)
    counts = frame["arm"].astype("str").value_counts().sort_index()
    console.print(", ".join(f"{arm}: {count:,} items" for arm, count in counts.items()))
    console.print(f"Table: {store.path(chosen.start, 'lab_assignment')}", soft_wrap=True)


@lab.command()
def night(
    plan: PlanOption,
    as_of: Annotated[datetime, typer.Option("--as-of", formats=["%Y-%m-%d"])],
    raw: Annotated[
        Path | None, typer.Option("--raw", help="Folder of raw files. Default: data/sample.")
    ] = None,
    dataset: Annotated[str, typer.Option(help="sample, m5 or raw.")] = "raw",
    out: StoreOption = "data/runs",
) -> None:
    """Plan one business date by arm: each item is ordered and moved as its arm's settings say."""
    from pipeline.simulate.labs.stage import lab_night
    from pipeline.store import Source

    chosen, store = _open(plan, out)
    routed = lab_night(
        chosen, store, Source(dataset, raw or project_file("data/sample")), as_of.date()
    )
    console.print(", ".join(f"{arm}: {n:,} order lines" for arm, n in routed.lines.items()))
    if routed.small_vendors:
        console.print(f"Below their least order: {', '.join(routed.small_vendors)}")


@lab.command()
def read(plan: PlanOption, out: StoreOption = "data/runs", outcomes: OutcomesOption = None) -> None:
    """Say what the lab has shown so far, and write the verdict page."""
    from pipeline.simulate.labs.page import advice
    from pipeline.simulate.labs.stage import read_lab

    chosen, store = _open(plan, out)
    looks, guards = read_lab(chosen, store, outcomes)
    shown = RichTable("after week", "profit, B against A", "from", "to", "z", "needed", "verdict",
                      title=chosen.name)  # fmt: skip
    for look in looks:
        shown.add_row(f"{look.week} of {chosen.weeks}", f"{look.verdict.lift:+.2%}",
                      f"{look.low:+.2%}", f"{look.high:+.2%}", f"{look.z:.2f}",
                      f"{look.bound:.2f}", look.decision)  # fmt: skip
    console.print(shown)
    for guard in guards:
        state = "broken" if guard.is_broken else "held"
        console.print(f"{guard.name}: {guard.verdict.lift:+.2%}, may fall by {guard.allowed:.2%}: "
                      f"{state}", highlight=False)  # fmt: skip
    console.print(advice(looks[-1], guards), highlight=False)
    path = store.address(chosen.start, "lab_verdict", "verdict.html")
    console.print(plain(f"Page: {path}"), soft_wrap=True)


def _open(plan: Path, out: str) -> tuple[LabPlan, Store]:
    """The lab's declaration and the store in which the lab keeps its nights and tables."""
    from pipeline.simulate.labs.plan import load_lab
    from pipeline.store import Store

    return load_lab(plan), Store(out)
