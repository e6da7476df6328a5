"""The command that recomputes a night's certificate: certify.

Parses, calls, prints, as `pipeline.cli` does, which registers it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table as RichTable

from pipeline.errors import UsageError
from pipeline.printing import console, plain

if TYPE_CHECKING:
    from pipeline.certify.report import Certificate


def certify(
    out: Annotated[str, typer.Option("--out", help="Folder or s3:// address of the nights.")] = (
        "data/runs"
    ),
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Night; default: the newest planned."),
    ] = None,
    to: Annotated[Path | None, typer.Option("--json", help="JSON to write, too.")] = None,
) -> None:  # fmt: skip
    """Recompute a night's lower bound, cost and use of capacity from its published tables alone.

    echelon certify --out data/runs --as-of 2026-03-01 --json certificate.json

    Ends with exit code 1 if the tables do not bear out what was published.
    """
    from pipeline.certify.report import READS, certify
    from pipeline.store import Store

    store = Store(out)
    dates = store.dates("problem_items")
    if as_of is None and not dates:
        raise UsageError(
            f"no night under {store.root} publishes what a certificate is recomputed from. "
            "Next: echelon run."
        )
    day = as_of.date() if as_of is not None else dates[-1]
    found = certify({name: store.read(day, name) for name in READS})
    if to is not None:
        words = {"as_of": day.isoformat(), "sentence": found.sentence, **asdict(found)}
        to.write_text(json.dumps(words, indent=1) + "\n")
    _print(found, day.isoformat())
    if found.findings:
        raise typer.Exit(1)


def _print(found: Certificate, day: str) -> None:
    table = RichTable(title=f"Certificate of {day}, recomputed from published tables")
    for name in ("figure", "unit", "published", "recomputed"):
        table.add_column(name, justify="left" if name in ("figure", "unit") else "right")
    for one in found.figures:
        form = ",.2f" if one.unit == "usd" else ",.3g"
        published = "" if one.published is None else format(one.published, form)
        table.add_row(one.name, one.unit, published, format(one.recomputed, form))
    console.print(table)
    console.print(plain(found.sentence), soft_wrap=True)
    for note in found.notes:
        console.print(plain(note), soft_wrap=True)
    console.print(plain("Not covered:"))
    for gap in found.uncovered:
        share = "unmeasured" if gap.share is None else f"{100 * gap.share:.2f} %"
        console.print(plain(f"  {gap.name}: {share}; {gap.words}"), soft_wrap=True)
    if found.findings:
        console.print(plain("The tables do not bear out what was published:"), style="bold red")
        for line in found.findings:
            console.print(plain(f"  - {line}"), soft_wrap=True)
    else:
        console.print(plain("The tables bear out what was published."))
