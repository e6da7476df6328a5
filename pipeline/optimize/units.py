"""Dollars and cubic feet that the optimizer counts in, so that units change no plan.

A search over whole numbers among plans of nearly the same worth ends elsewhere when a last bit
changes, and single precision rounds dollars and cents in other places. What an overflow costs by
the settings tells the units of a company's numbers: the optimizer counts in dollars of which a unit
of flow above capacity costs FLOW_USD, and in cubic feet of which one stored above capacity costs
STORAGE_USD a week. A company that writes all its numbers in another currency, or in litres, has
then the same problem to the ninth digit, which is where it is rounded, and the same plan. At the
settings' defaults the units are dollars and cubic feet.

A column's unit is in its name: `_usd` is money, `_usd_per_cuft_day` money by volume, `_cuft`
volume; amounts of a capacity row are in its resource's unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.sections.optimize import OptimizeSettings
from pipeline.contracts.settings import Settings
from pipeline.core.arithmetic import significant

Tables = dict[str, pd.DataFrame]
FLOW_USD = float(OptimizeSettings.model_fields["flow_overflow_usd_per_unit"].default)
STORAGE_USD = float(OptimizeSettings.model_fields["storage_overflow_usd_per_cuft_week"].default)
_DIGITS = 9
"""Significant digits of dollars and volumes that count."""
_AMOUNTS = ("capacity", "usage", "overflow", "net_capacity", "plan_usage", "swing_units")
"""Columns in the unit of their row's resource."""
_BY_AMOUNT = (
    "price_usd_per_capacity_unit", "left_derivative_usd", "right_derivative_usd",
    "overflow_usd_per_unit", "bound_price_usd",
)  # fmt: skip
"""Columns in dollars by such a unit."""
_SECTIONS = ("planning", "optimize", "service", "buy")


@cache
def powers(name: str) -> tuple[int, int]:
    """Powers of a dollar and of a cubic foot in the unit that ends a name: (1, -1) of
    `lane_usd_per_cuft`."""
    usd, cuft, sign = 0, 0, 1
    for word in name.split("_"):
        sign = -1 if word == "per" else sign
        usd += sign * (word == "usd")
        cuft += sign * (word == "cuft")
    return usd, cuft


@dataclass(frozen=True)
class Units:
    """Dollars, and cubic feet, that the optimizer counts as one."""

    usd: float
    cuft: float

    def tables(self, tables: Tables) -> Tables:
        """The tables in these units, rounded to _DIGITS."""
        return {name: self._frame(frame, inward=True) for name, frame in tables.items()}

    def settings(self, settings: Settings) -> Settings:
        """The settings that the optimizer reads, in these units."""
        changed = {}
        for name in _SECTIONS:
            section = getattr(settings, name)
            factor = {field: self._one(field) for field in type(section).model_fields}
            new = {field: float(significant(np.array(getattr(section, field) / by), _DIGITS))
                   for field, by in factor.items()
                   if by != 1.0 and getattr(section, field) is not None}  # fmt: skip
            changed[name] = section.model_copy(update=new)
        return settings.model_copy(update=changed)

    def written(self, tables: Tables) -> Tables:
        """Tables in these units, in dollars and cubic feet again."""
        return {name: self._frame(frame, inward=False) for name, frame in tables.items()}

    def _one(self, name: str) -> float:
        usd, cuft = powers(name)
        return float(self.usd**usd * self.cuft**cuft)

    def _frame(self, frame: pd.DataFrame, inward: bool) -> pd.DataFrame:
        found = {}
        for name in frame.columns:
            by = self._factor(frame, str(name))
            if by is not None:
                value = frame[name].to_numpy(np.float64)
                found[name] = significant(value / by, _DIGITS) if inward else value * by
        return frame.assign(**found)

    def _factor(self, frame: pd.DataFrame, name: str) -> NDArray[np.float64] | float | None:
        """What one of the optimizer's units of a column is of those written, where the column has
        such a unit."""
        if "resource" in frame.columns and name in _AMOUNTS + _BY_AMOUNT:
            amount = frame["resource"].astype(str).map(self._one).to_numpy(np.float64)
            return amount if name in _AMOUNTS else self.usd / amount
        if name == "value" and "measure_unit" in frame.columns:
            return frame["measure_unit"].astype(str).map(self._one).to_numpy(np.float64)
        return None if powers(name) == (0, 0) else self._one(name)


def units_of(settings: Settings) -> Units:
    """The units that the settings' costs of overflow tell."""
    usd = settings.optimize.flow_overflow_usd_per_unit / FLOW_USD
    cuft = usd * STORAGE_USD / settings.optimize.storage_overflow_usd_per_cuft_week
    return Units(usd, cuft)
