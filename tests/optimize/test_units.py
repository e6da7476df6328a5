"""The same problem in other money and other volumes has the same plan."""

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.settings import Settings
from pipeline.optimize.at_prices import PRICES, optimize_at_prices
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from pipeline.optimize.units import Units, powers, units_of
from tests.optimize.world import AS_OF, SETTINGS, tables

Tables = dict[str, pd.DataFrame]
CENTS, LITRES = 100.0, 28.316846592
INTO, BACK = Units(CENTS, LITRES), Units(1 / CENTS, 1 / LITRES)
TIGHT = {"items": 20, "storage": 20.0, "inbound": 12.5}
WHOLE = ("base_stock_units", "order_up_to_units", "position_units", "built_ahead_units")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("unit_cost_usd", (1, 0)),
        ("unit_cube_cuft", (0, 1)),
        ("lane_usd_per_cuft", (1, -1)),
        ("storage_usd_per_cuft_day", (1, -1)),
        ("lane_capacity_cuft_per_day", (0, 1)),
        ("budget_overflow_usd_per_usd", (0, 0)),
        ("base_stock_units", (0, 0)),
    ],
)
def test_a_column_s_unit_is_the_end_of_its_name(name, wanted):
    assert powers(name) == wanted


def test_defaults_are_dollars_and_cubic_feet():
    assert units_of(Settings()) == Units(1.0, 1.0)


@pytest.fixture(scope="module")
def written() -> tuple[Tables, Settings]:
    """The world in cents and litres, as a company would write it, and its settings."""
    costs = {
        "storage_overflow_usd_per_cuft_week": CENTS / LITRES,
        "lane_overflow_usd_per_cuft": CENTS / LITRES,
        "flow_overflow_usd_per_unit": CENTS,
    }
    of = SETTINGS.optimize
    scaled = {name: getattr(of, name) * by for name, by in costs.items()}
    settings = SETTINGS.model_copy(update={
        "optimize": of.model_copy(update=scaled),
        "buy": SETTINGS.buy.model_copy(
            update={"order_line_usd": CENTS * SETTINGS.buy.order_line_usd}
        ),
    })  # fmt: skip
    return INTO.written(tables(**TIGHT)), settings


def in_dollars(raw: Tables, settings: Settings) -> Tables:
    units = units_of(settings)
    inner = units.settings(settings)
    return units.written(optimize_night(night_model(units.tables(raw), AS_OF, inner), inner))


def test_cents_and_litres_give_the_plan_of_dollars_and_feet(written):
    one = in_dollars(tables(**TIGHT), SETTINGS)
    other = in_dollars(*written)
    same = BACK.written(other)
    assert (one["capacity_prices"]["price_usd_per_capacity_unit"] > 0).any()
    for name, frame in one.items():
        for column in frame:
            if frame[column].dtype.kind == "f":
                np.testing.assert_allclose(
                    same[name][column], frame[column], rtol=1e-6, atol=1e-6, err_msg=column
                )
            else:
                assert frame[column].equals(same[name][column]), (name, column)


def test_so_do_the_answers_at_given_prices(written):
    raw, settings = written
    one = in_dollars(tables(**TIGHT), SETTINGS)
    other = in_dollars(raw, settings)
    plain = optimize_at_prices(tables(**TIGHT), {n: one[n] for n in PRICES}, AS_OF, SETTINGS)
    again = optimize_at_prices(raw, {n: other[n] for n in PRICES}, AS_OF, settings)
    for name, frame in plain.items():
        for column in set(WHOLE) & set(frame):
            assert frame[column].equals(again[name][column]), (name, column)
    worth = again["position_values"]["position_value_usd"] / 100
    np.testing.assert_allclose(worth, plain["position_values"]["position_value_usd"], rtol=1e-6)
