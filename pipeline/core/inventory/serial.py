"""Serial systems with backorders, solved exactly by Clark and Scarf's decomposition.

Stages are numbered downstream to upstream here: stage 0 meets demand, stage n−1 orders from an
outside source that never fails. h_i is the *echelon* holding cost per unit and period, p the
backorder cost, L_i the lead time to stage i (periods), D_i demand over it. With
H = Σ h (the local holding cost at stage 0) the recursion of Chen & Zheng is

    C̲_0(x) = (p + H) x⁻ ,   C_i(y) = E[h_i (y − D_i) + C̲_i(y − D_i)],
    S_i = argmin C_i,        C̲_{i+1}(x) = C_i(min(S_i, x)),

and C_{n−1}(S_{n−1}) is the least average cost. It charges units in transit at the local rate of
the stage they left. Sources: Clark & Scarf, Mgmt. Sci. 6 (1960); Chen & Zheng, Mgmt. Sci. 40
(1994) 1426–1443; Snyder & Shen (2019), section 6.2; bounds: Shang & Song, Mgmt. Sci. 49 (2003)
618–638, Theorem 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal

from pipeline.core.inventory.demand import Array, Continuous, Demand, Lattice


@dataclass(frozen=True)
class SerialSystem:
    """Stages from downstream to upstream: echelon holding costs, lead times; backorder cost."""

    echelon_holding: Sequence[float]
    lead_times: Sequence[float]
    backorder: float
    demand: Demand

    def __post_init__(self) -> None:
        if len(self.echelon_holding) != len(self.lead_times):
            raise ValueError("one echelon holding cost and one lead time for each stage")
        if min(self.echelon_holding) < 0 or self.backorder <= 0 or min(self.lead_times) < 0:
            raise ValueError("costs must be non-negative, the backorder cost positive")

    @property
    def local_holding_downstream(self) -> float:
        """Local holding cost per unit and period at the stage that meets demand."""
        return float(sum(self.echelon_holding))

    @property
    def pipeline_cost(self) -> float:
        """Mean cost per period of units in transit between stages, at the sender's local rate."""
        local = np.cumsum(np.asarray(self.echelon_holding, dtype=float)[::-1])[::-1]
        legs = list(zip(local[1:], self.lead_times[:-1], strict=True))
        return float(self.demand.mean * sum(rate * lead for rate, lead in legs))


@dataclass(frozen=True)
class SerialPlan:
    """Echelon base-stock levels downstream to upstream (units) and average cost per period."""

    echelon_levels: Array
    cost: float


def optimal_serial(system: SerialSystem, points_per_sd: int = 60) -> SerialPlan:
    """Optimal echelon base-stock levels and their average cost.

    Exact for integer demand; continuous demand is put on a grid of sd/points_per_sd with the mean
    kept, which errs by about (1/points_per_sd)² of the safety-stock cost.
    """
    return _solve(system, None, points_per_sd)


def serial_cost(
    system: SerialSystem, echelon_levels: Sequence[float], points_per_sd: int = 60
) -> float:
    """Average cost of given echelon base-stock levels, downstream to upstream (units)."""
    return _solve(system, list(echelon_levels), points_per_sd).cost


def shang_song_levels(system: SerialSystem) -> tuple[Array, Array, Array]:
    """Lower bound, upper bound and heuristic (their mean) for the echelon levels (units).

    Both bounds are newsvendors on the demand over L_0 + … + L_i: the upper one at holding cost
    h_i alone, the lower one at h_0 + … + h_i; shortage cost p + Σ_{k>i} h_k in both
    (Shang & Song 2003, eqs (14)–(16)).
    """
    lower, upper = [], []
    for i in range(len(system.lead_times)):
        demand = system.demand.over(sum(system.lead_times[: i + 1]))
        above = float(sum(system.echelon_holding[i + 1 :]))
        total = system.backorder + system.local_holding_downstream
        tall = (system.backorder + above) / total
        narrow = (system.backorder + above) / (system.backorder + above + system.echelon_holding[i])
        lower.append(demand.quantile(tall))
        upper.append(demand.quantile(narrow))
    low, high = np.array(lower), np.array(upper)
    return low, high, (low + high) / 2


def _solve(system: SerialSystem, levels: list[float] | None, points_per_sd: int) -> SerialPlan:
    step = 1.0 if system.demand.is_integer else system.demand.sd / points_per_sd
    masses = [_on_grid(system.demand, lead, step) for lead in system.lead_times]
    low, high = _range(masses, step, levels or [])
    x = step * np.arange(low, high + 1)
    top = system.backorder + system.local_holding_downstream
    induced = top * np.maximum(-x, 0.0)
    left_slope = -top  # of the induced penalty, below the grid
    chosen = []
    for i, (mass, holding) in enumerate(zip(masses, system.echelon_holding, strict=True)):
        cost = _expect(holding * x + induced, mass, step, holding + left_slope, holding)
        if levels is None:
            # Equal costs: the smallest level, a hair's tolerance for the transform's rounding.
            # A stage that costs nothing to hold never wants less: its cost only falls to a flat.
            best = int(np.argmax(cost <= cost.min() + 1e-9 * max(abs(cost.min()), 1.0)))
            level, value = float(x[best]), float(cost[best])
        else:
            level = levels[i]
            value = float(np.interp(level, x, cost))
        chosen.append(level)
        induced = np.where(x < level, cost, value)
        left_slope += holding
    return SerialPlan(np.array(chosen), value)


def _on_grid(demand: Demand, lead_time: float, step: float) -> Lattice:
    """Demand over a lead time on the grid; sums of unknown kind are added up on the grid itself."""
    if isinstance(demand, Continuous) and demand.sum_over is None:
        return demand.on_grid(step).over(lead_time)
    return demand.over(lead_time).on_grid(step)


def _range(masses: list[Lattice], step: float, levels: list[float]) -> tuple[int, int]:
    """Grid indices that hold every echelon position that matters, with room to spare."""
    spread = sum(len(mass.probabilities) for mass in masses)
    centre = sum(mass.mean for mass in masses) / step
    lowest = min(0, *(int(mass.start / step) for mass in masses))
    given = [level / step for level in levels]
    low = min([lowest - spread / 2, *given])
    high = max([centre + spread, *given])
    return int(low) - 2, int(high) + 2


def _expect(f: Array, mass: Lattice, step: float, slope_left: float, slope_right: float) -> Array:
    """E[f(y − D)] on the grid of f, which goes on linearly beyond both ends."""
    shift = round(mass.start / step)
    width = len(mass.probabilities)
    left = max(shift + width, 0)
    right = max(-shift, 0)
    before = f[0] - slope_left * step * np.arange(left, 0, -1)
    after = f[-1] + slope_right * step * np.arange(1, right + 1)
    extended = np.concatenate([before, f, after])
    full = signal.fftconvolve(extended, mass.probabilities)
    first = left - shift
    return np.asarray(full[first : first + f.size])
