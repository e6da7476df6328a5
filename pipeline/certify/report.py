"""What can be said of a night's plan from its published tables, in figures and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.certify.bound import lower_bound
from pipeline.certify.plan import plan_value
from pipeline.certify.problem import READS as PROBLEM_READS
from pipeline.certify.problem import Floats, Problem, read_problem

READS = (*PROBLEM_READS, "base_stock_levels", "capacity_prices")
TOLERANCE = 1e-6
"""Share of the plan's cost, or of a limit, by which sums in another order may differ."""
FAR_PRICES = 0.05
"""Gap at the published capacity prices, beyond the certified one, that is told as a fault."""
SHOWN = 5
"""Rows that a finding names."""


@dataclass(frozen=True)
class Figure:
    """A figure as published (None: it is not) and as recomputed."""

    name: str
    unit: str
    published: float | None
    recomputed: float


@dataclass(frozen=True)
class Uncovered:
    """What the certificate does not cover: share: what it was measured to cost at most, or None
    where this night measured nothing; words: what it is, and how it is or may be measured."""

    name: str
    share: float | None
    words: str


@dataclass(frozen=True)
class Certificate:
    """lower_usd, upper_usd: recomputed; share: of the plan's cost that could be saved in the
    model, at most; findings: where the tables do not bear out what was published."""

    lower_usd: float
    upper_usd: float
    share: float
    figures: list[Figure]
    findings: list[str]
    notes: list[str]
    uncovered: list[Uncovered]

    @property
    def sentence(self) -> str:
        """The certificate in a sentence."""
        return (
            f"The plan costs {self.upper_usd:,.2f} usd over the planned weeks, and no plan costs "
            f"less than {self.lower_usd:,.2f}: at most {_percent(self.share)} better is possible "
            "in the model."
        )


def certify(tables: dict[str, pd.DataFrame]) -> Certificate:
    """The certificate of a night from its tables READS. Raises UsageError where they do not fit."""
    problem = read_problem(tables)
    value = plan_value(problem)
    known = problem.figures
    general_usd, general_bound = known["general_cost_usd"], known["general_bound_usd"]
    upper = value.cost_usd + value.overflow_usd + general_usd
    lower = lower_bound(problem) + general_bound
    at_published = lower_bound(_at_published_prices(problem, tables["capacity_prices"]))
    share = max(upper - lower, 0.0) / max(abs(upper), 1e-9)
    far = max(upper - at_published - general_bound, 0.0) / max(abs(upper), 1e-9)
    figures = [
        Figure("lower bound, from prices", "usd", known["price_bound_usd"], lower),
        Figure("cost of the plan", "usd", known["upper_bound_usd"], upper),
        Figure("of it, paid for overflow", "usd", known["overflow_cost_usd"], value.overflow_usd),
        Figure("gap", "share", known["certified_gap"], share),
        Figure("violation", "share", known["violation"], value.violation),
        Figure("gap at the prices that are shown", "share", None, far),
    ]
    findings = [
        *_wrong_entries(problem),
        *_differences(figures[:3], upper),
        *_wrong_usage(problem, value.usage, tables["capacity_prices"]),
        *_wrong_levels(problem, tables["base_stock_levels"]),
    ]
    if value.violation > TOLERANCE:
        findings.append(f"rows are exceeded by up to {_percent(value.violation)}, unpaid")
    if far > share + FAR_PRICES:
        findings.append(
            f"capacity_prices: at these prices the bound is {_percent(far)} below the plan, not "
            f"{_percent(share)}: a price is wrong"
        )
    return Certificate(
        lower, upper, share, figures, findings, _notes(problem, lower), uncovered(known)
    )


def uncovered(figures: dict[str, float]) -> list[Uncovered]:
    """What the certificate does not cover; figures: of the night's optimize_summary."""
    audited = int(figures.get("audit_items", 0))
    nested = figures.get("audit_nested_excess")
    drawn = figures.get("audit_scenario_excess")
    of_items = f", on {int(figures.get('audit_scenario_items', 0)):,} items"
    return [
        Uncovered(
            "scenarios", drawn,
            "demand is that of the scenarios drawn; "
            + ("not measured tonight (optimize.audit_items)" if drawn is None else
               "on others, the plan costs this much more than one made for them" + of_items),
        ),
        Uncovered(
            "expected carrying", None,
            "what weeks carry over is planned in expectation; not measured by a night: a "
            "simulation (echelon simulate) measures what the plan earns day by day",
        ),
        Uncovered(
            "real assignment", nested,
            "orders are served as if all of a cycle were known; "
            + ("nested sets against real recourse not measured tonight (optimize.audit_items)"
               if nested is None else
               f"the nested plan costs this much more than one by real recourse, on {audited} "
               "items")
            + "; order by order: not measured by a night, but by a simulation",
        ),
    ]  # fmt: skip


def _at_published_prices(problem: Problem, prices: pd.DataFrame) -> Problem:
    """The problem with the prices that are shown in place of those of the bound."""
    keys = zip(prices["node_id"].astype(str), prices["resource"].astype(str),
               prices["week_start"].dt.strftime("%Y-%m-%d"), strict=True)  # fmt: skip
    shown = prices["price_usd_per_capacity_unit"]
    known = {" ".join(key): float(usd) for key, usd in zip(keys, shown, strict=True)}
    rows, price = problem.rows, np.zeros(len(problem.rows.limit))
    left = {name: known.get(name, 0.0) for name in rows.names}
    for r in np.argsort(rows.limit, kind="stable"):  # the first to be exceeded pay first
        if rows.is_own[r]:
            price[r] = min(left[rows.names[r]], rows.overflow_usd[r])
            left[rows.names[r]] -= price[r]
    return replace(problem, rows=replace(rows, price=price))


