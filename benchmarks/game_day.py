"""A game day against a loopback stub: requests a second, counts by minute, the slow service.

    python benchmarks/game_day.py --rate 2200 --seconds 20 --json game_day.json

The stub answers in another process; `checkout` is slow. Counts of requests sent by minute are
tested against the plan (chi-square, 1 %), and latency counts from the intended start.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import chi2

from pipeline.load.fire import Limits
from pipeline.load.journeys import requests_per_visit, script
from pipeline.load.rehearsal import rehearse

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Stub(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /checkout"):
            asyncio.get_running_loop().call_later(0.3, self.transport.write, ANSWER)
        else:
            self.transport.write(ANSWER)


def _serve(port: int, ready: Any) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Stub, "127.0.0.1", port)
        ready.set()
        await server.serve_forever()

    asyncio.run(run())


def main() -> None:
    """Replay a made-up minute profile and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2200, help="Mean requests a second.")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    server = context.Process(target=_serve, args=(port, ready), daemon=True)
    server.start()
    assert ready.wait(120), "the stub did not start"
    minutes = 20
    wave = 1 + 0.5 * np.sin(np.arange(minutes) / 3)
    visits = given.rate * given.seconds / sum(requests_per_visit().values()) * wave / wave.sum()
    started = time.perf_counter()
    found = rehearse(script(visits), f"http://127.0.0.1:{port}", Limits(),
                     given.seconds / minutes)  # fmt: skip
    spent = time.perf_counter() - started
    server.terminate()
    result = found.result
    home = result.loc[result["journey_step"] == "home", "latency_p99_ms"]
    figures = {
        "requests": int(result["sent_requests"].sum()),
        "failed": int(result["failed_requests"].sum()),
        "answered_per_second": found.throughput_per_second,
        "wall_s": spent,
        "chi_square": found.chi_square,
        "chi_square_limit_1_percent": float(chi2.ppf(0.99, minutes - 1)),
        "first_saturated": found.first_saturated,
        "p99_home_ms": float(home.median()),
    }
    shown = Table("figure", "value")
    for name, value in figures.items():
        shown.add_row(name, f"{value:,.2f}" if isinstance(value, float) else str(value))
    Console().print(shown)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
