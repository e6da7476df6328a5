"""Product lines with different columns in one model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.forecast import stage
from pipeline.forecast import train as train_stage
from pipeline.forecast.assemble import Assembled, Names, assemble
from pipeline.forecast.attributes import attribute_matrix, attributes_of
from pipeline.forecast.explanation import daily_drivers
from pipeline.forecast.features import FEATURES
from pipeline.forecast.mean import daily_mean
from pipeline.forecast.model import Model
from pipeline.forecast.panel import totals
from pipeline.forecast.train import train
from pipeline.forecast.windows import day_features, foresee
from tests.forecast.conftest import FIRST
from tests.forecast.test_model import FakeNight

ITEMS, DAYS, AHEAD = 72, 420, 28
REGIONS = ["east", "west"]


@pytest.fixture(scope="module")
def lines() -> Mapping[str, pd.DataFrame]:
    """Toys have a column of their own: large ones sell 2 units a day, small ones 10.

    Tools sell 5 units a day and record their weight instead, which means nothing. Items are
    launched all the time; a third of them tomorrow, of whose sales only the column tells.
    """
    random = np.random.default_rng(3)
    dates = pd.date_range(FIRST, periods=DAYS + AHEAD)
    launch = np.where(np.arange(ITEMS) % 3 == 0, DAYS, np.arange(ITEMS) * 37 % 350 + 1)
    rate = np.where(np.arange(ITEMS) % 2 == 1, 5.0, np.where(np.arange(ITEMS) % 4 == 0, 2.0, 10.0))
    rows = [
        pd.DataFrame({
            "item_id": f"item_{k:03d}", "region_id": region, "date": dates[launch[k] : DAYS],
            "units": random.poisson(rate[k], max(DAYS - launch[k], 0)).astype(float),
            "in_stock_share": 1.0, "price_usd": 10.0, "is_censored": False,
        })
        for k in range(ITEMS) for region in REGIONS
    ]  # fmt: skip
    ids = [f"item_{k:03d}" for k in range(ITEMS)]
    values = [
        (item, "weight_lb", str(1 + k % 5))
        if k % 2
        else (item, "size", ["large", "small"][k % 4 // 2])
        for k, item in enumerate(ids)
    ]
    return {
        "items": pd.DataFrame({
            "item_id": ids, "department": ["toys", "tools"] * (ITEMS // 2), "category": "all",
            "launch_date": dates[launch], "end_date": pd.NaT, "list_price_usd": 10.0,
        }).astype({"end_date": "datetime64[us]"}),
        "regions": pd.DataFrame({"region_id": REGIONS}),
        "prices": pd.DataFrame({
            "item_id": np.repeat(ids, 2), "region_id": REGIONS * ITEMS, "start_date": dates[0],
            "price_usd": 10.0,
        }),
        "calendar": pd.DataFrame(
            [(dates[0], REGIONS[0], "opening", "local")],
            columns=["date", "region_id", "event_name", "event_type"],
        ),
        "daily_demand": pd.concat(rows, ignore_index=True),
        "attributes": pd.DataFrame(values, columns=["item_id", "attribute", "attribute_value"]),
        "truth": pd.DataFrame({"units": np.repeat(AHEAD * rate, len(REGIONS))}),
    }  # fmt: skip


def known(world: Mapping[str, pd.DataFrame], with_attributes: bool) -> tuple[Assembled, Names]:
    attributes = world["attributes"] if with_attributes else None
    names = Names.of(world["items"], world["regions"], world["calendar"], attributes)
    tables = [world[t] for t in ("items", "prices", "calendar", "daily_demand")]
    as_of = (FIRST + pd.Timedelta(days=DAYS - 1)).date()
    return assemble(as_of, 60, names, *tables, attributes), names


@pytest.fixture(scope="module")
def trained(
    lines: Mapping[str, pd.DataFrame], quick: Settings
) -> dict[bool, tuple[Assembled, Model]]:
    found = {}
    more = quick.forecast.model_copy(
        update={"mean": quick.forecast.mean.model_copy(update={"trees": 120})}
    )
    settings = quick.model_copy(update={"forecast": more})
    for with_attributes in (False, True):
        assembled, names = known(lines, with_attributes)
        files = train(assembled.panel, names, settings).to_files()
        found[with_attributes] = (assembled, Model.from_files(files))
    return found


def test_a_product_line_s_own_column_improves_its_forecast(
    lines: Mapping[str, pd.DataFrame], trained: dict[bool, tuple[Assembled, Model]]
) -> None:
    """The error of new toys halves at least; tools, which lack the column, stay right."""
    truth = lines["truth"]["units"].to_numpy()
    item = np.arange(len(truth)) // 2
    is_toy = (item % 2 == 0) & (item % 3 == 0)
    error = {}
    for with_attributes, (assembled, model) in trained.items():
        panel = assembled.panel
        mean = foresee(
            daily_mean(model.mean), panel, totals(panel), panel.days - 1, [(1, AHEAD)]
        ).mean
        error[with_attributes] = np.abs(mean - truth)
    assert error[True][is_toy].mean() < 0.5 * error[False][is_toy].mean()
    assert error[True][item % 2 == 1].mean() < 0.06 * truth[item % 2 == 1].mean()


def test_drivers_still_add_up_to_the_forecast(
    trained: dict[bool, tuple[Assembled, Model]],
) -> None:
    assembled, model = trained[True]
    ahead = np.arange(1, 8, dtype=np.int32)
    panel = assembled.panel
    x = day_features(panel, totals(panel), panel.days - 1, ahead)
    assert x.shape[1] == len(FEATURES) + 2
    np.testing.assert_allclose(
        daily_drivers(model.mean, x).sum(axis=1), daily_mean(model.mean)(x), rtol=1e-6
    )


def test_numbers_words_and_gaps() -> None:
    """A word unknown to the model is as good as none; so is an attribute of another line."""
    table = pd.DataFrame(
        [("a", "size", "2"), ("b", "size", "1e1"), ("a", "scent", "rose"), ("c", "scent", "2")],
        columns=["item_id", "attribute", "attribute_value"],
    )
    found = attributes_of(table)
    assert found == (("scent", ("2", "rose")), ("size", ()))
    later = pd.concat([table, table.iloc[:1].assign(item_id="d", attribute="scent")])
    later.loc[later["item_id"] == "d", "attribute_value"] = "lily"
    ids = np.array(["a", "b", "c", "d"], object)
    nan = np.nan
    np.testing.assert_array_equal(
        attribute_matrix(later, found, ids), [[1, 2], [nan, 10], [0, nan], [nan, nan]]
    )


def test_stages_read_attributes_and_keep_their_names_with_the_model(
    lines: Mapping[str, pd.DataFrame], quick: Settings
) -> None:
    """With the column, a new large toy is expected to sell less than a new small one."""
    empty = pd.DataFrame(columns=["override_id", "item_id", "override_target"])
    tables = {**lines, "item_attributes": lines["attributes"], "overrides": empty}
    night: Any = FakeNight(tables, quick, date(2024, 2, 25), date(2024, 2, 25))
    train_stage.run(night)
    stage.run(night)
    notes = json.loads(night.files["model.json"])
    assert notes["attributes"] == [["size", ["large", "small"]], ["weight_lb", []]]
    found = night.written["demand_quantiles"]
    long = found[(found["window_days"] == AHEAD) & (found["window_start_day"] == 1)]
    mean = long.groupby(long["item_id"].astype(str))["mean_units"].sum()
    assert mean["item_000"] < 0.8 * mean["item_006"]
