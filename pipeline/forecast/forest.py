"""Trees asked for many days of the same series at once; LightGBM's sums, to the bit.

Most of what a row says of a day ahead is known at the origin and the same for all days of a series.
So consecutive rows of a series go down a tree together: a split of what they share is decided once,
and only one of the calendar, the price or the horizon parts them. Leaves are added up in the order
of the trees, as LightGBM does (Tree::Predict in its tree.h), in a third of its time.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F32, F64
from pipeline.kernels import njit

I64 = npt.NDArray[np.int64]

TOGETHER = 64
"""Rows that go down a tree together, at most."""
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_MISSING_NEVER, _MISSING_ZERO = 0, 1
_ZERO = 1e-35


@dataclass(frozen=True)
class Forest:
    """The trees of a LightGBM model of one output, one after another.

    feature, threshold, kind  of each split; `kind` as LightGBM's decision_type; the threshold of a
                              split by category is the place of its set of words
    left, right               next split of the tree; below 0 it is the leaf −1 − place
    leaf                      raw value of each leaf
    first_split, first_leaf   (trees + 1,) where each tree begins
    word_start, words         sets of categories as bits, 32 a word
    """

    feature: I64
    threshold: F64
    kind: I64
    left: I64
    right: I64
    leaf: F64
    first_split: I64
    first_leaf: I64
    word_start: I64
    words: I64

    @staticmethod
    def of(booster: lgb.Booster) -> Forest:
        """The trees of `booster`."""
        trees = [_fields(text) for text in booster.model_to_string().split("\nTree=")[1:]]
        splits = _ints(trees, "num_leaves") - 1
        sets = _ints(trees, "num_cat")
        kind = _ints(trees, "decision_type")
        threshold = np.array(_words(trees, "threshold"), np.float64)
        is_set = (kind & _CATEGORICAL) > 0
        threshold[is_set] += np.repeat(np.cumsum(sets) - sets, splits)[is_set]
        sizes = [np.diff(_ints([own], "cat_boundaries")) for own in trees]
        return Forest(
            _ints(trees, "split_feature"), threshold, kind, _ints(trees, "left_child"),
            _ints(trees, "right_child"), np.array(_words(trees, "leaf_value"), np.float64),
            _begins(splits), _begins(splits + 1), _begins(np.concatenate(sizes)),
            _ints(trees, "cat_threshold"),
        )  # fmt: skip

    def raw(self, x: F32, begin: int = 0, end: int | None = None) -> F64:
        """Sums (rows,) of the leaves that the rows `x` (rows, features) fall into, in all trees or
        in those from `begin` on, before `end`."""
        out = np.zeros(len(x))
        last = None if end is None else end + 1
        _add_leaves(
            np.ascontiguousarray(x), self.feature, self.threshold, self.kind, self.left, self.right,
            self.leaf, self.first_split[begin:last], self.first_leaf[begin:last], self.word_start,
            self.words, out,
        )  # fmt: skip
        return out


def _fields(tree: str) -> dict[str, str]:
    lines = tree.split("\n\n", maxsplit=1)[0].split("\n")[1:]
    return dict(line.split("=", 1) for line in lines if line)


def _words(trees: list[dict[str, str]], name: str) -> list[str]:
    return [word for own in trees for word in own.get(name, "").split()]


def _ints(trees: list[dict[str, str]], name: str) -> I64:
    return np.array(_words(trees, name), np.int64)


def _begins(sizes: I64) -> I64:
    """Where each of consecutive pieces begins, and where the last one ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


@njit(cache=True)
def _columns(x, begin, end, value, is_shared):  # type: ignore[no-untyped-def]  # numba kernel
    """Columns of the rows from `begin` on, and whether all of them share their value."""
    for f in range(x.shape[1]):
        first, shared = x[begin, f], True
        for r in range(begin, end):
            value[f, r - begin] = x[r, f]
            if x[r, f] != first and not (np.isnan(first) and np.isnan(x[r, f])):
                shared = False
        is_shared[f] = shared


@njit(cache=True, inline="always")
def _part(order, low, high, column, threshold, kind, word_start, words, later):  # type: ignore[no-untyped-def]  # numba kernel
    """Rows order[low:high] parted at a split of `column`: where those on the right begin."""
    missing, is_default_left = (kind >> 2) & 3, (kind & _DEFAULT_LEFT) > 0
    middle, parted = low, 0
    for j in range(low, high):
        value = column[order[j]]
        is_nan = np.isnan(value)
        if kind & _CATEGORICAL:
            is_left = False
            if value > -1.0:
                chosen, word = int(value), word_start[int(threshold)] + (int(value) >> 5)
                is_left = word < word_start[int(threshold) + 1]
                is_left = is_left and (words[word] >> (chosen & 31)) & 1 == 1
        elif (is_nan and missing != _MISSING_NEVER) or (
            missing == _MISSING_ZERO and abs(value) <= _ZERO
        ):
            is_left = is_default_left
        else:
            is_left = (0.0 if is_nan else value) <= threshold
        if is_left:
            order[middle] = order[j]
            middle += 1
        else:
            later[parted] = order[j]
            parted += 1
    for j in range(parted):
        order[middle + j] = later[j]
    return middle


@njit(cache=True)
def _add_leaves(  # type: ignore[no-untyped-def]  # numba kernel
    x, feature, threshold, kind, left, right, leaf, first_split, first_leaf, word_start, words, out
):
    value = np.empty((x.shape[1], TOGETHER))
    is_shared = np.empty(x.shape[1], np.bool_)
    order, later = np.arange(TOGETHER), np.empty(TOGETHER, np.int64)
    waiting = np.empty((TOGETHER, 3), np.int64)  # split, first and end of its rows
    begin = 0
    while begin < len(x):
        end = begin + 1
        while end < len(x) and end - begin < TOGETHER and x[end, 0] == x[begin, 0]:
            end += 1
        _columns(x, begin, end, value, is_shared)
        order[: end - begin] = np.arange(end - begin)
        for t in range(len(first_split) - 1):
            waiting[0, 0] = 0 if first_split[t] < first_split[t + 1] else -1
            waiting[0, 1], waiting[0, 2], left_over = 0, end - begin, 1
            while left_over > 0:
                left_over -= 1
                split, low = waiting[left_over, 0], waiting[left_over, 1]
                high = waiting[left_over, 2]
                while split >= 0:
                    k = first_split[t] + split
                    asked = low + 1 if is_shared[feature[k]] else high
                    middle = _part(
                        order, low, asked, value[feature[k]], threshold[k], kind[k], word_start,
                        words, later,
                    )  # fmt: skip
                    middle = high if middle == asked else middle
                    split = right[k] if middle == low else left[k]
                    if low < middle < high:
                        waiting[left_over, 0] = right[k]
                        waiting[left_over, 1], waiting[left_over, 2] = middle, high
                        left_over += 1
                        high = middle
                for j in range(low, high):
                    out[begin + order[j]] += leaf[first_leaf[t] - 1 - split]
        begin = end
