"""Which orders to place: one vendor and quantity for each item, vendors' terms and the budget.

    max  sum_o gain_o x_o          x_o in {0, 1}, at most one option o of each item
    s.t. vendor v, if it gets an order (z_v = 1):  cost_v(x) >= minimum_v,  units_v(x) <= capacity_v
         cost(x) <= budget
         vendor v with trucks:  load_v(x) <= n_v trucks, the fuller of volume and weight
                                >= least_fill_v n_v trucks, n_v whole

Without vendors' terms and budget every item takes its best option. Terms tie together the items of
a *group*: vendors that share items. Only groups whose best options break a term go to CP-SAT. The
budget ties everything: its price (Lagrange multiplier) is found by bisection, the groups are solved
at that price, and what is left of the budget goes to the steps that gain most a dollar. All
quantities are integers (cents, micro-dollars), so what is published satisfies the terms exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

EXACT_OPTIONS = 600
"""Up to so many options the budget, too, is left to CP-SAT: one exact model."""
_DETERMINISTIC_LIMIT = 4.0
"""CP-SAT's own deterministic seconds for one group; never the wall clock."""
_PRICE_STEPS = 60
_LARGE_GROUP_OPTIONS = EXACT_OPTIONS
_LARGE_GROUP_GAP = 1e-4

