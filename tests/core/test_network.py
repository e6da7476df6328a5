"""Laminar families and entry sets."""

import numpy as np
import pytest

from pipeline.core.network import entry_sets, laminar_tree
from pipeline.errors import EchelonError


def test_children_come_before_parents_and_the_network_last():
    tree = laminar_tree([frozenset({0}), frozenset({2}), frozenset({0, 1}), frozenset({3})], 4)
    assert tree.members[-1].all()
    assert all(parent > s or parent == -1 for s, parent in enumerate(tree.parent))
    for s, parent in enumerate(tree.parent[:-1]):
        assert (tree.members[parent] >= tree.members[s]).all()
    assert [int(tree.members[h].sum()) for h in tree.home] == [1, 2, 1, 1]


def test_crossing_sets_are_named():
    with pytest.raises(EchelonError, match=r"\[0, 1\] and \[1, 2\]"):
        laminar_tree([frozenset({0, 1}), frozenset({1, 2})], 3)


def test_cell_enters_at_the_smallest_set_holding_all_nodes_that_can_serve():
    tree = laminar_tree([frozenset({0}), frozenset({0, 1}), frozenset({2})], 3)
    can = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]], bool)
    held = [frozenset(np.flatnonzero(tree.members[s])) for s in entry_sets(can, tree)]
    area, network = frozenset({0, 1}), frozenset({0, 1, 2})
    assert held == [frozenset({0}), area, area, network, network]
