"""Capacity rows and their Lagrangian prices.

A row limits what the plan uses at a node in a week: what stands there, enters or leaves (or comes
over a lane, or is bought):

    sum_t sum_r sum_j a[t, r, j] used[t, r, j] <= capacity + overflow

so the usage of any plan is a linear image of the small tensor ``used[week, kind, node]`` (core.flow
says how items come to use it), and row prices act on items as a tensor of the same shape. Overflow
costs ``overflow_usd_r`` a unit, which bounds the price: no night is infeasible.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pipeline.core.flow import HELD, LEAVING
from pipeline.core.item import ItemTables
from pipeline.core.size import empty_cost


@dataclass(frozen=True)
class Capacity:
    """Capacity rows, net of what is there already.

    rows: sparse [rows, weeks * kinds * nodes], the coefficients a_r >= 0;
    shape: (weeks, kinds, nodes); limit: [rows] in the row's unit, may be negative;
    overflow_usd: [rows] cost of a unit beyond the limit; is_step: [rows] the row is a step of a
    cost that rises with use, and is exceeded wherever that pays; None: no row is.
    """

    rows: csr_matrix
    shape: tuple[int, int, int]
    limit: NDArray[np.float64]
    overflow_usd: NDArray[np.float64]
    is_step: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.limit)

    def essential(self) -> NDArray[np.int64]:
        """Rows that are not implied by another one.

        Of rows over the same cells with positive limits, row r is implied by s when
        a_r / limit_r <= a_s / limit_s everywhere, as slack weeks are by tight ones: its price is 0.
        A step implies no row, since it is to be exceeded.
        """
        groups: dict[bytes, list[int]] = {}
        kept = []
        step = np.zeros(len(self), np.bool_) if self.is_step is None else self.is_step
        for row in range(len(self)):
            part = slice(self.rows.indptr[row], self.rows.indptr[row + 1])
            if self.limit[row] <= 0 or part.start == part.stop:
                kept.append(row)
            else:
                groups.setdefault(self.rows.indices[part].tobytes(), []).append(row)
        for rows in groups.values():
            tight = np.stack(
                [self.rows.data[self.rows.indptr[r] : self.rows.indptr[r + 1]] for r in rows]
            ) / self.limit[rows][:, None]  # fmt: skip
            for i, row in enumerate(rows):
                implied = (tight >= tight[i]).all(axis=1) & ~step[rows]
                implied[i:] &= (tight[i:] > tight[i]).any(axis=1)  # of equal rows the first stays
                if not implied.any():
                    kept.append(row)
        return np.sort(np.array(kept, dtype=np.int64))

    def take(self, rows: NDArray[np.int64]) -> "Capacity":
        """Only these rows."""
        step = None if self.is_step is None else self.is_step[rows]
        limit, usd = self.limit[rows], self.overflow_usd[rows]
        return Capacity(self.rows[rows], self.shape, limit, usd, step)

    def on_items(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """Row prices [..., rows] as prices [..., weeks, kinds, nodes] of what items use."""
        flat = np.asarray((self.rows.T @ price.reshape(-1, len(self)).T).T)
        return np.ascontiguousarray(flat).reshape(*price.shape[:-1], *self.shape)

    def usage(self, used: NDArray[np.float64]) -> NDArray[np.float64]:
        """Row usage [..., rows] of tensors [..., weeks, kinds, nodes]."""
        flat = used.reshape(-1, self.rows.shape[1])
        return np.asarray((self.rows @ flat.T).T).reshape(*used.shape[:-3], len(self))

    def unit_use(self, items: ItemTables) -> NDArray[np.float64]:
        """What a unit of each item at each node holds of each row, [items, nodes, rows], dense."""
        by_cell = self.rows.toarray().reshape(len(self), *self.shape)[:, items.week, HELD]
        return np.einsum("Rkj,k->kjR", by_cell, items.use[:, HELD].astype(float))

    @property
    def is_on_flows(self) -> NDArray[np.bool_]:
        """[rows] whether the row limits anything that flows."""
        kind = self.rows.indices // self.shape[2] % self.shape[1]
        owner = np.repeat(np.arange(len(self)), np.diff(self.rows.indptr))
        found = np.zeros(len(self), np.bool_)
        found[owner[(kind >= LEAVING) & (self.rows.data != 0)]] = True
        return found


@dataclass(frozen=True)
class Sample:
    """A stratified sample of items: strata are blocks of ``items``, each item counts ``weight``."""

    items: ItemTables
    bounds: NDArray[np.int64]
    weight: NDArray[np.float64]

    @cached_property
    def empty_usd(self) -> NDArray[np.float64]:
        """Cost of each stratum when nothing is added."""
        return empty_cost(self.items, self.bounds)


@dataclass(frozen=True)
class Strata:
    """Rows drawn for a sample, stratum by stratum: rows [drawn], bounds [strata + 1], and what
    each drawn item stands for, weight [strata]."""

    rows: NDArray[np.int64]
    bounds: NDArray[np.int64]
    weight: NDArray[np.float64]


def stratified(size: NDArray[np.float64], n: int, seed: int) -> Strata:
    """About n items in eight strata of falling size; the largest n/4 items all at weight one.

    size: [items] how much an item could use. Uniform sampling would start 1-2 % off, because a few
    heavy items hold much of the usage.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(-size, kind="stable")
    top = len(order) if len(order) <= n else max(n // 4, 1)
    rest = order[top:]
    groups, weight = [np.sort(order[:top])], [1.0]
    if len(rest):
        share = np.cumsum(np.sqrt(np.maximum(size[rest], 1e-12)))
        edges = np.searchsorted(share, share[-1] * np.arange(1, 8) / 7.0)
        edges[-1] = len(rest)
        for first, last in zip([0, *edges[:-1]], edges, strict=True):
            stratum = rest[first:last]
            if len(stratum):
                drawn = min(len(stratum), max((n - top) // 7, 1))
                groups.append(np.sort(rng.choice(stratum, drawn, replace=False)))
                weight.append(len(stratum) / drawn)
    bounds = np.concatenate([[0], np.cumsum([len(group) for group in groups])])
    return Strata(np.concatenate(groups), bounds, np.array(weight))
