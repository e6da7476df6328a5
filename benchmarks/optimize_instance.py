"""A synthetic but realistic instance for the optimizer, written as Parquet item tables.

Three tiers (3 distribution centers, one fulfillment center for every 3 nodes, same-day sites), 20
regions, 3 speeds with cut-offs, heavy-tailed negative-binomial demand that is correlated over
regions, random vendor lead time, two size classes of which the non-sortable one
cannot use every node; storage and inbound rows for every node and week, a third of which bind.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.stats import nbinom

from pipeline.core.copula import Dependence
from pipeline.core.demand import (
    CellShares,
    ItemDemand,
    Ranks,
    cell_shares,
    demand_tables,
    draw_ranks,
)
from pipeline.core.flow import ENTERING, HELD
from pipeline.core.item import ItemTables, concatenate, sweep
from pipeline.core.network import Forest, Tree, forest, laminar_tree
from pipeline.core.prices import Capacity, stratified
from pipeline.core.shards import Parts
from pipeline.core.size import potential

REGIONS = 20
WINDOWS = np.array([14.0])
LEVELS = np.array([0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.99, 0.995])
DISPERSIONS = np.array([0.3, 0.7, 1.5, 4.0])
MEANS = np.geomspace(1e-4, 1e5, 400)
INTERVALS = np.array([10.0, 14.0, 21.0, 35.0])
SCENARIOS = 64


@dataclass(frozen=True)
class World:
    """The network side of an instance: trees, cell shares and ranks, node costs."""

    woods: Forest
    shares: list[CellShares]
    ranks: Ranks
    quantiles: NDArray[np.float32]
    tier: NDArray[np.int64]
    eligible: NDArray[np.bool_]


def world(nodes: int, seed: int) -> World:
    """Network of the given number of nodes."""
    rng = np.random.default_rng(seed)
    centers = 3
    fulfil = max((nodes - centers) // 3, centers)
    tier = np.repeat([0, 1, 2], [centers, fulfil, nodes - centers - fulfil])
    above = np.array([-1] * centers + [i % centers for i in range(fulfil)]
                     + [centers + i % fulfil for i in range(nodes - centers - fulfil)])  # fmt: skip
    trees, shares = [], []
    eligible = np.ones((2, nodes), dtype=bool)
    eligible[1, centers::3] = False
    for size_class in range(2):
        able = eligible[size_class]
        tree = _tree(above, able, nodes)
        trees.append(tree)
        shares.append(cell_shares(_shares(tree, tier, above, able, rng), tree.members.sum(axis=1)))
    factor = rng.normal(size=(REGIONS, 3))
    correlation = 0.35 + 0.25 * np.corrcoef(factor) + 0.4 * np.eye(REGIONS)
    ranks = draw_ranks(
        Dependence(np.clip(correlation, -1, 1)), WINDOWS, LEVELS, 32, SCENARIOS, seed
    )
    size = 1.0 / DISPERSIONS
    p = size[:, None, None] / (size[:, None, None] + MEANS[None, :, None])
    quantiles = nbinom.ppf(LEVELS, size[:, None, None], p).astype(np.float32)
    return World(forest(trees, above), shares, ranks, quantiles, tier, eligible)


def _tree(above: NDArray[np.int64], able: NDArray[np.bool_], nodes: int) -> Tree:
    """Site in area of its fulfillment center in territory of its distribution center."""
    groups: list[frozenset[int]] = []
    for j in range(nodes):
        below = {j}
        for _ in range(2):
            below |= {i for i in range(nodes) if above[i] in below}
        kept = frozenset(i for i in below if able[i])
        if kept:
            groups.append(kept)
    return laminar_tree(groups, nodes)


def _shares(
    tree: Tree,
    tier: NDArray[np.int64],
    above: NDArray[np.int64],
    able: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Share of each region's demand entering each set: same day, one day and standard."""
    share = np.zeros((REGIONS, tree.n_sets))
    sites = np.flatnonzero((tier == 2) & able)
    centers = np.flatnonzero((tier == 1) & able)
    for region in range(REGIONS):
        near = [sites[region % len(sites)]] if len(sites) else []
        area = above[near[0]] if near and able[above[near[0]]] else centers[region % len(centers)]
        before_cutoff = rng.uniform(0.4, 0.7)
        split = rng.dirichlet([2.0, 5.0, 4.0])
        speeds = [(near, split[0] * before_cutoff), ([area], split[0] * (1 - before_cutoff)
                  + split[1] * 0.7), ([above[area]], split[1] * 0.3 + split[2])]  # fmt: skip
        for node, weight in speeds:
            share[region, tree.home[node[0]] if len(node) else tree.n_sets - 1] += weight
    return share


