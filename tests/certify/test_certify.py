"""The certificate that an outsider recomputes: as published, and it finds what is spoilt."""

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.certify.bound import lower_bound
from pipeline.certify.plan import plan_value
from pipeline.certify.problem import Problem, Rows, SizeClass, read_problem
from pipeline.certify.report import READS, certify
from pipeline.cli import app
from pipeline.contracts.check import require
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import TABLES
from pipeline.errors import UsageError
from pipeline.optimize.night_model import night_model
from pipeline.optimize.plan import optimize_night
from pipeline.store import Store
from tests.optimize.test_weekly_demand import WEST, steady, told
from tests.optimize.world import AS_OF, tables

SETTINGS = Settings.model_validate(
    {"optimize": {"scenarios": 64, "audit_items": 1}, "run": {"threads": 1}}
)
Tables = dict[str, pd.DataFrame]


def planned(raw: Tables, settings: Settings = SETTINGS) -> Tables:
    return {**raw, **optimize_night(night_model(raw, AS_OF, settings), settings)}


def with_short_dock(raw: Tables, share: float) -> Tables:
    """The dock of DC-EAST at a share of its free use in weeks 3 and 4."""
    use = planned(raw)["capacity_prices"]
    is_dock = (use["node_id"] == "DC-EAST") & (use["resource"] == "inbound_units_per_day")
    amounts = {15: share * use.loc[is_dock, "usage"].iloc[0], 29: 1e6}
    rows = pd.DataFrame(
        [("DC-EAST", "inbound_units_per_day", pd.Timestamp(AS_OF + timedelta(days=day)), amount)
         for day, amount in amounts.items()],
        columns=raw["node_capacity"].columns,
    )  # fmt: skip
    capacity = pd.concat([raw["node_capacity"], rows], ignore_index=True)
    return {**raw, "node_capacity": capacity}


@pytest.fixture(scope="module")
def night() -> Tables:
    """A night whose dock is short two weeks ahead: tolls, units that come in early."""
    found = planned(with_short_dock(tables(12), 0.6))
    assert len(found["problem_tolls"])
    assert len(found["weekly_entries"])
    return found


def test_the_recomputed_certificate_is_the_published_one(night: Tables) -> None:
    summary = night["optimize_summary"].set_index("measure")["value"]
    found = certify(night)
    assert found.findings == []
    assert found.lower_usd == pytest.approx(summary["lower_bound_usd"], rel=1e-6)
    assert found.upper_usd == pytest.approx(summary["upper_bound_usd"], rel=1e-9)
    assert found.share == pytest.approx(summary["certified_gap"], abs=1e-6)
    assert f"at most {100 * found.share:.3f} % better" in found.sentence


@pytest.mark.parametrize("factor", [0.0, 3.0])
def test_weeks_that_ask_for_their_own_regions_are_recomputed(factor: float) -> None:
    """The west is closed for eight days, or sells three times as much in the third week; the dock
    of DC-EAST is short."""
    daily = steady()
    daily[:, WEST, slice(8) if factor == 0.0 else slice(14, 22)] *= factor
    night = planned(with_short_dock(told(daily), 0.6))
    summary = night["optimize_summary"].set_index("measure")["value"]
    assert night["problem_demand"]["demand_ratio"].min() < 0.7
    found = certify(night)
    assert found.findings == []
    assert found.lower_usd == pytest.approx(summary["lower_bound_usd"], rel=1e-6)
    assert found.upper_usd == pytest.approx(summary["upper_bound_usd"], rel=1e-9)


def test_every_gap_that_the_certificate_leaves_is_measured_or_said_to_be_unmeasured(
    night: Tables,
) -> None:
    found = {gap.name: gap for gap in certify(night).uncovered}
    assert list(found) == ["scenarios", "expected carrying", "real assignment"]
    assert found["scenarios"].share is not None
    assert found["scenarios"].share > 0
    assert found["real assignment"].share is not None
    assert found["expected carrying"].share is None
    assert "not measured by a night" in found["expected carrying"].words


def test_a_night_whose_storage_binds_is_certified_too() -> None:
    found = certify(planned(tables(8, storage=8.0, inbound=3.0)))
    assert found.findings == []
    assert 0 < found.share < 0.05


def spoil(night: Tables, name: str, column: str, change: float, where: str) -> Tables:
    """The night with the first row of a table that a condition holds for changed by a number."""
    frame = night[name].copy()
    row = frame.query(where).index[0]
    frame.loc[row, column] += change
    return {**night, name: frame}


