"""Returns are taken from the sales before them, and nothing else is changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.settings import IngestSettings
from pipeline.ingest.returns import netted


def sales(*rows: tuple[int, int], item: str = "A") -> pd.DataFrame:
    """Rows of (day, units)."""
    return pd.DataFrame({
        "item_id": pd.Series([item] * len(rows), dtype="category"),
        "region_id": pd.Series(["R"] * len(rows), dtype="category"),
        "date": pd.Timestamp("2025-01-01") + pd.to_timedelta([day for day, _ in rows], unit="D"),
        "units": [units for _, units in rows],
    })  # fmt: skip


def net(frame: pd.DataFrame, **rest: object) -> list[int]:
    return netted(frame, IngestSettings(**rest))[0]["units"].tolist()


def test_a_return_takes_from_the_newest_sale_that_is_as_large():
    assert net(sales((1, 5), (3, 4), (4, 2), (4, -3))) == [5, 1, 2, 0]
    ordinary = [(day, 9) for day in range(10, 20)]
    assert net(sales((5, 400), *ordinary, (21, -400))) == [0, *(9 for _ in ordinary), 0]
    assert net(sales((5, 400), *ordinary, (21, -400), (22, -400)))[:-1] == [0] * 12


def test_what_is_larger_than_each_sale_takes_from_its_day_then_from_the_newest_before():
    assert net(sales((1, 5), (3, 4), (4, 2), (4, -6))) == [5, 0, 0, 0]


def test_what_was_not_sold_within_the_days_stays_negative_and_so_is_set_aside():
    assert net(sales((1, 5), (40, -3))) == [5, -3]
    assert net(sales((1, 5), (40, -3)), returns_days=60) == [2, 0]
    assert net(sales((4, -9), (1, 5))) == [-4, 0]
    assert net(sales((1, -2), (2, 5))) == [-2, 5]


def test_a_row_written_twice_is_one_row():
    assert net(sales((1, 5), (1, 5), (2, -3), (2, -3))) == [2, 2, 0, 0]
    assert net(sales((1, 5), (1, 5), (2, -3), (2, -3)), repeated_rows="add") == [2, 2, 0, 0]


def test_returns_may_be_set_aside_and_are_told_otherwise():
    frame = sales((1, 5), (2, -3))
    assert net(frame, returns="set_aside") == [5, -3]
    assert "3 units" in netted(frame, IngestSettings())[1][0].rule


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-6, 9)), min_size=1, max_size=30),
       st.randoms(use_true_random=False))  # fmt: skip
def test_no_unit_is_made_or_lost_and_the_order_of_rows_does_not_matter(rows, random):
    rows = list(dict.fromkeys(rows))
    result = dict(zip(rows, net(sales(*rows)), strict=True))
    assert sum(result.values()) == sum(units for _, units in rows)
    assert all(
        0 <= left <= was if was >= 0 else was <= left <= 0 for (_, was), left in result.items()
    )
    shuffled = rows.copy()
    random.shuffle(shuffled)
    by_day = lambda kept: {  # noqa: E731  rows of a day may share what is taken
        day: sum(units for (d, _), units in kept.items() if d == day) for day, _ in rows
    }
    assert by_day(dict(zip(shuffled, net(sales(*shuffled)), strict=True))) == by_day(result)
    assert np.isfinite(list(result.values())).all()
