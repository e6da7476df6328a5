"""Recorded choices of a one-off question: what was on offer, what was taken, who left."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.assort.products import numbers, raise_all, read_csv
from pipeline.core.assortment.choices import Choices, grouped

_SHOWN = 5


def read_choices(path: Path, items: list[str]) -> Choices:
    """Choices by offer; raises UsageError that lists all faults of the file.

    A row for each occasion and item: occasion, item, is_offered (1 or 0; without it every row is on
    offer), chosen_units, left_units (who bought nothing; repeated on each row of the occasion).
    """
    frame = read_csv(path, ("occasion", "item", "chosen_units"))
    problems: list[str] = []
    names = frame["item"].astype(str).str.strip()
    strangers = sorted(set(names) - set(items))
    if strangers:
        problems.append(f"item {', '.join(strangers[:_SHOWN])}: not among the products")
    chosen = numbers(frame, "chosen_units", problems)
    is_offered = np.ones(len(frame))
    if "is_offered" in frame:
        is_offered = numbers(frame, "is_offered", problems)
    left = np.zeros(len(frame))
    if "left_units" in frame:
        left = numbers(frame, "left_units", problems)
    occasion = frame["occasion"].astype(str).str.strip()
    twice = frame.assign(item=names, occasion=occasion).duplicated(["occasion", "item"])
    if twice.any():
        problems.append(f"{int(twice.sum())} row(s) name an item of an occasion a second time")
    outside = (chosen > 0) & (is_offered == 0)
    if outside.any():
        where = ", ".join(occasion[outside].unique()[:_SHOWN])
        problems.append(f"{int(outside.sum())} choice(s) lie outside their offer, occasion {where}")
    if (chosen < 0).any() or (left < 0).any():
        problems.append("chosen_units or left_units is negative")
    raise_all(path, problems)
    keys = {name: r for r, name in enumerate(dict.fromkeys(occasion))}
    row = occasion.map(keys).to_numpy()
    column = names.map({name: c for c, name in enumerate(items)}).to_numpy()
    offered = np.zeros((len(keys), len(items)), bool)
    counts, leavers = np.zeros((len(keys), len(items))), np.zeros(len(keys))
    offered[row, column] = is_offered > 0
    counts[row, column] = chosen
    np.maximum.at(leavers, row, left)
    choices = grouped(offered, counts, leavers)
    raise_all(path, choices.problems())
    return choices
