"""One item and week at prices, with what its levels can serve: no node serves more than its level.

The sweep of core.item relaxes that (it lets the cheapest node of a set serve whatever stands in the
set), which is right for a bound and wrong for a plan. Here, with c_j a unit of level and m_j a unit
served from node j (core.flow),

    max over whole y of  F(y) = max over 0 <= u <= y of
        sum_S g_S min( E min(D_S, y(S)), u(S) ) - sum_j m_j u_j - sum_j c_j y_j

For given levels the sets' terms are concave on a laminar family, so serving the most valuable unit
first is optimal (a polymatroid's greedy rule). Its multipliers, usd h_S that a unit served in S
costs at the margin, bound what any move of units could gain,

    F(y') <= sum_S (g_S - h_S + h_parent) E min(D_S, y'(S)) + sum_j (h_S(j) - m_j)+ y'_j - c y'

so that few moves of a unit (more, less, from node to node) need be valued. Where none gains, levels
are kept. Starting from the sweep's levels this ends within 0.01 % of a search of all moves.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.bare import bare, copy

Array = NDArray[Any]

LEAST_GAIN = 1e-9
"""Usd from which a move of a unit is one."""
NOTHING = 1e-9
"""Share of an item's best by which a plan may miss it."""
MOST_MOVES = 60
"""Moves of one size, at most."""
NONE = 1e-12
"""Units, or usd of one, that are none."""
MANY_MOVES = 4_096
"""Pairs of nodes from which on units move only to the best one."""
COARSE = 4
"""Moves begin at a power of two of units, this part of the largest level at most."""


@bare
def _gain(
    parent: Array, home: Array, gap_usd: Array, serving: Array, cover: Array, inside: Array, j: int
) -> float:  # fmt: skip
    """Usd of a unit more served from node j."""
    gain, s = -serving[j], home[j]
    while s >= 0:
        if inside[s] < cover[s] - NONE:
            gain += gap_usd[s]
        s = parent[s]
    return gain


@bare
def _raise(
    parent: Array, home: Array, gap_usd: Array, serving: Array, cover: Array, j: int, step: float,
    inside: Array, margin: Array,
) -> bool:  # fmt: skip
    """Serve ``step`` units more from node j; whether a set serves all it covers from now on."""
    s, inner, is_full = home[j], 0.0, False
    while s >= 0:
        if inside[s] < cover[s] - NONE:
            if cover[s] - NONE <= inside[s] + step:
                margin[s] = serving[j] - inner
                is_full = True
            else:
                inner += gap_usd[s]
        inside[s] += step
        s = parent[s]
    return is_full


@bare
def serve_best(
    n_sets: int, parent: Array, home: Array, gap_usd: Array, y: Array, serving: Array,
    cover: Array, served: Array, inside: Array, margin: Array, gain: Array,
) -> float:  # fmt: skip
    """Best service of levels y [nodes] at ``serving`` usd a unit [nodes]; returns what it gains.

    cover: [sets] expected units that y could serve within; fills served [nodes], inside: [sets]
    units served, margin: [sets] usd of the unit with which a set served all it covers, less what it
    saved in sets inside, inf: never.
    """
    for s in range(n_sets):
        inside[s], margin[s] = 0.0, np.inf
    for j in range(len(y)):
        served[j], gain[j] = 0.0, -np.inf
        if y[j] > NONE and home[j] >= 0:
            gain[j] = 0.0
    total, is_new = 0.0, True
    while True:
        best, most = -1, NONE
        for j in range(len(y)):
            if is_new and gain[j] > -np.inf:
                gain[j] = _gain(parent, home, gap_usd, serving, cover, inside, j)
            if gain[j] > most:
                best, most = j, gain[j]
        if best < 0:
            return total
        step, s = y[best] - served[best], home[best]
        while s >= 0:
            if inside[s] < cover[s] - NONE:
                step = min(step, cover[s] - inside[s])
            s = parent[s]
        served[best] += step
        total += most * step
        is_new = _raise(parent, home, gap_usd, serving, cover, best, step, inside, margin)
        if served[best] >= y[best] - NONE:
            gain[best] = -np.inf


@bare
def cover_of(
    n_sets: int, parent: Array, home: Array, p: int, count: Array, knots: Array, gap_usd: Array,
    y: Array, held: Array, cover: Array, fewer: Array, more: Array,
) -> None:  # fmt: skip
    """What levels could serve within every set, and what a unit less and a unit more change."""
    for s in range(n_sets):
        held[s] = 0.0
    for j in range(len(y)):
        if home[j] >= 0:
            held[home[j]] += y[j]
    for s in range(n_sets):
        if parent[s] >= 0:
            held[parent[s]] += held[s]
        covered, left, last, after = 0.0, held[s], 0.0, 0.0
        for q in range(p, p + count[s]):
            units, usd = np.float64(knots[q, 0]), np.float64(knots[q, 1])
            if left > 0.0:
                covered += min(units, left) * usd
                last = usd
            if units > left:
                after = usd
                break
            left -= units
            if left <= 0.0 and q + 1 < p + count[s]:
                after = np.float64(knots[q + 1, 1])
                break
        else:
            if left > 0.0:  # more than may be asked for
                last = 0.0
        per_unit = 1.0 / gap_usd[s] if gap_usd[s] > 0.0 else 0.0
        cover[s], fewer[s], more[s] = covered * per_unit, last * per_unit, after * per_unit
        p += count[s]


