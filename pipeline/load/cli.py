"""`echelon load …`: train, plan, labor, track and game days. Parses, calls, prints."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

load_app = typer.Typer(no_args_is_help=True, help="Peak load: forecasts, capacity, game days.")
console = Console()

RawOption = Annotated[Path, typer.Option("--raw", help="Folder with load_series and the like.")]
OutOption = Annotated[str, typer.Option("--out", help="Folder or s3:// address of the tables.")]
AsOfOption = Annotated[
    datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date.")
]
SettingsOption = Annotated[Path | None, typer.Option("--settings", help="YAML settings file.")]


def _run(name: str, raw: Path, out: str, as_of: datetime, settings: Path | None) -> None:
    from pipeline.contracts.settings import load_settings
    from pipeline.load.stage import run_load_plan, run_load_stage
    from pipeline.store import Store

    place = (Store(out), raw, load_settings(settings), as_of.date())
    rows = run_load_plan(*place) if name == "load_plan" else run_load_stage(*place, name)
    for table, count in rows.items():
        console.print(f"{table}: {count:,} rows", highlight=False)


@load_app.command()
def train(
    raw: RawOption, as_of: AsOfOption, out: OutOption = "data/runs", settings: SettingsOption = None
) -> None:
    """Weekly: findings in the series and the scores of their backtests."""
    _run("load_train", raw, out, as_of, settings)


@load_app.command()
def plan(
    raw: RawOption, as_of: AsOfOption, out: OutOption = "data/runs", settings: SettingsOption = None
) -> None:
    """Nightly: forecasts from weeks to single intervals, capacity orders, the report.

    echelon load plan --raw load/ --as-of 2025-11-20 --out plans
    """
    from pipeline.store import Store

    _run("load_plan", raw, out, as_of, settings)
    console.print(f"Report: {Store(out).address(as_of.date(), 'load_report', 'report.html')}",
                  soft_wrap=True)  # fmt: skip


@load_app.command()
def labor(
    as_of: AsOfOption,
    out: OutOption = "data/runs",
    settings: SettingsOption = None,
    capacity_file: Annotated[
        Path | None,
        typer.Option("--capacity", help="Write the planned node_capacity rows to this CSV file."),
    ] = None,
) -> None:
    """After a night: hours, doors and carts by node, and overtime where it pays."""
    from pipeline.contracts.settings import load_settings
    from pipeline.load.labor import planned_node_capacity
    from pipeline.store import Store

    _run("load_labor", Path(out), out, as_of, settings)
    store, day = Store(out), as_of.date()
    plan = store.read(day, "labor_plan")
    shown = Table("node", "units in", "units out", "hours", "overtime", "worth of an hour USD")
    for node, own in plan.groupby(plan["node_id"].astype("str"), sort=True):
        shown.add_row(
            str(node), f"{own['inbound_load_units'].sum():,.0f}",
            f"{own['outbound_load_units'].sum():,.0f}", f"{own['staffed_hours'].sum():,.0f}",
            f"{own['overtime_hours'].sum():,.0f}", f"{own['shadow_usd_per_hour'].max():,.2f}",
        )  # fmt: skip
    console.print(shown)
    if capacity_file:
        rows = planned_node_capacity(
            plan, store.read(day, "node_capacity"), load_settings(settings).load.labor
        )
        rows.to_csv(capacity_file, index=False)
        console.print(f"{len(rows)} rows of node_capacity: {capacity_file}")
    console.print(f"Report: {store.address(day, 'labor_report', 'report.html')}", soft_wrap=True)


@load_app.command()
def track(
    raw: RawOption,
    series: Annotated[str, typer.Option(help="Series to follow.")],
    event: Annotated[str, typer.Option(help="Event to follow, as in load_events.")],
    as_of: AsOfOption,
    out: OutOption = "data/runs",
    capacity: Annotated[float, typer.Option(help="Load per interval that must not be passed.")] = (
        float("inf")
    ),
    every: Annotated[int, typer.Option(min=1, help="Intervals between two lines.")] = 1,
) -> None:
    """Follow an event against the plan of --as-of: actuals are read from load_series as they are.

    Run it again when new rows have come; on a past event it replays interval by interval.
    """
    from pipeline.load.following import follow
    from pipeline.store import Store

    steps = follow(Store(out), raw, series, event, as_of.date(), capacity, every)
    shown = Table("at", "of forecast", "still to come", "peak", "peak at", "over capacity", "alarm")
    for step in steps:
        shown.add_row(f"{step.at:%m-%d %H:%M}", f"{step.ratio:.0%}", f"{step.remaining_load:,.0f}",
                      f"{step.peak:,.0f}", f"{step.peak_time:%m-%d %H:%M}",
                      f"{step.chance_over:.0%}", step.alarm)  # fmt: skip
    console.print(shown)
    page = Store(out).path(as_of.date(), "load_tracking", "report.html")
    console.print(f"Page: {page}", soft_wrap=True)


@load_app.command("gameday-plan")
def gameday_plan(
    raw: RawOption, as_of: AsOfOption, out: OutOption = "data/runs", settings: SettingsOption = None
) -> None:
    """Write the script of a game day: the busiest day of the next fortnight, minute by minute."""
    _run("game_day", raw, out, as_of, settings)


@load_app.command("gameday-run")
def gameday_run(
    target: Annotated[str, typer.Option(help="http://host:port; loopback unless allowed.")],
    as_of: AsOfOption,
    out: OutOption = "data/runs",
    first_minute: Annotated[int, typer.Option(min=0, help="First minute of the script.")] = 0,
    minutes: Annotated[int, typer.Option(min=1, help="Minutes to replay.")] = 60,
    share: Annotated[float, typer.Option(min=1e-6, max=100, help="Share of the load.")] = 1.0,
    speed: Annotated[float, typer.Option(min=0.1, help="Script minutes in a minute.")] = 1.0,
    most_requests: Annotated[int, typer.Option(min=1)] = 1_000_000,
    most_seconds: Annotated[float, typer.Option(min=1)] = 3600.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="Host allowed by name.")] = None,
    raw: Annotated[Path | None, typer.Option(help="Folder whose service_throughput learns "
                                             "what was measured.")] = None,
    service: Annotated[str, typer.Option(help="Service that was measured.")] = "",
    servers: Annotated[float, typer.Option(help="Standard servers that it stood on.")] = 1.0,
) -> None:  # fmt: skip
    """Replay the script against a target, open loop, and tell what gave in first.

    With --raw, --service and --servers the next capacity order uses what was measured.
    """
    import numpy as np

    from pipeline.load.fire import Limits
    from pipeline.load.following import publish_result, write_throughput
    from pipeline.load.rehearsal import rehearse
    from pipeline.store import Store

    store, day = Store(out), as_of.date()
    script = store.read(day, "gameday_plan")
    last = first_minute + minutes
    script = script[(script["minute"] >= first_minute) & (script["minute"] < last)].copy()
    script["minute"] -= first_minute
    script["planned_requests"] = np.round(script["planned_requests"] * share).astype("int64")
    limits = Limits(most_requests, most_seconds, tuple(allow_host or ()))
    found = rehearse(script, target, limits, 60.0 / speed)
    publish_result(store, day, found.result)
    sent, planned = found.result["sent_requests"].sum(), found.result["planned_requests"].sum()
    console.print(f"Sent {sent:,} of {planned:,} planned requests, "
                  f"{found.throughput_per_second:,.0f} answered a second.")  # fmt: skip
    if found.first_saturated:
        console.print(f"First to saturate: {found.first_saturated}, in minute "
                      f"{found.saturated_minute}.")  # fmt: skip
    if raw is not None:
        path = write_throughput(raw, service, servers, found.sustained_per_second, day)
        console.print(f"{found.sustained_per_second / servers:,.1f} visits a second and server: "
                      f"{path}", soft_wrap=True)  # fmt: skip
    if found.was_broken_off:
        console.print(f"Broken off: {found.was_broken_off}.")