def _differences(figures: list[Figure], scale: float) -> list[str]:
    found = []
    for one in figures:
        published = one.published or 0.0
        if abs(published - one.recomputed) > TOLERANCE * max(abs(scale), 1.0):
            found.append(
                f"{one.name}: published {published:,.4f} {one.unit}, but the tables give "
                f"{one.recomputed:,.4f}"
            )
    return found


def _wrong_entries(problem: Problem) -> list[str]:
    """Numbers that no plan or price may have."""
    rows, level = problem.rows, problem.level
    cases = [
        ("problem_rows.bound_price_usd below zero or above the cost of overflow",
         (rows.price < 0) | (rows.price > rows.overflow_usd * (1 + 1e-9))),
        ("problem_rows.overflow below zero", rows.overflow < 0),
        ("weekly_levels.base_stock_units not whole units of at least zero",
         (level < 0) | (level != np.floor(level))),
        ("weekly_levels: units where the item may not stand",
         (level > 0) & ~np.isfinite(problem.holding_usd)[None]),
        ("weekly_levels.served_units below zero or above the level",
         (problem.served < 0) | (problem.served > level * (1 + 1e-9) + 1e-9)),
        ("problem_tolls.toll_usd below zero", problem.toll < 0),
        ("problem_knots: units or usd below zero, or usd that rise within a set",
         np.concatenate([_bad_knots(sizes.units, sizes.usd) for sizes in problem.classes])),
    ]  # fmt: skip
    return [f"{words}: {int(bad.sum())} rows" for words, bad in cases if bad.any()]


def _bad_knots(units: Floats, usd: Floats) -> np.ndarray:
    rises = (np.diff(usd, axis=2) > 1e-6 * usd[:, :, :-1]) & (units[:, :, 1:] > 0)
    return np.asarray(((units < 0) | (usd < 0)).any(axis=2) | rises.any(axis=2)).ravel()


def _wrong_usage(problem: Problem, usage: Floats, prices: pd.DataFrame) -> list[str]:
    """Rows whose published usage is not that of the plan."""
    rows, found = problem.rows, []
    differs = TOLERANCE * np.maximum(np.abs(usage), 1.0)
    wrong = np.flatnonzero(np.abs(usage - rows.usage) > differs)
    if len(wrong):
        named = "; ".join(
            f"{rows.names[r]}: {rows.usage[r]:,.3f}, recomputed {usage[r]:,.3f}"
            for r in wrong[:SHOWN].tolist()
        )
        found.append(f"problem_rows.plan_usage: {len(wrong)} rows differ ({named})")
    free = {name: rows.limit[r] - rows.usage[r] for r, name in enumerate(rows.names)
            if rows.is_stated[r]}  # fmt: skip
    day = prices["week_start"].dt.strftime("%Y-%m-%d")
    keys = (
        prices["node_id"].astype(str) + " " + prices["resource"].astype(str) + " " + day
    ).tolist()
    own = (prices["capacity"] - prices["usage"]).to_numpy(float)
    size = np.maximum(prices["usage"].abs().to_numpy(float), 1.0)
    size += 1e-6 * prices["capacity"].abs().to_numpy(float)  # published to twelve digits
    strange = [name for name, left, scale in zip(keys, own, TOLERANCE * size, strict=True)
               if abs(free.get(name, np.inf) - left) > scale]  # fmt: skip
    if strange:
        found.append(
            f"capacity_prices: {len(strange)} rows leave another room than problem_rows do "
            f"({'; '.join(strange[:SHOWN])})"
        )
    return found


def _wrong_levels(problem: Problem, levels: pd.DataFrame) -> list[str]:
    """Tonight's published levels, overrides taken off, that are not those of the plan."""
    k = pd.Index(problem.item_ids).get_indexer(levels["item_id"].astype(str))
    j = pd.Index(problem.node_ids).get_indexer(levels["node_id"].astype(str))
    known = (k >= 0) & (j >= 0)
    own = (levels["base_stock_units"] - levels["override_units"]).to_numpy(float)
    found = np.zeros(problem.level.shape[1:])
    found[k[known], j[known]] = own[known]
    differ = np.argwhere(found != problem.level[0])
    if not len(differ):
        return []
    named = "; ".join(
        f"{problem.item_ids[i]} at {problem.node_ids[n]}: {found[i, n]:,.0f} against "
        f"{problem.level[0, i, n]:,.0f}" for i, n in differ[:SHOWN].tolist()
    )  # fmt: skip
    return [f"base_stock_levels and weekly_levels differ tonight in {len(differ)} levels ({named})"]


def _notes(problem: Problem, lower: float) -> list[str]:
    """What else a reader should know."""
    notes, known = [], problem.figures
    more = known["lower_bound_usd"] - lower
    if more > TOLERANCE * max(abs(lower), 1.0):
        notes.append(
            f"The published bound is {more:,.2f} usd higher: branch and bound found it, which is "
            "not recomputed here."
        )
    if problem.is_general.any():
        notes.append(
            f"Tonight's levels of {int(problem.is_general.sum()):,} items come from the general "
            f"model: their cost, {known['general_cost_usd']:,.2f} usd, and their part of the "
            f"bound, {known['general_bound_usd']:,.2f}, are taken as published."
        )
    return notes


def _percent(share: float) -> str:
    return f"{100 * share:.3f} %" if share >= 5e-6 else f"{100 * share:.1e} %"
