"""What is proved about a plan: a lower bound on any plan's cost, this plan's cost, its violation.

Lower bound, for any prices 0 <= price <= overflow_usd (weak duality; no convergence needed):

    min { cost(y) + overflow_usd o : usage(y) <= limit + o, o >= 0 }
        >=  sum_k min_y { cost_k(y) + price usage_k(y) }  -  price limit

The item minima are computed on float32 tables with float64 sums. All terms of an item's priced cost
are >= 0 and each is rounded by at most a factor 1 + 2^-24, so the true minimum is at least the
computed one divided by 1 + 2^-23; the bound is lowered by that much.

Upper bound: the integer plan itself, evaluated by core.evaluate, plus what its overflow costs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot
from pipeline.core.prices import Capacity

FLOAT32_ERROR = 2.0**-23


@dataclass(frozen=True)
class Certificate:
    """lower, upper: usd; gap: (upper - lower) / |upper|; violation: largest relative excess of
    usage over limit plus paid overflow; overflow_usd: part of upper that is paid for overflow."""

    lower: float
    upper: float
    violation: float
    overflow_usd: float

    @property
    def gap(self) -> float:
        """Certified relative distance of the plan from the optimum."""
        return max(self.upper - self.lower, 0.0) / max(abs(self.upper), 1e-9)


@dataclass(frozen=True)
class PriceBound:
    """The bound that prices alone give, which anybody can work out again.

    usd: what the items' least priced costs add up to, less price times limit; price: [rows] of what
    they use; toll: [items, nodes] usd charged on what a node serves and credited to its levels,
    None where all are zero; general_usd: of it, the part of items that the general model plans.
    """

    usd: float
    price: NDArray[np.float64]
    toll: NDArray[np.float64] | None = None
    general_usd: float = 0.0


def lower_bound(item_optima_usd: float, price: NDArray[np.float64], capacity: Capacity) -> float:
    """Lower bound in usd from the sum of the items' least priced costs."""
    if (price < 0).any() or (price > capacity.overflow_usd * (1 + 1e-12)).any():
        raise ValueError("prices must lie between zero and the cost of overflow")
    return float(item_optima_usd / (1.0 + FLOAT32_ERROR) - dot(price, capacity.limit))


def certify(
    lower: float,
    plan_cost_usd: float,
    usage: NDArray[np.float64],
    overflow: NDArray[np.float64],
    capacity: Capacity,
) -> Certificate:
    """Certificate of a plan with the given cost, row usage and paid overflow."""
    excess = np.maximum(usage - capacity.limit - overflow, 0.0)
    relative = excess / np.maximum(np.abs(capacity.limit), 1.0)
    paid = dot(capacity.overflow_usd, overflow)
    # sums of float32 coefficients in another order differ in the last digits only
    violation = float(relative.max(initial=0.0))
    return Certificate(lower, plan_cost_usd + paid, violation if violation > 1e-9 else 0.0, paid)
