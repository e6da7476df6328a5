"""Solve published benchmark records with the project's own code and compare.

    python benchmarks/published.py ../shared/benchmarks/*.json [--json OUT]

One row for each quantity of each record. Exit code 1 if a record of confidence A or A− fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.records.checks import Report, Row
from benchmarks.records.families import check_files

MARKS = {True: "[green]pass", False: "[red]FAIL", None: "–"}


def main() -> int:
    """Read, solve, print, write; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the rows as JSON")
    arguments = parser.parse_args()
    progress = Console(stderr=True)
    report = check_files(
        arguments.files, lambda row: progress.print(f"{row.id} {row.quantity}", style="dim")
    )
    console = Console(width=200 if not sys.stdout.isatty() else None)
    console.print(_table(report.rows))
    console.print(_summary(report))
    if arguments.json:
        rows = [asdict(row) for row in report.rows]
        arguments.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return 1 if report.failures(("A", "A-")) else 0


def _table(rows: list[Row]) -> Table:
    table = Table(title="Published answers")
    for name in ("id", "quantity", "published", "ours", "rel. error", "tolerance"):
        table.add_column(name, justify="left" if name in ("id", "quantity") else "right")
    for name in ("", "conf.", "s", "note"):
        table.add_column(name)
    for row in rows:
        numbers = (row.published, row.ours)
        table.add_row(
            row.id,
            row.quantity,
            *("–" if x is None else f"{x:.8g}" for x in numbers),
            "–" if row.rel_error is None else f"{row.rel_error:.2e}",
            "–" if row.tolerance is None else f"{row.tolerance:.2e}",
            MARKS[row.ok],
            row.confidence,
            f"{row.seconds:.2f}",
            row.note,
        )
    return table


def _summary(report: Report) -> Table:
    table = Table(title="Rows by file and confidence")
    for name in ("file", "confidence", "pass", "fail", "nothing to compare", "seconds"):
        table.add_column(name, justify="left" if name == "file" else "right")
    keys = sorted({(row.file, row.confidence) for row in report.rows})
    for file, confidence in keys:
        rows = [r for r in report.rows if (r.file, r.confidence) == (file, confidence)]
        count = Counter(row.ok for row in rows)
        seconds = sum(row.seconds for row in rows)
        table.add_row(
            file,
            confidence,
            str(count[True]),
            str(count[False]),
            str(count[None]),
            f"{seconds:.1f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
