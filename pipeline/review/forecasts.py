"""What the review says of the forecast itself: what moved it since yesterday, what did not fit."""

from __future__ import annotations

from typing import Any

import pandas as pd

WHOLE = "all"
FINDING_WORDS = {
    "spike": "one day far above its peak, kept out of learning",
    "level_up": "four weeks above the forecast's range",
    "level_down": "four weeks below the forecast's range",
}


def moved_forecasts(changes: pd.DataFrame, names: pd.Series, shown: int) -> list[dict[Any, Any]]:
    """The largest changes of expected demand, each with its drivers, the largest first."""
    text = changes.astype({"item_id": "str", "driver": "str"})
    whole = text[text["driver"] == WHOLE]
    size = whole["change_units"].abs()
    ranked = whole.assign(size=size).sort_values(["size", "item_id"], ascending=[False, True])
    rows: list[dict[Any, Any]] = ranked[ranked["size"] >= 0.5].head(shown).to_dict("records")
    for row in rows:
        row["item_name"] = names.get(row["item_id"], row["item_id"])
        row["drivers"] = moved_by(text[text["item_id"] == row["item_id"]])
    return rows


def moved_by(changes: pd.DataFrame) -> list[tuple[str, float]]:
    """What moved one item's forecast, in units, the largest first; [] where it is not explained."""
    own = changes[(changes["driver"] != WHOLE) & (changes["change_units"].abs() >= 0.5)]
    own = own.assign(size=own["change_units"].abs()).sort_values(
        ["size", "driver"], ascending=[False, True]
    )
    return list(zip(own["driver"], own["change_units"], strict=True))


def revision_share(changes: pd.DataFrame) -> float:
    """Change of expected demand since yesterday, over all items without sign, as a share of it."""
    whole = changes[changes["driver"].astype("str") == WHOLE]
    before = float(whole["previous_mean_units"].sum())
    return float(whole["change_units"].abs().sum()) / before if before > 0 else float("nan")


def oddest_demand(findings: pd.DataFrame, names: pd.Series, shown: int) -> list[dict[Any, Any]]:
    """Spikes and breaks of level that are furthest from what was usual."""
    text = findings.astype({"item_id": "str", "region_id": "str", "finding": "str"})
    size = (text["observed_units"] - text["usual_units"]).abs()
    ranked = text.assign(size=size).sort_values(
        ["size", "item_id", "region_id", "finding_date"], ascending=[False, True, True, True]
    )
    rows: list[dict[Any, Any]] = ranked.head(shown).to_dict("records")
    for row in rows:
        row["item_name"] = names.get(row["item_id"], row["item_id"])
        row["words"] = FINDING_WORDS[row["finding"]]
    return rows
