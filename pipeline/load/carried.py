"""What servers carry: the largest load of an interval that keeps a service's promise, by day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from pipeline.load.capacity import late_days, measured_throughput, standard_servers

HALVINGS = 40
COLUMNS = ("series", "service", "start_time", "owned_load", "planned_load")


def carried_loads(
    peaks: dict[str, tuple[list[pd.Timestamp], np.ndarray, int]], tables: dict[str, pd.DataFrame],
    orders: pd.DataFrame, as_of: date,
) -> pd.DataFrame:  # fmt: skip
    """Rows [service, day]: load per interval that today's servers carry, and those with `orders`.

    Carried is what keeps the service's promise: waits, utilisation and a zone to spare.
    peaks: as `capacity_orders` takes them; services of other series are left out.
    """
    rows: list[tuple[str, str, pd.Timestamp, float, float]] = []
    types = tables["server_types"]
    for service in tables["load_services"].to_dict("records"):
        name, series = str(service["service"]), str(service["series"])
        own = types[types["service"].astype("str") == name]
        if series not in peaks or own.empty:
            continue
        days, _, minutes = peaks[series]
        throughput = measured_throughput(tables["service_throughput"], name, as_of)
        servers = _servers_by_day(
            own, orders[orders["capacity_for"].astype("str") == name], days, as_of
        )
        load = {n: most_per_second(service, n, throughput) * 60 * minutes
                for n in sorted(set(servers))}  # fmt: skip
        rows += [(series, name, day, load[servers[0]], load[n])
                 for day, n in zip(days, servers[1:], strict=True)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"owned_load": "float64", "planned_load": "float64"})


def _servers_by_day(
    types: pd.DataFrame, orders: pd.DataFrame, days: list[pd.Timestamp], as_of: date
) -> list[int]:
    """Whole standard servers owned today, and on each of the days; late orders come late."""
    kinds = types["server_type"].astype("str")
    speed = dict(zip(kinds, types["speed_factor"].astype("float64"), strict=True))
    owned = sum(speed[kind] * n for kind, n in zip(kinds, types["owned_servers"], strict=True))
    change: dict[pd.Timestamp, float] = {}
    for row in orders.to_dict("records"):
        more = float(row["ordered_change"])
        late = late_days(row["order_date"], as_of) if more > 0 else 0
        comes = row["need_date"] + pd.Timedelta(days=late)
        change[comes] = change.get(comes, 0.0) + speed[str(row["capacity_kind"])] * more
    found = [owned]
    for day in days:
        found.append(found[-1] + change.get(day, 0.0))
    return [int(servers + 1e-9) for servers in found]


def most_per_second(service: dict[str, object], servers: int, throughput: float) -> float:
    """Largest load a second for which `servers` standard servers are enough; by bisection."""
    low, high = 0.0, 1.0
    while standard_servers(service, high, throughput) <= servers and high < 1e12:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if standard_servers(service, middle, throughput) <= servers:
            low = middle
        else:
            high = middle
    return low
