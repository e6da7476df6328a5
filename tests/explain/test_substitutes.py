import pandas as pd

from pipeline.explain.substitutes import recaptured_by, substitutes

MOVES = pd.DataFrame(
    [
        ("a", "b", 0.4, 0.8),
        ("a", "c", 0.1, 0.8),
        ("a", "leave", 0.5, 0.8),
        ("b", "leave", 1.0, 0.0),
    ],
    columns=["item_id", "to_item_id", "probability", "share_from_data"],
)


def test_who_recaptures_is_named_the_likeliest_first() -> None:
    assert recaptured_by(MOVES, "a") == (
        "recaptured by b (40%), c (10%); 50% leave (data say 80% of this, the rest is the usual)"
    )


def test_what_is_assumed_is_told_to_be() -> None:
    assert recaptured_by(MOVES, "b") == "100% leave (assumed, no stock-out has shown it yet)"


def test_an_item_of_no_group_has_nothing_to_tell() -> None:
    empty = {
        "substitution": MOVES,
        "first_choice": pd.DataFrame(columns=["item_id"]),
        "assortment": pd.DataFrame(columns=["item_id"]),
    }
    assert substitutes(empty, "z") == ""
    assert substitutes({}, "a") == ""


def test_the_seasons_verdict_is_told() -> None:
    tables = {
        "substitution": MOVES,
        "first_choice": pd.DataFrame({
            "item_id": ["a"], "first_choice_units": [6.0], "sold_units": [5.0],
            "recaptured_units": [0.5],
        }),
        "assortment": pd.DataFrame({
            "item_id": ["a"], "is_offered": [True], "assortment_reason": ["unique"],
            "value_if_dropped_usd": [1234.0],
        }),
    }  # fmt: skip
    told = substitutes(tables, "a")
    assert "6.0 wanted it first, 5.0 were sold, 0.5 of them" in told
    assert "carries it (unique); without it $1,234 less" in told
