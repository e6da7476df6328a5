"""Laminar families of node sets: the trees in which unmet demand spills over.

A *set* is a group of nodes (a same-day site, an area, a territory, the network). The sets of one
size class nest: two sets are disjoint or one holds the other. They are numbered in post-order, so
children come before parents and the whole network is last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product
from pipeline.errors import EchelonError


@dataclass(frozen=True)
class Tree:
    """One laminar family.

    members: bool [sets, nodes], node lies in set; sets in post-order, the last holds every node.
    parent: int [sets], set that directly holds this one; -1 at the root.
    home: int [nodes], smallest set that holds the node; -1 for nodes outside the family.
    """

    members: NDArray[np.bool_]
    parent: NDArray[np.int64]
    home: NDArray[np.int64]

    @property
    def n_sets(self) -> int:
        """Number of sets."""
        return len(self.parent)

    def path(self, set_index: int) -> list[int]:
        """Sets from ``set_index`` up to the root."""
        found = [set_index]
        while self.parent[found[-1]] >= 0:
            found.append(int(self.parent[found[-1]]))
        return found


def laminar_tree(sets: Sequence[frozenset[int]], n_nodes: int) -> Tree:
    """Tree of the given node sets and of their union, the root.

    Raises EchelonError naming every pair of sets that cross, because crossing sets need the
    general model (core.general).
    """
    family = sorted(
        {frozenset(group) for group in sets if group} | {frozenset().union(*sets)},
        key=lambda group: (-len(group), sorted(group)),
    )
    crossing = [
        (sorted(a), sorted(b))
        for i, a in enumerate(family)
        for b in family[i + 1 :]
        if (a & b) and not (b <= a)
    ]
    if crossing:
        raise EchelonError(
            "node sets cross, so spill-over is not a tree; use the general model for:\n"
            + "\n".join(f"  - {a} and {b}" for a, b in crossing)
        )
    holder = [-1] * len(family)
    for index, group in enumerate(family):
        above = [i for i in range(index) if group < family[i]]
        holder[index] = above[-1] if above else -1  # larger sets stand first: the last is smallest
    order = _post_order(holder)
    rank = {old: new for new, old in enumerate(order)}
    members = np.zeros((len(family), n_nodes), dtype=bool)
    home = np.full(n_nodes, -1, dtype=np.int64)
    for new in reversed(range(len(order))):
        members[new, sorted(family[order[new]])] = True
    for node in range(n_nodes):
        holding = np.flatnonzero(members[:, node])
        if len(holding):
            home[node] = holding[np.argmin(members[holding].sum(axis=1))]
    parent = np.array([rank[holder[old]] if holder[old] >= 0 else -1 for old in order])
    return Tree(members, parent.astype(np.int64), home)


def _post_order(holder: list[int]) -> list[int]:
    """Indices such that each follows all that it holds, its subtree standing directly before it."""
    children: dict[int, list[int]] = {}
    for index, above in enumerate(holder):
        children.setdefault(above, []).append(index)

    def walk(index: int) -> list[int]:
        return [i for child in children.get(index, []) for i in walk(child)] + [index]

    return [i for root in children[-1] for i in walk(root)]


def entry_sets(can_serve: NDArray[np.bool_], tree: Tree) -> NDArray[np.int64]:
    """Entry set of each demand cell: the smallest set that holds all nodes able to serve it.

    can_serve: bool [cells, nodes], the node can still meet the cell's promise. A cell that no node
    can serve enters at the root: its promise is missed from anywhere.
    """
    kinds, of = np.unique(can_serve, axis=0, return_inverse=True)  # hours alike are many
    outside = product(kinds.astype(np.float64), (~tree.members).T.astype(np.float64))
    size = np.where(outside == 0.0, tree.members.sum(axis=1)[None, :], np.iinfo(np.int64).max)
    found = size.argmin(axis=1)
    found[~kinds.any(axis=1)] = tree.n_sets - 1
    return found[of.ravel()].astype(np.int64)


@dataclass(frozen=True)
class Forest:
    """The trees of all size classes, padded to one shape, as the item kernel reads them.

    n_sets: [trees]; n_children, parent: [trees, sets]; above: [trees, sets], the parent, and n_sets
    at the root; home: [trees, nodes], smallest set of the node, -1 outside the tree.
    feeder: [nodes] node that replenishes each, -1 where vendors deliver; order: [nodes] feeders
    before those that they feed; members: [trees, sets, nodes]; depth: most nodes on the way into
    one, itself included.
    """

    n_sets: NDArray[np.int64]
    n_children: NDArray[np.int64]
    parent: NDArray[np.int64]
    above: NDArray[np.int64]
    home: NDArray[np.int64]
    feeder: NDArray[np.int64]
    order: NDArray[np.int64]
    members: NDArray[np.bool_]
    depth: int
    trees: tuple[Tree, ...]

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return self.home.shape[1]


def forest(trees: Sequence[Tree], feeder: NDArray[np.int64] | None = None) -> Forest:
    """Padded arrays for the kernels; feeder: as in Forest, by default vendors deliver
    everywhere."""
    width = max(tree.n_sets for tree in trees)
    n_children = np.zeros((len(trees), width), dtype=np.int64)
    parent = np.full((len(trees), width), -1, dtype=np.int64)
    for t, tree in enumerate(trees):
        parent[t, : tree.n_sets] = tree.parent
        n_children[t, : tree.n_sets] = [(tree.parent == s).sum() for s in range(tree.n_sets)]
    sizes = np.array([tree.n_sets for tree in trees])
    above = np.where(parent < 0, sizes[:, None], parent)
    home = np.stack([tree.home for tree in trees])
    if feeder is None:
        feeder = np.full(home.shape[1], -1, dtype=np.int64)
    steps = along_chain(np.ones(len(feeder)), feeder, feeder < 0)
    order = np.argsort(steps, kind="stable")
    members = np.zeros((len(trees), width, home.shape[1]), dtype=np.bool_)
    for t, tree in enumerate(trees):
        members[t, : tree.n_sets] = tree.members
    return Forest(
        sizes, n_children, parent, above, home, feeder, order, members, int(steps.max()),
        tuple(trees),
    )  # fmt: skip


def along_chain(
    own: NDArray[np.float64], parent: NDArray[np.int64], is_start: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """[nodes] sum of `own` over the node and those above it, up to where vendors deliver.

    parent: [nodes] index of the replenishing node, -1 at the top; is_start: vendors deliver there.
    """
    is_fed = (parent >= 0) & ~is_start
    total = own.copy()
    for _ in range(len(parent)):  # as deep as the deepest tree
        total = own + np.where(is_fed, total[parent], 0.0)
    return total
