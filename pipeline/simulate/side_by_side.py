"""Runs side by side: every policy and replication in a process of its own, the bound in another.

Nothing is shared but files that are written before the processes start, so that any number of
processes gives the same results. Each run keeps its own checkpoint, the bound is stored.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.simulate.bound.clairvoyant import Bound, clairvoyant_bound
from pipeline.simulate.loop import OnDay, SimulatedDay, run_policy
from pipeline.simulate.prepare import Base, prepare, store_forecasts
from pipeline.simulate.report.record import Record
from pipeline.simulate.rivals.policies import named_policies
from pipeline.simulate.scenarios.scenario import Scenario


@dataclass(frozen=True)
class Runs:
    """records: by policy and replication; bound_usd: by replication, empty where none is asked."""

    records: dict[tuple[str, int], Record]
    bound_usd: dict[int, float]


def all_runs(
    base: Base, scenario: Scenario, names: Sequence[str], jobs: int, with_bound: bool,
    on_day: OnDay | None = None,
) -> Runs:  # fmt: skip
    """Every policy through every replication in `jobs` processes (1: in this one), and the bound.

    names: as `named_policies` takes them.
    """
    policies = named_policies(names, scenario.policies)
    if scenario.forecasts == "stored":
        store_forecasts(base, min(policy.every_days for policy in policies.values()))
    tasks = [(name, replication) for replication in range(scenario.replications)
             for name in names]  # fmt: skip
    # The bound knows each customer's only item and day, and of no unit that comes back.
    rules = base.model.rules
    is_bounded = not rules.lets_wait and rules.return_share == 0 and base.chain is None
    with_bound = with_bound and is_bounded
    if jobs <= 1:
        done = [_run(base, scenario, *task, on_day) for task in tasks]
        return Runs(dict(done), bounds(base, scenario) if with_bound else {})
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn) as pool:
        told = pool.submit(_bounds_apart, scenario, base.folder) if with_bound else None
        waiting = [pool.submit(_run_apart, scenario, base.folder, *task) for task in tasks]
        records = {}
        for future in as_completed(waiting):
            (key, found), days = future.result()
            records[key] = found
            for day in days if on_day else ():
                on_day(day)  # type: ignore[misc]  # not None, or there are no days
        return Runs(records, told.result() if told else {})


def bounds(base: Base, scenario: Scenario) -> dict[int, float]:
    """The clairvoyant bound of each replication, each searched from the prices of the one before;
    what an earlier call stored is read."""
    found: dict[int, float] = {}
    price = None
    for replication in range(scenario.replications):
        path = base.folder / "bounds" / f"{replication:03d}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as archive:
                bound = Bound(float(archive["usd"]), archive["price_usd"])
        else:
            bound = clairvoyant_bound(
                base.model, base.times, base.truth, base.tables, scenario.seed + replication,
                scenario.start, price,
            )  # fmt: skip
            path.parent.mkdir(exist_ok=True)
            partial = path.with_suffix(".tmp.npz")
            np.savez(partial, usd=np.array(bound.usd), price_usd=bound.price_usd)
            partial.replace(path)
        found[replication], price = bound.usd, bound.price_usd
    return found


def _run(
    base: Base, scenario: Scenario, name: str, replication: int, on_day: OnDay | None
) -> tuple[tuple[str, int], Record]:
    (policy,) = named_policies([name], scenario.policies).values()
    return (policy.name, replication), run_policy(base, scenario, policy, replication, on_day)


_PREPARED: dict[Path, Base] = {}  # of this process, which works for one scenario


def _base(scenario: Scenario, folder: Path) -> Base:
    if folder not in _PREPARED:
        _PREPARED[folder] = prepare(scenario, folder)
    return _PREPARED[folder]


def _run_apart(
    scenario: Scenario, folder: Path, name: str, replication: int
) -> tuple[tuple[tuple[str, int], Record], list[SimulatedDay]]:
    days: list[SimulatedDay] = []
    return _run(_base(scenario, folder), scenario, name, replication, days.append), days


def _bounds_apart(scenario: Scenario, folder: Path) -> dict[int, float]:
    return bounds(_base(scenario, folder), scenario)


def in_turn(runs: Runs, names: Sequence[str]) -> Iterator[tuple[str, int, Record]]:
    """The runs by replication, then in the order of `names`, whatever ended first."""
    for replication in sorted({key[1] for key in runs.records}):
        for name in names:
            yield name, replication, runs.records[name, replication]
