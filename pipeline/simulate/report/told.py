"""What a scenario's changes do, in sentences and rows for the report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from pipeline.simulate.report.effect import Effect, Frames, effects, node_effects
from pipeline.simulate.report.intervals import Interval
from pipeline.simulate.report.plots import difference_plot
from pipeline.simulate.report.whole_run import (
    Insurance,
    Week,
    insurance,
    item_effects,
    weeks,
    whole_run,
)

_LITTLE = 0.005
"""Share of a week's profit below which a difference in the last week is next to nothing."""


@dataclass(frozen=True)
class Told:
    """Under one policy: sentences and figures of the whole run, items that pay most; sentences and
    figures of the second half's days, figures by node, and a drawing of the latter. is_untouched:
    nothing in the run is different, so that there is nothing to tell but that."""

    policy: str
    is_untouched: bool
    sums: list[str]
    parts: list[dict[str, str]]
    items: list[dict[str, str]]
    findings: list[str]
    effects: list[dict[str, str]]
    nodes: list[dict[str, str]]
    drawing: Markup


def told(changed: Frames, unchanged: Frames, policy: str, items: pd.DataFrame) -> Told:
    """What is to be read of one policy's runs with and without the change; items: the table."""
    by_node = node_effects(changed, unchanged, policy)
    found = effects(changed, unchanged, policy)
    drawing = difference_plot(
        [effect.label for effect in by_node], [effect.difference for effect in by_node], "USD"
    )
    parts = whole_run(changed, unchanged, policy)
    is_untouched = not any(effect.difference.mean for effect in (*parts, *found, *by_node))
    return Told(
        policy, is_untouched,
        _sums(parts, weeks(changed, unchanged, policy))
        + _insured(insurance(parts, unchanged, policy)),
        [_row(part) for part in parts],
        [_row(effect) for effect in item_effects(changed, unchanged, policy, items)],
        _sentences(found), [_row(effect) for effect in found],
        [_row(effect) for effect in by_node],
        Markup(drawing),  # noqa: S704  # our own drawing; matplotlib escapes the text in it
    )  # fmt: skip


def _sums(parts: list[Effect], by_week: list[Week]) -> list[str]:
    """What the change brings or costs in all, of what, and when."""
    named = {part.label: part for part in parts}
    profit, lost = named["Profit"], named["All lost sales"]
    of_profit = [part for part in parts if part.group == profit.group and part is not profit]
    sales, goods, *others = of_profit
    shares = [("margin of sales", sales.difference.mean + goods.difference.mean)]
    shares += [(part.label.lower(), part.difference.mean) for part in others]
    shares.sort(key=lambda share: -abs(share[1]))
    told_parts = ", ".join(f"{name} {_usd(value)}" for name, value in shares[:3] if round(value))
    causes = sorted((part for part in parts if part.group == lost.group and part is not lost),
                    key=lambda part: -abs(part.difference.mean))  # fmt: skip
    told_causes = "; ".join(f"{part.label[0].lower()}{part.label[1:]} {plus(part)}"
                            for part in causes[:2] if round(part.difference.mean))  # fmt: skip
    verb = "brings" if profit.difference.mean >= 0 else "costs"
    most = max(by_week, key=lambda week: abs(week.profit.mean))
    last = by_week[-1]
    of = f"{percent(profit.share)} of {profit.without.mean:,.0f} USD"
    in_all = f"In all the change {verb} {_span(profit.difference)} USD of profit, {of}"
    if is_in_doubt(profit):
        in_all = f"In all no effect on profit can be told from chance: {plus(profit)} USD, {of}"
    elif np.isnan(profit.difference.half_width):
        in_all += _doubt(profit)
    lost_text = (
        f"{plus(lost)} USD at selling price, where {lost.without.mean:,.0f} USD are lost without "
        f"the change{_doubt(lost)}"
    )
    if not lost.difference.low and not lost.difference.high:
        lost_text = f"the same {lost.without.mean:,.0f} USD with the change and without it"
    return [
        in_all + (f". The largest parts of it, as they change profit: {told_parts} USD."
                  if told_parts else "."),
        f"Lost sales: {lost_text}" + (f". By cause: {told_causes} USD." if told_causes else "."),
        f"The week that changes most is that of {most.first_day:%Y-%m-%d}: "
        f"{_usd(most.profit.mean)} USD of profit; in the last week it is "
        f"{_usd(last.profit.mean)} USD"
        f"{_over(last.profit, _LITTLE * abs(profit.without.mean) / len(by_week))}.",
    ]  # fmt: skip


