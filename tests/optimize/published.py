"""The plan of all weeks as it was published."""

import numpy as np
import pandas as pd

from pipeline.core.serve import Placed
from pipeline.optimize.night_model import NightModel


def plan_of(model: NightModel, out: dict[str, pd.DataFrame]) -> Placed:
    """Levels and what they serve, from weekly_levels; nothing may come in early."""
    table = out["weekly_levels"]
    assert (table["entered_early_units"] == 0).all()
    items = len(model.cube.items)
    shape = (len(model.ahead), len(model.network.names))
    placed = Placed(
        np.zeros(shape, np.int32), np.zeros(shape),
        np.repeat(model.ahead.week, shape[1] * model.network.woods.depth).reshape(
            *shape, model.network.woods.depth
        ),
    )  # fmt: skip
    week = pd.Index(pd.to_datetime(model.capacity.week_start)).get_indexer(table["week_start"])
    k = pd.Index(model.cube.items).get_indexer(table["item_id"].astype(str))
    j = pd.Index(model.network.names).get_indexer(table["node_id"].astype(str))
    row = week * items + k
    placed.position[row, j] = table["base_stock_units"]
    placed.served[row, j] = table["served_units"] / model.ahead.turn[row]
    return placed
