"""Alerts: late, broken and short nights are told by mail and webhook, each once, with a link."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.records.database import Records
from pipeline.store import Store
from pipeline.tell.alerts import Alert, due_alerts
from pipeline.tell.once import tell
from pipeline.tell.send import channels

LATE = Alert("freshness/2025-06-30", "The night is not there", "None is whole.", "http://d/plans")


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """A mail server of this machine that keeps what it is sent: (port, messages)."""
    kept: list[str] = []

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                kept.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
            if word == b"QUIT":
                break
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(session, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], kept
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        server.close()
        loop.close()


@contextmanager
def web_server(answers: list[int]) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """A server that answers with the statuses given, then 200: (port, bodies that it took)."""
    kept: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = answers.pop(0) if answers else 200
            if status == 200:
                kept.append(body | {"header": str(self.headers["Idempotency-Key"])})
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], kept
    finally:
        server.shutdown()
        server.server_close()


def test_an_alert_is_told_once_by_each_way_and_again_only_where_it_failed(tmp_path: Path) -> None:
    records = Records(f"sqlite:///{tmp_path}/r.sqlite")
    with mail_server() as (mail_port, mails), web_server([500]) as (web_port, posts):
        ways = channels({
            "ECHELON_SMTP": f"smtp://127.0.0.1:{mail_port}", "ECHELON_MAIL_FROM": "e@x.test",
            "ECHELON_MAIL_TO": "ana@x.test, bo@x.test",
            "ECHELON_WEBHOOK": f"http://127.0.0.1:{web_port}/hook",
        })  # fmt: skip
        told, problems = tell(records, "place", [LATE], ways)
        assert told == [f"mail: {LATE.key}"]
        assert "did not take the alert" in problems[0]
        assert tell(records, "place", [LATE], ways) == ([f"webhook: {LATE.key}"], [])
        assert tell(records, "place", [LATE], ways) == ([], [])
    assert len(mails) == 1
    assert "Subject: [Echelon] The night is not there" in mails[0]
    assert "http://d/plans" in mails[0]
    assert posts == [{"key": LATE.key, "title": LATE.title, "text": LATE.text, "link": LATE.link,
                      "header": LATE.key}]  # fmt: skip


def test_a_server_that_is_gone_leaves_the_alert_to_be_told(tmp_path: Path) -> None:
    records = Records(f"sqlite:///{tmp_path}/r.sqlite")
    ways = channels({"ECHELON_SMTP": "smtp://127.0.0.1:9", "ECHELON_MAIL_FROM": "e@x.test",
                     "ECHELON_MAIL_TO": "ana@x.test"})  # fmt: skip
    told, problems = tell(records, "place", [LATE], ways)
    assert told == []
    assert "the mail server 127.0.0.1:9 did not take the mail" in problems[0]
    with mail_server() as (port, mails):
        again = channels({
            "ECHELON_SMTP": f"smtp://127.0.0.1:{port}", "ECHELON_MAIL_FROM": "e@x.test",
            "ECHELON_MAIL_TO": "a@x.test",
        })  # fmt: skip
        tell(records, "place", [LATE], again)
    assert len(mails) == 1


def test_a_store_without_a_whole_night_is_late_only_after_the_hour(tmp_path: Path) -> None:
    store = Store(tmp_path)
    keys = [
        [alert.key for alert in due_alerts(store, datetime(2025, 7, 1, hour, tzinfo=UTC), "", 0.0)]
        for hour in (6, 8)
    ]
    assert keys == [["freshness/2025-06-29"], ["freshness/2025-06-30"]]


def test_half_an_address_is_refused() -> None:
    with pytest.raises(UsageError, match="needs ECHELON_MAIL_FROM"):
        channels({"ECHELON_SMTP": "smtp://x"})
    with pytest.raises(UsageError, match=r"no http\(s\) address"):
        channels({"ECHELON_WEBHOOK": "file:///etc/passwd"})
    assert channels({}) == {}
