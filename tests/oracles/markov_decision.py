"""Average-cost dynamic programmes solved slowly and plainly, for small inventory systems.

A problem is a start state, a function that lists (orders → successors with probabilities and
cost), and nothing else; states are tuples, tables are dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable

State = tuple[int, ...]
Outcome = tuple[float, State]  # probability, next state
Choice = tuple[float, list[Outcome]]  # expected cost now, outcomes


def least_average_cost(
    start: State, choices: Callable[[State], list[Choice]], sweeps: int = 400
) -> float:
    """Relative value iteration over every state that any choices can reach from `start`."""
    table: dict[State, list[Choice]] = {}
    queue = [start]
    while queue:
        state = queue.pop()
        if state in table:
            continue
        table[state] = choices(state)
        queue += [s for _, outcomes in table[state] for _, s in outcomes if s not in table]
    value = dict.fromkeys(table, 0.0)
    low = high = 0.0
    for _ in range(sweeps):
        fresh = {
            state: min(cost + sum(p * value[s] for p, s in outcomes) for cost, outcomes in options)
            for state, options in table.items()
        }
        changes = [fresh[s] - value[s] for s in table]
        low, high = min(changes), max(changes)
        value = {s: v - fresh[start] for s, v in fresh.items()}
        if high - low < 1e-9:
            break
    return (low + high) / 2
