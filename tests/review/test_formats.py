"""Numbers are written as people read them."""

from __future__ import annotations

import pytest

from pipeline.review import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.count(12345.6), "12,346"),
        (formats.count(float("nan")), "–"),
        (formats.usd(-1234.5), "−$1,234"),
        (formats.share(0.12345), "12.3%"),
        (formats.share(-0.05), "−5.0%"),
        (formats.signed(12), "+12"),
        (formats.signed(-1200), "−1,200"),
        (formats.figure(0.0042, "share"), "0.42%"),
        (formats.figure(2.834, "weeks"), "2.83"),
        (formats.figure(3.0, "items"), "3"),
        (formats.figure(12.5, "usd"), "$12.50"),
        (formats.change(-0.02, "share"), "−2.0%"),
        (formats.change(1500.0, "units"), "+1,500"),
        (formats.change(0.0, "units"), "–"),
        (formats.change(float("nan"), "units"), ""),
        (formats.label("order_value_usd"), "Order value"),
    ],
)
def test_numbers_read_well(text: str, expected: str) -> None:
    assert text == expected


def test_a_class_of_pace_is_told_in_words_and_sorted_by_it() -> None:
    names = ["all", "toys", "velocity 0-0.1 a day", "velocity 0.5-2 a day", "velocity 10-inf a day"]
    assert [formats.group_words(name) for name in names] == [
        ("all items", -1.0), ("toys", -1.0), ("items selling below 0.1 a day", 0.0),
        ("items selling 0.5 to 2 a day", 0.5), ("items selling 10 a day or more", 10.0),
    ]  # fmt: skip
