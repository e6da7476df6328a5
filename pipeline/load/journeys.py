"""The script of a game day: customers' journeys by minute, down to the products that they look at.

A visit is a Markov chain home -> search -> product -> cart -> checkout with leaving at every step;
expected counts of each minute become whole requests by largest remainder, carried over the minutes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

STEPS = ("home", "search", "product", "cart", "checkout")
NEXT = {
    "home": {"search": 0.55, "product": 0.25},
    "search": {"search": 0.25, "product": 0.5},
    "product": {"search": 0.2, "product": 0.25, "cart": 0.12},
    "cart": {"product": 0.2, "checkout": 0.45},
    "checkout": {},
}
"""Chance of each next step; what is missing to 1 leaves."""


def requests_per_visit(chain: Mapping[str, Mapping[str, float]] = NEXT) -> dict[str, float]:
    """Expected requests of each step in a visit that starts at home: (I - P')^-1 e_home."""
    names = list(chain)
    move = np.array([[chain[a].get(b, 0.0) for a in names] for b in names])
    start = np.array([float(name == "home") for name in names])
    counts = np.linalg.solve(np.eye(len(names)) - move, start)
    return dict(zip(names, counts.tolist(), strict=True))


def script(
    visits: np.ndarray, product_share: Mapping[str, float] | None = None, most_products: int = 20
) -> pd.DataFrame:
    """Rows of gameday_plan: requests of each step in each minute of `visits` [minutes].

    product_share: share of interest by item; the most wanted ones get steps of their own.
    """
    per_visit = requests_per_visit()
    weights: dict[str, float] = {name: n for name, n in per_visit.items() if name != "product"}
    shares = sorted((product_share or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    named = shares[:most_products]
    total = sum(share for _, share in shares) or 1.0
    for item, share in named:
        weights[f"product/{item}"] = per_visit["product"] * share / total
    rest = 1.0 - sum(share for _, share in named) / total if named else 1.0
    if rest > 1e-9:
        weights["product/other" if named else "product"] = per_visit["product"] * rest
    parts = []
    for name in sorted(weights):
        due = np.floor(np.cumsum(np.maximum(visits, 0.0) * weights[name]) + 0.5)
        count = np.diff(due, prepend=0.0).astype(np.int64)
        parts.append(pd.DataFrame({"minute": np.arange(len(visits)), "journey_step": name,
                                   "planned_requests": count}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)
