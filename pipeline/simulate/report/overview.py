"""Several scenarios side by side: one row for each, what it does in money, and its own page."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import jinja2
import numpy as np

from pipeline.simulate.report.effect import Effect, Frames
from pipeline.simulate.report.told import is_in_doubt, percent, plus
from pipeline.simulate.report.whole_run import whole_run
from pipeline.simulate.scenarios.scenario import Scenario

_SHOWN = ("Profit", "Sales", "All lost sales", "Late vendor: units were overdue", "Overflow")


@dataclass(frozen=True)
class Row:
    """A scenario under a policy: its cells by the names in `_SHOWN`, empty where the world without
    its changes was not run; is_told: whether profit surely changes."""

    name: str
    title: str
    question: str
    changes: list[str]
    policy: str
    cells: list[str]
    share: str
    is_told: bool
    page: str


def overview_row(
    scenario: Scenario, tables: Frames, unchanged: Frames | None, policy: str, page: str
) -> Row:  # fmt: skip
    """The row of a scenario that was run; page: where its own page lies from here."""
    named: dict[str, Effect] = {}
    if unchanged is not None:
        named = {effect.label: effect for effect in whole_run(tables, unchanged, policy)}
    profit = named.get("Profit")
    return Row(
        scenario.name, scenario.name.replace("_", " ").capitalize(), scenario.question,
        [change.sentence() for change in scenario.changes], policy,
        [plus(named[label]) if label in named else "–" for label in _SHOWN],
        "–" if profit is None else percent(profit.share),
        profit is not None and not is_in_doubt(profit)
        and not np.isnan(profit.difference.half_width),
        page,
    )  # fmt: skip


def render_overview(rows: list[Row]) -> bytes:
    """The page of all rows, in their order."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    source = resources.files("pipeline.simulate.report").joinpath("templates/overview.html")
    policies = {row.policy for row in rows}
    page = environment.from_string(source.read_text(encoding="utf-8")).render(
        rows=rows, shown=["Profit", "Sales", "Lost sales", "of these late vendors", "Overflow"],
        has_policies=len(policies) > 1,
    )  # fmt: skip
    return page.encode()
