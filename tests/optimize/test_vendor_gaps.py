"""Each vendor's own review period."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.optimize.item_model import Economics
from pipeline.optimize.targets import vendor_rows

ONE = np.ones(2)
MONEY = Economics(ONE, ONE, ONE, np.zeros(2, np.uint8), ONE)
OFFERS = pd.DataFrame({
    "vendor_id": ["weekly", "daily", "daily"], "item_id": ["A", "A", "B"], "unit_cost_usd": 1.0,
    "quoted_lead_time_days": [10, 10, 10],
})  # fmt: skip
LEADS = pd.DataFrame(columns=["vendor_id", "item_id", "lead_time_days", "probability"])


@pytest.mark.parametrize(("gap", "more"), [(1, 0.0), (4, 3.0), (7, 6.0), (12, 11.0)])
def test_a_position_lasts_until_its_own_vendor_takes_the_next_order(gap: int, more: float) -> None:
    calendar = pd.DataFrame({"vendor_id": ["weekly", "daily"], "order_gap_days": [gap, 1]})
    rows = vendor_rows(OFFERS, LEADS, ["A", "B"], MONEY, calendar, 7)
    assert rows.vendor == ["daily", "weekly", "daily"]
    # Both items are ordered nightly: 6 of 7 days before a review period is over; a cycle has two
    # days on the way to nodes besides.
    cover = rows.cover_days(9.0, np.array([6.0, 6.0]))
    np.testing.assert_allclose(cover, [13.0, 13.0 + more, 13.0])


def test_an_item_that_can_wait_waits_whatever_its_vendor_takes() -> None:
    calendar = pd.DataFrame({"vendor_id": ["weekly", "daily"], "order_gap_days": [4, 1]})
    rows = vendor_rows(OFFERS, LEADS, ["A", "B"], MONEY, calendar, 7)
    np.testing.assert_allclose(rows.cover_days(7.0, np.zeros(2)), 17.0)
    plain = vendor_rows(OFFERS, LEADS, ["A", "B"], MONEY)
    np.testing.assert_allclose(plain.cover_days(7.0, np.zeros(2)), 17.0)
