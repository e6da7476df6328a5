"""Which products lie near the customer, at what the site's space costs, and who waits instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.assort.answer import Question, chain_of
from pipeline.assort.products import Products
from pipeline.core.assortment.choices import Choices
from pipeline.core.assortment.group import Group, Work
from pipeline.core.assortment.tiers import LocalPlan, decide_local
from pipeline.errors import UsageError


def near(
    products: Products, choices: Choices | None, question: Question, patience: float,
    network_usd: float, space_usd_per_cuft: float,
) -> tuple[pd.DataFrame, LocalPlan]:  # fmt: skip
    """Units of a site, a row for each item, most units first.

    patience: share of customers who wait for the network when an item is not at the site;
    network_usd: what a unit from the network costs more (delivery, the missed speed);
    space_usd_per_cuft: of the season, e.g. a price of capacity_prices times its days.
    Raises UsageError for a patience outside 0 to 1 and for costs below 0.
    """
    if not 0 <= patience <= 1 or min(network_usd, space_usd_per_cuft) < 0:
        raise UsageError("patience lies between 0 and 1 and costs are not negative. "
                         "Next: correct --patience, --network-usd or --space-usd.")  # fmt: skip
    chain, _, _ = chain_of(products, choices, question)
    rent = space_usd_per_cuft * products.cube_cuft
    terms = replace(products.terms, unit_cost_usd=products.terms.unit_cost_usd + rent)
    group = Group(chain, terms, question.customers, question.dispersion, question.seed)
    margin = products.terms.price_usd - products.terms.unit_cost_usd - network_usd
    share = np.full(len(chain), patience)
    plan = decide_local(group, share, margin, Work(seasons=200, fresh=400))
    frame = pd.DataFrame({
        "item": products.items, "near_units": plan.near_units, "waits_units": plan.waits,
        "space_cuft": plan.near_units * products.cube_cuft, "network_margin_usd": margin,
    })  # fmt: skip
    return frame.sort_values(["near_units", "item"], ascending=[False, True], kind="stable"), plan
