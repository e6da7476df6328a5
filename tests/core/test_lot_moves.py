"""The change of lots that is made is the best one of a full search, alone or two together."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pipeline.core.lot_moves import Changes, _best


def changes(seed: int, count: int = 14, rows: int = 2) -> tuple[Changes, np.ndarray]:
    """Random changes of five items, many of which need room that another frees.

    Room is made only for a change worth more than any that fits by itself: the others' turn comes
    once that one is made.
    """
    draw = np.random.default_rng(seed)
    use = draw.integers(-4, 5, (count, rows)).astype(float)
    found = Changes(
        draw.integers(0, 5, count), draw.integers(0, 3, count), draw.integers(1, 4, count),
        draw.normal(0, 5, count).round(3), use,
    )  # fmt: skip
    return found, draw.integers(0, 3, rows).astype(float)


def gain(found: Changes, slack: np.ndarray, chosen: tuple[int, ...]) -> float:
    """Usd of the chosen changes together; none where they do not fit."""
    if len(set(found.item[list(chosen)].tolist())) < len(chosen):
        return -np.inf
    fits = (found.use[list(chosen)].sum(axis=0) <= slack).all()
    return float(found.usd[list(chosen)].sum()) if fits else -np.inf


@pytest.mark.parametrize("seed", range(60))
def test_the_best_change_is_that_of_a_full_search(seed: int) -> None:
    found, slack = changes(seed)
    every = range(len(found.usd))
    alone = max(gain(found, slack, (one,)) for one in every)
    short = found.use > slack
    pairs = [
        gain(found, slack, (up, down)) for up, down in product(every, every)
        if up != down and found.usd[up] > max(alone, 0.0) and short[up].any()
        and (found.use[down][short[up]] < 0).all()
    ]  # fmt: skip
    best = max([alone, *pairs])
    chosen = _best(found, slack)
    if best <= 0:
        assert chosen is None
    else:
        assert chosen is not None
        assert gain(found, slack, chosen) == pytest.approx(best)
