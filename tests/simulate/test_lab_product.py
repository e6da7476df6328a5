"""A lab through the command line: what it promises, keeps, refuses and writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.contracts.check import require
from pipeline.contracts.tables import TABLES
from pipeline.errors import SettingsError, UsageError
from pipeline.simulate.labs.looks import bounds, spent
from pipeline.simulate.labs.night import arm_store, run_lab_night
from pipeline.simulate.labs.plan import LabPlan, load_lab
from pipeline.simulate.labs.reading import assign, plan_lab, read_guards, read_looks
from pipeline.stages import BY_NAME
from pipeline.store import Store

START = date(2025, 3, 3)  # a Monday


def lab_plan(**rest: object) -> LabPlan:
    content = {"name": "try", "question": "Does <b>B</b> pay?", "start": START, "weeks": 6,
               "before_weeks": 6, "cluster": "department", "parts": 40, "looks": (2, 4, 6),
               "guard_rails": {"units": 0.05}}  # fmt: skip
    return LabPlan.model_validate({**content, **rest})


def items(n: int = 800) -> pd.DataFrame:
    return pd.DataFrame({"item_id": [f"i{k:04d}" for k in range(n)],
                         "department": [f"d{k % 8}" for k in range(n)]})  # fmt: skip


def outcomes(seed: int, lift: float = 0.0, arms: pd.DataFrame | None = None) -> pd.DataFrame:
    """Twelve weeks of profit, six before the lab; lognormal sizes, noise of a tenth a week."""
    rng, names = np.random.default_rng(seed), items()["item_id"]
    size = np.exp(np.random.default_rng(99).normal(3, 1, len(names)))
    weeks = pd.date_range(pd.Timestamp(START) - pd.Timedelta(weeks=6), periods=12, freq="7D")
    profit = size[None, :] * (1 + 0.1 * rng.normal(size=(12, len(names))))
    if arms is not None:
        is_b = names.map(arms.set_index("item_id")["arm"]).to_numpy() == "B"
        profit[6:, is_b] *= 1 + lift
    return pd.DataFrame({
        "item_id": np.tile(names, 12), "week_start": np.repeat(weeks, len(names)),
        "profit_usd": profit.ravel(), "units": profit.ravel() / 5,
    })  # fmt: skip


def test_five_looks_need_the_published_bounds() -> None:
    """R package ldbounds, documented example: O'Brien-Fleming spending, two sides, 0.05."""
    published = [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]
    assert bounds([0.2, 0.4, 0.6, 0.8, 1.0]) == pytest.approx(published, abs=3e-4)
    assert bounds([1.0]) == pytest.approx([stats.norm.ppf(0.975)])
    assert spent(1.0) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="rising"):
        bounds([0.5, 0.5])


def test_looks_together_keep_their_error() -> None:
    """A random walk of 200,000 null trials passes some of four bounds in 5 % of them."""
    shares = np.array([0.25, 0.5, 0.75, 1.0])
    walk = np.cumsum(np.random.default_rng(0).normal(size=(200_000, 4)) * 0.5, axis=1)
    passed = (np.abs(walk / np.sqrt(shares)) > np.array(bounds(shares))).any(axis=1).mean()
    assert passed == pytest.approx(0.05, abs=0.0015)


def test_a_planted_lift_ends_the_lab_and_none_lets_it_run_out() -> None:
    plan = lab_plan()
    arms = assign(plan, items(), outcomes(1))
    found = read_looks(plan, arms, outcomes(1, 0.06, arms))
    assert found[-1].decision == "B is better"
    assert found[-1].low < 0.06 < found[-1].high
    none = read_looks(plan, arms, outcomes(1))
    assert [look.decision for look in none] == ["go on", "go on", "no difference found"]
    assert none[0].bound > none[1].bound > none[2].bound
    worse = read_guards(plan, arms, outcomes(1, -0.09, arms), 6)
    assert worse[0].is_broken
    assert not read_guards(plan, arms, outcomes(1), 6)[0].is_broken


def test_what_a_lab_promises_is_what_it_keeps() -> None:
    """The least lift that it finds with a chance of 80 % is found in about 80 of 100."""
    plan = lab_plan(looks=(6,))
    promise = plan_lab(plan, items(), outcomes(0))
    assert promise.pairs == 149  # 298 of 320 lots hold items
    hits = 0
    for seed in range(60):
        arms = assign(plan.model_copy(update={"seed": seed}), items(), outcomes(seed))
        looks = read_looks(plan, arms, outcomes(seed, promise.least_lift, arms))
        hits += looks[-1].decision == "B is better"
    assert 0.62 < hits / 60 < 0.95