@bare
def _cover_moved(
    n_sets: int, parent: Array, home: Array, begin: Array, knots: Array, gap_usd: Array,
    held: Array, cover: Array, i: int, j: int, step: float, moved: Array,
) -> None:  # fmt: skip
    """``moved`` [sets]: what levels of which sets hold ``held`` and cover ``cover`` could serve
    with ``step`` units less at node i and more at node j, -1 for nowhere; begin: of sets' knots."""
    copy(cover[:n_sets], moved)
    a, b = home[i] if i >= 0 else -1, home[j] if j >= 0 else -1
    while a != b:  # sets that hold both stay as they are
        if b < 0 or 0 <= a < b:
            s, left, a = a, held[a] - step, parent[a]
        else:
            s, left, b = b, held[b] + step, parent[b]
        covered = 0.0
        for q in range(begin[s], begin[s + 1]):
            if left <= 0.0:
                break
            units = np.float64(knots[q, 0])
            covered += min(units, left) * np.float64(knots[q, 1])
            left -= units
        moved[s] = covered * (1.0 / gap_usd[s] if gap_usd[s] > 0.0 else 0.0)


@bare
def multipliers(
    n_sets: int, parent: Array, gap_usd: Array, cover: Array, margin: Array, cheapest: Array,
    cost: Array,
) -> None:  # fmt: skip
    """Usd ``cost`` [sets] that a unit served within costs at the margin, from serve_best's."""
    for s in range(n_sets - 1, -1, -1):
        beyond = cost[parent[s]] if parent[s] >= 0 else 0.0
        at = margin[s] if cover[s] > 0.0 else cheapest[s]
        cost[s] = min(max(at, beyond), beyond + gap_usd[s])


@bare
def _slopes(
    n_sets: int, parent: Array, home: Array, gap_usd: Array, level: Array, serving: Array,
    cost: Array, fewer: Array, more: Array, less_usd: Array, more_usd: Array,
) -> None:  # fmt: skip
    """The most that a unit less, and a unit more, at each node could gain."""
    for s in range(n_sets - 1, -1, -1):  # a set's and all above, in usd
        beyond = cost[parent[s]] if parent[s] >= 0 else 0.0
        left = max(gap_usd[s] - cost[s] + beyond, 0.0)
        fewer[s] *= left
        more[s] *= left
        if parent[s] >= 0:
            fewer[s] += fewer[parent[s]]
            more[s] += more[parent[s]]
    for j in range(len(home)):
        less_usd[j], more_usd[j] = -np.inf, -np.inf
        if home[j] >= 0 and level[j] < np.inf:
            rent = max(cost[home[j]] - serving[j], 0.0)
            less_usd[j] = level[j] - rent - fewer[home[j]]
            more_usd[j] = more[home[j]] + rent - level[j]


@bare
def _after_standing(total: float, level: Array, y: Array) -> float:
    """The total less what the levels cost."""
    for j in range(len(y)):
        if y[j] > 0.0:
            total -= level[j] * y[j]
    return total


@bare
def _best_target(more_usd: Array) -> int:
    """The node where a unit more could gain most, -1 for none."""
    top = -1
    for j in range(len(more_usd)):
        if more_usd[j] > -np.inf and (top < 0 or more_usd[j] > more_usd[top]):
            top = j
    return top


@bare
def _marked(parent: Array, home: Array, i: int, fewer: Array, more: Array, path: Array) -> float:
    """Mark the sets that hold node i in path; the most that _shared may be."""
    most, s = 0.0, home[i] if i >= 0 else -1
    while s >= 0:
        path[s] = i
        most, s = max(most, fewer[s] - more[s]), parent[s]
    return most


@bare
def _shared(
    parent: Array, home: Array, i: int, j: int, fewer: Array, more: Array, path: Array
) -> float:
    """What the sets that hold both nodes, i's marked, count twice in a move from i to j."""
    if i < 0 or j < 0:
        return 0.0
    s = home[j]
    while s >= 0 and path[s] != i:
        s = parent[s]
    return fewer[s] - more[s] if s >= 0 else 0.0


