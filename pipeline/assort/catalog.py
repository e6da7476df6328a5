"""A vendor's catalog in hand, others still to come: what to accept of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.assort.products import Products
from pipeline.core.assortment.catalogs import Accepted, accept
from pipeline.core.assortment.catalogs import Products as Offered
from pipeline.errors import UsageError


def accepted(
    present: Products, past: Products | None, later_products: int, customers: float,
    leave_weight: float, seed: int,
) -> tuple[pd.DataFrame, Accepted]:  # fmt: skip
    """Units of the catalog, a row for each item, beside what would be bought if none came after it.

    past: products of earlier catalogs, from which those to come are drawn; later_products: how
    many will be offered; leave_weight: of buying nothing, beside the products' weights.
    Raises UsageError where later catalogs are expected and no past one is given.
    """
    if later_products > 0 and past is None:
        raise UsageError("later products are drawn from past catalogs. "
                         "Next: give --past, or --later-products 0.")  # fmt: skip
    if customers <= 0 or leave_weight < 0:
        raise UsageError("customers must be above 0 and --leave-weight not negative.")
    drawn = _offered(past) if past is not None else _offered(present)
    found = accept(_offered(present), drawn, later_products, leave_weight, customers, seed=seed)
    frame = pd.DataFrame({
        "item": present.items, "units": found.units, "alone_units": found.alone_units,
        "price_usd": present.terms.price_usd, "unit_cost_usd": present.terms.unit_cost_usd,
        "is_accepted": found.units > 0,
    })  # fmt: skip
    order = np.lexsort((np.array(present.items), -found.units))
    return frame.iloc[order].reset_index(drop=True), found


def _offered(products: Products) -> Offered:
    return Offered(products.weight, products.terms.price_usd, products.terms.unit_cost_usd)
