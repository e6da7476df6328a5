"""How regions move together, from the published table of their rank correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.contracts.columns import DEPENDENCE_GROUPS
from pipeline.core.copula import Dependence

EVERY = DEPENDENCE_GROUPS[0]


def dependence_of(dependence: pd.DataFrame, regions: list[str], group: str = EVERY) -> Dependence:
    """Rank correlations of the regions of a group's items; of all where it has none, or else the
    mean of the groups."""
    named = dependence["item_group"].astype(str)
    rows = dependence[named == (group if (named == group).any() else EVERY)]
    rows = rows if len(rows) else dependence
    pairs = rows.groupby(
        [rows["region_id"].astype(str), rows["other_region_id"].astype(str)]
    )["rank_correlation"].mean()  # fmt: skip
    matrix = np.eye(len(regions))
    place = {name: i for i, name in enumerate(regions)}
    for (one, other), value in pairs.items():
        if one in place and other in place and one != other:
            matrix[place[one], place[other]] = matrix[place[other], place[one]] = value
    growth = float(rows["correlation_growth"].mean()) if len(rows) else 0.0
    return Dependence(matrix, growth)
