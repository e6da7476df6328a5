"""One night at a time: a business date of a store is held by one process, on one machine or many.

The lock is a file beside the date's folder that says who holds it. On a local disk the kernel
knows whether the holder lives; across machines its heartbeat does. On object stores no file can
be made by one writer alone: two runs that start within the same second may both get in. Publishing
stays safe even then (whole partitions, the last one stays), and stages refuse to mix them.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from pipeline.errors import BusyError, CorruptPartitionError
from pipeline.store.faults import attempt
from pipeline.store.partitions import Store, json_bytes

HEARTBEAT_S = 20.0
STALE_S = 180.0
"""A holder on another machine that has not been heard for so long is taken for dead."""

_held: dict[str, tuple[int, Callable[[], None]]] = {}
_guard = threading.RLock()


@contextmanager
def holding(store: Store, as_of: date, patience_s: float = 0.0) -> Iterator[None]:
    """Hold a business date of a store; within one process again and again.

    Raises BusyError, naming the holder, if another process holds it for longer than patience_s.
    """
    path = f"{store.path(as_of, '').rstrip('/')}.lock"
    key = f"{os.getpid()} {path}"
    with _guard:
        depth, release = _held.get(key) or (0, _acquire(store, path, as_of, patience_s))
        _held[key] = (depth + 1, release)
    try:
        yield
    finally:
        with _guard:
            depth, release = _held.pop(key)
            if depth > 1:
                _held[key] = (depth - 1, release)
            else:
                release()


def _acquire(store: Store, path: str, as_of: date, patience_s: float) -> Callable[[], None]:
    deadline = time.monotonic() + patience_s
    attempt(lambda: store._fs.create_dir(store._base, recursive=True), "cannot make", store.root)
    take = _take_local if store.is_local else _take_remote
    while (release := take(store, path)) is None:
        if time.monotonic() >= deadline:
            raise BusyError(
                f"the night of {as_of} under {store.root} is being planned by "
                f"{_holder(store, path)}. Next: wait until it has ended, then try again; a lock "
                "whose process is gone is taken over by itself "
                f"(after {STALE_S / 60:.0f} minutes from another machine)."
            )
        time.sleep(0.2)
    return release


def _take_local(store: Store, path: str) -> Callable[[], None] | None:
    """Release function, or None if a living process holds the file."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    handle = attempt(lambda: os.open(path, flags, 0o644), "cannot write", path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        pass  # a file system without locks: the heartbeat alone decides
    is_ours = os.fstat(handle).st_nlink > 0  # the holder before may just have removed it
    if not is_ours or _lives_elsewhere(os.pread(handle, 4096, 0), os.fstat(handle).st_mtime):
        os.close(handle)
        return None
    data = json_bytes(_self())
    os.ftruncate(handle, 0)
    os.pwrite(handle, data, 0)
    stop = _beat(lambda: os.utime(path))

    def release() -> None:
        stop.set()
        if os.fstat(handle).st_nlink:
            os.unlink(path)
        os.close(handle)

    return release


def _take_remote(store: Store, path: str) -> Callable[[], None] | None:
    """The same by a file that says who wrote it last and when."""
    found, mine = _content(store, path), _self()
    if found and _age_s(found) < STALE_S and not _is_dead_here(found):
        return None

    def write() -> None:
        store.write_json(path, mine | {"heard": datetime.now(UTC).isoformat()})

    write()
    time.sleep(0.3)  # whoever wrote in the same moment: the last one has it
    if (_content(store, path) or {}).get("token") != mine["token"]:
        return None
    stop = _beat(write)

    def release() -> None:
        stop.set()
        if (_content(store, path) or {}).get("token") == mine["token"]:
            attempt(lambda: store._fs.delete_file(path), "cannot delete", path)

    return release


def _beat(deed: Callable[[], None]) -> threading.Event:
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(HEARTBEAT_S):
            try:
                deed()
            except Exception:  # noqa: S112  a lost beat is no reason to end a night
                continue

    threading.Thread(target=run, name="night-lock", daemon=True).start()
    return stop


def _self() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "token": os.urandom(8).hex(),
            "since": datetime.now(UTC).isoformat(timespec="seconds")}  # fmt: skip


def _lives_elsewhere(content: bytes, heard: float) -> bool:
    try:
        host = json.loads(content)["host"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(host != socket.gethostname() and time.time() - heard < STALE_S)


def _is_dead_here(found: dict[str, Any]) -> bool:
    if found.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(found["pid"]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, KeyError, ValueError, TypeError):
        return False
    return False


def _age_s(found: dict[str, Any]) -> float:
    try:
        heard = datetime.fromisoformat(str(found["heard"]))
        return (datetime.now(UTC) - heard).total_seconds()
    except (KeyError, ValueError, TypeError):
        return STALE_S


def _content(store: Store, path: str) -> dict[str, Any] | None:
    try:
        return store.read_json(path)
    except CorruptPartitionError:
        return None  # torn: nobody's


def _holder(store: Store, path: str) -> str:
    found = _content(store, path)
    if not found:
        return "another process"
    return f"process {found.get('pid')} on {found.get('host')} since {found.get('since')}"
