import numpy as np
import pandas as pd
import pytest

from pipeline.group_panels import group_panels, without_recaptured

DAYS = pd.date_range("2025-01-01", periods=200)


@pytest.fixture(scope="module")
def demand() -> pd.DataFrame:
    """b sells 4 a day, and 3 more while a is out; c, in no group, sells 2."""
    random = np.random.default_rng(5)
    rows = []
    for d, day in enumerate(DAYS):
        is_out = d % 50 < 10
        for item, rate in (("a", 0 if is_out else 6), ("b", 7 if is_out else 4), ("c", 2)):
            share = 0.0 if item == "a" and is_out else 1.0
            rows.append((item, "east", day, int(random.poisson(rate)), share))
    return pd.DataFrame(rows, columns=["item_id", "region_id", "date", "units", "in_stock_share"])


GROUPS = pd.DataFrame({"item_id": ["a", "b"], "choice_group": "g"})


def test_without_groups_demand_is_the_same_object(demand: pd.DataFrame) -> None:
    assert without_recaptured(demand, GROUPS.iloc[:0], 30.0) is demand


def test_what_was_sold_to_customers_of_another_item_is_not_its_demand(demand: pd.DataFrame) -> None:
    found = without_recaptured(demand, GROUPS, 30.0)
    day = (found["date"] - DAYS[0]).dt.days % 50
    mean = found.assign(is_out=day < 10).groupby(["item_id", "is_out"])["units"].mean()
    assert demand.loc[(demand["item_id"] == "b") & (day < 10), "units"].mean() > 6.5
    assert mean["b", True] == pytest.approx(4.0, abs=0.5)
    assert mean["b", False] == pytest.approx(4.0, abs=0.4)
    before = demand[demand["item_id"] == "c"]["units"].to_numpy()
    assert (found[found["item_id"] == "c"]["units"].to_numpy() == before).all()


def test_an_item_is_not_on_offer_before_its_launch(demand: pd.DataFrame) -> None:
    late = demand[(demand["item_id"] != "b") | (demand["date"] >= DAYS[100])]
    (panel,) = group_panels(GROUPS, late, ["east"])
    assert panel.items == ["a", "b"]
    assert not panel.in_stock[0, :100, 1].any()
    assert panel.in_stock[0, 100:, 1].all()
    assert np.isfinite(panel.units).all()
