"""A tiny HTTP server on loopback that answers at once, but for one path that it answers late."""

from __future__ import annotations

import asyncio
from typing import Any

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Answering(asyncio.Protocol):
    """Answers every request; requests whose path holds `slow` after `delay_s`."""

    def __init__(self, slow: str, delay_s: float) -> None:
        self.slow, self.delay_s = slow.encode(), delay_s

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.slow and self.slow in data:
            asyncio.get_running_loop().call_later(self.delay_s, self.transport.write, ANSWER)
        else:
            self.transport.write(ANSWER)


def serve(port: int, ready: Any, slow: str, delay_s: float) -> None:
    """Serve on 127.0.0.1 until the process is ended; sets `ready` when it listens."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Answering(slow, delay_s), "127.0.0.1", port)
        ready.set()
        async with server:
            await server.serve_forever()

    asyncio.run(run())
