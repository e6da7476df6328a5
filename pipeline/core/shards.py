"""Blocks of items, and the engine that sweeps them: threads here, Dask in core.cluster.

Items come in *parts* (shards), any sequence of ItemTables; a part may be loaded when it is asked
for, so memory need not grow with the number of items. Each part is cut into blocks of consecutive
items. A sweep solves every block at its own prices; results are stored by block and added in block
order, so any number of threads or workers gives the same bytes.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.core.item import ItemTables, concatenate
from pipeline.core.network import Forest
from pipeline.core.planned import Swept, no_plans, sweep_plans
from pipeline.core.serve import Placed
from pipeline.core.size import empty_cost

Result = TypeVar("Result")


class Engine(Protocol):
    """Applies a function to every part; results in the order of the parts."""

    def each(self, work: Callable[[int, ItemTables], Result]) -> list[Result]:
        """``[work(i, part) for i, part in enumerate(parts)]``."""
        ...


class Parts(Protocol):
    """A sequence of item tables."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> ItemTables: ...


@dataclass(frozen=True)
class Threads:
    """Runs parts on threads; the kernels release the interpreter lock."""

    parts: Parts
    threads: int

    def each(self, work: Callable[[int, ItemTables], Result]) -> list[Result]:
        """See Engine."""
        indices = range(len(self.parts))
        if self.threads == 1:
            return [work(i, self.parts[i]) for i in indices]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(lambda i: work(i, self.parts[i]), indices))


def views(items: ItemTables, n_parts: int) -> list[ItemTables]:
    """The same items as n_parts consecutive parts, without copying."""
    edges = np.linspace(0, len(items), n_parts + 1).astype(np.int64)
    return [
        ItemTables(
            items.tree[a:b], items.week[a:b], items.start[a : b + 1], items.count[a:b],
            items.knots, items.place_usd[a:b], items.use[a:b], items.gap_usd[a:b],
            items.turn[a:b], items.rise[a:b],
        )
        for a, b in pairwise(edges)
    ]  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """A sweep of all items at one price: per part, placed: the plans of its light items, empty
    where none are kept; toll: [items, nodes] of the bound."""

    swept: Swept
    placed: list[Placed]
    toll: list[NDArray[np.float64]]


@dataclass(frozen=True)
class Blocks:
    """Blocks over the heavy items (one each) and then over every part.

    heavy: tables of the heavy items; heavy_at: per part, their rows in it;
    bounds: per part, first items of its blocks; offset: per part, number of its first block.
    """

    woods: Forest
    heavy: ItemTables
    heavy_at: tuple[NDArray[np.int64], ...]
    bounds: tuple[NDArray[np.int64], ...]
    offset: tuple[int, ...]

    def __len__(self) -> int:
        return self.offset[-1] + len(self.bounds[-1]) - 1

    def of_part(self, part: int) -> slice:
        """Numbers of the part's blocks."""
        return slice(self.offset[part], self.offset[part] + len(self.bounds[part]) - 1)

    def light(self, part: int, items: ItemTables) -> ItemTables:
        """The part's tables with the knots of its heavy items hidden."""
        if not len(self.heavy_at[part]):
            return items
        count = items.count.copy()
        count[self.heavy_at[part]] = 0
        return replace(items, count=count)

    def sweep(self, engine: Engine, price: NDArray[np.float64], wanted: NDArray[np.bool_]) -> Swept:
        """What the wanted blocks [blocks], each at its own prices, save at best and use; zero
        elsewhere."""

        def work(part: int, items: ItemTables) -> Swept:
            mine = self.of_part(part)
            light = self.light(part, items)
            return sweep_plans(self.woods, light, self.bounds[part], price[mine], wanted[mine], 0)

        n = len(self.heavy)
        heavy = sweep_plans(self.woods, self.heavy, np.arange(n + 1), price[:n], wanted[:n], 0)
        return _together([heavy, *engine.each(work)])

    def sweep_whole(
        self, engine: Engine, price: NDArray[np.float64], steps: int, keeps: bool
    ) -> Whole:
        """All blocks at one price [weeks, kinds, nodes]; steps: of the tolls that tighten the
        bound; keeps: whether plans are kept."""

        def of(items: ItemTables, bounds: NDArray[np.int64], n_kept: int) -> Whole:
            placed, toll = no_plans(self.woods, n_kept), np.zeros((len(items), self.woods.n_nodes))
            blocks = len(bounds) - 1
            each = np.repeat(price[None], blocks, axis=0)
            every = np.ones(blocks, np.bool_)
            swept = sweep_plans(self.woods, items, bounds, each, every, steps, placed, toll)
            return Whole(swept, [placed], [toll])

        def work(part: int, items: ItemTables) -> Whole:
            n_kept = len(items) if keeps else 0
            return of(self.light(part, items), self.bounds[part], n_kept)

        heavy = of(self.heavy, np.arange(len(self.heavy) + 1), 0)
        found = engine.each(work)
        first = 0
        for one, rows in zip(found, self.heavy_at, strict=True):
            one.toll[0][rows] = heavy.toll[0][first : first + len(rows)]
            first += len(rows)
        return Whole(
            _together([heavy.swept, *(one.swept for one in found)]),
            [one.placed[0] for one in found],
            [one.toll[0] for one in found],
        )

    def empty_cost(self, engine: Engine) -> NDArray[np.float64]:
        """Usd [blocks] that items cost when nothing is added."""
        rest = engine.each(
            lambda part, items: empty_cost(self.light(part, items), self.bounds[part])
        )
        return np.concatenate([empty_cost(self.heavy, np.arange(len(self.heavy) + 1)), *rest])


def _together(found: list[Swept]) -> Swept:
    """Sweeps of some blocks after those of others."""
    return Swept(
        np.concatenate([one.saved for one in found]),
        np.concatenate([one.most for one in found]),
        np.concatenate([one.used for one in found]),
    )


def cut(
    woods: Forest,
    parts: Parts,
    sizes: Sequence[NDArray[np.float64]],
    n_blocks: int,
    n_heavy: int,
) -> Blocks:
    """Blocks of about equal numbers of items of one week; the n_heavy largest items are blocks of
    their own."""
    size = np.concatenate(sizes)
    edges = np.concatenate([[0], np.cumsum([len(part) for part in sizes])])
    largest = np.sort(np.argsort(-size, kind="stable")[: min(n_heavy, len(size) // 10)])
    heavy_at = tuple(largest[(largest >= a) & (largest < b)] - a for a, b in pairwise(edges))
    per_block = max(len(size) // n_blocks, 1)
    bounds = tuple(
        np.union1d(
            np.linspace(0, len(part), max(round(len(part) / per_block), 1) + 1).astype(np.int64),
            np.flatnonzero(np.diff(parts[i].week)) + 1,  # no block of two weeks
        )
        for i, part in enumerate(sizes)
    )
    offset = len(largest) + np.concatenate([[0], np.cumsum([len(b) - 1 for b in bounds])])
    heavy = [parts[i].take(rows) for i, rows in enumerate(heavy_at)]
    return Blocks(woods, concatenate(heavy), heavy_at, bounds, tuple(int(o) for o in offset[:-1]))
