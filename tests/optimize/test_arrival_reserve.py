"""Claims about the inbound capacity that is kept free."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from pipeline.optimize.arrival_reserve import reserve_units
from pipeline.optimize.night_model import night_model
from tests.optimize.world import AS_OF, SETTINGS, tables


def reserved(raw: dict[str, pd.DataFrame], weekly: float = 100.0) -> pd.Series:
    model = night_model(raw, AS_OF, SETTINGS)
    flow = np.full(model.unpriced.shape, weekly)
    found = reserve_units(model.network, model.money, model.cube.items, raw, flow, SETTINGS)
    return pd.Series(found, index=model.network.names)


def test_room_is_kept_where_vendors_deliver_and_only_there():
    raw = tables(items=10)
    direct = raw["nodes"].set_index("node_id")["is_vendor_receiving"]
    kept = reserved(raw)
    assert (kept[direct[direct].index] > 0).any()
    assert (kept[direct[~direct].index] == 0).all()


def test_vendors_that_keep_their_days_need_no_room():
    raw = tables(items=10)
    raw["lead_times"] = raw["lead_times"].assign(sd_lead_time_days=0.0)
    raw["vendor_items"] = raw["vendor_items"][raw["vendor_items"]["vendor_id"] == "V0"]
    assert (reserved(raw) == 0).all()


def test_larger_cases_and_dearer_overflow_need_more_room():
    raw = tables(items=10)
    usual = reserved(raw)
    coarse = {**raw, "vendor_items": raw["vendor_items"].assign(case_pack_units=500)}
    assert reserved(coarse).sum() > 1.2 * usual.sum()


def test_the_chance_of_overflow_costs_what_serving_from_elsewhere_does():
    """By hand for a node that receives for its subtree alone."""
    raw = tables(items=10)
    model = night_model(raw, AS_OF, SETTINGS)
    network = model.network
    direct = network.nodes["is_vendor_receiving"].to_numpy(bool)
    node = (
        int(np.flatnonzero(direct & (network.parent >= 0))[0])
        if (direct & (network.parent >= 0)).any()
        else int(np.flatnonzero(direct)[0])
    )
    gaps = [network.gap_usd[t, 4, home[node]] for t, home in enumerate(network.woods.home)
            if home[node] >= 0]  # fmt: skip
    chance = min(max(max(gaps) / SETTINGS.optimize.flow_overflow_usd_per_unit, 0.01), 0.5)
    double = SETTINGS.optimize.model_copy(
        update={"flow_overflow_usd_per_unit": 2 * SETTINGS.optimize.flow_overflow_usd_per_unit}
    )
    flow = np.full(model.unpriced.shape, 100.0)
    found = [
        reserve_units(network, model.money, model.cube.items, raw, flow,
                      SETTINGS.model_copy(update={"optimize": given}))[node]
        for given in (SETTINGS.optimize, double)
    ]  # fmt: skip
    wanted = norm.ppf(1 - max(chance / 2, 0.01)) / norm.ppf(1 - chance)
    assert found[1] / found[0] == pytest.approx(wanted)
