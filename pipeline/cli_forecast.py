"""The command forecast-what-if: a promotion that nobody has planned yet.

Parses, calls, prints, as `pipeline.cli` does, which registers it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table as RichTable

from pipeline.contracts.settings import load_settings
from pipeline.errors import UsageError
from pipeline.printing import console, plain


def forecast_what_if(
    item: Annotated[str, typer.Argument(help="Item on promotion, as in the items table.")],
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Its first day.")],
    end: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Its last day.")],
    price: Annotated[float | None, typer.Option(min=0.01, help="Price then, USD.")] = None,
    event: Annotated[str | None, typer.Option(help="Event of the calendar that it is.")] = None,
    lift: Annotated[
        float | None, typer.Option(min=0.0, help="Its lift, in place of the model's.")
    ] = None,
    out: Annotated[str, typer.Option(help="Folder or s3:// address of the nights.")] = "data/runs",
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
) -> None:
    """Forecast an item as if it were on promotion: units, whom it takes from, the dip after."""
    from pipeline.forecast.model import Model
    from pipeline.forecast.what_if import Promotion, what_if
    from pipeline.stages import BY_NAME
    from pipeline.store import Night, Store

    if price is None and event is None and lift is None:
        raise UsageError("nothing is promoted. Next: give --price, --event or --lift.")
    store = Store(out)
    dates = store.dates("demand_quantiles")
    if not dates:
        raise UsageError(f"no night is forecast under {store.root}. Next: echelon run.")
    day = as_of.date() if as_of else dates[-1]
    used = store.read(day, "demand_quantiles", ["model_date"])["model_date"].max()
    night = Night(store, BY_NAME["forecast"], day, load_settings(None), None, used.date())
    found = what_if(
        night, Model.from_files(night.read_model()),
        Promotion(item, start.date(), end.date(), price, event, lift),
    )  # fmt: skip
    shown = found.windows.set_index("window").T
    table = RichTable("", *(str(name) for name in shown), title=plain(f"{item}, all regions"))
    for name, row in shown.iterrows():
        table.add_row(str(name), *(f"{value:,.1f}" for value in row))
    console.print(table)
    effects = found.effects
    console.print(plain(
        f"Of the gain, {effects.taken:.0%} comes from items of its group and {effects.dip:.0%} "
        f"is missed in the two weeks after ({effects.runs} past promotions of the group)."
    ))  # fmt: skip
    most = found.taken.sort_values(["units_taken", "item_id"], ascending=[False, True]).head(10)
    for row in most.itertuples(index=False):
        console.print(plain(
            f"  {row.item_id}: {row.units_taken:,.1f} of {row.units_without:,.1f} units"
        ))  # fmt: skip
