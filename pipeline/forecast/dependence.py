"""How forecast errors of regions move together: rank correlations, by group of items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from pipeline.forecast.panel import F64


def rank_correlation(
    rank: F64,
    occasion: npt.NDArray[np.intp],
    region: npt.NDArray[np.integer],
    regions: int,
) -> F64:
    """Spearman correlations (regions, regions) of the ranks of errors of the same occasion.

    An occasion is an item and a window; ranks are calibrated probability integral transforms,
    uniform by construction. The common shock stays in: the network pools what remains. The
    estimate is a mixture of the pairwise moments with independence, by the number of pairs, so
    that a pair that was never seen together has correlation 0.
    """
    occasions, place = np.unique(occasion, return_inverse=True)
    table = np.zeros((len(occasions), regions))
    seen = np.zeros((len(occasions), regions))
    table[place, region] = rank - 0.5
    seen[place, region] = 1.0
    moments, pairs = table.T @ table, seen.T @ seen
    spread = np.sqrt(np.maximum(np.diag(moments) / np.maximum(np.diag(pairs), 1), 1e-9))
    correlation = moments / (pairs + 50.0) / np.outer(spread, spread)
    np.fill_diagonal(correlation, 1.0)
    return nearest_correlation(correlation)


def nearest_correlation(matrix: F64) -> F64:
    """The matrix with negative eigenvalues lifted to a small positive one, unit diagonal."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    lifted = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    spread = np.sqrt(np.diag(lifted))
    return np.clip(lifted / np.outer(spread, spread), -1.0, 1.0)


def joint_ranks(correlation: F64, paths: int, seed: int) -> F64:
    """Uniform ranks (paths, regions) with a Gaussian copula of the given Spearman correlations."""
    pearson = nearest_correlation(2 * np.sin(np.pi / 6 * correlation))
    values, vectors = np.linalg.eigh(pearson)
    root = vectors * np.sqrt(np.maximum(values, 0))
    normal = np.random.default_rng(seed).standard_normal((paths, len(correlation)))
    return np.asarray(ndtr(normal @ root.T))


def dependence_table(notes: Mapping[str, Any]) -> pd.DataFrame:
    """demand_dependence from a model's notes, sorted by key."""
    rows = [
        (group, region, other, value)
        for group, matrix in sorted(notes["dependence"].items())
        for region, line in zip(notes["regions"], matrix, strict=True)
        for other, value in zip(notes["regions"], line, strict=True)
    ]
    columns = ["item_group", "region_id", "other_region_id", "rank_correlation"]
    return pd.DataFrame(rows, columns=columns)
