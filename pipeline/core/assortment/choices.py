"""What was offered and what was chosen, counted: the data that a chain is learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import dot
from pipeline.core.assortment.chain import Chain, Floats, offer


@dataclass(frozen=True)
class Choices:
    """Counts by distinct offer. offered: [offers, products]; chosen: [offers, products] units;
    left: [offers] customers seen to leave without buying.

    With `arrivals` [offers] nobody is seen to leave: so many customers are expected to have come,
    and those who did not buy are inferred (retail sales).
    """

    offered: NDArray[np.bool_]
    chosen: Floats
    left: Floats
    arrivals: Floats | None = None

    def __len__(self) -> int:
        return len(self.offered)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Choices:
        """Some of the offers."""
        arrivals = None if self.arrivals is None else self.arrivals[which]
        return Choices(self.offered[which], self.chosen[which], self.left[which], arrivals)

    def problems(self) -> list[str]:
        """What makes these counts unusable, in words; empty if nothing does."""
        found = []
        if not self.offered.any():
            found.append("nothing was ever offered")
        outside = (self.chosen > 0) & ~self.offered
        if outside.any():
            found.append(f"{int(outside.sum())} choices lie outside their offer")
        if (self.chosen < 0).any() or (self.left < 0).any():
            found.append("a count is negative")
        if not self.chosen.any():
            found.append("nothing was ever chosen")
        return found


def grouped(
    offered: NDArray[np.bool_], chosen: Floats, left: Floats, arrivals: Floats | None = None
) -> Choices:
    """Rows with the same offer added up, offers in order of their masks."""
    masks, which = np.unique(offered, axis=0, return_inverse=True)
    which = which.reshape(-1)
    total = np.zeros((len(masks), offered.shape[1]))
    np.add.at(total, which, chosen)
    return Choices(
        masks,
        total,
        np.bincount(which, left, len(masks)).astype(np.float64),
        None if arrivals is None else np.bincount(which, arrivals, len(masks)).astype(float),
    )


def log_likelihood(chain: Chain, choices: Choices, given_purchase: bool = True) -> float:
    """Sum over choices of the log of their probability; given_purchase: among those who bought."""
    total = 0.0
    for mask, chosen, left in zip(choices.offered, choices.chosen, choices.left, strict=True):
        flow, _ = offer(chain, mask)
        bought = max(flow.sum(), 1e-300)
        some = chosen > 0
        total += dot(chosen[some], np.log(np.maximum(flow[some], 1e-300)))
        if given_purchase:
            total -= chosen.sum() * np.log(bought)
        elif left > 0:
            total += left * np.log(max(1.0 - bought, 1e-300))
    return total
