"""Guaranteed service: the programme over the tree against all times, and a book's answer."""

from itertools import product

import numpy as np
import pytest

from pipeline.core.inventory.guaranteed_service import Stage, guaranteed_service

Edges = list[tuple[str, str]]


def tried(stages: dict[str, Stage], edges: Edges, factor: float) -> float:
    """Least cost of all whole outbound times; each stage is supplied by its slowest supplier."""
    sd = dict.fromkeys(stages, 0.0)

    def asked(name: str) -> float:
        return stages[name].sd ** 2 + sum(asked(b) for a, b in edges if a == name)

    sd = {name: asked(name) ** 0.5 for name in stages}
    most = sum(s.time for s in stages.values()) + max(s.inbound for s in stages.values())
    best = np.inf
    for times in product(range(most + 1), repeat=len(stages)):
        promised = dict(zip(stages, times, strict=True))
        cost = 0.0
        for name, stage in stages.items():
            inbound = max([stage.inbound, *(promised[a] for a, b in edges if b == name)])
            covered = inbound + stage.time - promised[name]
            late = stage.promise is not None and promised[name] > stage.promise
            cost += (
                np.inf
                if covered < 0 or late
                else (stage.holding * factor * sd[name] * covered**0.5)
            )
        best = min(best, cost)
    return best


def random_tree(rng: np.random.Generator) -> tuple[dict[str, Stage], Edges]:
    names = ["a", "b", "c", "d"]
    edges: Edges = []
    for i in range(1, len(names)):
        other = names[int(rng.integers(i))]
        edges.append((other, names[i]) if rng.random() < 0.6 else (names[i], other))
    stages = {}
    for name in names:
        is_last = all(a != name for a, _ in edges)
        sd = rng.uniform(1, 3) if is_last else 0.0
        stages[name] = Stage(
            int(rng.integers(0, 3)), float(rng.uniform(0.5, 5.0)), sd,
            int(rng.integers(0, 2)) if all(b != name for _, b in edges) else 0,
            int(rng.integers(0, 2)) if is_last else None,
        )  # fmt: skip
    return stages, edges


def test_the_programme_finds_the_cheapest_of_all_service_times() -> None:
    rng = np.random.default_rng(4)
    for _ in range(25):
        stages, edges = random_tree(rng)
        found = guaranteed_service(stages, edges, 1.5)
        assert found.cost == pytest.approx(tried(stages, edges, 1.5), rel=1e-9, abs=1e-9)
        for name, stage in stages.items():
            covered = found.inbound[name] + stage.time - found.outbound[name]
            assert covered >= 0
            assert all(found.outbound[a] <= found.inbound[b] for a, b in edges if b == name)


def test_the_book_s_tree_of_four_stages_costs_what_it_says() -> None:
    """L. V. Snyder and Z.-J. M. Shen (2019), example 6.5."""
    stages = {
        "1": Stage(2, 1.0, inbound=1),
        "2": Stage(1, 3.0, sd=1.0, promise=0),
        "3": Stage(1, 2.0),
        "4": Stage(1, 3.0, sd=1.0, promise=1),
    }
    found = guaranteed_service(stages, [("1", "3"), ("3", "2"), ("3", "4")])
    assert found.cost == pytest.approx(8.277916867529369)
    assert found.outbound == {"1": 0, "2": 0, "3": 0, "4": 1}


def test_what_is_no_tree_or_cannot_be_promised_is_refused() -> None:
    one = Stage(1, 1.0, 1.0, promise=0)
    with pytest.raises(ValueError, match="no tree"):
        guaranteed_service({"a": one, "b": one, "c": one}, [("a", "b")])
    with pytest.raises(ValueError, match="no tree"):
        guaranteed_service({"a": one, "b": one, "c": one}, [("a", "b"), ("b", "c"), ("c", "a")])
