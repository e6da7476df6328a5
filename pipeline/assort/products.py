"""The products of a one-off question, from a CSV file; everything wrong with it, at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.assortment.chain import Floats
from pipeline.core.assortment.terms import Terms
from pipeline.errors import UsageError

NEEDED = ("item", "price_usd", "unit_cost_usd")
DEFAULTS = {"weight": 1.0, "salvage_usd": 0.0, "listing_usd": 0.0, "case_units": 1.0,
            "cube_cuft": 0.0}  # fmt: skip
_SHOWN = 5


@dataclass(frozen=True)
class Products:
    """items: names; weight: of the logit where no choices are given; cube_cuft of a unit."""

    items: list[str]
    terms: Terms
    weight: Floats
    cube_cuft: Floats


def read_products(path: Path) -> Products:
    """Products of the file; raises UsageError that lists all its faults.

    Columns: item, price_usd, unit_cost_usd; optional weight, salvage_usd, listing_usd, case_units,
    cube_cuft.
    """
    frame = read_csv(path, NEEDED)
    for name, default in DEFAULTS.items():
        if name not in frame:
            frame[name] = default
    problems: list[str] = []
    values = {name: numbers(frame, name, problems) for name in (*NEEDED[1:], *DEFAULTS)}
    items = frame["item"].astype(str).str.strip()
    _tell(problems, items, items.duplicated(), "named twice; an item belongs to one group once")
    _tell(problems, items, values["price_usd"] <= 0, "its price_usd is not above 0")
    _tell(problems, items, values["case_units"] < 1, "its case_units is below 1")
    margin = values["price_usd"] - values["unit_cost_usd"]
    _tell(problems, items, margin < 0, "its margin is negative: unit_cost_usd is above price_usd")
    excess = values["salvage_usd"] >= np.maximum(values["unit_cost_usd"], 1e-9)
    _tell(problems, items, excess & (values["salvage_usd"] > 0),
          "its salvage_usd is not below unit_cost_usd: every unit left would earn")  # fmt: skip
    for name in ("weight", "salvage_usd", "listing_usd", "unit_cost_usd", "cube_cuft"):
        _tell(problems, items, values[name] < 0, f"its {name} is negative")
    if len(items) == 1:
        problems.append("a group of one has nothing to substitute: add products, or plan it alone")
    if len(items) and not (values["weight"] > 0).any():
        problems.append("no item has a weight above 0: nobody wants any of them")
    raise_all(path, problems)
    terms = Terms(
        values["price_usd"], values["unit_cost_usd"], values["salvage_usd"], values["listing_usd"],
        np.rint(values["case_units"]).astype(np.int64), np.full(len(items), True),
    )  # fmt: skip
    return Products(items.tolist(), terms, values["weight"], values["cube_cuft"])


def read_csv(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    """The file as text; raises UsageError if it cannot be read or lacks a column."""
    try:
        frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", skipinitialspace=True)
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        raise UsageError(f"{path} cannot be read: {text}. Next: export it as CSV.") from error
    frame.columns = [str(name).strip() for name in frame.columns]
    missing = [name for name in needed if name not in frame]
    if missing:
        raise UsageError(
            f"{path} lacks column(s) {', '.join(missing)}; it has {', '.join(frame.columns)}. "
            "Next: add or rename them."
        )
    if frame.empty:
        raise UsageError(f"{path} holds no row. Next: one row for each product.")
    return frame


def numbers(frame: pd.DataFrame, name: str, problems: list[str]) -> Floats:
    """A column as numbers; cells that are none are told and count as 0."""
    found = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
    bad = ~np.isfinite(found)
    rows = [str(row + 2) for row in np.flatnonzero(bad)[:_SHOWN]]
    if rows:
        problems.append(f"{name}: {int(bad.sum())} cell(s) hold no number, line {', '.join(rows)}")
    return np.where(bad, 0.0, found)


def raise_all(path: Path, problems: list[str]) -> None:
    """One UsageError with every problem; nothing if there is none."""
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise UsageError(f"{path}: {len(problems)} problem(s)\n{lines}\nNext: correct the file.")


def _tell(problems: list[str], items: pd.Series, wrong: np.ndarray | pd.Series, what: str) -> None:
    names = items[np.asarray(wrong, bool)].tolist()
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        problems.append(f"item {', '.join(names[:_SHOWN])}{more}: {what}")