@bare
def _tried(
    n_sets: int, parent: Array, home: Array, begin: Array, knots: Array, gap_usd: Array,
    level: Array, serving: Array, y: Array, held: Array, cover: Array, i: int, j: int, step: float,
    tried: Array, out: Array, inside: Array, its: Array, moved: Array, gain: Array,
) -> float:  # fmt: skip
    """F(y) after a move of ``step`` units from i to j, in ``tried``, with its service ``out``."""
    copy(y, tried)
    if i >= 0:
        tried[i] -= step
    if j >= 0:
        tried[j] += step
    _cover_moved(n_sets, parent, home, begin, knots, gap_usd, held, cover, i, j, step, moved)
    found = serve_best(n_sets, parent, home, gap_usd, tried, serving, moved, out, inside, its,
                       gain)  # fmt: skip
    return _after_standing(found, level, tried)


@bare
def _moved(
    n_sets: int, parent: Array, home: Array, begin: Array, knots: Array, gap_usd: Array,
    level: Array, serving: Array, best: float, step: float, y: Array, served: Array, held: Array,
    cover: Array, fewer: Array, more: Array, inside: Array, margin: Array, moved: Array,
    its: Array, path: Array, less_usd: Array, more_usd: Array, tried: Array, out: Array,
    gain: Array,
) -> float:  # fmt: skip
    """Make the first move of ``step`` units that gains, of those that could; returns F(y) after it,
    best if there is none. From and to -1 is from and to nowhere. held, cover: of y, as cover_of
    leaves them; served and margin become those of the move."""
    n, top, many = len(y), _best_target(more_usd), 0
    if top < 0:
        return best
    path[:n_sets] = -1.0
    for i in range(n):
        many += y[i] >= step
    is_wide = many * n > MANY_MOVES
    for i in range(-1, n):
        if i >= 0 and (y[i] < step or less_usd[i] == -np.inf):
            continue
        less = less_usd[i] if i >= 0 else 0.0
        most = _marked(parent, home, i, fewer, more, path) + less
        if (most + max(more_usd[top], 0.0)) * step <= LEAST_GAIN / 2:
            continue
        for j in range(-1, n):
            if i == j or (is_wide and i >= 0 and j >= 0 and j != top):
                continue
            rise = more_usd[j] if j >= 0 else 0.0
            if (most + rise) * step <= LEAST_GAIN / 2:
                continue
            hope = less + rise + _shared(parent, home, i, j, fewer, more, path)
            if hope * step <= LEAST_GAIN:
                continue
            found = _tried(n_sets, parent, home, begin, knots, gap_usd, level, serving, y, held,
                           cover, i, j, step, tried, out, inside, its, moved, gain)  # fmt: skip
            if found > best + LEAST_GAIN:
                copy(tried, y)
                copy(out, served)
                copy(its, margin)
                return found
    return best


@bare
def climb(
    n_sets: int, parent: Array, home: Array, p: int, count: Array, knots: Array, gap_usd: Array,
    level: Array, serving: Array, cheapest: Array, enough: float, y: Array, served: Array,
    sets: Array, nodes: Array, begin: Array,
) -> float:  # fmt: skip
    """Improve levels y in place; returns F(y), fills served. level, serving: usd [nodes] a unit;
    cheapest: [sets] the least serving within; enough: usd that no levels exceed; scratch: sets
    [10, sets], nodes [5, nodes]. Leaves the multipliers in sets[0]."""
    cost, held, cover, fewer, more = sets[0], sets[1], sets[2], sets[3], sets[4]
    inside, margin, moved, its, path = sets[5], sets[6], sets[7], sets[8], sets[9]
    less_usd, more_usd, tried, out, gain = nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
    begin[0] = p
    for s in range(n_sets):
        begin[s + 1] = begin[s] + count[s]
    largest = 0.0
    for j in range(len(y)):
        largest = max(largest, y[j])
    step, moves, best = 1.0, 0, -np.inf
    while 2.0 * step * COARSE <= largest:
        step *= 2.0
    while True:
        cover_of(n_sets, parent, home, p, count, knots, gap_usd, y, held, cover, fewer, more)
        if best == -np.inf:
            best = serve_best(n_sets, parent, home, gap_usd, y, serving, cover, served, inside,
                              margin, gain)  # fmt: skip
            best = _after_standing(best, level, y)
        multipliers(n_sets, parent, gap_usd, cover, margin, cheapest, cost)
        if best >= enough * (1.0 - NOTHING) or moves < 0:
            return best
        _slopes(n_sets, parent, home, gap_usd, level, serving, cost, fewer, more, less_usd,
                more_usd)  # fmt: skip
        while True:
            found = _moved(n_sets, parent, home, begin, knots, gap_usd, level, serving, best, step,
                           y, served, held, cover, fewer, more, inside, margin, moved, its,
                           path, less_usd, more_usd, tried, out, gain)  # fmt: skip
            if found > best:
                best = found
                break
            moves = 0
            if step == 1.0:
                return best
            step /= 2.0
        moves += 1
        if moves >= MOST_MOVES:
            moves, step = (0, step / 2.0) if step > 1.0 else (-1, step)
