"""Draws that belong to names: the same name gives the same number, whatever else is drawn."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np


def name_hash(names: Iterable[str], salt: str) -> np.ndarray:
    """A 64-bit hash of each name; different salts give independent hashes."""
    prefix = zlib.crc32(salt.encode())
    texts = [name.encode() for name in names]
    codes = [zlib.crc32(text, prefix) | (zlib.crc32(text) << 32) for text in texts]
    return mix(np.array(codes, dtype=np.uint64))


def mix(values: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele, Lea & Flood 2014): spreads every bit over all."""
    x = np.atleast_1d(values).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: np.ndarray = x ^ (x >> np.uint64(31))
    return result


def joined(first: np.ndarray, second: np.ndarray | int) -> np.ndarray:
    """A hash of pairs; shapes broadcast."""
    return mix(first ^ mix(np.asarray(second).astype(np.uint64)))


def uniform(hashes: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) from hashes."""
    result: np.ndarray = (hashes >> np.uint64(11)).astype(np.float64) / 2.0**53
    return result
