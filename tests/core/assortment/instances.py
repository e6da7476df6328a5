"""Small random chains and groups for the tests."""

from __future__ import annotations

import numpy as np

from pipeline.core.assortment.chain import Chain
from pipeline.core.assortment.terms import Terms


def random_chain(random: np.random.Generator, products: int) -> Chain:
    """Arrivals and transitions drawn evenly from all that leave with some probability."""
    arrival = random.dirichlet(np.ones(products + 1))[:products]
    transition = np.zeros((products, products))
    for i in range(products):
        onward = random.dirichlet(np.ones(products))[: products - 1]
        transition[i, np.arange(products) != i] = onward
    return Chain(arrival, transition)


def random_terms(random: np.random.Generator, products: int) -> Terms:
    """Costs of 35–65 % of prices, some salvage; no listing costs, single units."""
    price = random.uniform(5, 25, products)
    plain = Terms.plain(price, price * random.uniform(0.35, 0.65, products))
    share = random.uniform(0, 0.5, products)
    return Terms(
        plain.price_usd, plain.unit_cost_usd, plain.unit_cost_usd * share,
        plain.listing_usd, plain.case_units, plain.is_open,
    )  # fmt: skip
