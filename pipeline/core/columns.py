"""Column generation: answers of blocks at several prices, until a mix of them nears the bound.

An answer is what a block's items cost and use at given prices. A sweep at one price for all blocks
gives a lower bound; in other sweeps every block gets its own perturbed prices, because answers at
one price stall short of the capacity: ties of thousands of items fall the same way.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.core.ascent import Start, newton_step
from pipeline.core.certificate import lower_bound
from pipeline.core.master import Mix, mix
from pipeline.core.planned import Swept
from pipeline.core.prices import Capacity
from pipeline.core.shards import Blocks, Engine
from pipeline.core.trace import Trace

SPREADS = (0.3, 0.1, 0.05, 0.03, 0.02)
"""Spread of perturbed prices, relative to the price, as the search goes on."""
FAIR_GAP = 5e-3
"""Gap of the mix from which its prices are trusted."""
TRUSTING_SWEEPS = 3
"""Sweeps that perturb the first prices before they are doubted."""
MARGIN = 1.01
"""What perturbed answers use is taken for more, so that some mix of them fits."""
STALLED, WINDOW = 0.85, 3
"""Share of the gap that the last sweeps for the bound may leave if the search is to go on."""
TOLL_STEPS = 8
"""Steps of an item's tolls in a sweep for the bound."""


@dataclass(frozen=True)
class Answers:
    """Stored answers of all blocks, their best mix, and the best lower bound with its prices.

    on_items: [columns, blocks, weeks, kinds, nodes] the prices each was found at;
    cost: [blocks, columns] usd without capacity prices; usage: [blocks, columns, rows].
    """

    on_items: NDArray[np.float64]
    cost: NDArray[np.float64]
    usage: NDArray[np.float64]
    mix: Mix
    lower: float
    price: NDArray[np.float64]


