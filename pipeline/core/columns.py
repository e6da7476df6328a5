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
from pipeline.core.serve import Placed
from pipeline.core.shards import Blocks, Engine, Whole
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
    cost: [blocks, columns] usd without capacity prices; usage: [blocks, columns, rows];
    held: per part, the plans of light items at the price that is_held [blocks, columns] marks;
    toll: per part, [items, nodes] of the best bound.
    """

    on_items: NDArray[np.float64]
    cost: NDArray[np.float64]
    usage: NDArray[np.float64]
    is_held: NDArray[np.bool_]
    held: list[Placed]
    mix: Mix
    lower: float
    price: NDArray[np.float64]
    toll: list[NDArray[np.float64]]


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
    toll: list[NDArray[np.float64]] = field(default_factory=list)
    mixed: Mix | None = None
    _whole: Whole | None = None
    _first: int = 0
    _is_held: list[NDArray[np.bool_]] = field(default_factory=list)
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

    @property
    def overflows(self) -> bool:
        """Whether the mix pays for overflow, which answers still to come might spare."""
        return self.mixed is None or bool((self.mixed.overflow > 0.0).any())

    @property
    def keeps(self) -> bool:
        """Whether plans are kept."""
        return self._whole is not None

    def bound(self, price: NDArray[np.float64], keeps: bool = False) -> NDArray[np.float64]:
        """Sweep all blocks at one price for the lower bound; returns what they use [cells].

        keeps: whether these plans are kept, which blocks then repeat that are not perturbed.
        """
        on_items = self.capacity.on_items(price)
        whole = self.blocks.sweep_whole(self.engine, on_items, TOLL_STEPS, keeps)
        found = lower_bound(float((self.empty - whole.swept.most).sum()), price, self.capacity)
        if found > self.lower:
            self.lower, self.best, self.toll = found, price, whole.toll
        if keeps:
            self._whole, self._first = whole, len(self._cost)
        blocks = len(self.blocks)
        self._store(np.repeat(on_items[None], blocks, axis=0), whole.swept, "sweep", 1.0,
                    np.full(blocks, keeps))  # fmt: skip
        return np.asarray(whole.swept.used.sum(axis=0).ravel())

    def perturb(
        self, centre: NDArray[np.float64], spread: float, wanted: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Sweep the wanted blocks (or all), each at its own prices around the centre.

        Unwanted blocks repeat the answer that is kept. Returns what all blocks use then [cells].
        """
        blocks = len(self.blocks)
        wanted = np.ones(blocks, np.bool_) if wanted is None else wanted
        noise = 1.0 + spread * self._rng.standard_normal((blocks, len(self.capacity)))
        # free rows need some answers that spare them, too
        lift = spread * centre.mean() * np.abs(self._rng.standard_normal(noise.shape))
        prices = np.clip(centre * noise + lift, 0.0, self.capacity.overflow_usd)
        on_items = self.capacity.on_items(prices)
        swept = self.blocks.sweep(self.engine, on_items, wanted)
        if self._whole is not None:
            on_items[~wanted] = self._on_items[self._first][~wanted]
            swept.saved[~wanted] = self._whole.swept.saved[~wanted]
            swept.used[~wanted] = self._whole.swept.used[~wanted]
        self._store(on_items, swept, "perturbed sweep", wanted.mean(), ~wanted)
        return np.asarray(swept.used.sum(axis=0).ravel())

    def _store(
        self,
        on_items: NDArray[np.float64],
        swept: Swept,
        phase: str,
        share: float,
        is_held: NDArray[np.bool_],
    ) -> None:
        cost = self.empty - swept.saved - (on_items * swept.used).sum(axis=(1, 2, 3))
        usage = self.capacity.usage(swept.used)
        self._is_held.append(is_held)
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
        held = self._whole.placed if self._whole is not None else []
        return Answers(
            np.stack(self._on_items), *stored, np.stack(self._is_held, axis=1), held, self.mixed,
            self.lower, self.best, self.toll,
        )  # fmt: skip


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

    used: [cells] what all blocks use at the start's prices, which fits but for a little; the
    perturbed ones must make up for it, so their prices move the further.
    """
    wanted = np.arange(len(found.blocks)) % share == 0
    wanted[: len(found.blocks.heavy)] = True
    some = start.curvature / share
    centre, spreads = start.price, iter(np.repeat(SPREADS[1:], 2))
    for _ in range(most):
        if found.gap <= target_gap and not found.overflows:
            return
        if found.mixed is not None and found.gap <= FAIR_GAP:
            found.perturb(found.mixed.price, next(spreads, SPREADS[-1]), wanted)
        else:
            centre, _ = newton_step(found.capacity, some, centre, MARGIN * used)
            used = found.perturb(centre, SPREADS[1], wanted)
