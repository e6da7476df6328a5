"""What the command line prints with: consoles, other people's text as it is, progress.

Nothing here computes; only pipeline.cli uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table as RichTable
from rich.text import Text

from pipeline.progress import Lines, listening

if TYPE_CHECKING:
    from pipeline.contracts.settings import Settings
    from pipeline.runner import OnStage, StageRun
    from pipeline.simulate.loop import OnDay, SimulatedDay
    from pipeline.store import Store

console = Console()
errors = Console(stderr=True)


def plain(text: str) -> Text:
    """Text of others (names, reasons, paths) as it is: no markup, no commands to the terminal."""
    return Text("".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}"
                        for c in text))  # fmt: skip


@contextmanager
def day_progress(total: int) -> Iterator[OnDay]:
    """Progress of simulated days; yields what a run calls after each."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("preparing", total=total)

        def on_day(day: SimulatedDay) -> None:
            told = f"{day.policy} #{day.replication} {day.as_of}"
            bar.update(task, description=escape(told))
            bar.advance(task)

        yield on_day


@contextmanager
def progress(total: int) -> Iterator[OnStage]:
    """Progress of stages, and of long work in them; yields what the runner calls for each.

    Bars with share and time left on a terminal, now and then a plain line elsewhere.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
               TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("starting", total=total)
        doing = bar.add_task("", total=None, visible=False)

        def on_step(what: str, done: int, parts: int) -> None:
            bar.update(doing, description=f"  {what}", completed=done, total=parts,
                       visible=done < parts)  # fmt: skip

        def on_stage(name: str, day: date, run: StageRun | None) -> None:
            if run is None:
                bar.update(task, description=f"{day} {name}")
                return
            rows = ", ".join(f"{table} {count:,}" for table, count in run.rows.items())
            bar.console.print(
                f"{day} {name:<9} {run.wall_s:6.1f} s  cpu {run.cpu_s:6.1f} s  "
                f"peak {run.peak_gb:4.1f} GB  {rows}",
                highlight=False,
            )
            bar.advance(task)

        with listening(
            on_step if errors.is_terminal else Lines(lambda text: typer.echo(text, err=True))
        ):
            yield on_stage


def print_summary(store: Store, as_of: date, settings: Settings) -> None:
    """A night's totals, largest orders and places; says so if the night is not whole."""
    from pipeline.review.summary import night_summary  # noqa: PLC0415  imports pandas
    from pipeline.store import not_whole  # noqa: PLC0415  as above

    summary = night_summary(store, as_of, settings.review.largest_orders)
    totals = RichTable("figure", "value", title=f"Plan of {as_of}", title_justify="left")
    for name, value in summary.totals:
        totals.add_row(plain(name), plain(value))
    console.print(totals)
    orders = RichTable("units", "usd", "item", "why", title="Largest orders", title_justify="left")
    for order in summary.orders:
        orders.add_row(
            f"{order.units:,}", f"{order.cost_usd:,.0f}", plain(order.item),
            plain(order.sentence),
        )  # fmt: skip
    console.print(orders)
    console.print(plain(f"Tables: {store.root}/{as_of}/"), soft_wrap=True)
    report_file = store.address(as_of, "report", "report.html")
    console.print(plain(f"Report: {report_file}"), soft_wrap=True)
    if others := not_whole(store, as_of):
        errors.print(
            f"This night is not whole: {', '.join(others)} changed after, or were never part of, "
            f"its last finished run. Next: echelon run --as-of {as_of}.",
            style="bold red", markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def show_version(is_asked: bool) -> None:
    """Print the installed package's version and leave."""
    if is_asked:
        typer.echo(f"echelon {version('echelon')}")
        raise typer.Exit
