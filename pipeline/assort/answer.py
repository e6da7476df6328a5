"""The answer to a one-off question: what to carry, what each adds and takes, what fewer earn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.assort.products import Products
from pipeline.core.assortment.chain import Chain, Floats, logit_chain
from pipeline.core.assortment.choices import Choices
from pipeline.core.assortment.group import Group, Work, decide_group
from pipeline.core.assortment.limits import decide_in_space, fewest, profit_curve, sampled
from pipeline.core.assortment.lists import Seasons, chain_seasons
from pipeline.core.assortment.newsvendor import first_choices
from pipeline.core.assortment.penalty import learn_penalized
from pipeline.core.assortment.season_bound import SeasonBound
from pipeline.core.assortment.season_sizes import season_sizes
from pipeline.core.assortment.terms import Trial, profit
from pipeline.errors import UsageError

_CUSTOMERS_SAMPLED = 60_000


@dataclass(frozen=True)
class Question:
    """customers: expected in the season; leave_share: of those who miss their first choice, where
    no choices say it; most_products, space_cuft: limits, if any."""

    customers: float
    dispersion: float = 1.0
    leave_share: float = 0.3
    most_products: int | None = None
    space_cuft: float | None = None
    seed: int = 20160424


@dataclass(frozen=True)
class Answer:
    """items: names in the order of the chain; plan: a row for each item; curve: profit by number of
    items; profit_usd of the plan on fresh seasons; first_choice_usd: of quantities that know of no
    substitution and no limits; notes: in words."""

    items: tuple[str, ...]
    plan: pd.DataFrame
    curve: pd.DataFrame
    chain: Chain
    profit_usd: float
    first_choice_usd: float
    lp_bound_usd: float
    bound: SeasonBound
    notes: tuple[str, ...]


def answer(products: Products, choices: Choices | None, question: Question) -> Answer:
    """Units of each item, certified; raises UsageError where nothing can be decided."""
    if question.customers <= 0:
        raise UsageError(f"{question.customers} customers buy nothing. Next: --customers above 0.")
    chain, share, notes = chain_of(products, choices, question)
    count = int(np.clip(_CUSTOMERS_SAMPLED // max(question.customers, 1.0), 100, 1000))
    work = Work(seasons=count, fresh=2 * count)
    group = Group(chain, products.terms, question.customers, question.dispersion, question.seed)
    found = decide_group(group, work)
    seasons = sampled(group, work)
    curve = profit_curve(group, seasons, found.units)
    best = found.decision.best
    if question.most_products is not None:
        best = fewest(curve, question.most_products)
    if question.space_cuft is not None:
        best, group = _in_space(group, work, products, question.space_cuft, best)
    fresh = chain_seasons(
        chain, season_sizes(group.customers, work.fresh, group.dispersion), group.seed + 1_000_003
    )
    told = profit(fresh, products.terms, best.units)
    blind = profit(fresh, products.terms, first_choices(seasons, products.terms), False)
    return Answer(
        tuple(products.items), _plan(products, chain, share, fresh, told), _curve(curve), chain,
        told.profit_usd, blind.profit_usd, found.lp_bound_usd, found.season_bound, notes,
    )  # fmt: skip


def chain_of(
    products: Products, choices: Choices | None, question: Question
) -> tuple[Chain, Floats, tuple[str, ...]]:
    """The chain, the share of each row that data say, and what a reader should know of it."""
    n = len(products.items)
    if choices is None:
        weight = products.weight / products.weight.sum()
        inside = logit_chain(weight, 0.0)
        chain = Chain(weight, (1.0 - question.leave_share) * inside.transition)
        note = "Substitution is assumed, not learned: by weight, and the share who leave as given."
        return chain, np.zeros(n), (note,)
    found = learn_penalized(choices)
    chain, share = found.learned.chain, found.learned.data_share
    notes = [f"Learned from {choices.chosen.sum():,.0f} choices over {len(choices)} offers; the "
             f"prior counts for {found.strength:,.1f} moves of each item's customers."]  # fmt: skip
    if not choices.left.any():
        weight = chain.arrival / chain.arrival.sum()
        chain = Chain(weight, (1.0 - question.leave_share) * chain.transition)
        notes.append("Nobody was seen to leave: the share who leave is assumed as given.")
    thin = [name for name, part in zip(products.items, share, strict=True) if part < 0.1]
    if thin:
        notes.append(f"What customers of {', '.join(thin[:8])}{' …' if len(thin) > 8 else ''} do "
                     "when it is out is the prior's, not the data's.")  # fmt: skip
    lost = [name for name, a in zip(products.items, chain.arrival, strict=True) if a < 1e-6]
    if lost:
        notes.append(f"Nobody can be seen to want {', '.join(lost[:8])} first.")
    return chain, share, tuple(notes)


def _in_space(
    group: Group, work: Work, products: Products, space_cuft: float, best: Trial
) -> tuple[Trial, Group]:
    """The best units within the space, of the products that the number allowed leaves."""
    if not (products.cube_cuft > 0).any():
        raise UsageError("--space needs a column cube_cuft. Next: add it to the products.")
    terms = replace(products.terms, is_open=best.units > 0)
    limited = replace(group, terms=terms)
    return decide_in_space(limited, work, products.cube_cuft, space_cuft).trial, limited


def _plan(
    products: Products, chain: Chain, share: Floats, fresh: Seasons, told: Trial
) -> pd.DataFrame:
    """A row for each item, those carried first by what they add."""
    terms, n = products.terms, len(products.items)
    adds, takes = np.zeros(n), np.zeros(n)
    for i in np.flatnonzero(told.units):
        less = told.units.copy()
        less[i] = 0
        without = profit(fresh, terms, less, False)
        adds[i] = told.profit_usd - without.profit_usd
        takes[i] = (without.outcome.sold - told.outcome.sold)[np.arange(n) != i].sum()
    reasons = [_reason(told, terms.margin_usd, takes, i) for i in range(n)]
    frame = pd.DataFrame({
        "item": products.items, "units": told.units, "sold_units": told.outcome.sold,
        "first_choice_share": chain.arrival, "value_if_dropped_usd": adds,
        "taken_from_others_units": takes, "next_unit_usd": told.outcome.more_usd
        - terms.unit_cost_usd, "share_from_data": share, "reason": reasons,
    })  # fmt: skip
    order = np.lexsort((np.array(products.items), -adds, -(told.units > 0).astype(int)))
    return frame.iloc[order].reset_index(drop=True)


def _reason(told: Trial, margin: Floats, takes: Floats, i: int) -> str:
    """Why an item is carried or not, in a word or two."""
    sold = told.outcome.sold[i]
    if told.units[i] == 0:
        return "unprofitable" if margin[i] <= 0 else "cannibalizes"
    if takes[i] > 0.5 * sold:
        return "pools"
    return "unique"


def _curve(trials: list[Trial]) -> pd.DataFrame:
    rows = [(int((trial.units > 0).sum()), trial.units.sum(), trial.profit_usd) for trial in trials]
    frame = pd.DataFrame(rows, columns=["items", "units", "profit_usd"])
    return frame.sort_values("items", kind="stable").reset_index(drop=True)
