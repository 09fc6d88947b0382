"""From log-odds of trees and networks to scores: what is raised, what is rare, and whole lines."""

import numpy as np
import pytest

from cleaner.member import Verdicts
from cleaner.scores import (
    CERTAIN,
    FURNISHED,
    NETWORK_WEIGHT,
    RULED_OUT,
    SURE,
    Calibration,
    drawn,
    network_weight,
    of_one_piece,
    sigmoid,
)
from cleaner.segment import segment

RARE = Calibration(slope=1.0, intercept=0.0, rarity=2.2)
LONE = Calibration(slope=1.0, intercept=0.0, lone=3.0)
SOME = SURE / 2  # log-odds of what may be furniture: neither out of the question, nor sure
LOWER = 3.0 * float(sigmoid(np.array(SOME))) ** 2
PROSE, FURNITURE = -40.0, 40.0  # log-odds of the network for furniture
NOT_FOREIGN = np.full(40, -40.0)  # of the network for foreign prose


def test_the_figures_of_a_manifest_are_read_and_what_is_rare_may_be_missing():
    assert Calibration.of({"slope": 0.5, "intercept": 1}) == Calibration(0.5, 1.0, 0.0)
    assert Calibration.of({"slope": 2, "intercept": 0}) == Calibration(2.0, 0.0, 0.0, 0.0)
    both = Calibration.of({"slope": 2, "intercept": 0, "rarity": 1.6, "lone": 3})
    assert (both.rarity, both.lone) == (1.6, 3.0)
    assert Calibration(0.5, 1.0).log_odds(np.array([2.0])) == 2.0


def test_foreign_prose_is_rare_and_furniture_is_not():
    log_odds = np.array([3.0, 3.0])
    decided = RARE.decided(log_odds, log_odds, np.array([PROSE, FURNITURE]), weight=0.0)
    np.testing.assert_allclose(decided, [0.8, 3.0])


@pytest.mark.parametrize(
    ("others", "share"),
    [(0, 1.0), (1, 2 / 3), (2, 1 / 3), (3, 0.0), (30, 0.0)],  # other fragments that are furniture
)
def test_furniture_is_rare_where_it_is_alone(others, share):
    log_odds = np.array([1.0, *[40.0] * others, -40.0])
    furniture = np.array([SOME, *[FURNITURE] * others, PROSE])
    decided = LONE.decided(log_odds, NOT_FOREIGN[: len(log_odds)], furniture, weight=0.0)
    assert decided[0] == pytest.approx(1.0 - share * LOWER)


@pytest.mark.parametrize(("furniture", "lower"), [(-40.0, 0.0), (SURE, 1.43), (40.0, 0.0)])
def test_what_is_surely_furniture_may_be_alone(furniture, lower):
    found = LONE.decided(np.array([1.0]), NOT_FOREIGN[:1], np.array([furniture]), weight=0.0)
    assert found == pytest.approx([1.0 - lower], abs=0.01)


def test_intruders_are_no_company_for_furniture():
    log_odds = np.array([1.0, 40.0, 40.0])
    furniture = np.array([SOME, PROSE, PROSE])
    decided = LONE.decided(log_odds, NOT_FOREIGN[:3], furniture, weight=0.0)
    np.testing.assert_allclose(decided, [1.0 - LOWER, 40.0, 40.0])


def test_what_hardly_goes_is_little_company():
    log_odds = np.array([1.0, *[-1.0] * 3])  # a chance of .27 that each goes
    furniture = np.array([SOME, *[FURNITURE] * 3])
    decided = LONE.decided(log_odds, NOT_FOREIGN[:4], furniture, weight=0.0)
    assert decided[0] == pytest.approx(1.0 - LOWER * (1 - sigmoid(np.array(-1.0))))


def test_company_grows_with_what_is_furniture_and_without_a_leap():
    def lone(company: float) -> float:
        furniture = np.array([SOME, *[company] * 3])
        log_odds = np.array([1.0, *[40.0] * 3])
        return float(LONE.decided(log_odds, NOT_FOREIGN[:4], furniture, weight=0.0)[0])

    found = [lone(company) for company in np.linspace(-8, 8, 81)]
    assert found[0] == pytest.approx(1.0 - LOWER, abs=0.01)
    assert found[-1] == pytest.approx(1.0, abs=0.01)
    steps = np.diff(found)
    assert (steps >= 0).all()
    assert steps.max() < 0.2


