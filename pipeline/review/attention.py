"""What a planner should look at first: each point names its figure and where to read on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.review.formats import count, share, usd


@dataclass(frozen=True)
class Point:
    """One thing to look at: text, the section it belongs to, and whether it is serious."""

    text: str
    section: str
    is_serious: bool


GAP_SHARE = 0.01
COVERAGE_90 = (0.85, 0.95)
CHURN_SHARE = 0.3
BIAS_SHARE = 0.25
_NAMED = 3


def attention_points(
    kpis: Mapping[str, float],
    odd_orders: int,
    full_capacities: Sequence[str],
    uncovered: Sequence[str] = (),
    biased: Sequence[tuple[str, float]] = (),
) -> list[Point]:
    """The points that apply to a night's key figures, serious ones first.

    uncovered: items out of stock for which nothing comes or is ordered, each with the reason.
    biased: groups whose forecast was far off lately, and by what share of demand.
    """
    value = kpis.get
    points: list[Point] = []

    def add(text: str, section: str, is_serious: bool = False) -> None:
        points.append(Point(text, section, is_serious))

    points += [Point(text, "risk", True) for text in _named_uncovered(uncovered)]
    if value("violation", 0.0) > 0:
        add(f"The plan exceeds a capacity by up to {share(kpis['violation'])}.", "capacity", True)
    if value("unplaced_order_lines", 0):
        add(_unplaced(kpis), "largest", True)
    if value("capacities_exceeded", 0):
        noun = ("capacity overflows", "capacities overflow")
        cost = kpis.get("overflow_cost_usd", 0.0)
        paid = (
            f"it costs {usd(cost)} a week" if cost >= 1 else "by too little to cost a dollar a week"
        )
        add(f"{_n(kpis['capacities_exceeded'], *noun)} in some week; {paid}.", "capacity", True)
    if value("certified_gap", 0.0) > GAP_SHARE:
        add(f"The plan may cost up to {share(kpis['certified_gap'])} more than the best one; "
            f"{share(GAP_SHARE, 0)} is the aim.", "solver", True)  # fmt: skip
    if value("items_likely_to_run_out", 0):
        add(f"{_n(kpis['items_likely_to_run_out'], 'item')} will probably run out of stock "
            "before a later order can help.", "risk", True)  # fmt: skip
    if value("items_not_worth_stocking", 0):
        one = kpis["items_not_worth_stocking"] == 1
        add(
            f"{_n(kpis['items_not_worth_stocking'], 'item')} cost{'s' if one else ''} more to "
            f"deliver than a sale brings and get{'s' if one else ''} no stock.",
            "unstocked",
        )
    if value("items_beyond_forecast", 0):
        add(_beyond_forecast(kpis), "figures")
    points += [Point(text, "solver", False) for text in _odd_levels(kpis)]
    points += [Point(text, "capacity", False) for text in _full(full_capacities)]
    low, high = COVERAGE_90
    if not low <= value("forecast_coverage_90", 0.9) <= high:
        add(f"The 90% forecast quantile held {share(kpis['forecast_coverage_90'])} of lately seen "
            "demand.", "calibration")  # fmt: skip
    points += [Point(text, "calibration", True) for text in _biased(biased)]
    if value("order_churn", 0.0) > CHURN_SHARE:
        add(f"Orders changed by {share(kpis['order_churn'], 0)} since yesterday.", "changes")
    if odd_orders:
        add(f"{_n(odd_orders, 'order looks', 'orders look')} odd.", "oddest")
    if value("quarantined_rows", 0):
        add(f"{_n(kpis['quarantined_rows'], 'finding')} in the raw data.", "data")
    if value("overrides_in_force", 0):
        noun = ("planner's override is", "planners' overrides are")
        add(f"{_n(kpis['overrides_in_force'], *noun)} in force.", "overrides")
    return sorted(points, key=lambda point: not point.is_serious)


def _odd_levels(kpis: Mapping[str, float]) -> list[str]:
    """Items whose levels are not what the general rule would make of them."""
    found = []
    if kpis.get("items_kept_for_goodwill", 0):
        bring = "brings" if kpis["items_kept_for_goodwill"] == 1 else "bring"
        found.append(
            f"{_n(kpis['items_kept_for_goodwill'], 'item')} to be stocked {bring} no money after "
            "delivery, only goodwill (planning.goodwill_share); planning.drops_losing_items leaves "
            "such items out."
        )
    if kpis.get("general_skipped_items", 0):
        found.append(
            f"Orders for {_n(kpis['general_skipped_items'], 'item')} can be served in time by "
            "nodes that do not nest, and the network is too wide for the model that knows it: "
            "levels are planned as if they did."
        )
    return found


def _beyond_forecast(kpis: Mapping[str, float]) -> str:
    """What is assumed of demand that no forecast reaches."""
    return (
        f"Orders of {_n(kpis['items_beyond_forecast'], 'item')} must last up to "
        f"{kpis['longest_cover_days']:.0f} days, beyond the "
        f"{kpis['longest_forecast_days']:.0f} that are forecast: later demand is taken to go on as "
        "at their end, without seasons or events. forecast.window_days may be longer."
    )


def _biased(groups: Sequence[tuple[str, float]]) -> list[str]:
    """Groups whose forecast was far off, the worst by name."""
    texts = [
        f"The forecast of {name} was {share(abs(bias), 0)} too {'high' if bias > 0 else 'low'} "
        "lately."
        for name, bias in groups[:_NAMED]
    ]
    more = len(groups) - _NAMED
    if more > 0:
        texts.append(f"As far off: {_n(more, 'more group')}.")
    return texts


def _full(capacities: Sequence[str]) -> list[str]:
    """The capacities that are full, the first by name."""
    if not capacities:
        return []
    more = len(capacities) - _NAMED
    named = ", ".join(capacities[:_NAMED])
    return [f"Full in some week: {named}{f' and {more:,} more' if more > 0 else ''}."]


def _unplaced(kpis: Mapping[str, float]) -> str:
    """Last night's orders that are not on order: a question only the planner can answer."""
    lines, again = kpis["unplaced_order_lines"], kpis["unplaced_lines_proposed_again"]
    text = (f"{count(lines)} of last night's {_n(kpis['previous_order_lines'], 'order line')} "
            f"({usd(kpis['unplaced_order_usd'])}) are not on order: were they placed?")  # fmt: skip
    if again:
        text += f" Tonight's plan proposes {count(again)} of these items again."
    return text


def _named_uncovered(uncovered: Sequence[str]) -> list[str]:
    texts = [f"Out of stock, nothing coming, nothing ordered: {item}." for item in uncovered]
    if len(texts) <= _NAMED:
        return texts
    noun = _n(len(texts) - _NAMED, "more item is", "more items are")
    return [*texts[:_NAMED], f"{noun} out of stock with nothing coming or ordered."]


def _n(number: float, noun: str, plural: str = "") -> str:
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"
