"""A small world for the optimizer: the sample's network, 60 items with known demand."""

from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import nbinom

from pipeline.contracts.columns import QUANTILE_COLUMNS, QUANTILE_LEVELS
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.ingest.network import load_network, network_tables

AS_OF = date(2026, 3, 1)
SETTINGS = Settings.model_validate({"optimize": {"scenarios": 128}, "run": {"threads": 1}})
START = pd.Timestamp("2020-01-01")


def tables(items: int = 60, storage: float = 1e6, inbound: float = 1e6) -> dict[str, pd.DataFrame]:
    """Every table that the stage reads; storage and inbound: capacity of each node."""
    rng = np.random.default_rng(0)
    net = network_tables(load_network("sample"))
    regions = net["regions"]["region_id"].tolist()
    ids = [f"ITEM-{i:03d}" for i in range(items)]
    price = np.round(rng.lognormal(2.5, 0.6, items), 2)
    item = pd.DataFrame(
        {
            "item_id": ids,
            "size_class": np.where(np.arange(items) % 5 == 0, "non_sortable", "sortable"),
            "unit_cube_cuft": rng.lognormal(-1.0, 0.7, items),
            "list_price_usd": price,
        }
    )
    vendors = pd.DataFrame(
        [(f"V{v}", name, cost * (0.6 + 0.02 * v), 7 + 7 * v)
         for v in range(2) for name, cost in zip(ids, price, strict=True)],
        columns=["vendor_id", "item_id", "unit_cost_usd", "quoted_lead_time_days"],
    ).assign(moq_units=1, case_pack_units=1)  # fmt: skip
    lead = (
        vendors.loc[vendors["vendor_id"] == "V0", ["vendor_id", "item_id"]]
        .merge(
            pd.DataFrame({"lead_time_days": [5, 9, 16], "probability": [0.5, 0.3, 0.2]}),
            how="cross",
        )
        .assign(sd_lead_time_days=4.2)
    )
    nodes = net["nodes"]["node_id"]
    amounts = {"storage_cuft": storage, "inbound_units_per_day": inbound}
    return {
        **net,
        "items": item,
        "vendor_items": vendors,
        "lead_times": lead,
        "demand_quantiles": _forecast(ids, regions, rng),
        "demand_dependence": pd.DataFrame(
            [("all", a, b, 0.3, 0.0) for a in regions for b in regions if a < b],
            columns=list(TABLES["demand_dependence"].columns),
        ),
        "prices": pd.DataFrame(
            {"item_id": ids, "region_id": regions[0], "start_date": START, "price_usd": price}
        ),
        "node_capacity": pd.DataFrame(
            [(node, name, START, amount) for node in nodes for name, amount in amounts.items()],
            columns=["node_id", "resource", "start_date", "capacity"],
        ),
        "stock": empty("stock"),
        "open_orders": empty("open_orders"),
        "open_transfers": empty("open_transfers"),
        "overrides": empty("overrides"),
    }


def empty(table: str) -> pd.DataFrame:
    """The table without rows."""
    return pd.DataFrame(
        {c: pd.Series([], dtype="datetime64[ns]" if "date" in c else object)
         for c in TABLES[table].columns}
    )  # fmt: skip


def _forecast(ids: list[str], regions: list[str], rng: np.random.Generator) -> pd.DataFrame:
    rate = rng.lognormal(-0.5, 1.0, (len(ids), 1)) * rng.dirichlet(np.full(len(regions), 9.0), 1)
    frames = []
    for days in (7, 14, 28, 56):
        mean = (rate * days).ravel()
        found = nbinom.ppf(np.array(QUANTILE_LEVELS), 2.0, 2.0 / (2.0 + mean[:, None]))
        frame = pd.DataFrame(found, columns=list(QUANTILE_COLUMNS))
        frame.insert(0, "item_id", np.repeat(ids, len(regions)))
        frame.insert(1, "region_id", np.tile(regions, len(ids)))
        frames.append(
            frame.assign(
                window_start_day=1, window_days=days, mean_units=mean, dependence_group="all"
            )
        )
    return pd.concat(frames)