@pytest.mark.parametrize(("first", "share"), [(-40.0, 1.0), (CERTAIN, 0.5), (40.0, 0.0)])
def test_what_is_certainly_foreign_prose_besides_may_be_alone(first, share):
    found = LONE.decided(np.array([1.0]), np.array([first]), np.array([SOME]), weight=0.0)
    np.testing.assert_allclose(found, [1.0 - share * LOWER])


def test_without_a_network_for_furniture_nothing_is_rarer():
    log_odds = np.array([3.0, -1.0])
    np.testing.assert_array_equal(RARE.decided(log_odds, log_odds, None, weight=0.0), log_odds)


def test_a_family_is_three_fragments_of_which_trees_and_network_are_certain():
    certain, lines = np.full(3, CERTAIN), np.arange(3)
    assert network_weight(certain, certain, lines) == NETWORK_WEIGHT
    assert network_weight(certain[:2], certain[:2], lines[:2]) == 0.0
    less = certain - [0, 0, 0.01]  # so is furniture to the network
    assert network_weight(certain, less, lines) == 0.0


@pytest.mark.parametrize(
    ("lines", "family"),
    [
        ([0, 1, 1, 1, 2, 3], False),  # a paragraph, such as census figures in a town's article
        ([0, 1, 1, 2, 2, 3], True),
        ([7, 7, 7, 7, 7, 7], True),  # a text without line breaks
        ([1, 2, 2, 2, 2, 2], True),  # the same below a line of its own
    ],
)
def test_a_family_stands_on_more_than_one_line(lines, family):
    log_odds = np.array([-CERTAIN, CERTAIN, CERTAIN, CERTAIN, -CERTAIN, -CERTAIN])
    assert (network_weight(log_odds, log_odds, np.array(lines)) > 0) is family


def test_a_network_raises_and_never_lowers():
    log_odds, first = np.array([0.0, 0.0]), np.array([4.0, -4.0])
    decided = Calibration(1.0, 0.0).decided(log_odds, first, None, weight=0.75)
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


# Two encoders


def test_an_article_s_prose_is_what_both_networks_say_it_is():
    trees, prose = np.array([-3.0, 2.0, 0.5]), np.array([1.0, -4.0, 0.5])
    found = drawn(trees, prose, np.full(3, PROSE))
    np.testing.assert_allclose(found, prose, atol=1e-6)


def test_what_may_be_furniture_is_raised_and_not_lowered():
    """Half of the way up at even odds, and down where they are as low as `RULED_OUT`."""
    trees, prose = np.zeros(100), np.zeros(100)
    furniture = np.full(100, PROSE)
    prose[:3] = [2.0, -2.0, -2.0]
    furniture[:3] = [0.0, 0.0, RULED_OUT]
    expected = (0.5 + float(sigmoid(np.array(RULED_OUT)))) / 100
    kept = np.exp(-expected / FURNISHED)
    found = drawn(trees, prose, furniture)[:3]
    lowered = float(sigmoid(np.array(RULED_OUT)))
    np.testing.assert_allclose(found, np.array([1.0, -2 * lowered, -1.0]) * kept, atol=0.02)


@pytest.mark.parametrize(("share", "way"), [(0.0, 1.0), (FURNISHED, np.exp(-1)), (1.0, 0.036)])
def test_of_documents_full_of_furniture_networks_for_prose_say_little(share, way):
    furniture = np.full(1_000, PROSE)
    furniture[: round(1_000 * share)] = FURNITURE
    furniture[-1] = PROSE
    found = drawn(np.zeros(1_000), np.full(1_000, 2.0), furniture)
    assert found[-1] == pytest.approx(2.0 * way, abs=0.01)


def test_of_two_networks_that_of_the_transformer_counts_more():
    both = Verdicts(None, np.array([1.0, -2.0])).mean(np.array([0.0, 3.0]))
    np.testing.assert_allclose(both, [0.6, 0.0], atol=1e-12)