TRUCK = 1_000_000
"""A full truck in units of load."""
NO_TRUCKS = -1

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """What may be ordered: parallel arrays, rows in order of item, preferred first among equals.

    item, vendor: index from 0. units: ordered. cost_cents: what it costs, not negative.
    gain: micro-dollars gained against ordering nothing. is_required: a planner's order, taken
    before everything else if terms and budget admit it. load: [options, 2] of trucks, by volume
    and by weight, TRUCK for one.
    """

    item: Ints
    vendor: Ints
    units: Ints
    cost_cents: Ints
    gain: Ints
    is_required: NDArray[np.bool_]
    load: Ints

    def __len__(self) -> int:
        return len(self.item)

    def take(self, rows: Ints) -> Options:
        """The options at the given rows."""
        return Options(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Terms:
    """Terms of each vendor: an order's minimum_cents, its capacity_units (-1: no limit), and the
    least_fill of its trucks (of TRUCK; NO_TRUCKS: none)."""

    minimum_cents: Ints
    capacity_units: Ints
    least_fill: Ints


@dataclass(frozen=True)
class Choice:
    """The rows chosen, ascending, and the price of the budget (dollars gained a dollar more)."""

    rows: Ints
    budget_price: float


def choose_orders(options: Options, terms: Terms, budget_cents: int | None = None) -> Choice:
    """The most valuable set of options that the terms and the budget admit.

    Exact when no budget binds or when there are at most EXACT_OPTIONS options, as long as CP-SAT
    closes within its deterministic limit (groups above _LARGE_GROUP_OPTIONS: to 0.01 %). Else the
    budget is kept by its price, and the loss is about the gain of the first step refused in each
    group. Rows of `options` must be sorted by item.
    """
    worth = _worth(options)
    free = _solve(options, terms, worth)
    if budget_cents is None or _cost(options, free) <= budget_cents:
        return Choice(free, 0.0)
    price = _budget_price(options, worth, budget_cents)
    if len(options) <= EXACT_OPTIONS:
        everything = np.arange(len(options))
        return Choice(_cp_sat(options, terms, worth, everything, budget_cents), price)
    step = price if price > 0 else 1e-3
    rows = free
    while len(rows) and _cost(options, rows) > budget_cents:
        rows = _solve(options, terms, _priced(options, worth, step))
        price, step = step, step * 1.05
    return Choice(_spend_rest(options, terms, worth, rows, budget_cents), price)


def _worth(options: Options) -> Ints:
    """Gain, with required options lifted above the sum of all others."""
    lift = int(np.abs(options.gain).sum()) + 1
    return options.gain + lift * options.is_required


def _priced(options: Options, worth: Ints, price: float) -> Ints:
    """Worth less the cost at the budget's price (dollars a dollar); a cent is 10^4 of them."""
    return worth - np.rint(price * 1e4 * options.cost_cents).astype(np.int64)


def _cost(options: Options, rows: Ints) -> int:
    return int(options.cost_cents[rows].sum())


def _best_rows(options: Options, worth: Ints) -> Ints:
    """Each item's best option if worth more than nothing; the first one among equals."""
    if not len(options):
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((np.arange(len(options)), -worth, options.item))
    first = np.ones(len(order), dtype=bool)
    first[1:] = options.item[order][1:] != options.item[order][:-1]
    best = order[first]
    return np.sort(best[worth[best] > 0])


def broken_vendors(options: Options, terms: Terms, rows: Ints) -> NDArray[np.bool_]:
    """Vendors whose terms the rows break."""
    n = len(terms.minimum_cents)
    cost = np.zeros(n, dtype=np.int64)
    units = np.zeros(n, dtype=np.int64)
    np.add.at(cost, options.vendor[rows], options.cost_cents[rows])
    np.add.at(units, options.vendor[rows], options.units[rows])
    load = np.zeros((n, 2), dtype=np.int64)
    np.add.at(load, options.vendor[rows], options.load[rows])
    fullest = load.max(axis=1)
    is_empty = fullest < -(-fullest // TRUCK) * terms.least_fill
    too_small = (units > 0) & (cost < terms.minimum_cents)
    too_small |= (terms.least_fill >= 0) & is_empty
    return too_small | ((terms.capacity_units >= 0) & (units > terms.capacity_units))


def _groups(options: Options, n_vendors: int) -> Ints:
    """Group of each vendor: vendors that sell a common item belong together."""
    if not len(options):
        return np.zeros(n_vendors, dtype=np.int64)
    n_items = int(options.item.max()) + 1
    links = coo_array(
        (np.ones(len(options)), (options.vendor, n_vendors + options.item)),
        shape=(n_vendors + n_items, n_vendors + n_items),
    )
    label: Ints = connected_components(links, directed=False)[1]
    return label[:n_vendors].astype(np.int64)


def _solve(options: Options, terms: Terms, worth: Ints) -> Ints:
    """Best rows under the vendors' terms, group by group."""
    rows = _best_rows(options, worth)
    broken = broken_vendors(options, terms, rows)
    if not broken.any():
        return rows
    group = _groups(options, len(broken))
    hard = np.unique(group[broken])
    group_of_option = group[options.vendor]
    kept = [rows[~np.isin(group_of_option[rows], hard)]]
    for label in hard:
        members = np.flatnonzero(group_of_option == label)
        kept.append(_cp_sat(options, terms, worth, members, None))
    return np.sort(np.concatenate(kept))


def _cp_sat(
    options: Options, terms: Terms, worth: Ints, members: Ints, budget_cents: int | None
) -> Ints:
    """Best rows among `members` by CP-SAT: one worker, fixed seed, deterministic limit."""
    model = cp_model.CpModel()
    take = [model.new_bool_var("") for _ in members]
    rows_of_vendor: dict[int, list[int]] = {}
    rows_of_item: dict[int, list[int]] = {}
    for at, row in enumerate(members):
        rows_of_vendor.setdefault(int(options.vendor[row]), []).append(at)
        rows_of_item.setdefault(int(options.item[row]), []).append(at)
    for ats in rows_of_item.values():
        model.add_at_most_one([take[at] for at in ats])
    cost = [int(options.cost_cents[row]) for row in members]
    for vendor, ats in rows_of_vendor.items():
        minimum, capacity = int(terms.minimum_cents[vendor]), int(terms.capacity_units[vendor])
        if minimum > 0:
            is_ordered = model.new_bool_var("")
            for at in ats:
                model.add_implication(take[at], is_ordered)
            model.add(sum(cost[at] * take[at] for at in ats) >= minimum * is_ordered)
        if capacity >= 0:
            units = [int(options.units[members[at]]) for at in ats]
            model.add(sum(u * take[at] for u, at in zip(units, ats, strict=True)) <= capacity)
        if terms.least_fill[vendor] >= 0:
            _fill_trucks(model, options, [(int(members[at]), take[at]) for at in ats],
                         int(terms.least_fill[vendor]))  # fmt: skip
    if budget_cents is not None:
        model.add(sum(c * x for c, x in zip(cost, take, strict=True)) <= budget_cents)
    model.maximize(sum(int(worth[row]) * x for row, x in zip(members, take, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = _DETERMINISTIC_LIMIT
    solver.parameters.linearization_level = 2  # the knapsacks need LP: 0.05 s where 1 takes 15
    if len(members) > _LARGE_GROUP_OPTIONS:
        solver.parameters.relative_gap_limit = _LARGE_GROUP_GAP
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return np.zeros(0, dtype=np.int64)  # ordering nothing is feasible: only the limit hits this
    return members[[bool(solver.boolean_value(x)) for x in take]]


def _fill_trucks(
    model: cp_model.CpModel, options: Options, taken: list[tuple[int, cp_model.IntVar]],
    least_fill: int,
) -> None:  # fmt: skip
    """The vendor's options taken fill whole trucks, the fuller of volume and weight far enough."""
    loads = [[int(options.load[row, kind]) for row, _ in taken] for kind in (0, 1)]
    most = max(sum(load) for load in loads)
    trucks = model.new_int_var(0, most // TRUCK + 1, "")
    by_weight = model.new_bool_var("")
    for kind, load in enumerate(loads):
        total = sum(amount * x for amount, (_, x) in zip(load, taken, strict=True))
        model.add(total <= TRUCK * trucks)
        model.add(total >= least_fill * trucks).only_enforce_if(
            by_weight if kind else by_weight.negated()
        )


def _budget_price(options: Options, worth: Ints, budget_cents: int) -> float:
    """Least price at which the items' best options, terms apart, cost no more than the budget."""
    low, high = 0.0, 1.0
    while _cost(options, _best_rows(options, _priced(options, worth, high))) > budget_cents:
        low, high = high, high * 4
    for _ in range(_PRICE_STEPS):
        middle = (low + high) / 2
        if _cost(options, _best_rows(options, _priced(options, worth, middle))) > budget_cents:
            low = middle
        else:
            high = middle
    return high


def _spend_rest(options: Options, terms: Terms, worth: Ints, rows: Ints, budget_cents: int) -> Ints:
    """Spend what is left of the budget on the steps that gain most a dollar and break no term."""
    current = np.full(int(options.item.max()) + 1, -1, dtype=np.int64)
    current[options.item[rows]] = rows
    units = np.zeros(len(terms.minimum_cents), dtype=np.int64)
    np.add.at(units, options.vendor[rows], options.units[rows])
    left = budget_cents - _cost(options, rows)
    while True:
        now = current[options.item]
        has = now >= 0
        more_gain = worth - np.where(has, worth[now], 0)
        more_cost = options.cost_cents - np.where(has, options.cost_cents[now], 0)
        more_units = options.units - np.where(has, options.units[now], 0)
        room = np.where(terms.capacity_units < 0, np.iinfo(np.int64).max,
                        terms.capacity_units - units)[options.vendor]  # fmt: skip
        # A step stays with its vendor, and opens no vendor that asks for a minimum: a minimum met
        # stays met.
        is_same = ~has | (options.vendor == options.vendor[now])
        is_open = (units[options.vendor] > 0) | (terms.minimum_cents[options.vendor] <= 0)
        is_open &= terms.least_fill[options.vendor] < 0  # what fills trucks stays as it was chosen
        fits = is_same & is_open & (more_cost >= 0) & (more_cost <= left) & (more_units <= room)
        fits &= more_gain > 0
        if not fits.any():
            return np.sort(current[current >= 0])
        rate = np.where(fits, more_gain / np.maximum(more_cost, 1), -1.0)
        best = int(rate.argmax())
        current[options.item[best]] = best
        units[options.vendor[best]] += more_units[best]
        left -= int(more_cost[best])
