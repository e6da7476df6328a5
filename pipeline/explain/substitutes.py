"""What happens to an item's customers when it is out, as text."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.contracts.columns import LEAVES

SUBSTITUTE_TABLES = ("substitution", "first_choice", "assortment")
_LEAST = 0.005


def recaptured_by(substitution: pd.DataFrame, item_id: str) -> str:
    """Who wins an item's customers back, the likeliest first; '' if it is in no group.

    E.g. 'recaptured by ITEM-2 (41 %), ITEM-7 (12 %); 47 % leave (data say 80 % of this, …)'.
    """
    mine = substitution[substitution["item_id"].astype("str") == item_id]
    if mine.empty:
        return ""
    mine = mine.assign(to=mine["to_item_id"].astype("str"))
    mine = mine.sort_values(["probability", "to"], ascending=[False, True], kind="stable")
    likely = [
        f"{to} ({share:.0%})"
        for to, share in zip(mine["to"], mine["probability"], strict=True)
        if to != LEAVES and share >= _LEAST
    ]
    leaving = float(mine.loc[mine["to"] == LEAVES, "probability"].sum())
    data = float(mine["share_from_data"].iloc[0])
    if data < 0.05:
        source = "assumed, no stock-out has shown it yet"
    else:
        source = f"data say {data:.0%} of this, the rest is the usual"
    who = f"recaptured by {', '.join(likely)}; " if likely else ""
    return f"{who}{leaving:.0%} leave ({source})"


def substitutes(tables: Mapping[str, pd.DataFrame], item_id: str) -> str:
    """Lines on an item of a group: who recaptures, what it wins itself, the season's verdict."""
    if any(name not in tables for name in SUBSTITUTE_TABLES):
        return ""
    told = recaptured_by(tables["substitution"], item_id)
    if not told:
        return ""
    lines = [f"  when it is out: {told}"]
    first = tables["first_choice"]
    first = first[first["item_id"].astype("str") == item_id]
    if len(first):
        wanted, sold, won = (
            float(first[name].sum())
            for name in ("first_choice_units", "sold_units", "recaptured_units")
        )
        lines.append(
            f"  a day: {wanted:,.1f} wanted it first, {sold:,.1f} were sold, {won:,.1f} of them to "
            "customers who had wanted another"
        )
    verdict = tables["assortment"]
    verdict = verdict[verdict["item_id"].astype("str") == item_id]
    for row in verdict.to_dict("records"):
        carried = "carries it" if row["is_offered"] else "does not carry it"
        lines.append(
            f"  the best plan of a season {carried} ({row['assortment_reason']}); without it "
            f"${row['value_if_dropped_usd']:,.0f} less"
        )
    return "\n".join(lines)
