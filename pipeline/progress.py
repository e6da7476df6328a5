"""How far long work has come: it tells whoever listens, and nothing published depends on that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Listener = Callable[[str, int, int], None]
"""Called with what is being done, how many parts are done, and of how many."""
_listeners: list[Listener] = []


def step(what: str, done: int, total: int) -> None:
    """Tell that `done` of `total` parts of `what` are done."""
    for listener in _listeners:
        listener(what, done, total)


def counted(what: str, parts: Sequence[T]) -> Iterator[T]:
    """The parts, one after another; tells how many are done whenever the next is asked for."""
    for number, part in enumerate(parts):
        step(what, number, len(parts))
        yield part
    step(what, len(parts), len(parts))


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have `listener` called by long work while this lasts."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class Lines:
    """A listener for logs and pipes: a plain line with share and time left, not too often."""

    def __init__(self, say: Callable[[str], object], every_s: float = 15.0) -> None:
        self._say, self._every_s = say, every_s
        self._what, self._started, self._told = "", 0.0, 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say so if enough time has passed since the last line, or since `what` began."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._started, self._told = what, now, now
        if now - self._told >= self._every_s and 0 < done < total:
            self._told = now
            left_s = (now - self._started) * (total - done) / done
            self._say(f"  {what}: {done / total:.0%}, about {in_words(left_s)} left")


def in_words(seconds: float) -> str:
    """A length of time as people say it: 40 s, 12 min, 1 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
