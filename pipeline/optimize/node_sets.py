"""The sets of nodes that the nested model counts stock in.

They are the subtrees of the replenishment tree (a same-day site, the area of a fulfillment center,
the territory of a distribution center), the nodes that serve regions in common, or a kind of
orders, and the network. Nodes whose customers go nowhere else, as a shop's, are a set beside those
of the center that feeds them, not within: its stock does not serve them, nor theirs its orders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.core.network import Tree, laminar_tree
from pipeline.errors import EchelonError


def node_sets(
    parent: NDArray[np.int64], able: NDArray[np.bool_], serves: NDArray[np.bool_], name: str
) -> Tree:
    """Subtrees of the replenishment tree among the nodes that accept the size class, less those
    inside whose customers go nowhere else; those of them together that serve [cells, nodes] any
    region in common; and all nodes that serve a kind of orders, where such sets do not cross.

    parent: [nodes] node that replenishes each, -1 for none; able: bool [nodes], accepts the class.
    Raises EchelonError where no node does.
    """
    groups = [frozenset(np.flatnonzero(fed_by(parent, j) & able).tolist())
              for j in range(len(parent))]  # fmt: skip
    if not any(groups):
        raise EchelonError(f"nodes: no node accepts {name} items. Next: correct nodes.accepts.")
    kinds = [frozenset(np.flatnonzero(row).tolist()) for row in np.unique(serves, axis=0)]
    kinds = [kind for kind in kinds if kind]
    for group in sorted(set(groups), key=lambda group: (len(group), sorted(group))):
        met = [kind for kind in kinds if kind & group]
        if met and all(kind <= group for kind in met):
            groups = [other - group if other > group else other for other in groups]
    tops = sorted({groups[j] for j in np.flatnonzero(parent < 0)} - {frozenset()}, key=sorted)
    groups += _together(tops, kinds)
    nested = [kind for kind in kinds
              if all(not kind & other or kind <= other or kind >= other
                     for other in (*groups, *kinds))]  # fmt: skip
    return laminar_tree(groups + nested, len(parent))


def fed_by(parent: NDArray[np.int64], node: int) -> NDArray[np.bool_]:
    """[nodes] whether a node is replenished through this one, itself included."""
    held = np.zeros(len(parent), dtype=bool)
    held[node] = True
    while True:  # as often as the tree is deep
        grown = held | np.where(parent >= 0, held[parent], False)
        if (grown == held).all():
            return held
        held = grown


def _together(tops: list[frozenset[int]], kinds: list[frozenset[int]]) -> list[frozenset[int]]:
    """Unions of the sets of nodes that kinds of orders, by the nodes that serve them, link."""
    of = np.arange(len(tops))
    for kind in kinds:
        linked = np.array([bool(kind & top) for top in tops], dtype=bool)
        if linked.any():
            of[np.isin(of, of[linked])] = of[linked].min()
    return [frozenset().union(*(tops[i] for i in np.flatnonzero(of == group)))
            for group in np.unique(of)]  # fmt: skip
