"""What changes have in common: which days, items, vendors, nodes and regions they are about.

A name that is not in the data is an error that says which names there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from pipeline.contracts.settings import Section
from pipeline.errors import UsageError
from pipeline.simulate.world.model import WorldModel
from pipeline.simulate.world.supply import LeadTimes, Shock, day_number
from pipeline.simulate.world.truth import Truth

Frames = dict[str, pd.DataFrame]
_EVER = 100_000  # days


class Changed(Section):
    """A change that does nothing; kinds override what they change."""

    def tables_from(self, tables: Frames, first_date: pd.Timestamp) -> Frames:
        """The raw tables as planner and world see them; first_date: the first simulated day."""
        return tables

    def demand(self, truth: Truth, model: WorldModel, tables: Frames) -> Truth:
        """What will really be asked for."""
        return truth

    def shocks(self, model: WorldModel, tables: Frames, first_date: pd.Timestamp) -> list[Shock]:
        """What really happens to orders on their way; the planner is not told."""
        return []

    def lead_times(
        self, times: LeadTimes, model: WorldModel, tables: Frames, first_date: pd.Timestamp
    ) -> LeadTimes:
        """How long vendors really take."""
        return times.with_shocks(self.shocks(model, tables, first_date))

    def sentence(self) -> str:
        """The change in words, for the report."""
        raise NotImplementedError


class Dated(Changed):
    """Days of the run, counted from 1, or dates; both ends are in it, none named: all days."""

    from_day: int | None = Field(None, ge=1)
    to_day: int | None = Field(None, ge=1)
    from_date: date | None = None
    to_date: date | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Dated:
        days, dates = (self.from_day, self.to_day), (self.from_date, self.to_date)
        if any(x is not None for x in days) and any(x is not None for x in dates):
            raise ValueError("name days or dates, not both")
        for first, last in (days, dates):
            if first is not None and last is not None and last < first:  # type: ignore[operator]  # both are dates
                raise ValueError(f"it ends ({last}) before it begins ({first})")
        return self

    def window(self, first_date: pd.Timestamp) -> tuple[int, int]:
        """First and last day of the change, counted from 1."""
        first, last = self.from_day or 1, self.to_day or _EVER
        if self.from_date is not None:
            first = (pd.Timestamp(self.from_date) - first_date).days + 1
        if self.to_date is not None:
            last = (pd.Timestamp(self.to_date) - first_date).days + 1
        return max(first, 1), last

    def when(self) -> str:
        """In words."""
        if self.from_date is not None or self.to_date is not None:
            begins = f"from {self.from_date}" if self.from_date else "from the start"
            return begins + (f" to {self.to_date}" if self.to_date else " on")
        if self.from_day is None and self.to_day is None:
            return "throughout"
        return f"on days {self.from_day or 1} to {self.to_day or 'the last'}"


class OfItems(Changed):
    """Items by name, by group (category or department) and by vendor; several must all hold, none
    named: all items."""

    items: tuple[str, ...] = ()
    item_groups: tuple[str, ...] = Field((), description="Categories or departments.")
    vendors: tuple[str, ...] = ()

    def chosen(self, tables: Frames) -> set[str]:
        """Names of the items; of vendors, those that they sell."""
        rows = tables["items"].astype({"item_id": "str"})
        mask = named(rows["item_id"], self.items)
        if self.item_groups:
            columns = [name for name in ("category", "department") if name in rows]
            groups = [rows[name].astype("str") for name in columns]
            known = {name for group in groups for name in group}
            refuse("item group", self.item_groups, known)
            mask &= np.any([group.isin(self.item_groups) for group in groups], axis=0)
        found = set(rows.loc[mask, "item_id"])
        if self.vendors:
            terms = tables["vendor_items"]
            sold = terms.loc[named(terms["vendor_id"], self.vendors), "item_id"]
            found &= set(sold.astype("str"))
        if not found:
            raise UsageError(f"no item is {self.which()}. Next: name others.")
        return found

    def pairs(self, model: WorldModel, tables: Frames) -> np.ndarray:
        """[vendors * items] the vendors' offers that are meant."""
        vendor = named(pd.Series(model.vendors, name="vendor_id"), self.vendors)
        item = model.items.isin(list(self.chosen(tables)))
        return np.asarray(vendor[:, None] & item[None, :]).ravel()

    def which(self) -> str:
        """In words."""
        parts = [", ".join(self.items)]
        parts += [f"items in {', '.join(self.item_groups)}"] if self.item_groups else []
        parts += [f"items of {', '.join(self.vendors)}"] if self.vendors else []
        return " and ".join(part for part in parts if part) or "every item"


def first_number(first_date: pd.Timestamp, day: int) -> int:
    """A day of the run, counted from 1, as days since 1970."""
    return day_number(first_date) + day - 1


def listed(names: Sequence[str], none: str) -> str:
    """Names in a sentence."""
    return ", ".join(names) or none


def refuse(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError if a name is unknown."""
    there = set(known)
    unknown = sorted(set(names) - there)
    if unknown:
        some = ", ".join(sorted(there)[:8]) + (" …" if len(there) > 8 else "")
        raise UsageError(f"unknown {what}: {', '.join(unknown)}. Next: correct it; known: {some}.")


def named(values: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Mask of the rows that are named (all if no name is given); unknown names are refused."""
    text = values.astype("str")
    refuse(str(values.name), names, text)
    return np.ones(len(text), dtype=bool) if not names else np.array(text.isin(list(names)))


def append(frame: pd.DataFrame, rows: list[dict[str, object]]) -> pd.DataFrame:
    """The frame with rows after it; what a row does not name is null."""
    plain = frame.astype({
        name: "str" for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)
    })  # fmt: skip
    for name in plain.columns:
        plain[name] = plain[name].where(frame[name].notna(), None)
    return pd.concat([plain, pd.DataFrame(rows)], ignore_index=True)[list(frame.columns)]
