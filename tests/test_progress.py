"""Long work tells how far it has come; telling changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import progress
from pipeline.printing import progress as shown


def test_a_listener_hears_steps_only_while_it_listens() -> None:
    heard: list[tuple[str, int, int]] = []
    progress.step("before", 1, 2)
    with progress.listening(lambda *told: heard.append(told)):
        progress.step("trees", 1, 2)
    progress.step("after", 1, 2)
    assert heard == [("trees", 1, 2)]


def test_counted_parts_are_the_parts_and_end_complete() -> None:
    heard: list[tuple[str, int, int]] = []
    with progress.listening(lambda *told: heard.append(told)):
        assert list(progress.counted("forecasts", ["a", "b"])) == ["a", "b"]
    assert heard == [("forecasts", 0, 2), ("forecasts", 1, 2), ("forecasts", 2, 2)]


def test_a_pipe_gets_plain_lines_with_share_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(np.arange(100, dtype=float) * 4)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    said: list[str] = []
    lines = progress.Lines(said.append, every_s=15)
    for done in range(1, 11):
        lines("trees", done, 10)
    lines("forecasts", 1, 2)  # begins its own clock
    assert said == ["  trees: 50%, about 16 s left", "  trees: 90%, about 4 s left"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.4, "4 s"), (89, "89 s"), (600, "10 min"), (7500, "2 h 5 min")]
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert progress.in_words(seconds) == words


def test_the_command_line_shows_steps_and_stops_listening(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with shown(1):
        for done in range(3):
            progress.step("trees of the mean", done + 1, 3)
    assert progress._listeners == []
    assert "\x1b" not in capsys.readouterr().out  # no terminal: nothing but plain lines
