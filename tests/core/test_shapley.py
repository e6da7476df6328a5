"""Shares of players add up exactly, and are the published ones of known games."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.shapley import coalitions_asked, shapley


def test_the_glove_game_has_its_published_shares() -> None:
    # Two left gloves and one right one make one pair: 1/6, 1/6, 4/6 (Shapley 1953; textbooks).
    def pairs(chosen: frozenset[str]) -> np.ndarray:
        return np.array([float(min(len(chosen & {"left", "other"}), "right" in chosen))])

    shares = shapley(["left", "other", "right"], pairs)
    assert [float(shares[name][0]) for name in ("left", "other", "right")] == pytest.approx(
        [1 / 6, 1 / 6, 4 / 6]
    )


@pytest.mark.parametrize("exact_players", [0, 9])
def test_shares_add_up_and_only_announced_coalitions_are_asked(exact_players: int) -> None:
    players = [f"p{k}" for k in range(7)]
    draw = np.random.default_rng(3)
    table = {chosen: draw.normal(size=5) for chosen in coalitions_asked(players, 9)}
    asked = []

    def worth(chosen: frozenset[str]) -> np.ndarray:
        asked.append(chosen)
        return table[chosen]

    shares = shapley(players, worth, exact_players, orders=3)
    total = sum(shares.values())
    assert np.abs(total - (table[frozenset(players)] - table[frozenset()])).max() < 1e-12
    assert sorted(map(sorted, asked)) == sorted(
        map(sorted, coalitions_asked(players, exact_players))
    )


def test_who_changes_nothing_gets_nothing_even_of_sampled_orders() -> None:
    shares = shapley(list("abcdefg"), lambda chosen: np.array([len(chosen - {"d"}) ** 2.0]), 2)
    assert float(shares["d"][0]) == 0.0
