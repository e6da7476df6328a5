"""What the solver did, step by step: returned with the result, stored as a table by the stage."""

from dataclasses import dataclass, field
from time import perf_counter, process_time


@dataclass(frozen=True)
class Step:
    """One step: bounds in usd (nan where there is none yet), relative violation."""

    phase: str
    lower: float
    upper: float
    violation: float


@dataclass
class Trace:
    """Steps in order, sweeps over all items, and seconds by phase."""

    steps: list[Step] = field(default_factory=list)
    sweeps: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    wall_s: dict[str, float] = field(default_factory=dict)
    _since: tuple[float, float] = field(default_factory=lambda: (process_time(), perf_counter()))

    def add(
        self, phase: str, lower: float, upper: float = float("nan"), violation: float = 0.0
    ) -> None:
        """Record a step."""
        self.steps.append(Step(phase, lower, upper, violation))

    def close(self, phase: str) -> None:
        """Charge the time since the last close to the phase."""
        now = (process_time(), perf_counter())
        self.cpu_s[phase] = self.cpu_s.get(phase, 0.0) + now[0] - self._since[0]
        self.wall_s[phase] = self.wall_s.get(phase, 0.0) + now[1] - self._since[1]
        self._since = now
