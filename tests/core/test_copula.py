"""Scores have the wanted correlations, and are one continuous function of them."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from pipeline.core.copula import (
    LEAST_EIGENVALUE,
    _is_above,
    nearest_correlation,
    normal_scores,
)

ALIKE = np.full((5, 5), 0.8) + 0.2 * np.eye(5)  # four equal eigenvalues
SAME = np.ones((4, 4))  # three eigenvalues of 0


def scores(correlation, seed=3):
    return normal_scores(correlation, (400,), np.random.default_rng(seed))


def slow_scores(correlation, seed=3):
    """Draws times the root that SciPy finds by Schur's method."""
    draws = np.random.default_rng(seed).standard_normal((400, len(correlation)))
    return draws @ sqrtm(nearest_correlation(2 * np.sin(np.pi / 6 * correlation))).real


def random_correlation(regions, seed):
    return np.corrcoef(np.random.default_rng(seed).normal(size=(regions, 2 * regions)))


@pytest.mark.parametrize("correlation", [ALIKE, SAME, np.eye(1), random_correlation(12, 1)])
def test_scores_are_draws_times_the_symmetric_root(correlation):
    np.testing.assert_allclose(scores(correlation), slow_scores(correlation), atol=1e-9)


@pytest.mark.parametrize("correlation", [ALIKE, SAME, random_correlation(12, 1)])
def test_rounding_of_the_correlations_stays_rounding_in_the_scores(correlation):
    """Also where eigenvalues are equal, or 0: eigenvectors would turn by any angle."""
    noise = 1e-15 * np.random.default_rng(5).normal(size=correlation.shape)
    moved = scores(correlation + noise + noise.T)
    np.testing.assert_allclose(moved, scores(correlation), atol=1e-10)


def test_scores_do_not_depend_on_the_order_of_alike_regions():
    """With draws swapped the scores are swapped, whatever the regions are called."""
    correlation, order = random_correlation(6, 2), np.array([3, 0, 5, 1, 4, 2])

    class Swapped:
        def standard_normal(self, shape):
            return np.random.default_rng(3).standard_normal(shape)[..., order]

    swapped = normal_scores(correlation[np.ix_(order, order)], (400,), Swapped())
    np.testing.assert_allclose(swapped, scores(correlation)[:, order], atol=1e-12)


def test_an_impossible_matrix_is_made_possible():
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    found = nearest_correlation(impossible)
    assert np.linalg.eigvalsh(found).min() > 0
    assert (np.diag(found) == 1).all()


def test_a_possible_matrix_stays_as_it_is():
    np.testing.assert_allclose(nearest_correlation(ALIKE), ALIKE, atol=1e-14)
    assert abs(nearest_correlation(SAME) - SAME).max() <= LEAST_EIGENVALUE


@pytest.mark.parametrize("regions", [1, 5, 40])
def test_pivots_say_whether_eigenvalues_are_above_a_bound(regions):
    correlation = random_correlation(regions, 4) if regions > 1 else np.eye(1)
    least = float(np.linalg.eigvalsh(correlation)[0])
    assert _is_above(correlation, 0.999 * least)
    assert not _is_above(correlation, 1.001 * least)
    assert not _is_above(SAME - 2 * np.eye(4), LEAST_EIGENVALUE)


def test_lifting_sets_in_without_a_jump():
    """A hair above the bound the matrix stays, a hair below it is lifted: nearly the same."""
    ones, rest = np.ones((6, 6)), np.eye(6)
    for by in (1e-3, -1e-3):
        rho = 1.0 - LEAST_EIGENVALUE * (1.0 + by)  # 1 - rho is the least eigenvalue
        matrix = rho * ones + (1.0 - rho) * rest
        assert abs(nearest_correlation(matrix) - matrix).max() < 2e-9
