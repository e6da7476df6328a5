"""The six public load series of the peak-load benchmark, on their local clocks, with holidays.

Only reading: nothing here is known to the model. A longer file (with spans that were held back)
moves the origins by itself: the last origin is the end of the series less the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import holidays
import numpy as np
import pandas as pd
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Spec:
    """A series of the benchmark: where it lies, its interval, its holidays and its origins."""

    name: str
    file: str
    time: str
    value: str
    minutes: int
    horizon_days: int
    origins: int
    step_days: int
    country: str
    subdivision: str | None = None
    zone: str | None = None
    only: tuple[str, str] | None = None
    """Column and value of the rows to keep."""


SPECS = {
    spec.name: spec
    for spec in (
        Spec("taylor", "taylor_30_min", "date", "value", 30, 7, 4, 7, "GB", "ENG"),
        Spec("rte", "rte_france_load", "ts", "load_mw", 60, 28, 5, 56, "FR"),
        Spec("nyc_taxi", "nab_real_series", "timestamp", "value", 30, 14, 5, 14, "US", "NY",
             only=("series", "realKnownCause/nyc_taxi.csv")),
        Spec("bike", "bike_sharing_hourly", "date_time", "users", 60, 28, 5, 56, "US", "DC"),
        Spec("victoria", "vic_elec_half_hourly", "Time", "Demand", 30, 28, 4, 84, "AU", "VIC",
             zone="Australia/Melbourne"),
        Spec("nasa", "nasa_http_1995_per_minute", "ts", "requests", 1, 7, 1, 7, "US", "FL"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Load by local minute: `load` (days, slots) with nan where none was measured."""

    spec: Spec
    first_day: np.datetime64
    load: F64
    holiday: tuple[str, ...]
    """Name of each day's holiday, '' for none; covers the days of `load`."""

    @property
    def origins(self) -> list[int]:
        """Days of history at each rolling origin, the earliest first."""
        last = len(self.load) - self.spec.horizon_days
        steps = range(self.spec.origins)
        return sorted(
            last - k * self.spec.step_days for k in steps if last - k * self.spec.step_days >= 6
        )


def read(spec: Spec, folder: Path) -> Series:
    """The series as whole local days; the hour that a clock change doubles is averaged."""
    frame = pd.read_parquet(folder / f"{spec.file}.parquet")
    if spec.only:
        frame = frame[frame[spec.only[0]].astype("str") == spec.only[1]]
    stamp = pd.to_datetime(frame[spec.time])
    if stamp.dt.tz is not None:
        stamp = stamp.dt.tz_convert(spec.zone) if spec.zone else stamp
        stamp = stamp.dt.tz_localize(None)
    value = frame[spec.value].astype("float64").groupby(stamp.to_numpy()).mean()
    index = pd.DatetimeIndex(value.index)
    first = index[0].normalize()
    slots = 1440 // spec.minutes
    position = ((index - first) / pd.Timedelta(minutes=spec.minutes)).astype("int64").to_numpy()
    load = np.full((position[-1] // slots + 1) * slots, np.nan)
    load[position] = value.to_numpy()
    load = load.reshape(-1, slots)
    if np.isnan(load[-1]).mean() > 0.5:  # an unfinished last day is no day to score
        load = load[:-1]
    days = pd.date_range(first, periods=len(load))
    return Series(spec, np.datetime64(first, "D"), load, named_holidays(spec, days))


def named_holidays(spec: Spec, days: pd.DatetimeIndex) -> tuple[str, ...]:
    """Name of the public holiday on each day, '' for none."""
    years = range(days[0].year - 1, days[-1].year + 2)
    table = holidays.country_holidays(spec.country, subdiv=spec.subdivision, years=years)
    return tuple(str(table.get(day.date(), "")) for day in days)