def write_items(path: Path, items: int, seed: int, shard_items: int = 50_000) -> None:
    """Parquet item tables, one file for each shard of items."""
    path.mkdir(parents=True, exist_ok=True)
    for shard in range(max(-(-items // shard_items), 1)):
        n = min(shard_items, items - shard * shard_items)
        rng = np.random.default_rng([seed, shard])
        rate = np.minimum(rng.lognormal(-3.2, 1.9, n), 3e3)
        split = rng.dirichlet(np.full(REGIONS, 3.0), n)
        price = np.clip(rng.lognormal(3.1, 0.9, n), 2.0, 2000.0)
        columns = {
            "price_usd": price,
            "margin_share": rng.uniform(0.15, 0.45, n),
            "unit_cube_cuft": np.clip(rng.lognormal(-1.6, 1.1, n), 0.005, 60.0),
            "dispersion": rng.integers(0, len(DISPERSIONS), n).astype(np.uint8),
            "lead_time_class": rng.integers(0, 3, n).astype(np.uint8),
            "mean_units_per_day": pa.FixedSizeListArray.from_arrays(
                pa.array((rate[:, None] * split).astype(np.float32).ravel()), REGIONS
            ),
        }
        pq.write_table(pa.table(columns), path / f"items-{shard:04d}.parquet", compression="zstd")


CHANCES = np.array([[0.6, 0.3, 0.1, 0.0], [0.2, 0.5, 0.25, 0.05], [0.1, 0.2, 0.4, 0.3]])


def read_tables(
    path: Path, place: World, shard: int, seed: int, drift: float = 0.0, weeks: int = 1
) -> ItemTables:
    """Packed tables of one shard, built from its Parquet file by the product's own demand code, its
    items once for every week.

    drift: relative standard deviation by which each item's demand differs, for another night.
    """
    table = pq.read_table(path, use_threads=False)
    column = {name: table[name].combine_chunks() for name in table.column_names}
    scalar = {
        name: array.to_numpy(zero_copy_only=False)
        for name, array in column.items()
        if "list" not in str(array.type)
    }
    n = len(table)
    mean = column["mean_units_per_day"].values.to_numpy().reshape(n, REGIONS)
    if drift:
        mean = mean * np.random.default_rng([seed, shard, 8]).lognormal(0.0, drift, (n, 1))
    cube, price = scalar["unit_cube_cuft"], scalar["price_usd"]
    tree = (cube > 3.0).astype(np.uint8)
    nearest = np.log(np.maximum(mean * 14.0, MEANS[0]) / MEANS[0]) / np.log(MEANS[1] / MEANS[0])
    nearest = np.minimum(np.rint(nearest), len(MEANS) - 1).astype(np.int64)
    quantiles = place.quantiles[scalar["dispersion"][:, None].astype(np.int64), nearest]
    rng = np.random.default_rng([seed, shard, 7])
    demand = ItemDemand(
        tree=tree,
        quantiles=quantiles[:, None],
        windows=WINDOWS,
        intervals=INTERVALS,
        chances=CHANCES[scalar["lead_time_class"]],
        bank=rng.integers(0, len(place.ranks.below), n),
        seeds=rng.integers(1, 2**63, n, dtype=np.uint64),
        gap_usd=_gaps(place, tree, price, cube, scalar["margin_share"]),
    )
    hold = price * (1 - scalar["margin_share"]) * 0.004
    handling = np.array([0.25, 0.4, 0.8])[place.tier]
    carry = np.array([0.1, 0.35, 0.8])[place.tier]
    wobble = 1.0 + 0.1 * np.sin(np.arange(len(place.tier)))
    usd = hold[:, None] + handling + (carry * wobble) * cube[:, None] ** 0.8
    usd[~place.eligible[tree]] = np.inf
    use = np.column_stack([cube, np.ones(n), np.ones(n)])
    tables, _ = demand_tables(
        place.woods, place.shares, place.ranks, demand, usd, use, most_knots=10
    )
    return concatenate([replace(tables, week=np.full(n, t, np.uint8)) for t in range(weeks)])


def _gaps(
    place: World,
    tree: NDArray[np.uint8],
    price: NDArray[np.float64],
    cube: NDArray[np.float64],
    margin: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Cost of serving a unit from outside each set: a missed speed, a longer way, a lost sale."""
    width = place.woods.parent.shape[1]
    gap = np.zeros((len(tree), width))
    for t, one in enumerate(place.woods.trees):
        depth = np.array([len(one.path(s)) for s in range(one.n_sets)])
        usd = np.array([0.0, 0.0, 1.1, 1.6, 2.8])[np.clip(depth, 0, 4)]
        mine = tree == t
        gap[mine, : one.n_sets] = usd * (1.0 + 0.6 * cube[mine, None] ** 0.7)
        gap[mine, one.n_sets - 1] = price[mine] * (margin[mine] + 0.1)
    return gap


def capacity_rows(place: World, parts: Parts, weeks: int, seed: int) -> Capacity:
    """Storage and inbound rows by node and week; a third are below what a free plan would use."""
    nodes = len(place.tier)
    rng = np.random.default_rng([seed, 99])
    shape = (weeks, 3, nodes)
    used = np.zeros(shape)
    for i in range(len(parts)):
        part = parts[i]
        rows = stratified(potential(place.woods, part), max(len(part) // 20, 2000), seed)
        sample = part.take(rows.rows)
        _, found = sweep(place.woods, sample, rows.bounds, np.zeros((len(rows.weight), *shape)))
        used += np.tensordot(rows.weight, found, axes=1)
    cells = np.array([
        np.ravel_multi_index((week, kind, j), shape)
        for week in range(weeks) for kind in (HELD, ENTERING) for j in range(nodes)
    ])  # fmt: skip
    n = len(cells)
    rows_matrix = csr_matrix((np.ones(n), (np.arange(n), cells)), shape=(n, int(np.prod(shape))))
    free = rows_matrix @ used.ravel()
    binds = rng.random(n) < 1 / 3
    limit = free * np.where(binds, rng.uniform(0.7, 0.95, n), rng.uniform(1.2, 1.6, n)) + 1.0
    overflow = np.where((np.arange(n) // nodes) % 2 == 0, 50.0, 30.0)
    return Capacity(rows_matrix, shape, limit, overflow)