def test_the_command_line_leads_from_the_design_to_the_verdict_page(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(
        "{name: try, question: 'Does <b>B</b> pay?', start: 2025-03-03, weeks: 6, before_weeks: 6,"
        " parts: 40, looks: [2, 4, 6], guard_rails: {units: 0.05}}"
    )
    items().to_csv(tmp_path / "items.csv", index=False)
    outcomes(1).to_parquet(tmp_path / "outcomes.parquet")
    common = ["--lab", str(tmp_path / "lab.yaml"), "--out", str(tmp_path / "out"),
              "--outcomes", str(tmp_path / "outcomes.parquet")]  # fmt: skip
    also = ["--items", str(tmp_path / "items.csv")]
    run = CliRunner().invoke
    told = run(app, ["lab", "design", *common, *also])
    assert "149 pairs of clusters over 6 weeks" in told.output
    assert "out: 1 items" in run(app, ["lab", "assign", *common, *also]).output
    again = run(app, ["lab", "assign", *common, *also])
    assert isinstance(again.exception, UsageError)
    arms = Store(tmp_path / "out").read(START, "lab_assignment").astype({"arm": "str"})
    outcomes(1, 0.06, arms).to_parquet(tmp_path / "outcomes.parquet")
    assert "B is better" in run(app, ["lab", "read", *common]).output
    page = Store(tmp_path / "out").read_files(START, "lab_verdict")["verdict.html"].decode()
    assert "Give all items arm B&#39;s settings." in page
    assert "<b>B</b>" not in page
    looks = Store(tmp_path / "out").read(START, "lab_looks")
    assert looks["lab_decision"].astype("str").tolist()[-1] == "B is better"


def test_a_lab_that_cannot_be_is_refused_with_all_its_reasons(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("{name: odd, question: q, start: 2025-03-04, weeks: 1, lifts: 2}")
    with pytest.raises(SettingsError, match=r"(?s)weeks.*lifts"):
        load_lab(path)
    for wrong, said in (({"start": date(2025, 3, 4)}, "no Monday"), ({"looks": (4, 2)}, "rise")):
        with pytest.raises(ValueError, match=said):
            lab_plan(**wrong)
    arms = assign(lab_plan(), items(), outcomes(1))
    early = outcomes(1)
    early = early[early["week_start"] < pd.Timestamp(START)]
    with pytest.raises(UsageError, match="first look needs outcomes"):
        read_looks(lab_plan(), arms, early)
    with pytest.raises(UsageError, match="outcomes lack: in_stock"):
        read_guards(lab_plan(guard_rails={"in_stock": 0.1}), arms, outcomes(1), 6)


def test_a_night_carries_out_each_items_own_arm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arm A ordered 10 units of both items, arm B 20: item i0 follows A, i1 follows B, and the item
    that nobody assigned follows A."""
    from pipeline.contracts.settings import Settings
    from pipeline.simulate.labs import night

    day, store = date(2025, 3, 4), Store(tmp_path)
    lines = ["i0", "i1", "i2"]

    def planned(where: Store, _: object, settings: Settings, as_of: date) -> None:
        units = 20 if settings.planning.goodwill_share > 0.2 else 10
        orders = pd.DataFrame({
            "order_line_id": [f"{as_of}/v/{name}" for name in lines], "vendor_id": "v",
            "item_id": lines, "order_units": units, "cases": units, "unit_cost_usd": 1.0,
            "order_cost_usd": float(units), "needed_units": 1.0, "override_units": 0.0,
            "order_up_to_units": 9.0, "inventory_position_units": 1.0,
            "order_date": pd.Timestamp(day), "expected_arrival_date": pd.Timestamp("2025-03-09"),
            "value_gained_usd": 1.0, "reason_code": "below_order_up_to",
        })  # fmt: skip
        parts = orders[["order_line_id", "item_id", "vendor_id"]].assign(
            node_id="n", assigned_units=units
        )
        moves = pd.DataFrame({
            "transfer_id": [f"{as_of}/{name}/n/m" for name in lines], "item_id": lines,
            "from_node_id": "n", "to_node_id": "m", "transfer_units": units // 10, "cases": 1,
            "ship_date": pd.Timestamp(day), "expected_arrival_date": pd.Timestamp(day),
            "needed_units": 1.0, "relief_units": 0, "value_gained_usd": 0.0,
        })  # fmt: skip
        made = {"purchase_orders": orders, "inbound_assignments": parts, "transfers": moves}
        for name, frame in made.items():
            lineage = {"settings_sha256": settings.sha256()}
            where.publish(as_of, name, require(frame, TABLES[name]), lineage)

    monkeypatch.setattr(night, "_plan", planned)
    monkeypatch.setattr(night.runner, "run_stage", lambda *_: None)
    vendors = pd.DataFrame({
        "vendor_id": ["v"], "vendor_name": ["v"], "order_minimum_usd": [50.0],
        "vendor_capacity_units_per_order": pd.array([None], dtype="Int64"),
        "order_weekdays": [None],
        "delivery_weekdays": [None], "lead_time_counts": [None],
    })  # fmt: skip
    store.publish(day, "vendors", require(vendors, TABLES["vendors"]), {})
    dear = Settings.model_validate({"planning": {"goodwill_share": 0.3}})
    arms = pd.DataFrame({"item_id": ["i0", "i1"], "arm": ["A", "B"]})
    routed = run_lab_night(store, None, {"A": Settings(), "B": dear}, arms, day)
    orders = store.read(day, "purchase_orders").set_index("item_id")["order_units"]
    assert orders.to_dict() == {"i0": 10, "i1": 20, "i2": 10}
    moved = store.read(day, "transfers").set_index("item_id")["transfer_units"]
    assert moved.to_dict() == {"i0": 1, "i1": 2, "i2": 1}
    assert routed.lines == {"A": 2, "B": 1}
    assert routed.small_vendors == ("v",)  # 40 of its 50 USD
    inputs = (store.manifest(day, "transfers") or {})["inputs"]
    assert set(inputs) == {f"arms/{arm}/{day}/transfers" for arm in ("A", "B")}
    assert arm_store(store, "B").read(day, "transfers")["transfer_units"].tolist() == [2, 2, 2]
    assert set(night._ROUTED) <= {*BY_NAME["buy"].writes, *BY_NAME["place"].writes}
