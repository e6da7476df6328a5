"""One item where node sets overlap: stock under scenarios, each a transportation problem.

    max over integer y >= 0 of  mean_w T_w(y) - sum_j P_j y_j
    T_w(y) = max { sum_jl r_jl x_jl : sum_l x_jl <= y_j,  sum_j x_jl <= D_l^w,  x >= 0 }

P is the priced cost of a unit at a node, r the reward of serving a cell from a node. The relaxation
is solved by a primal-dual hybrid gradient method with diagonal steps (Pock and Chambolle,
ICCV 2011) and restarts at the average. By LP duality any beta >= 0 with mean_w beta_j^w <= P_j
certifies

    value <= mean_w sum_l D_l^w max(0, max_j (r_jl - beta_j^w))

so the answer carries its own bound however far the iterations got. The integer position comes from
rounding, or from a position that is known (as of the nested model), and from moves of units that
the exact derivatives of the recourse (core.transport) say pay.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot, first_of_best
from pipeline.core.transport import serve_all
from pipeline.kernels import njit

A = NDArray[np.float64]


@dataclass(frozen=True)
class GeneralItem:
    """reward: [nodes, cells] usd a unit, -inf where the node cannot serve; demand: [scenarios,
    cells] units; place_usd: [nodes] priced cost of a unit at the node, > 0."""

    reward: A
    demand: A
    place_usd: A


@dataclass(frozen=True)
class GeneralAnswer:
    """position: [nodes] whole units; value, bound: usd of the position, and of no plan more."""

    position: NDArray[np.int64]
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """Certified relative distance from the best plan."""
        return (self.bound - self.value) / max(abs(self.bound), 1e-9)


@njit(nogil=True, cache=True)
def _bound(reward: A, demand: A, place: A, beta: A) -> float:
    """Upper bound from node prices beta [scenarios, nodes], scaled down to be feasible."""
    scenarios, nodes, cells = len(demand), reward.shape[0], reward.shape[1]
    scale = np.ones(nodes)
    for j in range(nodes):
        mean = beta[:, j].mean()
        if mean > place[j]:
            scale[j] = place[j] / mean
    total = 0.0
    for w in range(scenarios):
        for cell in range(cells):
            best = 0.0
            for j in range(nodes):
                best = max(best, reward[j, cell] - beta[w, j] * scale[j])
            total += demand[w, cell] * best
    return total / scenarios


@njit(nogil=True, cache=True)
def _pdhg(
    reward: A, demand: A, place: A, rounds: int, length: int, weight: float
) -> tuple[A, float]:
    """Averaged position and best bound after ``rounds`` restarts of ``length`` iterations."""
    scenarios, nodes, cells = len(demand), reward.shape[0], reward.shape[1]
    x, x_sum = np.zeros((scenarios, nodes, cells)), np.zeros((scenarios, nodes, cells))
    y, y_sum = np.zeros(nodes), np.zeros(nodes)
    alpha, alpha_sum = np.zeros((scenarios, cells)), np.zeros((scenarios, cells))
    beta, beta_sum = np.zeros((scenarios, nodes)), np.zeros((scenarios, nodes))
    for j in range(nodes):
        beta[:, j] = place[j]
    tau_x, tau_y = 0.5 * weight, weight / scenarios
    sigma_a, sigma_b = 1.0 / (nodes * weight), 1.0 / ((cells + 1) * weight)
    bound = _bound(reward, demand, place, beta)
    for _ in range(rounds):
        x_sum[:], y_sum[:], alpha_sum[:], beta_sum[:] = 0.0, 0.0, 0.0, 0.0
        for _ in range(length):
            y_next = np.empty(nodes)
            for j in range(nodes):
                y_next[j] = max(y[j] - tau_y * (scenarios * place[j] - beta[:, j].sum()), 0.0)
            for w in range(scenarios):
                served = np.zeros(cells)
                for j in range(nodes):
                    sent = 0.0
                    for cell in range(cells):
                        if reward[j, cell] == -np.inf:
                            continue
                        slope = reward[j, cell] - alpha[w, cell] - beta[w, j]
                        new = max(x[w, j, cell] + tau_x * slope, 0.0)
                        ahead = 2.0 * new - x[w, j, cell]
                        served[cell] += ahead
                        sent += ahead
                        x[w, j, cell] = new
                        x_sum[w, j, cell] += new
                    over = sent - (2.0 * y_next[j] - y[j])
                    beta[w, j] = max(beta[w, j] + sigma_b * over, 0.0)
                for cell in range(cells):
                    over = served[cell] - demand[w, cell]
                    alpha[w, cell] = max(alpha[w, cell] + sigma_a * over, 0.0)
            y = y_next
            y_sum += y
            alpha_sum += alpha
            beta_sum += beta
        x, y = x_sum / length, y_sum / length
        alpha, beta = alpha_sum / length, beta_sum / length
        bound = min(bound, _bound(reward, demand, place, beta))
    return y, bound


COARSE = 32
"""Moves begin at a power of two of units, this part of the largest position at most."""


@dataclass(frozen=True)
class Recourse:
    """What a position brings: reward: usd, mean over scenarios; gain, loss: [nodes] usd of one unit
    more and of one less (infinite where there is none)."""

    reward: float
    gain: A
    loss: A


def recourse(item: GeneralItem, position: NDArray[np.int64]) -> Recourse:
    """Mean best reward of serving all scenarios from the position, and its derivatives, exactly."""
    gain, loss = np.empty(len(position)), np.empty(len(position))
    reward = np.vstack([item.reward, np.zeros(item.reward.shape[1])])
    total = serve_all(reward, position.astype(float), item.demand, gain, loss)
    return Recourse(total, gain, loss)


def solve_general(
    item: GeneralItem,
    rounds: int = 12,
    length: int = 80,
    start: NDArray[np.int64] | None = None,
) -> GeneralAnswer:
    """Integer position with a certified bound; more rounds tighten the bound, none leave it
    infinite and need a start."""
    top = item.reward[np.isfinite(item.reward)].max(initial=0.0)
    peak = item.demand.mean(axis=0).sum()
    if top <= 0 or peak <= 0:
        return GeneralAnswer(np.zeros(len(item.place_usd), np.int64), 0.0, 0.0)
    bound = np.inf
    if rounds:
        weight = max(peak / np.sqrt(item.demand.shape[1]), 0.05) / top
        relaxed, bound = _pdhg(item.reward, item.demand, item.place_usd, rounds, length, weight)
        start = np.rint(relaxed).astype(np.int64) if start is None else start
    if start is None:
        raise ValueError("a position to start from is needed without rounds")
    best, value = climb_position(item, start)
    return GeneralAnswer(best, value, max(bound, value))


def climb_position(item: GeneralItem, start: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
    """A position that no unit more, less or elsewhere improves by its derivatives, and its value in
    usd; starts from another one, of nodes that may hold the item only."""
    best, found = start, recourse(item, start)
    value = found.reward - dot(item.place_usd, start)
    size = 1
    while 2 * size * COARSE <= start.max(initial=0):
        size *= 2
    while size > 0:
        for _ in range(100 + 2 * int(start.sum()) // size):
            moved = _moved(item, best, value, found, size)
            if moved is None:
                break
            best, value, found = moved
        size //= 2
    return best, value


def _moved(
    item: GeneralItem, best: NDArray[np.int64], value: float, found: Recourse, size: int
) -> tuple[NDArray[np.int64], float, Recourse] | None:
    """A better position by ``size`` units more, less or elsewhere, its value and recourse."""
    more, less = found.gain - item.place_usd, item.place_usd - found.loss
    less = np.where(best >= size, less, -np.inf)
    tried = []
    for add, take in ((first_of_best(more), -1), (-1, first_of_best(less)),
                      (first_of_best(more), first_of_best(less))):  # fmt: skip
        promised = (more[add] if add >= 0 else 0.0) + (less[take] if take >= 0 else 0.0)
        if promised > 1e-9 and add != take:
            tried.append((float(promised), add, take))
    for _, add, take in sorted(tried, reverse=True):  # a swap may promise more than it keeps
        moved = best.copy()
        if add >= 0:
            moved[add] += size
        if take >= 0:
            moved[take] -= size
        again = recourse(item, moved)
        usd = again.reward - dot(item.place_usd, moved)
        if usd > value + 1e-9:
            return moved, usd, again
    return None
