"""How much is ordered at a time, and how evenly it arrives.

The economic order quantity sqrt(2 K d / h) balances a line's cost K against holding (F. W. Harris,
Factory, The Magazine of Management 10, 1913).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def economic_units(
    daily_demand_units: Floats, holding_usd_per_unit_day: Floats, line_usd: float
) -> Floats:
    """Economic order quantity in units; infinite where holding costs nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = 2.0 * line_usd * daily_demand_units / holding_usd_per_unit_day
    return np.sqrt(np.where(holding_usd_per_unit_day > 0, squared, np.inf))


def band_units(
    daily_demand_units: Floats, holding_usd_per_unit_day: Floats, line_usd: float, most_days: float
) -> Floats:
    """Units that are ordered at a time: the economic quantity, at most the demand of most_days."""
    economic = economic_units(daily_demand_units, holding_usd_per_unit_day, line_usd)
    return np.minimum(most_days * daily_demand_units, economic)


def arrival_variance(
    flow_units: Floats, lot_units: Floats, sd_days: NDArray[Any], period_days: float
) -> Floats:
    """Variance of the units that arrive in a period, for a mean flow in lots whose arrivals are
    displaced at random by sd_days.

    Lots that come like clockwork vary by nothing, lots that come at random by flow times lot (a
    compound Poisson process); independent normal displacements of regular arrivals move 2 sd /
    (sqrt(pi) period) of the way, all of it at most.
    """
    share = np.minimum(2.0 * np.asarray(sd_days) / (np.sqrt(np.pi) * period_days), 1.0)
    return np.asarray(share * flow_units * lot_units)
