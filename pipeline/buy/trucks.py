"""Trucks and containers that an order fills: what each unit takes, and how full they must be.

Loads are counted in millionths of a truck, by volume and by weight, so that terms hold exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.core.ordering import NO_TRUCKS, TRUCK

Ints = npt.NDArray[np.int64]
_TRUCKS = np.arange(1, 5)
_FAR = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Trucks:
    """load: [pairs, 2] millionths of a truck that a unit takes by volume and by weight; least_fill:
    [vendors] millionths to which trucks are filled at least, NO_TRUCKS where there are none."""

    load: Ints
    least_fill: Ints

    def cases(self, case: Ints) -> Ints:
        """[pairs, some] cases that fill one truck, two, … by themselves; far where none count."""
        unit = self.load.max(axis=1, initial=0) * case
        whole = _TRUCKS[None, :] * TRUCK // np.maximum(unit, 1)[:, None]
        return np.where(unit[:, None] > 0, whole, _FAR)


def trucks_of(
    terms: pd.DataFrame, items: pd.DataFrame, vendors: pd.DataFrame, frame: pd.DataFrame
) -> Trucks:
    """Trucks of the vendors, in order of id, from the table truck_terms; frame: the pairs."""
    ids = sorted(vendors["vendor_id"].astype("str").tolist())
    least = np.full(len(ids), NO_TRUCKS, np.int64)
    load = np.zeros((len(frame), 2), np.int64)
    if terms.empty:
        return Trucks(load, least)
    known = terms.astype({"vendor_id": "str"}).set_index("vendor_id")
    own = known.reindex(frame["vendor_id"])
    size = items.astype({"item_id": "str"}).set_index("item_id").reindex(frame["item_id"])
    for kind, (unit, truck) in enumerate(
        (("unit_cube_cuft", "truck_cuft"), ("unit_weight_lb", "truck_lb"))
    ):
        share = size[unit].to_numpy(float) / own[truck].to_numpy(dtype="float64", na_value=np.nan)
        load[:, kind] = np.ceil(np.nan_to_num(share) * TRUCK - 1e-6).astype(np.int64)
    place = np.searchsorted(ids, known.index.to_numpy())
    least[place] = np.ceil(known["least_fill_share"].to_numpy(float) * TRUCK - 1e-6)
    return Trucks(load, least)
