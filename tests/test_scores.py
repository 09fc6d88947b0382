"""From log-odds of trees and networks to scores: what is raised, what is rare, and whole lines."""

import numpy as np
import pytest

from cleaner.scores import (
    CERTAIN,
    NETWORK_WEIGHT,
    Calibration,
    network_weight,
    of_one_piece,
    sigmoid,
)
from cleaner.segment import segment

RARE = Calibration(slope=1.0, intercept=0.0, rarity=2.2)
PROSE, FURNITURE = -40.0, 40.0  # log-odds of the network for furniture


def test_the_figures_of_a_manifest_are_read_and_rarity_may_be_missing():
    assert Calibration.of({"slope": 0.5, "intercept": 1}) == Calibration(0.5, 1.0, 0.0)
    assert Calibration.of({"slope": 2, "intercept": 0, "rarity": 1.6}).rarity == 1.6
    assert Calibration(0.5, 1.0).odds(np.array([2.0])) == 2.0


def test_foreign_prose_is_rare_and_furniture_is_not():
    odds = np.array([3.0, 3.0])
    decided = RARE.decided(odds, odds, np.array([PROSE, FURNITURE]), weight=0.0)
    np.testing.assert_allclose(decided, [0.8, 3.0])
    # 2.2 is what lies between seven articles in ten and one in five.
    assert np.log(0.7 / 0.3) - np.log(0.2 / 0.8) == pytest.approx(2.2, abs=0.05)


def test_without_a_network_for_furniture_nothing_is_rarer():
    odds = np.array([3.0, -1.0])
    np.testing.assert_array_equal(RARE.decided(odds, odds, None, weight=0.0), odds)


def test_a_family_is_three_fragments_of_which_trees_and_network_are_certain():
    certain = np.full(3, CERTAIN)
    assert network_weight(certain, certain) == NETWORK_WEIGHT
    assert network_weight(certain[:2], certain[:2]) == 0.0
    assert network_weight(certain, certain - [0, 0, 0.01]) == 0.0  # so is furniture to the network


def test_a_network_raises_and_never_lowers():
    odds, first = np.array([0.0, 0.0]), np.array([4.0, -4.0])
    decided = Calibration(1.0, 0.0).decided(odds, first, None, weight=0.75)
    np.testing.assert_array_equal(decided, [3.0, 0.0])


def test_a_foreign_line_goes_whole_and_a_line_that_belongs_loses_one_sentence():
    line = "The vaccine is safe for nearly everybody who takes it. The risk is small."
    segments = segment(f"{line}\n{line}\n")
    assert len(segments) == 4
    scores = of_one_piece(np.array([0.99, 0.2, 0.01, 0.9]), segments)
    assert scores[1] > 0.8  # most of its line is foreign
    assert scores[2] < 0.1  # most of its line belongs
    assert scores[3] == 0.9


def test_probabilities_of_any_log_odds_are_finite():
    np.testing.assert_allclose(sigmoid(np.array([-1e9, 0.0, 1e9])), [0.0, 0.5, 1.0], atol=1e-9)
