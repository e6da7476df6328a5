"""Intervals over replications, as tables and JSON tell them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.simulate.report.intervals import interval


def test_one_replication_has_a_mean_and_no_interval_and_its_json_can_be_read_by_anything():
    one, two = interval(np.array([5.0])), interval(np.array([4.0, 6.0]))
    assert one.in_json == [None, 5.0, None]
    assert json.loads(json.dumps(one.in_json, allow_nan=False)) == [None, 5.0, None]
    # Student's t of one degree of freedom: 12.706 times the standard error of 1.
    assert two.in_json == pytest.approx([5 - 12.7062, 5.0, 5 + 12.7062], abs=1e-3)
