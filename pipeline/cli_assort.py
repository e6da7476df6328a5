"""A one-off decision on an assortment from the command line: assort.

Parses, calls, prints, as `pipeline.cli` does, which registers it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from pipeline.printing import console, plain


def assort(
    products: Annotated[Path, typer.Argument(help="CSV: item, price_usd, unit_cost_usd, weight…")],
    customers: Annotated[float, typer.Option(help="Customers expected in the season.")],
    choices: Annotated[
        Path | None, typer.Option(help="CSV of recorded choices: occasion, item, chosen_units…")
    ] = None,
    leave_share: Annotated[
        float, typer.Option(min=0, max=1, help="Who leaves without the first choice, if unknown.")
    ] = 0.3,
    dispersion: Annotated[
        float, typer.Option(min=1, help="Variance of the number of customers over its mean.")
    ] = 1.0,
    most_items: Annotated[int | None, typer.Option(min=1, help="Carry no more items.")] = None,
    space: Annotated[float | None, typer.Option(min=0, help="Cubic feet that there are.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for tables and report.")] = Path(
        "data/assortment"
    ),
) -> None:
    """Decide which products to carry and how many, when customers take another or leave.

    echelon assort products.csv --customers 500 --choices choices.csv --out answer
    """
    from pipeline.assort.answer import Question, answer
    from pipeline.assort.asked import read_choices
    from pipeline.assort.products import read_products
    from pipeline.assort.report import write_answer

    read = read_products(products)
    known = read_choices(choices, read.items) if choices else None
    question = Question(customers, dispersion, leave_share, most_items, space)
    found = answer(read, known, question)
    files = write_answer(found, out)
    shown = RichTable("item", "units", "sold", "adds usd", "taken from others", "why",
                      title="What to carry")  # fmt: skip
    for row in found.plan[found.plan["units"] > 0].to_dict("records"):
        shown.add_row(
            plain(str(row["item"])), f"{row['units']:,}", f"{row['sold_units']:,.1f}",
            f"{row['value_if_dropped_usd']:,.2f}", f"{row['taken_from_others_units']:,.1f}",
            plain(str(row["reason"])),
        )  # fmt: skip
    console.print(shown)
    console.print(
        f"Profit of a season {found.profit_usd:,.2f} usd; without substitution in mind "
        f"{found.first_choice_usd:,.2f}; no plan can earn more than {found.bound.upper_usd:,.2f}."
    )
    for note in found.notes:
        console.print(plain(note), soft_wrap=True)
    console.print(f"Report: {files[0]}", soft_wrap=True)
