"""The verdict of a lab: one HTML page for someone who was not there."""

from __future__ import annotations

from importlib import resources

import jinja2
import pandas as pd

from pipeline.simulate.labs.plan import LabPlan
from pipeline.simulate.labs.reading import Guard, Look

_ADVICE = {
    "B is better": "Give all items arm B's settings.",
    "A is better": "Keep arm A's settings; B costs profit.",
    "no difference found": "Keep arm A's settings: the lab found no difference of the size that it "
    "was made to find.",
    "go on": "Let the lab run to its next look; do not decide on what is shown here.",
}


def render(
    plan: LabPlan, assignment: pd.DataFrame, looks: list[Look], guards: list[Guard]
) -> dict[str, bytes]:
    """verdict.html: the advice first, then looks, guard rails and how the lab was made."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    source = resources.files("pipeline.simulate.labs").joinpath("templates/verdict.html")
    last = looks[-1]
    broken = [guard.name for guard in guards if guard.is_broken]
    page = environment.from_string(source.read_text(encoding="utf-8")).render(
        plan=plan, looks=[_row(look) for look in looks], decision=last.decision,
        advice=advice(last, guards), last=_row(last), broken=broken,
        guards=[{"name": guard.name, "change": _percent(guard.verdict.lift),
                 "low": _percent(guard.verdict.low), "high": _percent(guard.verdict.high),
                 "allowed": _percent(-guard.allowed), "is_broken": guard.is_broken}
                for guard in guards],
        arms=assignment["arm"].astype("str").value_counts().sort_index().to_dict(),
        noise=f"{100 * last.verdict.noise_removed:.0f} %", pairs=last.verdict.n_pairs,
    )  # fmt: skip
    return {"verdict.html": page.encode()}


def advice(last: Look, guards: list[Guard]) -> str:
    """What to do, in a sentence."""
    broken = [guard.name for guard in guards if guard.is_broken]
    if broken and last.decision != "A is better":
        return (
            f"Do not give items arm B's settings yet: {', '.join(broken)} fell by more than was "
            "allowed."
        )
    return _ADVICE[last.decision]


def _row(look: Look) -> dict[str, str]:
    return {
        "week": str(look.week), "lift": _percent(look.verdict.lift), "low": _percent(look.low),
        "high": _percent(look.high), "z": f"{look.z:.2f}", "bound": f"{look.bound:.2f}",
        "decision": look.decision,
    }  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:+.2f} %".replace("-", "−")
