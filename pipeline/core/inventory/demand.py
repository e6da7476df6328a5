"""Demand distributions as the classical models need them: cdf, quantile and loss function.

Two kinds: `Continuous` (closed forms where they exist) and `Lattice` (a probability mass on an
evenly spaced grid; integer demand is the grid with step 1). Both answer the same questions, and
both give the demand over several periods.

Sources: Zipkin, Foundations of Inventory Management (2000), appendix C (loss functions); Snyder
& Shen, Fundamentals of Supply Chain Theory, 2nd ed. (2019), appendix C.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, signal, stats

from pipeline.core.arithmetic import dot

Array = NDArray[np.float64]

TAIL = 1e-13  # probability cut off at each end when a distribution is put on a grid


class Demand(Protocol):
    """What every demand distribution answers; all quantities in units of the item."""

    @property
    def mean(self) -> float:
        """Mean, units per period."""
        ...

    @property
    def sd(self) -> float:
        """Standard deviation, units."""
        ...

    @property
    def is_integer(self) -> bool:
        """Whether demand comes in whole units."""
        ...

    def cdf(self, x: float) -> float:
        """P(D ≤ x)."""
        ...

    def quantile(self, probability: float) -> float:
        """Smallest x with P(D ≤ x) at least `probability`, units."""
        ...

    def loss(self, x: float) -> float:
        """Expected shortage E[(D − x)⁺], units."""
        ...

    def over(self, periods: float) -> Demand:
        """Demand over so many independent periods."""
        ...

    def on_grid(self, step: float) -> Lattice:
        """The same demand as a mass on multiples of `step`, mean kept exactly."""
        ...


@dataclass(frozen=True)
class Lattice:
    """Mass `probabilities[i]` on the value `start + i·step` (units).

    `rate` marks a Poisson process (mean per period), whose demand over a fraction of a period is
    known; other lattices only add up over whole periods.
    """

    probabilities: Array
    start: float = 0.0
    step: float = 1.0
    rate: float | None = None

    @property
    def values(self) -> Array:
        """The points of the grid, units."""
        return self.start + self.step * np.arange(self.probabilities.size, dtype=np.float64)

    @property
    def mean(self) -> float:
        """Mean, units per period."""
        return dot(self.probabilities, self.values)

    @property
    def sd(self) -> float:
        """Standard deviation, units."""
        return math.sqrt(max(dot(self.probabilities, (self.values - self.mean) ** 2), 0.0))

    @property
    def is_integer(self) -> bool:
        """Whether demand comes in whole units."""
        return self.step == 1.0 and self.start == int(self.start)

    def cdf(self, x: float) -> float:
        """P(D ≤ x)."""
        last = math.floor((x - self.start) / self.step + 1e-9)
        return float(self.probabilities[: max(last + 1, 0)].sum())

    def quantile(self, probability: float) -> float:
        """Smallest x with P(D ≤ x) at least `probability`, units."""
        cumulated = np.cumsum(self.probabilities)
        index = int(np.searchsorted(cumulated, probability - 1e-12))
        return float(self.start + self.step * min(index, self.probabilities.size - 1))

    def loss(self, x: float) -> float:
        """Expected shortage E[(D − x)⁺], units."""
        return dot(self.probabilities, np.maximum(self.values - x, 0.0))

    def over(self, periods: float) -> Lattice:
        """Demand over so many independent periods."""
        if self.rate is not None:
            return poisson(self.rate * periods)
        whole = round(periods)
        if abs(whole - periods) > 1e-9 or whole < 0:
            raise ValueError(f"demand over {periods} periods needs a Poisson or normal demand")
        total = np.ones(1)
        for _ in range(whole):
            total = signal.convolve(total, self.probabilities)
        total = np.maximum(total, 0.0)
        return Lattice(total / total.sum(), self.start * whole, self.step)

    def on_grid(self, step: float) -> Lattice:
        """The same demand as a mass on multiples of `step`, mean kept exactly."""
        if abs(step - self.step) > 1e-12:
            raise ValueError(f"a lattice of step {self.step} cannot be put on a grid of {step}")
        return self

    def mass_from_zero(self) -> Array:
        """Probabilities of 0, 1, 2, … for integer, non-negative demand."""
        if not self.is_integer or self.start < 0:
            raise ValueError("integer, non-negative demand is needed here")
        return np.concatenate([np.zeros(int(self.start)), self.probabilities])


@dataclass(frozen=True)
class Continuous:
    """A scipy distribution with its loss function and the rule for sums over periods."""

    frozen: Any
    loss_function: Callable[[Array], Array]
    sum_over: Callable[[float], Demand] | None = None

    @property
    def mean(self) -> float:
        """Mean, units per period."""
        return float(self.frozen.mean())

    @property
    def sd(self) -> float:
        """Standard deviation, units."""
        return float(self.frozen.std())

    @property
    def is_integer(self) -> bool:
        """Whether demand comes in whole units."""
        return False

    def cdf(self, x: float) -> float:
        """P(D ≤ x)."""
        return float(self.frozen.cdf(x))

    def quantile(self, probability: float) -> float:
        """Smallest x with P(D ≤ x) at least `probability`, units."""
        return float(self.frozen.ppf(probability))

    def loss(self, x: float) -> float:
        """Expected shortage E[(D − x)⁺], units."""
        return float(self.loss_function(np.asarray(x, dtype=np.float64)))

    def over(self, periods: float) -> Demand:
        """Demand over so many independent periods."""
        if abs(periods - 1.0) < 1e-12:
            return self
        if self.sum_over is not None:
            return self.sum_over(periods)
        return self.on_grid(self.sd / 500).over(periods)

    def on_grid(self, step: float) -> Lattice:
        """Second differences of the loss function: exact for functions linear between points."""
        low = math.floor(self.quantile(TAIL) / step) - 1
        high = math.ceil(float(self.frozen.isf(TAIL)) / step) + 1
        points = np.arange(low - 1, high + 2, dtype=np.float64) * step
        losses = self.loss_function(points)
        mass = np.maximum(losses[:-2] - 2 * losses[1:-1] + losses[2:], 0.0) / step
        shares = np.asarray(mass / mass.sum(), dtype=np.float64)
        return Lattice(shares, low * step, step)


def normal(mean: float, sd: float) -> Demand:
    """Normal demand; its sum over t periods is Normal(t·mean, √t·sd)."""
    if sd <= 0:
        return Lattice(np.ones(1), mean, 1.0)
    frozen = stats.norm(mean, sd)

    def loss(x: Array) -> Array:
        z = (x - mean) / sd
        return np.asarray(sd * (stats.norm.pdf(z) - z * stats.norm.sf(z)))

    return Continuous(frozen, loss, lambda t: normal(mean * t, sd * math.sqrt(t)))


def uniform(low: float, high: float) -> Continuous:
    """Uniform demand on [low, high]."""

    def loss(x: Array) -> Array:
        inside = np.clip(x, low, high)
        return (high - inside) ** 2 / (2 * (high - low)) + np.maximum(low - x, 0.0)

    return Continuous(stats.uniform(low, high - low), loss)


def gamma(mean: float, sd: float) -> Continuous:
    """Gamma demand; exponential demand is the case mean = sd."""
    shape, scale = (mean / sd) ** 2, sd**2 / mean
    longer = stats.gamma(shape + 1, scale=scale)
    frozen = stats.gamma(shape, scale=scale)

    def loss(x: Array) -> Array:
        return np.asarray(mean * longer.sf(x) - x * frozen.sf(x))

    return Continuous(frozen, loss, lambda t: gamma(mean * t, sd * math.sqrt(t)))


def lognormal(log_mean: float, log_sd: float) -> Continuous:
    """Demand whose logarithm is Normal(log_mean, log_sd)."""
    mean = math.exp(log_mean + log_sd**2 / 2)

    def loss(x: Array) -> Array:
        z = (log_mean - np.log(np.maximum(x, 1e-300))) / log_sd
        return np.asarray(mean * stats.norm.cdf(z + log_sd) - x * stats.norm.cdf(z))

    return Continuous(stats.lognorm(log_sd, scale=math.exp(log_mean)), loss)


def continuous(frozen: Any) -> Continuous:
    """Any frozen scipy distribution; the loss function is integrated numerically."""

    def loss(x: Array) -> Array:
        tails = [integrate.quad(frozen.sf, point, np.inf)[0] for point in np.ravel(x)]
        return np.reshape(tails, np.shape(x))

    return Continuous(frozen, loss)


def poisson(rate: float) -> Lattice:
    """Poisson demand with mean `rate` per period."""
    if rate <= 0:
        return Lattice(np.ones(1), rate=0.0)
    last = int(stats.poisson.isf(TAIL, rate)) + 1
    mass = stats.poisson.pmf(np.arange(last + 1), rate)
    return Lattice(mass / mass.sum(), rate=rate)


def geometric(mean: float) -> Lattice:
    """Number of failures before a success: P(D = d) = (1−θ) θᵈ, θ = mean / (1 + mean)."""
    theta = mean / (1 + mean)
    last = math.ceil(math.log(TAIL) / math.log(theta)) + 1
    mass = (1 - theta) * theta ** np.arange(last + 1)
    return Lattice(mass / mass.sum())


def discrete_uniform(low: int, high: int) -> Lattice:
    """The integers low, …, high, equally likely."""
    return Lattice(np.full(high - low + 1, 1 / (high - low + 1)), float(low))


def discrete(frozen: Any) -> Lattice:
    """Any frozen scipy distribution on the non-negative integers."""
    last = int(frozen.isf(TAIL)) + 1
    mass = frozen.pmf(np.arange(last + 1))
    return Lattice(mass / mass.sum())


def rounded_normal(mean: float, sd: float) -> Lattice:
    """round(max(0, N(mean, sd²))): integers, with everything below one half put on zero."""
    last = max(math.ceil(mean + 7.5 * sd), 1)
    edges = stats.norm.cdf((np.arange(last + 1) + 0.5 - mean) / sd) if sd > 0 else None
    if edges is None:
        return Lattice(np.ones(1), float(max(round(mean), 0)))
    mass = np.diff(np.concatenate([[0.0], edges]))
    return Lattice(mass / mass.sum())
