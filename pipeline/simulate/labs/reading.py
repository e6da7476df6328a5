"""A lab from question to verdict: is it long enough, who is in which arm, what has it shown?

Pure: outcomes by item and week in, figures out. Outcomes carry `profit_usd` and the columns that
guard rails name; `charges` makes them of production's tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.errors import UsageError
from pipeline.simulate.labs.looks import bounds, p_to_z
from pipeline.simulate.labs.outcomes import Trial, by_cluster, start_trial
from pipeline.simulate.labs.plan import LabPlan, Period
from pipeline.simulate.labs.trial import Design, Verdict, pair_sd, pairs_needed, power, verdict


@dataclass(frozen=True)
class Promise:
    """What a lab can be expected to find: chance of its lift, pairs there are and pairs that would
    find it with a chance of 80 %, least_lift: what it finds with that chance."""

    chance: float
    pairs: int
    pairs_needed: int | None
    least_lift: float


@dataclass(frozen=True)
class Look:
    """One look: week; verdict: of the plan's level alone; bound: |z| that ends the trial; z; low,
    high: the interval that holds at all looks together; is_final: nothing comes after it."""

    week: int
    verdict: Verdict
    z: float
    bound: float
    low: float
    high: float
    is_final: bool

    @property
    def ends(self) -> bool:
        """Whether the trial may end here with a difference."""
        return self.z > self.bound

    @property
    def decision(self) -> str:
        """What may be said."""
        if self.ends:
            return "B is better" if self.verdict.lift > 0 else "A is better"
        return "no difference found" if self.is_final else "go on"


@dataclass(frozen=True)
class Guard:
    """A guard rail at the last look: the relative change of a figure, and what was allowed."""

    name: str
    verdict: Verdict
    allowed: float

    @property
    def is_broken(self) -> bool:
        """Whether it fell by more than allowed, and not by chance alone."""
        return self.verdict.lift < -self.allowed and self.verdict.high < 0


def plan_lab(plan: LabPlan, items: pd.DataFrame, outcomes: pd.DataFrame) -> Promise:
    """What the lab would find, told by an A/A trial on the two halves of the weeks before it."""
    first, last = plan.before
    half = first + (last - first) // 2
    half = half - pd.Timedelta(days=half.day_of_week)
    trial = start_trial(items, outcomes, (first, half), plan.cluster, plan.seed, plan.parts)
    early, late = (by_cluster(outcomes, trial.cluster_of, trial.clusters, period)
                   for period in ((first, half), (half + pd.Timedelta(weeks=1), last)))  # fmt: skip
    weeks = max((last - half).days // 7, 1)
    noise = pair_sd(trial.design, late, early) * np.sqrt(weeks / plan.weeks)
    n = trial.design.n_pairs
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle, noise, n, plan.level) < 0.8 else (low, middle)
    return Promise(power(plan.lift, noise, n, plan.level), n,
                   pairs_needed(plan.lift, noise, 0.8, plan.level), high)  # fmt: skip


def assign(plan: LabPlan, items: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Table lab_assignment: arms by a coin within pairs of clusters that earned alike before."""
    trial = start_trial(items, outcomes, plan.before, plan.cluster, plan.seed, plan.parts)
    frame = trial.arms()
    pair = pd.Series(trial.design.pair, index=trial.clusters)
    return frame.assign(pair_number=frame["cluster"].map(pair).astype("int64"))


def read_looks(plan: LabPlan, assignment: pd.DataFrame, outcomes: pd.DataFrame) -> list[Look]:
    """Every look that the outcomes reach, in order, up to the first that ends the trial.

    Raises UsageError if not even the first look is reached, or weeks before the lab are missing.
    """
    _require_weeks(outcomes, plan.before, "before the lab")
    last = outcomes["week_start"].max()
    reached = [week for week in plan.look_weeks if plan.during(week)[1] <= last]
    if not reached:
        first = plan.during(plan.look_weeks[0])[1]
        raise UsageError(f"the first look needs outcomes of the week of {first.date()}, they end "
                         f"with {last.date()}. Next: wait, or name an earlier look.")  # fmt: skip
    trial = _trial(assignment)
    limits = bounds([week / plan.weeks for week in plan.look_weeks], 1 - plan.level)
    found: list[Look] = []
    for week, limit in zip(plan.look_weeks, limits, strict=True):
        if week not in reached or (found and found[-1].ends):
            break
        _require_weeks(outcomes, plan.during(week), "of the lab")
        one = _judge(plan, trial, outcomes, plan.during(week), "profit_usd")
        freedom = one.n_pairs - 2
        usual = stats.t.ppf(0.5 + plan.level / 2, freedom)
        wide = (one.high - one.low) / 2 / usual * stats.t.isf(stats.norm.sf(limit), freedom)
        found.append(Look(week, one, p_to_z(one.p_value), limit, float(one.lift - wide),
                          float(one.lift + wide), week == plan.weeks))  # fmt: skip
    return found


def read_guards(
    plan: LabPlan, assignment: pd.DataFrame, outcomes: pd.DataFrame, week: int
) -> list[Guard]:
    """Each guard rail after `week` weeks; UsageError for a figure that the outcomes lack."""
    missing = sorted(set(plan.guard_rails) - set(outcomes.columns))
    if missing:
        raise UsageError(f"guard rails name figures that outcomes lack: {', '.join(missing)}. "
                         f"Next: use some of {', '.join(outcomes.columns[2:])}.")  # fmt: skip
    trial = _trial(assignment)
    return [
        Guard(name, _judge(plan, trial, outcomes, plan.during(week), name), allowed)
        for name, allowed in plan.guard_rails.items()
    ]


def lab_looks(looks: list[Look]) -> pd.DataFrame:
    """Table lab_looks."""
    return pd.DataFrame([
        {"look_week": look.week, "lift": look.verdict.lift, "lift_low": look.low,
         "lift_high": look.high, "z_score": look.z, "z_bound": look.bound,
         "pairs": look.verdict.n_pairs, "lab_decision": look.decision}
        for look in looks
    ])  # fmt: skip


def _judge(
    plan: LabPlan, trial: Trial, outcomes: pd.DataFrame, during: Period, column: str
) -> Verdict:
    frame = outcomes.assign(profit_usd=outcomes[column])
    earlier = by_cluster(frame, trial.cluster_of, trial.clusters, plan.before)
    later = by_cluster(frame, trial.cluster_of, trial.clusters, during)
    return verdict(trial.design, later, earlier, plan.level)


def _trial(assignment: pd.DataFrame) -> Trial:
    """The trial that the stored table tells."""
    frame = assignment.astype({"item_id": "str", "cluster": "str", "arm": "str"})
    by = frame.drop_duplicates("cluster").set_index("cluster").sort_index()
    found = Design(by["pair_number"].to_numpy(np.int64), (by["arm"] == "B").to_numpy())
    return Trial(found, by.index, frame.set_index("item_id")["cluster"])


def _require_weeks(outcomes: pd.DataFrame, period: Period, which: str) -> None:
    weeks = pd.date_range(*period, freq="7D")
    missing = weeks.difference(pd.DatetimeIndex(outcomes["week_start"].unique()))
    if len(missing):
        raise UsageError(f"outcomes lack {len(missing)} week(s) {which}, the first "
                         f"{missing[0].date()}. Next: read tables that cover them.")  # fmt: skip
