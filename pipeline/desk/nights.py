"""The nights of each named place, and one night's tables by place and date."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from fastapi import HTTPException

from pipeline.desk.listing import page_of
from pipeline.desk.listings import LISTINGS
from pipeline.desk.network import network_page
from pipeline.desk.tables import NightTables
from pipeline.store import Store

KEPT_NIGHTS = 4


class Nights:
    """Planned nights under the configured roots; a request names a place, never a path."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._stores = {name: Store(root) for name, root in places.items()}
        self._open: dict[tuple[str, date], NightTables] = {}
        self._lock = threading.Lock()
        self._warming = ThreadPoolExecutor(1, thread_name_prefix="warm")

    @property
    def places(self) -> list[str]:
        """The configured names, in order."""
        return list(self._stores)

    def dates(self, place: str) -> list[date]:
        """Business dates that are planned, ascending; 404 for an unknown place."""
        return self.store(place).dates("plan_kpis")

    def store(self, place: str) -> Store:
        """The store of a place; 404 where none is configured under that name."""
        if place not in self._stores:
            names = ", ".join(self._stores)
            raise HTTPException(404, f"There is no place {place}. Configured: {names}.")
        return self._stores[place]

    def night(self, place: str, as_of: date) -> NightTables:
        """The tables of a night; 404 where nothing of it is published."""
        tables = self._kept(place, as_of)
        if not tables.has("items"):
            days = self.dates(place)
            last = f" Planned nights: {days[0]} to {days[-1]}." if days else ""
            raise HTTPException(404, f"The night of {as_of} is not planned in {place}.{last}")
        return tables

    def _kept(self, place: str, as_of: date) -> NightTables:
        """The night as kept from an earlier request, if nothing was published anew since."""
        key = (place, as_of)
        with self._lock:
            tables = self._open.pop(key, None)
            if tables is None or not tables.is_current:
                tables = NightTables(self.store(place), as_of)
                self._warming.submit(_warm, tables)
            self._open[key] = tables  # the newest last
            while len(self._open) > KEPT_NIGHTS:
                del self._open[next(iter(self._open))]
        return tables

    def open_newest(self) -> None:
        """Open the newest night of each place, so that the first person finds its pages ready."""
        for place in self.places:
            if days := self.dates(place):
                self.night(place, days[-1])

    def wait(self) -> None:
        """Return once the lists of every night opened so far are ready."""
        self._warming.submit(lambda: None).result()

    def named(self, text: str) -> NightTables:
        """A night from 'PLACE/DATE'."""
        place, _, day = text.rpartition("/")
        try:
            return self.night(place, date.fromisoformat(day))
        except ValueError:
            raise HTTPException(404, f"{text} is not a place and a date.") from None

    def everything(self) -> list[str]:
        """'PLACE/DATE' of every night, the newest first."""
        return [f"{place}/{day}" for place in self._stores for day in reversed(self.dates(place))]

    def before(self, place: str, as_of: date) -> str:
        """'PLACE/DATE' of the night before this one in its place, or ''."""
        earlier = [day for day in self.dates(place) if day < as_of]
        return f"{place}/{earlier[-1]}" if earlier else ""


def _warm(night: NightTables) -> None:
    """Make what the lists keep of a night while its first page is read."""
    for listing in LISTINGS.values():
        page_of(night, listing, {})
    network_page(night)
