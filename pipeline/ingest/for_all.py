"""Rules of planners that act on every item or node: meant with a *, taken and told when blank.

A blank cell of an id means all of them. That is a wide rule by an easy slip, so `*` says it on
purpose, and a rule whose id was left blank is told with its name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.contracts.tables import Table
from pipeline.ingest.findings import Finding

ALL = "*"
_TABLES = ("overrides", "item_blocks")
_IDS = ("item_id", "node_id", "region_id")


def meant_for_all(
    typed: pd.DataFrame, table: Table, rows: Sequence[int] | npt.NDArray[np.integer]
) -> tuple[pd.DataFrame, list[Finding]]:
    """The table with every `*` of an id as null, and a finding where blanks reach further than
    anyone wrote: an item left blank, or the node of a rule about stock.

    rows: each row's number in the user's file.
    """
    if table.name not in _TABLES or typed.empty:
        return typed, []
    ids = [name for name in _IDS if name in typed]
    stars = {name: (typed[name].astype("object") == ALL).to_numpy(dtype=bool) for name in ids}
    blank = {name: typed[name].isna().to_numpy(dtype=bool) for name in ids}
    starred = {name: typed[name].astype("object").where(~stars[name], None) for name in ids}
    reach = {"item_id": blank["item_id"]}
    if table.name == "overrides":
        reach["item_id"] = blank["item_id"] & typed["item_group"].isna().to_numpy(dtype=bool)
        is_stock = typed["override_target"].astype("object") == "base_stock_units"
        reach["node_id"] = blank["node_id"] & is_stock.to_numpy(dtype=bool)
    names = typed[table.key[0]].astype("object").to_numpy()
    findings = []
    for name, mask in reach.items():
        at = np.flatnonzero(mask)
        if len(at):
            word = name.removesuffix("_id")
            findings.append(Finding(
                table.name, int(rows[at[0]]), name, f"is blank: the rule acts on every {word}",
                ", ".join(str(names[row]) for row in at[:5]),
                f"Name the {word}, or write * where every {word} is meant.", "warning",
                str(names[at[0]]), len(at),
            ))  # fmt: skip
    if not any(mask.any() for mask in stars.values()):
        return typed, findings
    return typed.assign(**starred), findings