@pytest.mark.parametrize(
    ("name", "column", "change", "where", "words"),
    [
        ("problem_rows", "bound_price_usd", 0.5, "bound_price_usd > 0", "lower bound, from prices"),
        ("problem_rows", "bound_price_usd", -99.0, "bound_price_usd > 0", "below zero"),
        ("problem_rows", "plan_usage", 1.0, "plan_usage > 0", "plan_usage: 1 rows differ"),
        ("problem_tolls", "toll_usd", 2.0, "toll_usd > 0", "lower bound, from prices"),
        ("problem_knots", "knot_units", 5, "knot_units > 0", "cost of the plan"),
        ("weekly_levels", "base_stock_units", 1, "base_stock_units > 0", "cost of the plan"),
        ("weekly_levels", "served_units", 9, "served_units > 0", "above the level"),
        ("base_stock_levels", "base_stock_units", 1, "base_stock_units > 0", "differ tonight"),
        ("capacity_prices", "usage", 1.0, "usage > 0", "another room"),
        ("capacity_prices", "price_usd_per_capacity_unit", 20.0,
         "price_usd_per_capacity_unit > 0", "a price is wrong"),
        ("problem_holding", "holding_usd_per_week", 1.0, "holding_usd_per_week > 0", "cost of the"),
    ],
)  # fmt: skip
def test_a_number_that_was_spoilt_is_found(
    night: Tables, name: str, column: str, change: float, where: str, words: str
) -> None:
    found = certify(spoil(night, name, column, change, where))
    assert any(words in finding for finding in found.findings), found.findings


def test_tables_that_do_not_fit_each_other_are_refused_by_name(night: Tables) -> None:
    strange = night["weekly_levels"].assign(node_id="ELSEWHERE")
    with pytest.raises(UsageError, match=r"weekly_levels.node_id: \d+ rows .* ELSEWHERE"):
        certify({**night, "weekly_levels": strange})
    with pytest.raises(UsageError, match=r"optimize\.certified_items"):
        certify({**night, "problem_items": night["problem_items"].iloc[:0]})


def test_a_world_beyond_the_setting_publishes_no_problem() -> None:
    few = Settings.model_validate({"optimize": {"scenarios": 64, "certified_items": 5}})
    found = planned(tables(6), few)
    assert all(not len(found[name]) for name in READS if name.startswith("problem_"))
    require(found["problem_knots"], TABLES["problem_knots"])


def test_least_cost_is_that_of_all_levels_tried_one_by_one() -> None:
    rng = np.random.default_rng(3)
    for _ in range(6):
        problem = small_problem(rng)
        tried = [
            plan_value(replace(problem, level=whole, served=whole)).cost_usd
            for levels in product(range(5), repeat=3)
            for whole in [np.array(levels, float).reshape(1, 1, 3)]
        ]
        assert lower_bound(problem) == pytest.approx(min(tried), rel=1e-9)


def small_problem(rng: np.random.Generator) -> Problem:
    """One item, three nodes, sets {0}, {1}, {0, 1}, {2}, all; no capacity, one week."""
    members = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1]], bool)
    usd = -np.sort(-rng.uniform(0.0, 3.0, (1, 5, 2)), axis=2)
    units = rng.integers(0, 3, (1, 5, 2)).astype(float)
    one = SizeClass(np.array([0]), members, np.array([2, 2, 4, 4, -1]), usd.max(axis=2), units, usd,
                    np.ones((1, 1, 5)))  # fmt: skip
    empty = np.zeros(0)
    rows = Rows(
        np.zeros(0, int), np.zeros(0, int), np.zeros((0, 3), bool), *[empty] * 6,
        *[np.zeros(0, bool)] * 2, [],
    )  # fmt: skip
    none = np.zeros((1, 1, 3))
    return Problem(
        ["A"], ["N0", "N1", "N2"], [pd.Timestamp(AS_OF)], [one], np.zeros(1, bool),
        np.zeros((1, 1)), np.ones((1, 5)), rng.uniform(0.2, 2.0, (1, 3)), 1.0,
        np.full(3, -1), rows, none, none, none, np.zeros((1, 1, 3, 1), int), {},
    )  # fmt: skip


def test_the_command_prints_the_certificate_and_fails_where_tables_lie(
    night: Tables, tmp_path: Path
) -> None:
    day, spoilt_day = date(2026, 3, 1), date(2026, 3, 2)
    spoilt = spoil(night, "weekly_levels", "base_stock_units", 3, "base_stock_units > 0")
    store = Store(tmp_path / "out")
    for at, frames in ((day, night), (spoilt_day, spoilt)):
        for name in READS:
            frame = require(frames[name], TABLES[name])
            store.publish(at, name, frame, {})
    to = tmp_path / "certificate.json"
    arguments = ["certify", "--out", str(tmp_path / "out")]
    good = CliRunner().invoke(app, [*arguments, "--as-of", "2026-03-01", "--json", str(to)])
    assert good.exit_code == 0, good.output
    assert "better is possible in the model" in good.output
    assert "The tables bear out what was published" in good.output
    read = read_problem({name: store.read(day, name) for name in READS})
    assert json.loads(to.read_text())["upper_usd"] == pytest.approx(plan_value(read).cost_usd)
    bad = CliRunner().invoke(app, arguments)  # the newest night
    assert bad.exit_code == 1
    assert "cost of the plan: published" in bad.output
    none = CliRunner().invoke(app, ["certify", "--out", str(tmp_path / "none")])
    assert isinstance(none.exception, UsageError)
    assert "Next: echelon run" in str(none.exception)
