"""Where released orders go: a folder, or an address that takes a POST. Replace them by your own.

A target takes a key once: the folder by the file's name, the address by its Idempotency-Key header.
"""

from __future__ import annotations

import io
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from pipeline.errors import DeliveryError, UsageError
from pipeline.records.releases import Deliver

FORMATS = ("json", "csv", "parquet")
ATTEMPTS = 4


def target(address: str, formats: tuple[str, ...] = FORMATS) -> Deliver:
    """The target at an address: http(s)://… is posted to, anything else is a folder."""
    if urlsplit(address).scheme in ("http", "https"):
        return post_to(address)
    if "://" in address:
        raise UsageError(f"no target for {address}. Next: give a folder or an http(s) address.")
    return drop_into(Path(address), formats)


def drop_into(folder: Path, formats: tuple[str, ...] = FORMATS) -> Deliver:
    """Writes <key>.json, .csv and .parquet, each whole or not at all, and none a second time."""

    def deliver(key: str, payload: dict[str, Any]) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in formats:
                path = folder / f"orders-{payload['as_of']}-{key}.{name}"
                if path.exists():
                    continue
                part = path.with_suffix(path.suffix + ".part")
                with part.open("wb") as stream:
                    stream.write(_encoded(payload, name))
                    stream.flush()
                    os.fsync(stream.fileno())
                part.replace(path)
        except OSError as error:
            raise DeliveryError(
                f"orders of {payload['as_of']} could not be written to {folder}: {error}. "
                "Next: mend the folder, then release again; nothing is sent twice."
            ) from error

    return deliver


def post_to(
    address: str, pause_s: float = 1.0, sleep: Callable[[float], None] = time.sleep
) -> Deliver:
    """Posts the JSON with Idempotency-Key; tries again on 5xx, 429 and no answer."""

    def deliver(key: str, payload: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310  http(s) only, see target
            address, json.dumps(payload).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": key},
        )  # fmt: skip
        problem = ""
        for attempt in range(ATTEMPTS):
            try:
                with urllib.request.urlopen(request, timeout=20):  # noqa: S310  as above
                    return
            except urllib.error.HTTPError as error:
                problem = f"it answered {error.code}"
                if error.code not in (408, 425, 429) and error.code < 500:
                    break
            except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
                problem = str(error)
            if attempt + 1 < ATTEMPTS:
                sleep(pause_s * 2**attempt)
        raise DeliveryError(
            f"{address} did not take the orders of {payload['as_of']}: {problem}. They stay "
            "prepared. Next: mend it, then release again; the same key is sent."
        )

    return deliver


def order_lines(payload: dict[str, Any]) -> pd.DataFrame:
    """The payload as flat lines: one row for each PO1."""
    return pd.DataFrame(
        [
            {"purchase_order": order["BEG"]["purchase_order"],
             "vendor_id": order["N1"]["vendor_id"], **line}
            for order in payload["orders"]
            for line in order["PO1"]
        ]
    )  # fmt: skip


def _encoded(payload: dict[str, Any], name: str) -> bytes:
    if name == "json":
        return (json.dumps(payload, indent=1, sort_keys=True) + "\n").encode()
    lines = order_lines(payload)
    if name == "csv":
        return lines.to_csv(index=False).encode()
    sink = io.BytesIO()
    lines.to_parquet(sink, index=False)
    return sink.getvalue()
