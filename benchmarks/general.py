"""The general item model against HiGHS, and what the nested model loses where sets overlap.

    python -m benchmarks.general [--items 200] [--scenarios 24] [--seed 1] [--json FILE]

Random items over regions that are each served by their nearest three of six centers
(overlapping sets) and, at more cost, by every other one. HiGHS solves the relaxation over the same
scenarios. The nested model is fitted as a user would: every region belongs to its nearest center,
and spills to the network. Both plans are valued out of sample on 100 fresh scenarios by the exact
recourse.
"""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path
from time import process_time

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.special import ndtri

from pipeline.core.general import GeneralItem, recourse, solve_general
from pipeline.core.item import ItemTables, positions
from pipeline.core.network import forest, laminar_tree

CENTERS, REGIONS = 6, 10


def random_item(rng: np.random.Generator, scenarios: int) -> tuple[GeneralItem, np.ndarray]:
    """An item, and 100 fresh scenarios of its demand."""
    centers, regions = rng.random((CENTERS, 2)), rng.random((REGIONS, 2))
    miles = np.linalg.norm(centers[:, None] - regions[None], axis=2)
    margin = rng.uniform(3.0, 15.0)
    late = np.argsort(np.argsort(miles, axis=0), axis=0) >= 3
    reward = margin - 2.5 * miles - 1.5 * late
    mean = rng.dirichlet(np.ones(REGIONS)) * np.exp(rng.normal(1.6, 1.0))
    cost = rng.uniform(0.02, 0.12) * margin + rng.uniform(0.0, 0.2, CENTERS)
    spread = rng.uniform(0.3, 1.0)

    def draw(n: int) -> np.ndarray:
        strata = (np.arange(n) + rng.random(n)) / n
        common = np.exp(spread * ndtri(strata) - spread**2 / 2)
        return rng.poisson(common[:, None] * rng.gamma(2.0, 0.5, (n, REGIONS)) * mean).astype(float)

    return GeneralItem(reward, draw(scenarios), cost), draw(100)


def highs(item: GeneralItem) -> float:
    """Optimum of the relaxation."""
    scenarios, cells = item.demand.shape
    nodes = len(item.place_usd)
    n = scenarios * nodes * cells
    w, j, cell = (part.ravel() for part in np.indices((scenarios, nodes, cells)))
    rows = np.concatenate([w * nodes + j, scenarios * nodes + w * cells + cell,
                           np.arange(scenarios * nodes)])  # fmt: skip
    columns = np.concatenate([np.arange(n), np.arange(n),
                              n + np.tile(np.arange(nodes), scenarios)])  # fmt: skip
    values = np.concatenate([np.ones(2 * n), -np.ones(scenarios * nodes)])
    matrix = csr_matrix((values, (rows, columns)))
    limit = np.concatenate([np.zeros(scenarios * nodes), item.demand.ravel()])
    cost = np.concatenate([-np.tile(item.reward.ravel(), scenarios) / scenarios, item.place_usd])
    return -linprog(cost, A_ub=matrix, b_ub=limit, method="highs").fun


def nested(item: GeneralItem) -> np.ndarray:
    """Position of the nested model: areas of the nearest center in a network."""
    tree = laminar_tree([frozenset({j}) for j in range(CENTERS)], CENTERS)
    nearest = item.reward.argmax(axis=0)
    knots, count = [], []
    for s in range(tree.n_sets):
        inside = np.flatnonzero(tree.members[s])
        mine = np.isin(nearest, inside)
        demand = np.sort(item.demand[:, mine].sum(axis=1))
        if s == tree.n_sets - 1:  # a lost sale forgoes the reward of the second best center
            usd = np.median(np.sort(item.reward, axis=0)[-2])
        else:
            weight = item.demand[:, mine].mean(axis=0) + 1e-9
            ranked = np.sort(item.reward[:, mine], axis=0)
            usd = np.average(ranked[-1] - ranked[-2], weights=weight) if mine.any() else 0.0
        steps = [
            (demand[i] - before, usd * (len(demand) - i) / len(demand))
            for i, before in enumerate(np.concatenate([[0.0], demand[:-1]]))
            if demand[i] > before
        ]
        knots += steps
        count.append(len(steps))
    tables = ItemTables(
        np.zeros(1, np.uint8), np.zeros(1, np.uint8), np.array([0, len(knots)]),
        np.array([count], np.uint8), np.array(knots, np.float32).reshape(-1, 2),
        item.place_usd[None].astype(np.float32), np.ones((1, 1), np.float32),
        np.ones((1, len(count)), np.float32), np.ones(1, np.float32),
        np.zeros((1, CENTERS), np.float32),
    )  # fmt: skip
    return positions(forest([tree]), tables, np.zeros((1, 1, CENTERS)))[0]


def measure(n_items: int, scenarios: int, seed: int) -> dict[str, float]:
    """Sums over all items."""
    rng = np.random.default_rng(seed)
    solve_general(random_item(rng, scenarios)[0])  # compile
    rows = []
    for _ in range(n_items):
        item, fresh = random_item(rng, scenarios)
        began = process_time()
        ours = solve_general(item)
        after = process_time()
        relaxed = highs(item)
        seconds = after - began, process_time() - after
        world = GeneralItem(item.reward, fresh, item.place_usd)
        flat = nested(item)
        worth = [recourse(world, y).reward - item.place_usd @ y for y in (ours.position, flat)]
        sample = recourse(item, flat).reward - item.place_usd @ flat
        rows.append((ours.value, ours.bound, relaxed, sample, *worth, *seconds))
    value, bound, relaxed, sample, general_out, nested_out, ours_s, highs_s = np.sum(rows, axis=0)
    return {
        "items": n_items,
        "scenarios": scenarios,
        "certified_gap": (bound - value) / bound,
        "bound_over_highs": bound / relaxed - 1.0,
        "integer_below_highs": 1.0 - value / relaxed,
        "nested_loss_in_sample": 1.0 - sample / value,
        "nested_loss_out_of_sample": 1.0 - nested_out / general_out,
        "ours_ms_per_item": 1e3 * ours_s / n_items,
        "highs_ms_per_item": 1e3 * highs_s / n_items,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--scenarios", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = measure(options.items, options.scenarios, options.seed)
    table = Table("figure", "value", title="general model against HiGHS")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.5g}")
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
