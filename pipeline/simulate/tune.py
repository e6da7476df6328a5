"""Parameters of the rules, tuned by simulation on weeks before the test, as a planner would.

Each parameter in turn takes the value that earned most, the others being what they are (one round
of coordinate search), on stored forecasts. The test's weeks are never run here: the tuning scenario
ends where the test begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.simulate.loop import run_policy
from pipeline.simulate.prepare import Base, prepare, store_forecasts
from pipeline.simulate.rivals.policies import named_policies
from pipeline.simulate.rivals.situation import Policy
from pipeline.simulate.scenarios.scenario import Scenario

_COMMON: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("node_days", (2.0, 4.0, 10.0)), ("fill_share", (0.8, 1.1)), ("dock_share", (0.7, 1.5)),
)  # fmt: skip
GRID: dict[str, tuple[tuple[str, tuple[float, ...]], ...]] = {
    "weeks_of_supply": (("weeks_a", (0.5, 1.0, 3.0)), ("weeks_b", (0.5, 1.0, 3.0)),
                        ("weeks_c", (0.5, 1.0, 3.0)), *_COMMON),
    "newsvendor": (("doubt", (2.0, 5.0, 10.0)), *_COMMON),
    "single_echelon": (("doubt", (0.5, 2.0, 5.0, 10.0)), *_COMMON),
    "base_stock": (("doubt", (0.5, 2.0, 5.0, 10.0)), *_COMMON),
    "drp": (("safety_days", (3.0, 6.0, 16.0)), *_COMMON),
    "min_max": (("doubt", (0.5, 2.0, 5.0, 10.0)), ("lot_days", (3.0, 14.0)), *_COMMON),
}  # fmt: skip
"""Values tried beside the default, by policy and parameter, in this order."""


def before(scenario: Scenario, weeks: int) -> Scenario:
    """The scenario that tunes for another: the weeks before it, on stored forecasts."""
    return scenario.model_copy(update={
        "name": f"{scenario.name}_tuning", "start": scenario.start - timedelta(weeks=weeks),
        "days": 7 * weeks, "forecasts": "stored", "replications": 1, "changes": (),
        "against_unchanged": False,
    })  # fmt: skip


def tune(
    scenario: Scenario, names: Sequence[str], weeks: int, out: Path
) -> dict[str, dict[str, Any]]:
    """Parameters by policy that earned most in the weeks before the scenario; `names` without a
    grid are left out. Profit is after overflow, of the scenario's first seed."""
    earlier = before(scenario, weeks)
    base = prepare(earlier, out)
    policies = {
        name: policy for name, policy in named_policies(names, scenario.policies).items()
        if name in GRID
    }  # fmt: skip
    if policies:
        store_forecasts(base, min(policy.every_days for policy in policies.values()))
    return {name: _search(base, policy) for name, policy in policies.items()}


def _search(base: Base, policy: Policy) -> dict[str, Any]:
    best: dict[str, Any] = {}
    most = _profit(base, policy, best)
    for parameter, values in GRID[policy.name]:
        tried = {value: _profit(base, policy, {**best, parameter: value}) for value in values}
        value = max(tried, key=lambda value: tried[value])
        if tried[value] > most:
            best, most = {**best, parameter: value}, tried[value]
    return best


def _profit(base: Base, policy: Policy, parameters: dict[str, Any]) -> float:
    """Profit of a run in a folder of its own, told by the parameters."""
    label = "_".join([policy.name, *(f"{key}_{value:g}" for key, value in parameters.items())])
    named = replace(policy, name=label, **parameters)  # type: ignore[type-var]  # our own rules
    money = run_policy(base, base.scenario, named, 0).money
    return float(np.sum(money[:, 0]) - np.sum(money[:, 1:]))
