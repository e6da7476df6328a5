"""The levels of one coherent forecast: products × places, and which cells each sum is made of.

A cell is a department in a region, the finest sum that is forecast for its own sake. Products are
items, categories, departments and all of them; places are regions, territories and the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.forecast.panel import F64, I32

Codes = npt.NDArray[np.int64]


class Level(NamedTuple):
    """A product grain and a place grain."""

    product: str
    place: str


UPPER = (
    Level("all", "network"), Level("all", "territory"), Level("all", "region"),
    Level("category", "network"), Level("department", "network"),
    Level("category", "territory"), Level("department", "territory"),
    Level("category", "region"), Level("department", "region"),
)  # fmt: skip
ITEMS = (Level("item", "network"), Level("item", "territory"), Level("item", "region"))
LEVELS = UPPER + ITEMS
"""The twelve levels, in the order of the M5 competition."""


@dataclass(frozen=True)
class Cells:
    """Departments of regions, one row each.

    category, department, region   (cells,) codes
    territory                      (regions,) code of each region's territory
    """

    category: I32
    department: I32
    region: I32
    territory: I32

    @staticmethod
    def of(category: I32, department: I32, region: I32, territory: I32) -> tuple[Cells, Codes]:
        """The distinct cells of some series, and the cell (series,) of each."""
        rows = np.stack([category, department, region])
        found, cell = np.unique(rows, axis=1, return_inverse=True)
        own = found.astype(np.int32)
        return Cells(own[0], own[1], own[2], territory), cell.ravel().astype(np.int64)

    def place(self, grain: str) -> Codes:
        """Place (cells,) of each cell: 0 for the network, else a code."""
        return places_of(self.region, self.territory, grain)

    def product(self, grain: str) -> Codes:
        """Product (cells,) of each cell: 0 for all, else a code."""
        if grain == "all":
            return np.zeros(len(self.region), np.int64)
        return (self.category if grain == "category" else self.department).astype(np.int64)

    def sums(self, level: Level) -> Sums:
        """What the level's sums are made of, of these cells."""
        return Sums.of(self.product(level.product), self.place(level.place))


@dataclass(frozen=True)
class Sums:
    """Sums of rows: `code` (rows,) is the sum of each, `product` and `place` (sums,) its names."""

    code: Codes
    product: Codes
    place: Codes

    @staticmethod
    def of(product: Codes, place: Codes) -> Sums:
        """The distinct pairs of product and place, sorted, and the pair of each row."""
        pairs, code = np.unique(np.stack([product, place]), axis=1, return_inverse=True)
        return Sums(code.ravel().astype(np.int64), pairs[0], pairs[1])

    def add(self, values: npt.NDArray[Any]) -> F64:
        """Sums (sums, …) of `values` (rows, …), added up in the order of the rows."""
        out = np.zeros((len(self.product), *values.shape[1:]))
        order = np.argsort(self.code, kind="stable")
        starts = np.flatnonzero(np.diff(self.code[order], prepend=-1))
        out[self.code[order][starts]] = np.add.reduceat(
            values[order].astype(np.float64), starts, axis=0
        )
        return out


def places_of(region: I32, territory: I32, grain: str) -> Codes:
    """Place (rows,) of rows in `region`: 0 for the network, a territory or the region itself."""
    if grain == "network":
        return np.zeros(len(region), np.int64)
    return (territory[region] if grain == "territory" else region).astype(np.int64)
