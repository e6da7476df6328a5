"""What a scenario's changes do, in sentences and rows for the report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pipeline.simulate.report.effect import Effect, Frames, effects, node_effects
from pipeline.simulate.report.plots import difference_plot


@dataclass(frozen=True)
class Told:
    """Under one policy: sentences, figures, figures by node, and a drawing of the latter."""

    policy: str
    findings: list[str]
    effects: list[dict[str, str]]
    nodes: list[dict[str, str]]
    drawing: Markup


def told(changed: Frames, unchanged: Frames, policy: str) -> Told:
    """What is to be read of one policy's runs with and without the change."""
    by_node = node_effects(changed, unchanged, policy)
    found = effects(changed, unchanged, policy)
    drawing = difference_plot(
        [effect.label for effect in by_node], [effect.difference for effect in by_node], "USD"
    )
    return Told(
        policy, _sentences(found), [_row(effect) for effect in found],
        [_row(effect) for effect in by_node],
        Markup(drawing),  # noqa: S704  # our own drawing; matplotlib escapes the text in it
    )  # fmt: skip


def _sentences(found: list[Effect]) -> list[str]:
    """The answers that are asked for first: money, lost sales, stock and where, at what cost."""
    named = {(effect.group, effect.label): effect for effect in found}
    stock = named["Stock, USD", "all nodes"]
    tiers = [effect for effect in found if effect.group == stock.group and effect is not stock]
    delivery = named["Cost, USD a unit sold", "Delivery to customers"]
    kept = named["Promises kept, % of units", "all"]
    profit, lost = named["Trade, a day", "Profit, USD"], named["Trade, a day", "Units lost"]
    where = "; ".join(
        f"{effect.label} {_plus(effect)} USD ({_percent(effect.share)}){_doubt(effect)}"
        for effect in tiers
    )
    return [
        f"Profit: {_plus(profit)} USD a day, {_percent(profit.share)} of "
        f"{profit.without.mean:,.0f} USD{_doubt(profit)}.",
        f"Lost sales: {_plus(lost)} units a day, where {lost.without.mean:,.1f} are lost without "
        f"the change{_doubt(lost)}.",
        f"Stock: {_plus(stock)} USD in all nodes, {_percent(stock.share)} of "
        f"{stock.without.mean:,.0f} USD{_doubt(stock)}.",
        f"Stock by tier: {where}.",
        f"Cost of delivery: {_plus(delivery)} USD a unit sold, {_percent(delivery.share)} of "
        f"{delivery.without.mean:.3f} USD{_doubt(delivery)}.",
        f"Promises kept: {kept.without.mean:.1f} % of units before and {kept.changed.mean:.1f} % "
        f"after, {_plus(kept)} percentage points{_doubt(kept)}.",
    ]


def _row(effect: Effect) -> dict[str, str]:
    return {
        "group": effect.group, "label": effect.label,
        "without": f"{effect.without.mean:,.{effect.digits}f}",
        "changed": f"{effect.changed.mean:,.{effect.digits}f}",
        "difference": _plus(effect), "share": _percent(effect.share),
    }  # fmt: skip


def _plus(effect: Effect) -> str:
    """The difference with its sign and half-width."""
    text = f"{effect.difference.mean:+,.{effect.digits}f}".replace("-", "−")
    width = effect.difference.half_width
    return text if np.isnan(width) else f"{text} ± {width:,.{effect.digits}f}"


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:+.1f} %".replace("-", "−")


def _doubt(effect: Effect) -> str:
    """A warning where the interval holds 0, or where there is none."""
    if np.isnan(effect.difference.half_width):
        return " (one replication: no interval)"
    low, high = effect.difference.low, effect.difference.high
    return " (cannot be told from no change)" if low <= 0 <= high else ""