def _insured(stock: Insurance | None) -> list[str]:
    """Whether stock against the change would pay; empty where there is nothing to insure."""
    if stock is None:
        return []
    return [
        f"To have had in stock all the time what could not be sold, {stock.goods_usd:,.0f} USD at "
        f"cost, takes {stock.carrying_usd:,.0f} USD of capital and storage in {stock.days} days, "
        f"where there is space: it pays if such a change comes once in "
        f"{stock.every_days / 365:.1f} years or more often."
    ]


def _usd(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "−")


def _span(difference: Interval) -> str:
    """An amount without its sign, with its half-width."""
    text = f"{abs(difference.mean):,.0f}"
    width = difference.half_width
    return text if np.isnan(width) else f"{text} ± {width:,.0f}"


def _over(last: Interval, little_usd: float) -> str:
    """Whether the effect has ended with the run; less than little_usd is next to nothing."""
    if np.isnan(last.half_width):
        return ""
    if last.low <= 0 <= last.high:
        return ", which cannot be told from nothing"
    if abs(last.mean) < little_usd:
        return ", next to nothing of a week's profit"
    return ": it is not over when the run ends"


def _sentences(found: list[Effect]) -> list[str]:
    """The answers that are asked for first: money, lost sales, stock and where, at what cost."""
    named = {(effect.group, effect.label): effect for effect in found}
    stock = named["Stock, USD", "all nodes"]
    tiers = [effect for effect in found if effect.group == stock.group and effect is not stock]
    delivery = named["Cost, USD a unit sold", "Delivery to customers"]
    kept = named["Promises kept, % of units", "all"]
    profit, lost = named["Trade, a day", "Profit, USD"], named["Trade, a day", "Units lost"]
    where = "; ".join(
        f"{effect.label} {plus(effect)} USD ({percent(effect.share)}){_doubt(effect)}"
        for effect in tiers
    )
    return [
        f"Profit: {plus(profit)} USD a day, {percent(profit.share)} of "
        f"{profit.without.mean:,.0f} USD{_doubt(profit)}.",
        f"Lost sales: {plus(lost)} units a day, where {lost.without.mean:,.1f} are lost without "
        f"the change{_doubt(lost)}.",
        f"Stock: {plus(stock)} USD in all nodes, {percent(stock.share)} of "
        f"{stock.without.mean:,.0f} USD{_doubt(stock)}.",
        f"Stock by tier: {where}.",
        f"Cost of delivery: {plus(delivery)} USD a unit sold, {percent(delivery.share)} of "
        f"{delivery.without.mean:.3f} USD{_doubt(delivery)}.",
        f"Promises kept: {kept.without.mean:.1f} % of units before and {kept.changed.mean:.1f} % "
        f"after, {plus(kept)} percentage points{_doubt(kept)}.",
    ]


def _row(effect: Effect) -> dict[str, str]:
    return {
        "group": effect.group, "label": effect.label,
        "without": f"{effect.without.mean:,.{effect.digits}f}".replace("-", "−"),
        "changed": f"{effect.changed.mean:,.{effect.digits}f}".replace("-", "−"),
        "difference": plus(effect), "share": percent(effect.share),
    }  # fmt: skip


def plus(effect: Effect) -> str:
    """The difference with its sign and half-width."""
    text = _signed(f"{effect.difference.mean:+,.{effect.digits}f}")
    width = effect.difference.half_width
    return text if np.isnan(width) else f"{text} ± {width:,.{effect.digits}f}"


def percent(share: float) -> str:
    """A share in percent with its sign, a dash where there is none."""
    return "–" if np.isnan(share) else _signed(f"{100 * share:+.1f}") + " %"


def _signed(text: str) -> str:
    """A number's text with the sign of print; nothing has none."""
    return text.replace("-", "−") if text.strip("+-0.,") else text[1:]


def is_in_doubt(effect: Effect) -> bool:
    """Whether the interval of the difference holds 0."""
    return effect.difference.low <= 0 <= effect.difference.high


def _doubt(effect: Effect) -> str:
    """A warning where the interval holds 0, or where there is none."""
    if np.isnan(effect.difference.half_width):
        return " (one replication: no interval)"
    return " (cannot be told from no change)" if is_in_doubt(effect) else ""
