"""The labor page: what every node's next days ask of people, doors, carts, and what is scarce."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.contracts.settings import LaborSettings
from pipeline.load.charts import number
from pipeline.load.labor import extra_units, is_bought


def labor_page(plan: pd.DataFrame, nodes: pd.DataFrame, as_of: date, own: LaborSettings) -> str:
    """The page of labor_plan's rows: nodes in the order of what an hour more is worth."""
    names = dict(zip(nodes["node_id"].astype("str"), nodes["node_name"].astype("str"),
                     strict=True))  # fmt: skip
    parts = [
        _node(node, names.get(node, node), rows.sort_values("date", kind="stable"), own)
        for node, rows in plan.groupby(plan["node_id"].astype("str"), sort=True)
    ]
    parts.sort(key=lambda one: (-one["worth"], -one["hours"], one["node"]))
    environment = Environment(
        loader=PackageLoader("pipeline.load"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("labor.html.j2").render(
        as_of=as_of, nodes=parts, days=own.days, number=number, own=own,
        extra_units=extra_units(own),
        scarce=[one for one in parts if one["bought"]],
        near=[one for one in parts if one["worth"] > 0 and not one["bought"]],
        hours=sum(one["hours"] for one in parts),
        usd=sum(one["usd"] for one in parts),
    )  # fmt: skip


def _node(
    node: str, name: str, rows: pd.DataFrame, own: LaborSettings
) -> dict[str, Any]:  # fmt: skip
    """One node's days, and what stands out of them."""
    moved = rows["inbound_load_units"] + rows["outbound_load_units"]
    busiest = rows.loc[moved.idxmax()]
    worth = rows["shadow_usd_per_hour"]
    staffed, overtime = float(rows["staffed_hours"].sum()), float(rows["overtime_hours"].sum())
    return {
        "node": node, "name": name, "days": rows.to_dict("records"), "hours": staffed + overtime,
        "staffed": staffed, "overtime": overtime,
        "usd": staffed * own.wage_usd_per_hour + overtime * own.overtime_usd_per_hour,
        "into": float(rows["inbound_load_units"].sum()),
        "out": float(rows["outbound_load_units"].sum()),
        "busiest": busiest["date"], "busiest_units": float(moved.max()),
        "usual_units": float(moved.median()),
        "doors": int(rows["dock_doors"].max()), "carts": int(rows["carts"].max()),
        "worth": float(worth.max()), "bought": int(is_bought(rows, own).sum()),
    }  # fmt: skip
