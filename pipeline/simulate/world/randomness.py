"""Counter-based random numbers: a draw is a function of its key, not of the order of draws.

The same (seed, item, region, day) gives the same numbers for any number of threads, any subset of
items and any policy, which makes random numbers common to all that are compared. The mixer is
SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2 ** -53
_POISSON_CHUNK = 16.0  # means above it are drawn as sums, so that exp(-mean) stays far from 0


def keys(names: Iterable[str]) -> NDArray[np.uint64]:
    """A 64-bit key for each name, the same in every run and for every subset."""
    digests = [hashlib.blake2b(str(name).encode(), digest_size=8).digest() for name in names]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@njit(nogil=True, cache=True)
def mix(state: np.uint64, word: np.uint64 | int) -> np.uint64:
    """The next state: ``state`` stirred with ``word`` (both uint64)."""
    z = (state ^ np.uint64(word)) + _STEP
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@njit(nogil=True, cache=True)
def uniform(state: np.uint64) -> float:
    """A number in [0, 1) from a state."""
    return float(state >> _S11) * _TO_UNIT


@njit(nogil=True, cache=True)
def poisson(state: np.uint64, mean: float) -> int:
    """A Poisson draw by inversion, exact for any mean."""
    total = 0
    part = 0
    while mean > 0.0:
        chunk = min(mean, _POISSON_CHUNK)
        mean -= chunk
        state = mix(state, part)
        part += 1
        u = uniform(state)
        p = np.exp(-chunk)
        cumulative = p
        n = 0
        while u >= cumulative and n < 1000:
            n += 1
            p *= chunk / n
            cumulative += p
        total += n
    return total


@njit(nogil=True, cache=True)
def poisson_demand(
    seed: int, item_key: NDArray, region_key: NDArray, day: int, mean: NDArray, out: NDArray,
) -> None:  # fmt: skip
    """Fill out [items, regions] with independent Poisson demand of one day."""
    base = mix(mix(np.uint64(seed), np.uint64(day)), np.uint64(0x5D))
    for k in range(mean.shape[0]):
        state = mix(base, item_key[k])
        for r in range(mean.shape[1]):
            out[k, r] = poisson(mix(state, region_key[r]), mean[k, r]) if mean[k, r] > 0 else 0


@njit(nogil=True, cache=True)
def draw_uniforms(
    seed: int, stream: int, first_key: NDArray, second_key: NDArray, day: NDArray, out: NDArray,
) -> None:  # fmt: skip
    """Fill out [n] with one uniform for each pair of keys and day, on a named stream."""
    base = mix(np.uint64(seed), np.uint64(stream))
    for i in range(len(out)):
        state = mix(mix(mix(base, first_key[i]), second_key[i]), np.uint64(day[i]))
        out[i] = uniform(state)
