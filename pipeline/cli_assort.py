"""One-off decisions on an assortment from the command line: assort, assort-near, assort-catalog.

Parses, calls, prints, as `pipeline.cli` does, which registers it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from pipeline.printing import console, plain

ChoicesOption = Annotated[
    Path | None, typer.Option(help="CSV of recorded choices: occasion, item, chosen_units…")
]
LeaveOption = Annotated[
    float, typer.Option(min=0, max=1, help="Who leaves without the first choice, if unknown.")
]


def assort(
    products: Annotated[Path, typer.Argument(help="CSV: item, price_usd, unit_cost_usd, weight…")],
    customers: Annotated[float, typer.Option(help="Customers expected in the season.")],
    choices: ChoicesOption = None,
    leave_share: LeaveOption = 0.3,
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


def assort_near(
    products: Annotated[
        Path, typer.Argument(help="CSV: item, price_usd, unit_cost_usd, cube_cuft, weight…")
    ],
    customers: Annotated[float, typer.Option(help="Customers of the site in the season.")],
    patience: Annotated[
        float, typer.Option(min=0, max=1, help="Share who wait for the network's unit.")
    ] = 0.5,
    network_usd: Annotated[
        float, typer.Option(min=0, help="What a unit from the network costs more.")
    ] = 0.0,
    space_usd: Annotated[
        float, typer.Option(min=0, help="A cubic foot of the site for the season.")
    ] = 0.0,
    choices: ChoicesOption = None,
    leave_share: LeaveOption = 0.3,
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")] = Path("near.csv"),
) -> None:
    """Decide which products lie in a site near customers, and how many; others wait or turn.

    echelon assort-near products.csv --customers 300 --patience 0.6 --network-usd 1.5 --space-usd 2
    """
    from pipeline.assort.answer import Question
    from pipeline.assort.asked import read_choices
    from pipeline.assort.near import near
    from pipeline.assort.products import read_products

    read = read_products(products)
    known = read_choices(choices, read.items) if choices else None
    question = Question(customers, leave_share=leave_share)
    frame, plan = near(read, known, question, patience, network_usd, space_usd)
    frame.round(6).to_csv(out, index=False)
    shown = RichTable("item", "units at the site", "customers who wait", title="Near the customer")
    for row in frame.to_dict("records"):
        shown.add_row(plain(str(row["item"])), f"{row['near_units']:,}",
                      f"{row['waits_units']:,.1f}")  # fmt: skip
    console.print(shown)
    console.print(f"Profit of a season {plan.profit_usd:,.2f} usd, {plan.without_usd:,.2f} without "
                  f"stock at the site. Table: {out}", soft_wrap=True)  # fmt: skip


def assort_catalog(
    catalog: Annotated[
        Path, typer.Argument(help="CSV of this catalog: item, price_usd, unit_cost_usd, weight…")
    ],
    customers: Annotated[float, typer.Option(help="Customers expected in the season.")],
    past: Annotated[
        Path | None, typer.Option(help="CSV of past catalogs' products, same columns.")
    ] = None,
    later_products: Annotated[
        int, typer.Option(min=0, help="Products that later catalogs will offer.")
    ] = 0,
    leave_weight: Annotated[
        float, typer.Option(min=0, help="Weight of buying nothing, beside the products'.")
    ] = 1.0,
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")] = Path("catalog.csv"),
) -> None:
    """Decide what to accept of a vendor's catalog while others are still to come.

    echelon assort-catalog june.csv --past may.csv --later-products 40 --customers 500
    """
    from pipeline.assort.answer import Question
    from pipeline.assort.catalog import accepted
    from pipeline.assort.products import read_products

    before = read_products(past) if past else None
    frame, found = accepted(read_products(catalog), before, later_products, customers,
                            leave_weight, Question(customers).seed)  # fmt: skip
    frame.to_csv(out, index=False)
    shown = RichTable("item", "units", "if nothing came after", title="What to accept")
    for row in frame.to_dict("records"):
        shown.add_row(plain(str(row["item"])), f"{row['units']:,}", f"{row['alone_units']:,}")
    console.print(shown)
    console.print(f"Expected profit of the whole season {found.profit_usd:,.2f} usd. Table: {out}",
                  soft_wrap=True)  # fmt: skip
