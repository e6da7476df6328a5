"""How regions move together, from the published table of their rank correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.core.copula import Dependence


def dependence_of(dependence: pd.DataFrame, regions: list[str]) -> Dependence:
    """Rank correlations of the regions of 'all' items, or else the mean of the groups."""
    rows = dependence[dependence["item_group"].astype(str) == "all"]
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
