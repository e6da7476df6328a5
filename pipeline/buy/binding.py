"""Orders under planners' overrides: only a rule that the plan would break changes it.

The night is decided without overrides first. Rules that this plan keeps anyway are left alone, so
that an override which says what the plan says changes nothing; the others are put into force and
the night is decided again, until no rule is broken (each pass adds an item, so it ends).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.buy.overrides import OrderRule, overridden_units
from pipeline.buy.worth import Pairs
from pipeline.core.ordering import Choice, Options

Ints = npt.NDArray[np.int64]
Rules = Mapping[int, Sequence[OrderRule]]
AsOptions = Callable[[Ints, Ints, npt.NDArray[np.bool_]], tuple[Ints, Options]]
"""Sorted (pair, options) of candidate quantities: pairs, units, whether each is required."""


@dataclass(frozen=True)
class Decision:
    """Options weighed (pair: of each), the choice among them, and the items whose rules bind."""

    pair: Ints
    options: Options
    choice: Choice
    bound: tuple[int, ...]


def decide(
    free: tuple[Ints, Ints], rules: Rules, pairs: Pairs, system: Ints, as_options: AsOptions,
    choose: Callable[[Options], Choice],
) -> Decision:  # fmt: skip
    """The night's choice. free: (pair, units) of the candidates without rules; rules: by item;
    system: units that each item would get without rules, vendors' terms and budget."""
    bound: list[int] = []
    while True:
        in_force = {item: rules[item] for item in bound}
        pair, options = as_options(*_ruled(free, in_force, pairs, system))
        choice = choose(options)
        broken = _broken(choice, pair, options, rules, pairs)
        broken = [item for item in broken if item not in in_force]
        if not broken:
            return Decision(pair, options, choice, tuple(bound))
        bound = sorted([*bound, *broken])


def _broken(
    choice: Choice, pair: Ints, options: Options, rules: Rules, pairs: Pairs
) -> list[int]:  # fmt: skip
    """Items whose chosen units (0: none) are not what their rules make of them."""
    chosen = dict(zip(options.item[choice.rows].tolist(), choice.rows.tolist(), strict=True))
    found = []
    for item, own in rules.items():
        row = chosen.get(item)
        p = int(np.flatnonzero(pairs.item == item)[0]) if row is None else int(pair[row])
        units = 0 if row is None else int(options.units[row])
        if overridden_units(units, own, int(pairs.case[p]), int(pairs.moq[p])) != units:
            found.append(item)
    return found


def _ruled(
    free: tuple[Ints, Ints], rules: Rules, pairs: Pairs, system: Ints
) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """(pair, units, is_required) of the candidates with `rules` in force.

    What asks for units (set, at_least, multiply) is required, of any vendor; a ceiling only takes
    candidates away, and keeps to the vendors that were weighed.
    """
    pair, units = free
    kept = ~np.isin(pairs.item[pair], list(rules))
    added: list[tuple[int, int, bool]] = []
    for item, own in rules.items():
        asks = any(rule.kind in ("set", "multiply", "at_least") for rule in own)
        is_exact = any(rule.kind in ("set", "multiply") for rule in own)
        for p in np.flatnonzero(pairs.item == item).tolist():
            case, moq = int(pairs.case[p]), int(pairs.moq[p])
            weighed = units[pair == p].tolist()
            asked = overridden_units(int(system[item]), own, case, moq)
            admitted = {asked} if asks or weighed else set()
            if not is_exact:
                admitted |= {u for u in weighed if overridden_units(u, own, case, moq) == u}
            added += [(p, u, asks) for u in sorted(admitted) if u > 0]
    more = np.array(added, dtype=np.int64).reshape(-1, 3)
    return (
        np.concatenate([pair[kept], more[:, 0]]),
        np.concatenate([units[kept], more[:, 1]]),
        np.concatenate([np.zeros(int(kept.sum()), dtype=bool), more[:, 2].astype(bool)]),
    )
