"""Capacity orders for services: servers by type and day, from quantiles of the day's peak.

The quantile follows from costs: too little / (too little + too much). Servers follow from Erlang C
or from what a game day measured, with a utilisation cap and one zone to spare; the mix of types
from an integer cover that charges rent and changes.
"""

from __future__ import annotations

from datetime import date
from math import ceil

import numpy as np
import pandas as pd
from ortools.sat.python import cp_model

from pipeline.core.load.queues import (
    critical_level,
    servers_by_throughput,
    servers_needed,
    with_zone_redundancy,
)
from pipeline.errors import UsageError

COLUMNS = ("capacity_for", "capacity_kind", "need_date", "order_date", "capacity_units",
           "ordered_change", "capacity_quantile", "capacity_usd", "sentence")  # fmt: skip


def cheapest_cover(
    need: float, speed: list[float], cost: list[float], change: list[float], now: list[int],
    most: list[int], step: list[int],
) -> list[int]:  # fmt: skip
    """Servers of each type: least sum of cost n + change |n - now| with sum of speed n >= need.

    Exact; types with a step are had in multiples of it. Raises UsageError where all servers that
    can be had are not enough.
    """
    scale = 1000
    if sum(s * (m // k * k) for s, m, k in zip(speed, most, step, strict=True)) < need - 1e-9:
        raise UsageError(
            f"no mix of servers covers {need:g} standard servers. Next: raise most_servers of a "
            "type in server_types, or lower the quantile."
        )
    model = cp_model.CpModel()
    count, moved = [], []
    for i, limit in enumerate(most):
        packs = model.new_int_var(0, limit // step[i], f"packs{i}")
        count.append(packs * step[i])
        move = model.new_int_var(0, max(limit, now[i]), f"move{i}")
        model.add(move >= packs * step[i] - now[i])
        model.add(move >= now[i] - packs * step[i])
        moved.append(move)
    model.add(sum(round(s * scale) * n for s, n in zip(speed, count, strict=True))
              >= ceil(need * scale - 1e-6))  # fmt: skip
    rent = sum(round(c * scale) * n for c, n in zip(cost, count, strict=True))
    model.minimize(rent + sum(round(c * scale) * m for c, m in zip(change, moved, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    status = solver.solve(model)
    if status != cp_model.OPTIMAL:
        raise UsageError("the mix of servers was not solved. Next: check server_types.")
    return [int(solver.value(n)) for n in count]


def capacity_orders(
    peaks: dict[str, tuple[list[pd.Timestamp], np.ndarray, int]], tables: dict[str, pd.DataFrame],
    as_of: date,
) -> pd.DataFrame:  # fmt: skip
    """Rows of capacity_orders for every service whose series is in `peaks`.

    peaks: series -> (days, largest interval of each day by path [paths, days], interval minutes).
    """
    rows: list[dict[str, object]] = []
    services, types = tables["load_services"], tables["server_types"]
    for service in services.to_dict("records"):
        own = types[types["service"].astype("str") == str(service["service"])]
        if str(service["series"]) not in peaks or own["most_servers"].sum() == 0:
            continue
        name = str(service["service"])
        throughput = measured_throughput(tables["service_throughput"], name, as_of)
        rows += _service_rows(service, own, throughput, *peaks[str(service["series"])], as_of)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def measured_throughput(measured: pd.DataFrame, service: str, as_of: date) -> float:
    """Throughput a second and standard server that a game day last measured; 0: never."""
    known = measured[(measured["service"].astype("str") == service)
                     & (measured["measured_date"] <= pd.Timestamp(as_of))]  # fmt: skip
    known = known.sort_values("measured_date", kind="stable")
    return float(known["throughput_per_second"].iloc[-1]) if len(known) else 0.0


def _service_rows(
    service: dict[str, object], types: pd.DataFrame, throughput: float, days: list[pd.Timestamp],
    peaks: np.ndarray, minutes: int, as_of: date,
) -> list[dict[str, object]]:  # fmt: skip
    level = critical_level(_number(service, "too_little_usd"), _number(service, "too_much_usd"))
    now = [int(value) for value in types["owned_servers"]]
    rows: list[dict[str, object]] = []
    speed, step = types["speed_factor"].tolist(), [int(v) for v in types["step_servers"]]
    rent = [24 * float(v) for v in types["rent_usd_per_hour"]]
    for day, stamp in enumerate(days):
        per_second = float(np.quantile(peaks[:, day], level)) / (60 * minutes)
        need = standard_servers(service, per_second, throughput)
        had = sum(s * (m // k * k) for s, m, k in zip(
            speed, (int(v) for v in types["most_servers"]), step, strict=True))  # fmt: skip
        chosen = cheapest_cover(min(need, had), speed, rent, types["change_usd"].tolist(), now,
                                [int(v) for v in types["most_servers"]], step)  # fmt: skip
        how = "measured throughput" if throughput else "Erlang C"
        for i, kind in enumerate(types["server_type"].astype("str")):
            change = chosen[i] - now[i]
            if change == 0 and day:
                continue
            moving = float(types["change_usd"].iloc[i]) * abs(change)
            ordered = stamp - pd.Timedelta(days=int(types["capacity_lead_days"].iloc[i]))
            rows.append({
                "capacity_for": str(service["service"]), "capacity_kind": kind,
                "need_date": stamp, "order_date": ordered, "capacity_units": float(chosen[i]),
                "ordered_change": float(change), "capacity_quantile": level,
                "capacity_usd": rent[i] * chosen[i] + moving,
                "sentence": f"{per_second:,.1f} a second at the {level:.1%} quantile of the day's "
                            f"peak need {need} standard servers by {how}."
                            + (f" Only {had:g} can be had." if had < need else "")
                            + _late(change, stamp, ordered, as_of),
            })  # fmt: skip
        now = chosen
    return rows


def late_days(ordered: pd.Timestamp, as_of: date) -> int:
    """Days by which an order given on the day after as_of is too late; 0: in time."""
    return max(int((pd.Timestamp(as_of) + pd.Timedelta(days=1) - ordered).days), 0)


def _late(change: int, needed: pd.Timestamp, ordered: pd.Timestamp, as_of: date) -> str:
    """What to say of servers that should have been ordered before the day after as_of."""
    late = late_days(ordered, as_of)
    if change <= 0 or not late:
        return ""
    return (f" {late} day{'s' if late > 1 else ''} late: ordered tomorrow they come on "
            f"{needed + pd.Timedelta(days=late):%Y-%m-%d}.")  # fmt: skip


def standard_servers(service: dict[str, object], per_second: float, throughput: float) -> int:
    """Standard servers that keep the promise, by measured throughput or, where 0, by Erlang C."""
    cap, zones = _number(service, "most_utilisation"), int(_number(service, "zones"))
    if throughput:
        return servers_by_throughput(per_second, throughput, cap, zones)
    need = servers_needed(per_second, _number(service, "service_s"), _number(service, "wait_s"),
                          _number(service, "wait_chance"), cap)  # fmt: skip
    return with_zone_redundancy(need, zones)


def _number(row: dict[str, object], name: str) -> float:
    return float(str(row[name]))
