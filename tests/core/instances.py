"""Tiny capacity instances that fit in the head: a few items over four nodes in three tiers."""

import numpy as np
from scipy.sparse import csr_matrix

from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables, concatenate
from pipeline.core.network import Forest, forest, laminar_tree
from pipeline.core.prices import Capacity
from pipeline.core.serve import serve

FAMILY = [frozenset({0}), frozenset({0, 1}), frozenset({2}), frozenset({0, 1, 2, 3})]


def woods() -> Forest:
    """Site 0 in the area of 1, site 2, all in the network with 3."""
    return forest([laminar_tree(FAMILY, 4)])


def random_items(n: int, seed: int) -> ItemTables:
    """Items with one to three demand steps in every set."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(n):
        count, knots = [], []
        for s in range(4):
            m = int(rng.integers(1, 4))
            count.append(m)
            usd = np.sort(rng.uniform(0.5, 4.0 if s < 3 else 12.0, m))[::-1]
            knots += list(zip(rng.integers(1, 4, m), usd, strict=True))
        parts.append(
            ItemTables(
                np.zeros(1, np.uint8),
                np.zeros(1, np.uint8),
                np.array([0, len(knots)]),
                np.array([count], np.uint8),
                np.array(knots, np.float32),
                rng.uniform(0.1, 2.0, (1, 4)).astype(np.float32),
                np.column_stack([rng.uniform(0.2, 3.0, 1), np.ones(1)]).astype(np.float32),
                np.array([[4.0, 4.0, 4.0, 12.0]], np.float32),
                np.ones(1, np.float32),
                np.zeros((1, 4), np.float32),
            )
        )
    return concatenate(parts)


def storage_rows(limit: np.ndarray, overflow_usd: float = 100.0) -> Capacity:
    """A storage row for each of the four nodes."""
    columns = np.arange(4)  # week 0, what is held, node j
    rows = csr_matrix((np.ones(4), (np.arange(4), columns)), shape=(4, 8))
    return Capacity(rows, (1, 2, 4), np.asarray(limit, float), np.full(4, overflow_usd))


def valued(items: ItemTables, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cost by item and use of positions that serve all they can."""
    placed = serve(woods(), items, position.astype(np.int32), np.zeros((1, 2, 4)))
    return evaluate(woods(), items, placed, 1)