@dataclass
class Search:
    """The columns gathered so far, and the bound."""

    blocks: Blocks
    engine: Engine
    capacity: Capacity
    trace: Trace
    seed: int
    empty: NDArray[np.float64] = field(init=False)
    lower: float = -np.inf
    best: NDArray[np.float64] = field(init=False)
    mixed: Mix | None = None
    _used: NDArray[np.float64] | None = None
    _on_items: list[NDArray[np.float64]] = field(default_factory=list)
    _cost: list[NDArray[np.float64]] = field(default_factory=list)
    _usage: list[NDArray[np.float64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.empty = self.blocks.empty_cost(self.engine)
        self.best = np.zeros(len(self.capacity))
        self._rng = np.random.default_rng(self.seed + 1)

    @property
    def gap(self) -> float:
        """Relative distance of the mix from the bound."""
        if self.mixed is None:
            return np.inf
        return (self.mixed.value - self.lower) / max(abs(self.mixed.value), 1e-9)

    def bound(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sweep all blocks at one price for the lower bound; returns what they use [cells]."""
        blocks = len(self.blocks)
        on_items = np.broadcast_to(
            self.capacity.on_items(price), (blocks, *self.capacity.shape)
        ).copy()
        swept = self.blocks.sweep(self.engine, on_items, np.ones(blocks, np.bool_), TOLL_STEPS)
        self.add_bound(price, on_items, swept)
        return np.asarray(swept.used.sum(axis=0).ravel())

    def add_bound(
        self, price: NDArray[np.float64], on_items: NDArray[np.float64], swept: Swept
    ) -> None:
        """Store the answers at one price for all blocks."""
        self._used = swept.used if self._used is None else self._used
        found = lower_bound(float((self.empty - swept.most).sum()), price, self.capacity)
        if found > self.lower:
            self.lower, self.best = found, price
        self._store(on_items, swept, "sweep", 1.0)

    def perturb(
        self, centre: NDArray[np.float64], spread: float, wanted: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Sweep the wanted blocks (or all), each at its own prices around the centre.

        Unwanted blocks repeat their first answer. Returns what all blocks use then [cells].
        """
        blocks = len(self.blocks)
        wanted = np.ones(blocks, np.bool_) if wanted is None else wanted
        noise = 1.0 + spread * self._rng.standard_normal((blocks, len(self.capacity)))
        # free rows need some answers that spare them, too
        lift = spread * centre.mean() * np.abs(self._rng.standard_normal(noise.shape))
        prices = np.clip(centre * noise + lift, 0.0, self.capacity.overflow_usd)
        on_items = self.capacity.on_items(prices)
        swept = self.blocks.sweep(self.engine, on_items, wanted)
        if self._used is not None:
            swept.used[~wanted] = self._used[~wanted]
        self._store(on_items, swept, "perturbed sweep", wanted.mean(), ~wanted)
        return np.asarray(swept.used.sum(axis=0).ravel())

    def _store(
        self,
        on_items: NDArray[np.float64],
        swept: Swept,
        phase: str,
        share: float,
        repeat: NDArray[np.bool_] | None = None,
    ) -> None:
        cost = self.empty - swept.saved - (on_items * swept.used).sum(axis=(1, 2, 3))
        usage = self.capacity.usage(swept.used)
        if repeat is not None and repeat.any():
            on_items[repeat] = self._on_items[0][repeat]
            cost[repeat] = self._cost[0][repeat]
        self._on_items.append(on_items)
        self._cost.append(cost)
        self._usage.append(usage)
        self.trace.sweeps += share
        if len(self._cost) > 1:
            known = self.best if self.mixed is None else self.mixed.price
            rows = np.flatnonzero(self.best) if self.mixed is None else self.mixed.rows
            stored = np.stack(self._cost, axis=1), np.stack(self._usage, axis=1)
            self.mixed = mix(*stored, self.capacity, rows, known)
        self.trace.add(phase, self.lower, self.mixed.value if self.mixed else np.nan)

    def answers(self) -> Answers:
        """All that was found."""
        if self.mixed is None:
            raise ValueError("the search needs two sweeps at least")
        stored = np.stack(self._cost, axis=1), np.stack(self._usage, axis=1)
        return Answers(np.stack(self._on_items), *stored, self.mixed, self.lower, self.best)


def search(
    found: Search,
    start: Start,
    centre: NDArray[np.float64],
    target_gap: float,
    most_sweeps: int,
) -> Answers:
    """Sweep until the mix is within the target gap of the bound; a bound must be there already.

    First the centre of the perturbed prices moves to where what they use fits. Then, while the
    bound is poor, prices are halfway between the best ones and the master's (in-out separation);
    once it is good, every block gets its own perturbed prices.
    """
    spreads, gaps = iter(SPREADS[2:]), [np.inf] * (WINDOW + 1)
    for sweep in range(1, most_sweeps):
        is_fair = found.gap <= FAIR_GAP
        if found.mixed is None or (sweep <= TRUSTING_SWEEPS and not is_fair):
            used = found.perturb(centre, SPREADS[0])
            centre, _ = newton_step(found.capacity, start.curvature, centre, MARGIN * used)
        elif sweep <= TRUSTING_SWEEPS:
            found.perturb(found.mixed.price, SPREADS[1])
        elif (spread := next(spreads, 0.0) if is_fair and sweep % 4 else 0.0) > 0:
            found.perturb(found.mixed.price, spread)
        else:
            found.bound((found.best + found.mixed.price) / 2.0)
            gaps.append(found.gap)
        if found.gap <= target_gap or found.gap > STALLED * gaps[-1 - WINDOW]:
            break
    return found.answers()


def search_some(
    found: Search,
    start: Start,
    used: NDArray[np.float64],
    target_gap: float,
    share: int,
    most: int,
) -> None:
    """Perturb every share-th block and the heavy ones only, at most ``most`` times.

    used: [cells] what all blocks use at the start's prices; the perturbed ones must make up for all
    that does not fit, so their prices move the further.
    """
    wanted = np.arange(len(found.blocks)) % share == 0
    wanted[: len(found.blocks.heavy)] = True
    some = start.curvature / share
    centre = start.price
    for _ in range(most):
        if found.gap <= target_gap:
            return
        if found.mixed is not None and found.gap <= FAIR_GAP:
            found.perturb(found.mixed.price, SPREADS[1], wanted)
        else:
            centre, _ = newton_step(found.capacity, some, centre, MARGIN * used)
            used = found.perturb(centre, SPREADS[0], wanted)
