"""Page *Projection*: the coming weeks of the network, a category, a vendor or a tier."""

from __future__ import annotations

from typing import Any

from pipeline.desk.tables import NightTables

_DRAWN = ("week", "low_value", "median_value", "high_value")


def projection_page(night: NightTables, by: str, group: str, measure: str) -> dict[str, Any]:
    """`rows`: measures by week of one group; `drawn`: the weeks of one measure; `choices`."""
    choices = night.rows(
        "select distinct projected_by, projected_group from projection order by "
        "projected_by <> 'network', projected_by, projected_group", (), "projection",
    )  # fmt: skip
    known = {(row["projected_by"], row["projected_group"]) for row in choices}
    if (by, group) not in known:
        by, group = "network", "all"
    cells = night.rows(
        "select *, cast(week_start as varchar) as week from projection where projected_by = ? "
        "and projected_group = ? order by measure, week_start", [by, group], "projection",
    )  # fmt: skip
    measures: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        measures.setdefault(cell["measure"], []).append(cell)
    if measure not in measures:
        measure = next(iter(measures), "")
    return {
        "choices": choices, "by": by, "group": group, "measure": measure, "measures": measures,
        "weeks": sorted({cell["week"] for cell in cells}),
        "drawn": [{name: cell[name] for name in _DRAWN} for cell in measures.get(measure, [])],
    }  # fmt: skip
