"""What product lines record of their own items: a column for each attribute, empty elsewhere.

Shoes have a sole, tea has a strength. All lines share one model, in which an attribute is a feature
that is missing for the lines without it; trees split on it only where it is known. An attribute
whose values all read as numbers is a number, any other a word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.forecast.panel import F32

Attribute = tuple[str, Sequence[str]]
"""Name, and its words in alphabetical order; a number has none."""


def attributes_of(table: pd.DataFrame) -> tuple[Attribute, ...]:
    """The attributes of table item_attributes, by name."""
    found: list[Attribute] = []
    for name, rows in table.groupby(table["attribute"].astype(str), sort=True):
        values = rows["attribute_value"].astype(str)
        is_number = np.isfinite(pd.to_numeric(values, errors="coerce")).all()
        found.append((str(name), () if is_number else tuple(sorted(values.unique()))))
    return tuple(found)


def attribute_matrix(
    table: pd.DataFrame, attributes: Sequence[Attribute], item_ids: npt.NDArray[np.object_]
) -> F32:
    """Values (items, attributes): numbers, or the place of a word; NaN where there is none."""
    out = np.full((len(item_ids), len(attributes)), np.nan, np.float32)
    place = pd.Index(item_ids).get_indexer(table["item_id"].astype(str))
    name, value = table["attribute"].astype(str), table["attribute_value"].astype(str)
    for column, (attribute, words) in enumerate(attributes):
        own = ((name == attribute) & (place >= 0)).to_numpy()
        if words:
            code = pd.Index(words).get_indexer(value[own]).astype(np.float32)
            out[place[own], column] = np.where(code >= 0, code, np.nan)
        else:
            out[place[own], column] = pd.to_numeric(value[own], errors="coerce")
    return out
