"""Fewer dollars in a plan of few items: units moved two or three at a time, no row exceeded.

A move puts a unit more at a node, takes one away, or carries one to another node. At prices of the
rows its *regret* is what it costs with the change in use paid for. Moves of different items add up,
and what they use more fits only into the room that is left, which is worth ``room_usd`` at those
prices. So a few moves together can save money only if

    sum of their regrets < room_usd

and with moves sorted by regret nearly all pairs and triples are never looked at. When no three
moves save anything, some moves at random make room elsewhere and the search begins anew; the best
plan is kept (iterated local search).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot, product
from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity
from pipeline.core.recover import unit_steps
from pipeline.core.serve import serve
from pipeline.kernels import njit

Array = NDArray[Any]

IN_PAIRS, IN_TRIPLES = 2000, 120
"""Moves of least regret that are tried two and three at a time."""
KICK = 6
"""Moves at random, at most, from which the search begins anew."""
TRIED_IN_KICK = 600
"""Moves of least regret among which those at random are drawn."""


@dataclass(frozen=True)
class _Moves:
    """Moves by rising regret: item; source, target: node, or -1; usd: change of cost; regret; use:
    [moves, rows] change of use."""

    item: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    usd: NDArray[np.float64]
    regret: NDArray[np.float64]
    use: NDArray[np.float64]


@dataclass
class _Search:
    """A plan that is changed in place, and what units use: unit_use [items, nodes + 1, rows], zero
    for no node; price [rows]; limit [rows]."""

    woods: Forest
    items: ItemTables
    unit_use: NDArray[np.float64]
    price: NDArray[np.float64]
    limit: NDArray[np.float64]
    position: NDArray[np.int32]
    usage: NDArray[np.float64]
    usd: float

    def moves(self) -> _Moves:
        """Moves of least regret from where the plan stands."""
        woods, items = self.woods, self.items
        priced = product(self.unit_use, self.price)
        k, nodes = self.position.shape
        room = k * nodes * (nodes + 2)
        item, source, target = (np.empty(room, np.int64) for _ in range(3))
        usd, regret = np.empty(room), np.empty(room)
        n = _list_moves(
            woods.n_sets, woods.parent, woods.home, items.tree, items.start, items.count,
            items.knots, items.place_usd, self.position, priced, item, source, target, usd, regret,
        )  # fmt: skip
        order = np.argsort(regret[:n], kind="stable")[:IN_PAIRS]
        item, source, target = item[order], source[order], target[order]
        use = self.unit_use[item, target] - self.unit_use[item, source]
        return _Moves(item, source, target, usd[order], regret[order], use)

    def apply(self, moves: _Moves, chosen: list[int]) -> None:
        """Make the chosen moves, of different items."""
        for m in chosen:
            k = moves.item[m]
            if moves.source[m] >= 0:
                self.position[k, moves.source[m]] -= 1
            if moves.target[m] >= 0:
                self.position[k, moves.target[m]] += 1
            self.usage += moves.use[m]
            self.usd += moves.usd[m]

    def descend(self, enough: float) -> None:
        """Make the best two or three moves while they save something."""
        while self.usd > enough:
            moves = self.moves()
            room = self.limit - self.usage
            room_usd = dot(self.price, np.maximum(room, 0.0))
            least = 1e-9 * abs(self.usd)
            chosen = _best(
                moves.item, moves.usd, moves.regret, moves.use, room, room_usd, least, IN_TRIPLES
            )
            if chosen[0] < 0:
                return
            self.apply(moves, [int(m) for m in chosen if m >= 0])


def polish(
    woods: Forest,
    items: ItemTables,
    capacity: Capacity,
    position: NDArray[np.int32],
    price: NDArray[np.float64],
    enough: float,
    kicks: int,
    seed: int,
) -> NDArray[np.int32]:
    """A plan within the limits that costs no more than the one given, which must be within them.

    price: [rows] usd, of the relaxed problem; enough: usd at which to stop; kicks: new beginnings.
    """
    rng = np.random.default_rng(seed)
    placed = serve(woods, items, position, np.zeros(capacity.shape))
    cost, used = evaluate(woods, items, placed, capacity.shape[0])
    nowhere = ((0, 0), (0, 1), (0, 0))  # one node more, at which units use nothing
    use = np.pad(capacity.unit_use(items), nowhere)
    at = _Search(
        woods, items, use, price, capacity.limit, position.copy(), capacity.usage(used),
        float(cost.sum()),
    )  # fmt: skip
    at.descend(enough)
    best = at.position.copy(), at.usage.copy(), at.usd
    for _ in range(kicks):
        if best[2] <= enough:
            break
        at.position, at.usage, at.usd = best[0].copy(), best[1].copy(), best[2]
        moves = at.moves()
        fits = np.flatnonzero((moves.use <= at.limit - at.usage).all(axis=1))[:TRIED_IN_KICK]
        drawn = rng.permutation(fits)[: rng.integers(1, KICK + 1)]
        _, first = np.unique(moves.item[drawn], return_index=True)
        chosen: list[int] = []
        total = np.zeros(len(at.limit))
        for m in drawn[first]:
            if (total + moves.use[m] <= at.limit - at.usage).all():
                chosen.append(int(m))
                total += moves.use[m]
        at.apply(moves, chosen)
        at.descend(enough)
        if at.usd < best[2]:
            best = at.position.copy(), at.usage.copy(), at.usd
    return best[0]


@njit(nogil=True, cache=True)
def _list_moves(
    n_sets: Array, parent: Array, home: Array, tree: Array, start: Array, count: Array,
    knots: Array, place_usd: Array, position: Array, priced: Array, item: Array, source: Array,
    target: Array, usd: Array, regret: Array,
) -> int:  # fmt: skip
    """Fill all moves of all items; returns how many there are."""
    width = count.shape[1]
    nodes = position.shape[1]
    last, after, held = np.zeros(width), np.zeros(width), np.zeros(width)
    share = np.ones(width)
    n = 0
    for k in range(len(position)):
        t = tree[k]
        unit_steps(
            n_sets[t], parent[t], home[t], start[k], count[k], knots, share, position[k], held,
            last, after,
        )  # fmt: skip
        for i in range(-1, nodes):
            if i >= 0 and position[k, i] <= 0:
                continue
            for j in range(-1, nodes):
                if i == j or (j >= 0 and home[t, j] < 0):
                    continue
                lost, saved, change = 0.0, 0.0, 0.0
                if i >= 0:
                    lost = last[home[t, i]] - place_usd[k, i]
                if j >= 0:
                    saved = after[home[t, j]] - place_usd[k, j]
                if i >= 0 and j >= 0:  # sets that hold both nodes see no change
                    a, b = home[t, i], home[t, j]
                    while a != b:
                        if a < b:
                            a = parent[t, a]
                        else:
                            b = parent[t, b]
                    change = after[a] - last[a]
                item[n], source[n], target[n] = k, i, j
                usd[n] = lost - saved + change
                regret[n] = usd[n] + priced[k, j] - priced[k, i]
                n += 1
    return n


@njit(nogil=True, cache=True)
def _fits(use: Array, a: int, b: int, c: int, room: Array) -> bool:
    for r in range(len(room)):
        more = use[a, r]
        if b >= 0:
            more += use[b, r]
        if c >= 0:
            more += use[c, r]
        if more > room[r] and more > 0.0:
            return False
    return True


@njit(nogil=True, cache=True)
def _best(
    item: Array, usd: Array, regret: Array, use: Array, room: Array, room_usd: float, least: float,
    in_triples: int,
) -> Array:  # fmt: skip
    """The one, two or three moves that save most, more than ``least``; -1 for none."""
    found = np.full(3, -1)
    best = -least
    for a in range(len(usd)):
        if usd[a] < best and _fits(use, a, -1, -1, room):
            best = usd[a]
            found[0], found[1], found[2] = a, -1, -1
        for b in range(a + 1, len(usd)):
            if regret[a] + regret[b] - room_usd >= best:
                break
            if usd[a] + usd[b] < best and item[a] != item[b] and _fits(use, a, b, -1, room):
                best = usd[a] + usd[b]
                found[0], found[1], found[2] = a, b, -1
    if found[0] >= 0:
        return found
    for a in range(min(in_triples, len(usd))):
        for b in range(a + 1, min(in_triples, len(usd))):
            if item[a] == item[b]:
                continue
            for c in range(b + 1, min(in_triples, len(usd))):
                if regret[a] + regret[b] + regret[c] - room_usd >= best:
                    break
                total = usd[a] + usd[b] + usd[c]
                if total < best and item[a] != item[c] != item[b] and _fits(use, a, b, c, room):
                    best = total
                    found[0], found[1], found[2] = a, b, c
    return found
