"""Events of a week are told by name, with the days on which they are."""

from __future__ import annotations

from datetime import date, timedelta

from pipeline.desk.coming import told


def test_days_in_a_row_are_one_span_and_others_are_named() -> None:
    monday = date(2016, 5, 2)
    days = [(monday + timedelta(days=n), "SNAP") for n in (0, 1, 2, 5)]
    days[2] = (days[2][0], "Cinco de Mayo, SNAP")
    assert told(days) == ("SNAP (Mon 02 May to Wed 04 May, Sat 07 May); Cinco de Mayo (Wed 04 May)")
