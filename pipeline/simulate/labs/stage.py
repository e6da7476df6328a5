"""Labs on stored tables: design, assignment, nights by arm, and the verdict page.

Reads and writes stores; what computes is in the neighbours.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from pipeline.contracts.settings import load_settings
from pipeline.errors import UsageError
from pipeline.simulate.labs.charges import weekly_outcomes
from pipeline.simulate.labs.night import Routed, run_lab_night
from pipeline.simulate.labs.page import render
from pipeline.simulate.labs.plan import LabPlan
from pipeline.simulate.labs.reading import (
    Guard,
    Look,
    Promise,
    assign,
    lab_looks,
    plan_lab,
    read_guards,
    read_looks,
)
from pipeline.stages import LAB_ASSIGN, LAB_READ
from pipeline.store import Night, Source, Store


def design_lab(
    plan: LabPlan, store: Store, outcomes: Path | None = None, items: Path | None = None
) -> Promise:
    """What the lab would find, from the weeks before it."""
    return plan_lab(plan, _items(plan, store, items), _outcomes(plan, store, outcomes))


def assign_lab(
    plan: LabPlan, store: Store, outcomes: Path | None = None, items: Path | None = None
) -> pd.DataFrame:
    """Throw the coins and publish lab_assignment for the lab's first day; once only, for a second
    assignment would mix the arms."""
    if store.manifest(plan.start, "lab_assignment") is not None:
        raise UsageError(
            f"{plan.name} is assigned already ({store.path(plan.start, 'lab_assignment')}). "
            "Next: read it, or give another lab a folder of its own."
        )
    frame = assign(plan, _items(plan, store, items), _outcomes(plan, store, outcomes))
    night = Night(store, LAB_ASSIGN, plan.start, load_settings(plan.settings_a))
    night.write("lab_assignment", frame)
    night.publish()
    return store.read(plan.start, "lab_assignment")


def lab_night(plan: LabPlan, store: Store, source: Source, as_of: date) -> Routed:
    """Plan one business date by arm; before the lab starts, as after it, all items are in arm A."""
    if plan.settings_b is None:
        raise UsageError(f"{plan.name} names no settings_b. Next: name arm B's settings file.")
    settings = {"A": load_settings(plan.settings_a), "B": load_settings(plan.settings_b)}
    assignment = store.read(plan.start, "lab_assignment")
    planned = as_of + timedelta(days=1)
    if not plan.start <= planned <= plan.last_day:
        assignment = assignment.assign(arm="A")
    return run_lab_night(store, source, settings, assignment, as_of)


def read_lab(
    plan: LabPlan, store: Store, outcomes: Path | None = None
) -> tuple[list[Look], list[Guard]]:
    """The verdict as far as the outcomes reach; publishes lab_looks and the page lab_verdict."""
    assignment = store.read(plan.start, "lab_assignment")
    frame = _outcomes(plan, store, outcomes)
    looks = read_looks(plan, assignment, frame)
    guards = read_guards(plan, assignment, frame, looks[-1].week)
    night = Night(store, LAB_READ, plan.start, load_settings(plan.settings_a))
    night.write("lab_looks", lab_looks(looks))
    night.write_files("lab_verdict", render(plan, assignment, looks, guards))
    night.publish()
    return looks, guards


def _outcomes(plan: LabPlan, store: Store, path: Path | None) -> pd.DataFrame:
    """From a file with item_id, week_start or date, and figures; or from the store's nights."""
    if path is None:
        first = plan.before[0].date()
        return weekly_outcomes(store, load_settings(plan.settings_a), first, plan.last_day)
    frame = _read(path)
    if "week_start" not in frame and "date" in frame:
        day = pd.to_datetime(frame["date"])
        frame["week_start"] = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
        frame = frame.drop(columns="date")
    missing = {"item_id", "week_start", "profit_usd"} - set(frame.columns)
    if missing:
        raise UsageError(f"{path} lacks {', '.join(sorted(missing))}. Next: add them.")
    frame["week_start"] = pd.to_datetime(frame["week_start"])
    frame["item_id"] = frame["item_id"].astype("str")
    return frame.groupby(["item_id", "week_start"], as_index=False).sum()


def _items(plan: LabPlan, store: Store, path: Path | None) -> pd.DataFrame:
    if path is not None:
        frame = _read(path)
    else:
        nights = [day for day in store.dates("items") if day < plan.start]
        if not nights:
            raise UsageError(f"no night before {plan.start} lies under {store.root}. "
                             "Next: echelon run, or name --items.")  # fmt: skip
        frame = store.read(nights[-1], "items")
    if plan.cluster not in frame:
        raise UsageError(f"items have no column {plan.cluster}. Next: cluster by another.")
    return frame


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UsageError(f"there is no file {path}. Next: name a CSV or Parquet file.")
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
