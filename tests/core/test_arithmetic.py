"""Products in a fixed order are those of BLAS, to rounding."""

import math

import numpy as np
import pytest

from pipeline.core.arithmetic import dot, first_of_best, product, single_exp, single_log

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("left", "right"),
    [((7,), (7,)), ((5, 7), (7,)), ((7,), (7, 3)), ((5, 7), (7, 3)), ((9, 7), (7, 3)),
     ((2, 5, 7), (7, 3)), ((2, 5, 7), (7,)), ((7,), (7, 2, 3)), ((3, 0), (0, 4))],
)  # fmt: skip
def test_product_is_the_matrix_product(left, right):
    a, b = RNG.normal(size=left), RNG.normal(size=right)
    np.testing.assert_allclose(product(a, b), np.tensordot(a, b, axes=1), atol=1e-12)


def test_products_of_integers_are_exact():
    a, b = RNG.integers(0, 9, (4, 6)), RNG.integers(0, 9, (6, 2))
    assert (product(a, b) == a @ b).all()
    assert dot(a[0], b[:, 0]) == a[0] @ b[:, 0]


def test_the_first_of_equals_is_best_however_they_are_rounded():
    values = np.array([1.0, 7.0, 7.0, 2.0])
    assert first_of_best(values + np.array([0, 0, 1e-14, 0])) == 1
    assert first_of_best(values + np.array([0, 1e-14, 0, 0])) == 1
    assert first_of_best(values + np.array([0, 0, 1e-3, 0])) == 2
    assert first_of_best(np.array([-np.inf, -np.inf])) == 0


def test_single_precision_exponentials_are_the_doubles_rounded():
    x = np.random.default_rng(3).normal(0, 4, 5000).astype(np.float32)
    expected = np.array([math.exp(float(value)) for value in x], dtype=np.float32)
    assert np.array_equal(single_exp(x), expected)
    back = np.array([math.log(float(value)) for value in expected], dtype=np.float32)
    assert np.array_equal(single_log(expected), back)
    assert single_exp(x).dtype == single_log(expected).dtype == np.float32
