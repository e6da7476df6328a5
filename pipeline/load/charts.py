"""What the load pages' drawings share: their size, round ticks, points, numbers as text."""

from __future__ import annotations

import numpy as np

WIDTH, HEIGHT, LEFT, BOTTOM = 900, 230, 74, 26


def ticks(top: float) -> list[float]:
    """Three to six round values from 0 up to `top`."""
    step = 10.0 ** np.floor(np.log10(top / 3))
    step = next(step * k for k in (1, 2, 2.5, 5, 10) if top / (step * k) <= 6)
    return [float(k * step) for k in range(int(top / step) + 1)]


def points(pairs: list[tuple[float, float]]) -> str:
    """Points of a polyline or polygon."""
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs)


def number(value: float) -> str:
    """A load as text: whole from 100 on, else three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
