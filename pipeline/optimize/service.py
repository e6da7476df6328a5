"""Service targets: the price at which each is just met, and what that costs.

What is served rises with a target's price, so the price is found by bisection at the night's prices
of space, all targets at once; a target that other ones lift is looked at again. The plan is then
solved with these prices, which moves those of space, until targets hold at both. A target that the
plan reaches anyway has price 0 and changes nothing; one that no price reaches is planned at the
highest and reported with its best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.settings import Settings
from pipeline.core.solve import Plan
from pipeline.optimize.night_model import NightModel, raised
from pipeline.optimize.service_search import Answer, Searched, searched

Floats = NDArray[np.float64]

_GROWTHS, _HALVINGS, _POINT_HALVINGS = 24, 10, 5
_PASSES, _ROUNDS = 3, 3
_FIRST_SHARE = 0.1
"""First price tried, as a share of what a lost sale costs in the mean."""
_NEAR = 1e-9
POINT = 0.01


@dataclass(frozen=True)
class Service:
    """The plan with its targets: its model, prices [targets], and every answer on the way at the
    last prices of space; base: the model without prices of targets."""

    model: NightModel
    base: NightModel
    plan: Plan
    price: Floats
    looked_at: Searched | None
    answers: tuple[Answer, ...]

    @property
    def is_priced(self) -> bool:
        """Whether any target changes the plan."""
        return bool((self.price > 0).any())


def with_targets(
    model: NightModel,
    plan: Plan,
    settings: Settings,
    solved: Callable[[NightModel], tuple[NightModel, Plan]],
    dropped: NDArray[np.bool_],
) -> Service:
    """The plan under the night's service targets; `plan` is without, `solved` plans a model, and
    says which it has planned; dropped: [items] those that no target brings back."""
    base, price = model, np.zeros(len(model.scopes))
    if not len(price):
        return Service(model, base, plan, price, None, ())
    for _ in range(_ROUNDS):
        looked_at = searched(base, model.capacity.rows.on_items(plan.price), settings, dropped)
        answers = _search(looked_at, price)
        found = answers[-1].price
        if np.array_equal(found, price):
            break
        price = found
        model, plan = solved(raised(base, base.scopes.premium_usd(price)))
    else:
        looked_at = searched(base, model.capacity.rows.on_items(plan.price), settings, dropped)
        answers = [looked_at.answer(np.zeros(len(price))), looked_at.answer(price)]
    return Service(model, base, plan, price, looked_at, (*answers, *_points(looked_at, answers)))


def _search(looked_at: Searched, floor: Floats) -> list[Answer]:
    """Answers on the way to the least prices, none below the floor, at which every target is met
    that can be; the last is theirs."""
    target = looked_at.scopes.targets["target_share"].to_numpy(float)
    answers = [looked_at.answer(np.zeros(len(floor)))]
    if floor.any():
        answers.append(looked_at.answer(floor))
    price, sales = floor.copy(), looked_at.model.money.lost_sale_usd
    in_scope = looked_at.scopes.asked > 0
    mean = (in_scope * sales).sum(axis=1) / np.maximum(in_scope.sum(axis=1), 1)
    first = np.minimum(np.maximum(_FIRST_SHARE * mean, 0.01), looked_at.most_usd)
    for _ in range(_PASSES):
        short = (answers[-1].share < target - _NEAR) & (price < looked_at.most_usd)
        short &= in_scope.any(axis=1)
        if not short.any():
            break
        low, high = price.copy(), np.where(short, np.maximum(first, 2.0 * price), price)
        for _ in range(_GROWTHS):
            answers.append(looked_at.answer(np.minimum(high, looked_at.most_usd)))
            grows = short & (answers[-1].share < target - _NEAR) & (high < looked_at.most_usd)
            if not grows.any():
                break
            low, high = np.where(grows, high, low), np.where(grows, 2.0 * high, high)
        price = _halved(looked_at, answers, low, np.minimum(high, looked_at.most_usd), target)
        answers.append(looked_at.answer(price))
    return answers


def _halved(
    looked_at: Searched, answers: list[Answer], low: Floats, high: Floats, target: Floats
) -> Floats:
    """The upper ends of brackets of prices [targets] after bisection; adds its answers."""
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        answers.append(looked_at.answer(middle))
        met = answers[-1].share >= target - _NEAR
        low, high = np.where(met, low, middle), np.where(met, middle, high)
    return high


def _points(looked_at: Searched, answers: list[Answer]) -> list[Answer]:
    """More answers, near a point below what is planned, for what the last point costs."""
    last = answers[-1]
    if not last.price.any():
        return []
    found: list[Answer] = []
    aim = last.share - POINT
    low, high = np.zeros(len(aim)), last.price.copy()
    for answer in answers:
        under = answer.share <= aim
        low = np.where(under, np.maximum(low, np.minimum(answer.price, last.price)), low)
        high = np.where(~under, np.minimum(high, answer.price), high)
    for _ in range(_POINT_HALVINGS):
        middle = 0.5 * (low + np.maximum(high, low))
        found.append(looked_at.answer(middle))
        under = found[-1].share <= aim
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return found


def service_frame(service: Service) -> pd.DataFrame:
    """Table service_levels."""
    targets = service.base.scopes.targets
    if service.looked_at is None:
        return targets.assign(
            planned_share=np.nan, share_without_target=np.nan, service_price_usd_per_unit=0.0,
            point_usd_per_week=0.0, target_usd_per_week=0.0, service_status="no_demand",
        )  # fmt: skip
    at = next(a for a in service.answers[::-1] if np.array_equal(a.price, service.price))
    free = service.answers[0]
    wanted = targets["target_share"].to_numpy(float)
    has = service.looked_at.scopes.asked.sum(axis=1) > 0
    met = np.where(service.price > 0, "met", "reached_anyway").astype(object)
    met[at.share < wanted - _NEAR] = "best_possible"
    met[~has] = "no_demand"
    point = [_last_point(service, at, t) for t in range(len(wanted))]
    return targets.assign(
        planned_share=np.where(has, at.share, np.nan),
        share_without_target=np.where(has, free.share, np.nan),
        service_price_usd_per_unit=service.price,
        point_usd_per_week=np.where(service.price > 0, point, 0.0),
        target_usd_per_week=np.where(service.price > 0, at.cost_usd, 0.0),
        service_status=met,
    )


def _last_point(service: Service, at: Answer, target: int) -> float:
    """Usd a week between what is planned for the target and a point less, of all answers that are
    no better in any target; where all that it adds is less than a point, in proportion."""
    if service.price[target] <= 0:
        return 0.0
    known = [a for a in service.answers if a.price[target] <= at.price[target]]
    share = np.array([a.share[target] for a in known])
    cost = np.array([a.cost_usd[target] for a in known])
    order = np.lexsort((cost, share))
    share, cost = share[order], np.maximum.accumulate(cost[order])
    gained = at.share[target] - share[0]
    if gained <= POINT:
        return float(at.cost_usd[target] * POINT / max(gained, 1e-6))
    before = float(np.interp(at.share[target] - POINT, share, cost))
    return float(max(at.cost_usd[target] - before, 0.0))


def notes(service: Service) -> NDArray[np.object_]:
    """[items] the target in words whose price adds most to an item's shortage; None without."""
    scopes = service.base.scopes
    found = np.full(len(service.base.cube.items), None, dtype=object)
    most = np.zeros(len(found))
    for t, target in scopes.targets.iterrows():
        usd = service.price[int(str(t))] * scopes.part[int(str(t))].max(axis=1, initial=0.0)
        more = usd > most
        found[more], most[more] = _words(target), usd[more]
    return found


def _words(target: pd.Series) -> str:
    """A target as a planner would say it, e.g. '98 % fill rate of class A'."""
    share = f"{100 * float(target['target_share']):.4g} %"
    text = f"{share} fill rate"
    if str(target["service_measure"]) == "promises_kept":
        speed = "" if pd.isna(target["speed"]) else f"{target['speed']} "
        text = f"{share} of {speed}promises"
    for column, word in (("abc_class", "class "), ("item_group", "")):
        if not pd.isna(target[column]):
            text += f" of {word}{target[column]}"
    return text if pd.isna(target["region_id"]) else f"{text} in {target['region_id']}"
