"""Erlang's formulas and the fewest servers that keep a waiting or blocking promise.

B(c, a) = a B(c-1, a) / (c + a B(c-1, a)), B(0, a) = 1; C = c B / (c - a (1 - B)) (Erlang 1917; see
Cooper, Introduction to Queueing Theory, 1981). Loads `a` are in erlangs: arrivals x service time.
"""

from __future__ import annotations

from math import ceil, exp, inf, sqrt

from pipeline.errors import UsageError


def erlang_b(servers: int, erlangs: float) -> float:
    """Share of arrivals that find all servers busy and are lost."""
    blocked = 1.0
    for c in range(1, servers + 1):
        blocked = erlangs * blocked / (c + erlangs * blocked)
    return blocked


def erlang_c(servers: int, erlangs: float) -> float:
    """Chance that an arrival must wait; 1 where the load is not below the servers."""
    if erlangs <= 0:
        return 0.0
    if servers <= erlangs:
        return 1.0
    blocked = erlang_b(servers, erlangs)
    return servers * blocked / (servers - erlangs * (1 - blocked))


def chance_of_waiting_longer(
    servers: int, per_second: float, service_s: float, wait_s: float
) -> float:
    """P(wait > wait_s) of M/M/c with `per_second` arrivals of mean length `service_s`."""
    erlangs = per_second * service_s
    if servers <= erlangs:
        return 1.0
    return erlang_c(servers, erlangs) * exp(-(servers - erlangs) * wait_s / service_s)


def servers_needed(
    per_second: float, service_s: float, wait_s: float, chance: float,
    most_utilisation: float = 1.0,
) -> int:  # fmt: skip
    """Fewest servers with P(wait > wait_s) <= chance and a utilisation of at most the cap.

    Starts at the square-root rule a + sqrt(a) and moves one server at a time.
    Raises UsageError where the promise or the cap cannot be met by any number.
    """
    if not (0 < chance < 1 and 0 < most_utilisation <= 1 and service_s > 0 and per_second >= 0):
        raise UsageError(
            "a queue needs a chance in (0, 1), a utilisation cap in (0, 1], a positive service "
            "time and arrivals of at least 0. Next: correct the service's row."
        )
    erlangs = per_second * service_s
    if erlangs == 0:
        return 0
    floor = max(1, ceil(erlangs / most_utilisation - 1e-9))
    floor += floor <= erlangs
    c = max(floor, ceil(erlangs + sqrt(erlangs)))
    while c > floor and _waits(c - 1, per_second, service_s, wait_s) <= chance:
        c -= 1
    while _waits(c, per_second, service_s, wait_s) > chance:
        c += 1
    return c


def _waits(servers: int, per_second: float, service_s: float, wait_s: float) -> float:
    return chance_of_waiting_longer(servers, per_second, service_s, wait_s)


def servers_by_throughput(
    per_second: float, measured_per_second: float, most_utilisation: float, zones: int
) -> int:
    """Servers by measured throughput, such that any one of `zones` equal zones may be lost."""
    if measured_per_second <= 0:
        raise UsageError("a measured throughput must be positive. Next: run the game day again.")
    least = ceil(per_second / (measured_per_second * most_utilisation) - 1e-9)
    return with_zone_redundancy(least, zones)


def with_zone_redundancy(servers: int, zones: int) -> int:
    """Servers over equal zones such that all but any one of them still hold `servers`."""
    if zones <= 1 or servers == 0:
        return servers
    return zones * ceil(servers / (zones - 1))


def critical_level(too_little_usd: float, too_much_usd: float) -> float:
    """Quantile to provide for: cost of too little over that of both (newsvendor)."""
    total = too_little_usd + too_much_usd
    return 1.0 if total <= 0 or total == inf else too_little_usd / total
