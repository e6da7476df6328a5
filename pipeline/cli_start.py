"""The commands that a project begins with: init and sample.

Parses, calls, prints, as `pipeline.cli` does, which registers them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.printing import console, plain


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to lay out; made if need be.")] = Path("."),
) -> None:
    """Lay out a project: settings, example tables, DAG files, container files. Overwrites nothing.

    Then, in that folder, the first plan: echelon run
    """
    from pipeline.contracts.docs import generated
    from pipeline.project import lay_out

    written = lay_out(folder, generated())
    tops = dict.fromkeys(name.split("/")[0] for name in written)
    for top in tops:
        count = sum(name.split("/")[0] == top for name in written)
        console.print(plain(f"  {top}" + (f"/  {count} files" if count > 1 else "")),
                      highlight=False)  # fmt: skip
    steps = ["echelon run", "echelon check --raw raw   (your own tables; docs/tables.md)"]
    if folder.resolve() != Path.cwd():
        steps.insert(0, f"cd {folder}")
    console.print(plain("Next: " + "\n      ".join(steps)), highlight=False, soft_wrap=True)


def sample(
    out: Annotated[Path, typer.Option("--out", help="Folder for the raw files.")],
    items: Annotated[int, typer.Option(min=1, help="Number of items.")] = 72,
    regions: Annotated[int, typer.Option(min=1, max=10, help="Number of regions.")] = 4,
    days: Annotated[int, typer.Option(min=60, help="Days of history.")] = 440,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another world.")] = 7,
) -> None:
    """Generate a realistic small world in the raw contract."""
    from pipeline.ingest.sample import SampleSize, write_sample

    write_sample(out, SampleSize(items=items, regions=regions, days=days), seed=seed)
    console.print(plain(f"Wrote {items} items x {regions} regions x {days} days to {out}"))
