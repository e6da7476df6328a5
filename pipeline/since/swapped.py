"""The night planned again with some groups of inputs of an earlier night in place of its own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.contracts.settings import Settings
from pipeline.optimize.at_prices import PRICES, optimize_at_prices
from pipeline.place import plan as placing
from pipeline.place.transfers import RowPrices
from pipeline.since.groups import (
    ASSORTMENT,
    CAPACITY,
    CORRECTIONS,
    DEMAND,
    GROUP_TABLES,
    MODEL,
    OVERRIDES,
    SETTINGS,
    Tables,
    demand_overrides,
    effective,
    group_of,
    is_same,
    item_ids,
    shifted,
    with_items,
)
from pipeline.since.rerun import as_published, rerun_stage
from pipeline.stages import BY_NAME

if TYPE_CHECKING:
    from pipeline.since.changes import Planned

CHAIN = ("optimize", "buy", "place")
_FORECAST_MADE = ("demand_quantiles", "demand_dependence")
WHOLE_NETWORK = CAPACITY
"""Where nodes or regions come and go, all inputs turn together, under this name."""


class Swapped:
    """Two nights' tables, and plans made of a mixture of them on the later night's date."""

    def __init__(self, before: Planned, after: Planned, is_full: bool) -> None:
        self.before, self.after, self.is_full = before, after, is_full
        self.days = (after.as_of - before.as_of).days
        made = {name for stage in CHAIN for name in BY_NAME[stage].writes}
        names = {name for stage in CHAIN for name in BY_NAME[stage].reads} - made
        self._names = sorted(names)
        self._old = {name: before.store.read(before.as_of, name) for name in self._names}
        self._new = {name: after.store.read(after.as_of, name) for name in self._names}
        self._prices = [
            {name: shifted(name, one.store.read(one.as_of, name), days) for name in PRICES}
            for one, days in ((before, self.days), (after, 0))
        ]
        self._items = item_ids(self._old), item_ids(self._new)
        self._forecasts: dict[tuple[bool, ...], Tables] = {}
        self.has_one_network = all(
            set(self._old[table][f"{table[:-1]}_id"].astype("str"))
            == set(self._new[table][f"{table[:-1]}_id"].astype("str"))
            for table in ("nodes", "regions")
        )

    @cached_property
    def differing(self) -> list[str]:
        """The groups of inputs that differ in what the plan can notice, in a fixed order."""
        if not self.has_one_network:
            return [WHOLE_NETWORK]
        found = [group for group in GROUP_TABLES if self._group_differs(group)]
        if self.days or self._group_differs(DEMAND):
            found.append(DEMAND)
        if (
            not self.is_full
            and CAPACITY not in found
            and any(not is_same(*(prices[name] for prices in self._prices)) for name in PRICES)
        ):
            found.append(CAPACITY)
        if self._demand_overrides_differ and OVERRIDES not in found:
            found.append(OVERRIDES)
        if self._model_dates[0] != self._model_dates[1]:
            found.append(MODEL)
        if self.days and self._corrected is not None:
            found.append(CORRECTIONS)
        changed = self.before.settings.sha256() != self.after.settings.sha256()
        if changed and SETTINGS not in found:
            found.append(SETTINGS)
        if self._items[0] != self._items[1]:
            found.append(ASSORTMENT)
        return found

    def planned(self, chosen: frozenset[str]) -> Tables:
        """The plan with the chosen groups of the later night, all others of the earlier one."""
        if not self.has_one_network:
            return self._planned_whole(is_new=bool(chosen))
        settings = (self.after if SETTINGS in chosen else self.before).settings
        wanted = (
            self._items[ASSORTMENT in chosen] if ASSORTMENT in self.differing else self._items[1]
        )
        tables = {}
        for name in self._names:
            is_new = name in _FORECAST_MADE or self._is_new(name, chosen)
            tables[name] = self._taken(name, self._new[name] if is_new else None, wanted)
        forecast = self._forecast(chosen)
        for name in _FORECAST_MADE:
            tables[name] = with_items(
                forecast[name], self._other_forecast(name, chosen), self._items[DEMAND in chosen],
                wanted,
            )  # fmt: skip
        is_new = CAPACITY in chosen or CAPACITY not in self.differing
        return self._chain(tables, settings, is_new)

    def again(self, is_new: bool) -> Tables:
        """One of the nights planned again, solver and all, on its own date by today's code."""
        night, made = (self.after, self._new) if is_new else (self.before, self._old)
        made = dict(made)
        for stage in CHAIN:
            made |= rerun_stage(stage, night.as_of, night.settings, made)
        return made

    def _planned_whole(self, is_new: bool) -> Tables:
        own = self._new if is_new else {
            name: shifted(name, frame, self.days) for name, frame in self._old.items()
        }  # fmt: skip
        settings = (self.after if is_new else self.before).settings
        return self._chain(own, settings, is_new)

    def _chain(self, tables: Tables, settings: Settings, is_new: bool) -> Tables:
        """The plan of the tables at one night's prices of capacity."""
        day, made = self.after.as_of, dict(tables)
        for stage in CHAIN:
            if stage == "optimize" and self._same_levels is not None:
                made |= self._same_levels
            elif stage == "optimize" and not self.is_full:
                found = optimize_at_prices(made, self._prices[is_new], day, settings)
                made |= as_published(found)
            elif stage == "place" and not self.is_full:
                prices = self._new_row_prices if is_new else self._old_row_prices
                moved, _ = placing.transfers_and_prices(made, day, settings, prices)
                made |= as_published({"transfers": moved})
            else:
                made |= rerun_stage(stage, day, settings, made)
        return made

    @cached_property
    def _old_row_prices(self) -> RowPrices:
        return _row_prices(self.before)

    @cached_property
    def _new_row_prices(self) -> RowPrices:
        return _row_prices(self.after)

    def _is_new(self, name: str, chosen: frozenset[str]) -> bool:
        group = group_of(name)
        return group in chosen or group not in self.differing

    def _taken(self, name: str, new: pd.DataFrame | None, wanted: set[str]) -> pd.DataFrame:
        """A table of the later night, else of the earlier one on the later date, for the items."""
        old = shifted(name, self._old[name], self.days)
        if new is not None:
            return with_items(new, old, self._items[1], wanted)
        return with_items(old, self._new[name], self._items[0], wanted)

    def _group_differs(self, group: str) -> bool:
        return any(self._differs(name) for name in self._names if group_of(name) == group)

    def _differs(self, name: str) -> bool:
        old = shifted(name, self._old[name], self.days)
        day = self.after.as_of
        both = self._items[0] & self._items[1]
        frames = [effective(name, frame, day) for frame in (old, self._new[name])]
        if "item_id" in frames[0]:
            frames = [
                f[f["item_id"].isna() | f["item_id"].astype("str").isin(both)] for f in frames
            ]
        return not is_same(*frames)

    @cached_property
    def _same_levels(self) -> Tables | None:
        """What the optimizer published, where both nights have the same: only orders differ."""
        names = BY_NAME["optimize"].writes
        night, other = self.after, self.before
        if self.days or night.settings.sha256() != other.settings.sha256():
            return None
        new, old = (
            {name: one.store.read(one.as_of, name) for name in names} for one in (night, other)
        )
        return new if all(is_same(old[name], new[name]) for name in names) else None

    @cached_property
    def _model_dates(self) -> tuple[object, object]:
        return tuple(  # type: ignore[return-value]  # two of them
            frame["model_date"].max() if len(frame) else None
            for frame in (self._old["demand_quantiles"], self._new["demand_quantiles"])
        )

    @cached_property
    def _demand_overrides_differ(self) -> bool:
        old = demand_overrides(self._old["overrides"], self.before.as_of)
        new = demand_overrides(self._new["overrides"], self.after.as_of)
        return not is_same(old, new)

    @cached_property
    def _corrected(self) -> pd.DataFrame | None:
        """The earlier night's history as the later one reports it; None where they agree."""
        day = pd.Timestamp(self.before.as_of)
        keys = ["item_id", "region_id", "date"]
        known = self.before.store.read(self.before.as_of, "daily_demand")
        today = self.after.store.read(self.after.as_of, "daily_demand")
        past = today[today["date"] <= day]
        past = past[past["item_id"].astype("str").isin(self._items[0])]
        text = {"item_id": "str", "region_id": "str"}
        both = known.astype(text).merge(past.astype(text), on=keys, suffixes=("", "_now"))
        same = all((both[name] == both[f"{name}_now"]).all() for name in ("units", "is_censored"))
        return None if same and len(both) == len(past) else past.reset_index(drop=True)

    def _forecast(self, chosen: frozenset[str]) -> Tables:
        """Forecasts of the history, model, demand overrides and settings of a coalition."""
        is_new = DEMAND in chosen
        own = self.after if is_new else self.before

        def turned(group: str) -> bool:
            """Whether the group's side is another than that of the history."""
            return group in self.differing and (group in chosen) != is_new

        changes = (
            is_new, turned(MODEL), turned(OVERRIDES) and self._demand_overrides_differ,
            turned(SETTINGS) and self._forecast_settings_differ,
            not is_new and CORRECTIONS in chosen,
        )  # fmt: skip
        if changes not in self._forecasts:
            source = self._new if is_new else self._old
            if any(changes[1:]):
                self._forecasts[changes] = self._forecast_again(own, *changes)
            else:
                self._forecasts[changes] = {name: source[name] for name in _FORECAST_MADE}
        return self._forecasts[changes]

    def _other_forecast(self, name: str, chosen: frozenset[str]) -> pd.DataFrame:
        return (self._old if DEMAND in chosen else self._new)[name]

    @property
    def _forecast_settings_differ(self) -> bool:
        one, other = self.before.settings, self.after.settings
        return one.forecast != other.forecast or one.planning != other.planning

    def _forecast_again(
        self, own: Planned, is_new: bool, other_model: bool, other_overrides: bool,
        other_settings: bool, is_corrected: bool,
    ) -> Tables:  # fmt: skip
        """The stage forecast on the date of the history, with what is turned of the other night."""
        other = self.before if is_new else self.after
        tables = {name: own.store.read(own.as_of, name) for name in BY_NAME["forecast"].reads}
        if other_overrides:
            tables["overrides"] = other.store.read(other.as_of, "overrides")
        if is_corrected and self._corrected is not None:
            tables["daily_demand"] = self._corrected
        trained = pd.Timestamp(self._model_dates[is_new != other_model]).date()
        store = (other if other_model else own).store
        return rerun_stage(
            "forecast", own.as_of, (other if other_settings else own).settings, tables,
            store.read_files(trained, "forecast_model"), trained,
        )  # fmt: skip


def _row_prices(night: Planned) -> RowPrices:
    """What room for transfers was worth on a night, by the stage's own plan of its tables."""
    tables = {name: night.store.read(night.as_of, name) for name in placing.TABLES}
    return placing.transfers_and_prices(tables, night.as_of, night.settings)[1]
