"""An open-loop load generator: requests start when the script says, whatever came back before.

Latency counts from the intended start, so a slow answer cannot hide the requests that wait behind
it (no coordinated omission). Bounded in requests, time and hosts; loopback unless allowed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import numpy as np

from pipeline.errors import UsageError

MOST_CONNECTIONS = 400


@dataclass(frozen=True)
class Limits:
    """What a game day may do at most."""

    requests: int = 1_000_000
    seconds: float = 3600.0
    hosts: tuple[str, ...] = ()
    """Hosts allowed beside loopback."""
    error_share: float = 0.5
    """Share of failures, after 200 requests, at which the run is broken off."""
    timeout_s: float = 10.0


@dataclass
class Outcome:
    """What happened to each request, in the order of its intended start."""

    sent: np.ndarray
    is_ok: np.ndarray
    latency_s: np.ndarray
    """From the intended start to the whole answer; nan where none came."""
    late_s: np.ndarray
    """From the intended to the real start: the generator's own delay."""
    was_broken_off: str = ""


@dataclass
class _Pool:
    host: str
    port: int
    idle: list[_Connection] = field(default_factory=list)
    count: int = 0


def check_target(target: str, limits: Limits) -> tuple[str, int]:
    """Host and port of the target; raises UsageError unless it is loopback or allowed by name."""
    parts = urlsplit(target)
    host = parts.hostname or ""
    if parts.scheme != "http" or not host:
        raise UsageError(f"target {target!r} is not http://host:port. Next: name one.")
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback and host not in limits.hosts:
        raise UsageError(
            f"game days send to loopback only; {host} is not allowed. "
            "Next: name it with --allow-host if you own it and it expects this load."
        )
    return host, parts.port or 80


def starts_of(counts: np.ndarray, seconds_per_minute: float, seed: int) -> np.ndarray:
    """Intended starts in seconds, ascending: `counts` of each minute, at random in it."""
    random = np.random.Generator(np.random.PCG64(seed))
    minute = np.repeat(np.arange(len(counts)), counts)
    return np.sort(minute + random.random(len(minute))) * seconds_per_minute


def fire(
    target: str, starts_s: Sequence[float] | np.ndarray, paths: Sequence[str], limits: Limits
) -> Outcome:
    """Send GET `paths[i]` at `starts_s[i]` seconds from now; returns what came of each."""
    host, port = check_target(target, limits)
    starts = np.asarray(starts_s, dtype=float)
    if len(starts) > limits.requests:
        raise UsageError(
            f"the script sends {len(starts):,} requests, more than the limit of "
            f"{limits.requests:,}. Next: shorten it, or raise --most-requests."
        )
    if len(starts) and starts[-1] > limits.seconds:
        raise UsageError(
            f"the script lasts {starts[-1]:,.0f} s, longer than the limit of "
            f"{limits.seconds:,.0f} s. Next: raise --speed or --most-seconds."
        )
    return asyncio.run(_run(host, port, starts, paths, limits))


async def _run(
    host: str, port: int, starts: np.ndarray, paths: Sequence[str], limits: Limits
) -> Outcome:
    n = len(starts)
    outcome = Outcome(np.zeros(n, bool), np.zeros(n, bool), np.full(n, np.nan), np.zeros(n))
    pool, gate = _Pool(host, port), asyncio.Semaphore(MOST_CONNECTIONS)
    tasks: set[asyncio.Task[None]] = set()
    began = time.perf_counter() + 0.05
    failed = done = 0

    async def one(i: int) -> None:
        nonlocal failed, done
        async with gate:
            outcome.late_s[i] = time.perf_counter() - began - starts[i]
            try:
                ok = await asyncio.wait_for(_get(pool, paths[i]), limits.timeout_s)
                outcome.latency_s[i] = time.perf_counter() - began - starts[i]
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                ok = False
        outcome.is_ok[i] = ok
        failed += not ok
        done += 1

    for i in range(n):
        wait = began + starts[i] - time.perf_counter()
        if wait > 0.001:
            await asyncio.sleep(wait)
        elif i % 64 == 0:
            await asyncio.sleep(0)
        if done >= 200 and failed > limits.error_share * done:
            outcome.was_broken_off = f"{failed} of {done} requests failed"
            break
        outcome.sent[i] = True
        task = asyncio.ensure_future(one(i))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.gather(*list(tasks))
    for connection in pool.idle:
        connection.close()
    return outcome


class _Connection(asyncio.Protocol):
    """A kept-alive HTTP/1.1 connection with one request at a time."""

    def __init__(self) -> None:
        self.buffer = b""
        self.answer: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport if isinstance(transport, asyncio.Transport) else None

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send the request; the future holds the status when the whole answer has come."""
        self.answer = asyncio.get_running_loop().create_future()
        self.buffer = b""
        if self.transport is not None:
            self.transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end or self.answer is None or self.answer.done():
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        if len(body) >= length:
            self.answer.set_result(int(head.split(b" ", 2)[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionResetError("connection lost"))

    def close(self) -> None:
        """Close the connection."""
        if self.transport is not None:
            self.transport.close()


async def _get(pool: _Pool, path: str) -> bool:
    connection = pool.idle.pop() if pool.idle else None
    if connection is None or connection.transport is None or connection.transport.is_closing():
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, pool.host, pool.port)
        pool.count += 1
    request = f"GET {path} HTTP/1.1\r\nHost: {pool.host}\r\n\r\n".encode()
    try:
        status = await connection.ask(request)
    except BaseException:
        connection.close()
        raise
    pool.idle.append(connection)
    return 200 <= status < 400
