"""Exhaustive twin of core.ordering: every combination of options, terms checked by hand."""

from __future__ import annotations

import itertools

from pipeline.core.ordering import Options, Terms


def is_admitted(
    options: Options, terms: Terms, rows: tuple[int, ...], budget_cents: int | None
) -> bool:
    """Whether the rows hold one option an item, and break neither vendors' terms nor the budget."""
    items = [int(options.item[row]) for row in rows]
    if len(set(items)) < len(items):
        return False
    for vendor in {int(options.vendor[row]) for row in rows}:
        mine = [row for row in rows if options.vendor[row] == vendor]
        if sum(int(options.cost_cents[row]) for row in mine) < terms.minimum_cents[vendor]:
            return False
        capacity = int(terms.capacity_units[vendor])
        if capacity >= 0 and sum(int(options.units[row]) for row in mine) > capacity:
            return False
    total = sum(int(options.cost_cents[row]) for row in rows)
    return budget_cents is None or total <= budget_cents


def best_worth(options: Options, terms: Terms, budget_cents: int | None) -> tuple[int, int]:
    """(required options placed, gain) of the best admitted set, required options counted first."""
    by_item: dict[int, list[int | None]] = {}
    for row in range(len(options)):
        by_item.setdefault(int(options.item[row]), [None]).append(row)
    best = (0, 0)
    for picks in itertools.product(*by_item.values()):
        rows = tuple(row for row in picks if row is not None)
        if is_admitted(options, terms, rows, budget_cents):
            worth = worth_of(options, rows)
            best = max(best, worth)
    return best


def worth_of(options: Options, rows: tuple[int, ...]) -> tuple[int, int]:
    """(required options among the rows, their total gain)."""
    required = sum(bool(options.is_required[row]) for row in rows)
    return required, sum(int(options.gain[row]) for row in rows)
