"""From what trees and networks say of a document's fragments to their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cleaner.segment import Segments
    from cleaner.topic import Floats

# A document holds a family, several intruders of one origin, where at least FAMILY fragments score
# CERTAIN or above. Without networks the second pass is then repeated on its own output, which finds
# weaker members; without a family that would only amplify false suspicions. With networks, the
# trees' log-odds are moved NETWORK_WEIGHT of the way up to the network's: in training the trees saw
# networks fitted on part of the sites, which are weaker than the shipped one.
FAMILY = 3
CERTAIN = math.log(0.85 / 0.15)  # log-odds
NETWORK_WEIGHT = 0.75
# With the networks of two encoders, the trees' log-odds are pulled towards both (see `drawn`). The
# pull falls by a factor of e for each so large a share of furniture that is expected.
FURNISHED = 0.3
# What it lowers must be no furniture: half of the pull at these log-odds of the furniture network.
RULED_OUT = -4.0
# Furniture comes in company: beside so much of it (expected number) one more is not rarer at all.
COMPANY = 3.0
# What the furniture network is sure of needs no company: half of the penalty at these log-odds.
SURE = 3.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """From what trees add up to, to log-odds that hold where they are used.

    Attributes
    ----------
    slope, intercept
        Platt's calibration.
    rarity
        How much rarer, in log-odds, foreign prose is in the world than in the training, 0 upward.
        Furniture is as frequent in the one as in the other; foreign prose was put into most of the
        articles of the training. What is no furniture needs that much more evidence, as classes do
        whose shares differ from those of the training (Saerens, Latinne and Decaestecker, Neural
        Computation 14, 2002).
    lone
        How much rarer, in log-odds, furniture is in a document that holds no other, 0 upward; less
        so beside some, and not at all beside `COMPANY` of it or where it is sure to be some.
        Nearly all scrapes of the training hold much.
    """

    slope: float
    intercept: float
    rarity: float = 0.0
    lone: float = 0.0

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> Self:
        """From a detector's manifest."""
        return cls(**{name: float(figures[name]) for name in cls.__slots__ if name in figures})

    def log_odds(self, trees: Floats) -> Floats:
        """Log-odds as they hold in the training, from those of the trees."""
        return self.slope * trees + self.intercept

    def rarer(self, log_odds: Floats, prose: Floats, furniture: Floats | None) -> Floats:
        """By how much `log_odds` that hold in the training are lower in the world: shape (n,).

        What the network for furniture, by its log-odds, takes for some is rare where there is no
        other, unless it is sure of that or the network for foreign `prose` is certain;
        everything else is rare anyway.
        """
        if furniture is None:
            return np.zeros(len(log_odds))
        rarity = self.rarity * sigmoid(-furniture)
        likely = sigmoid(log_odds - rarity) * sigmoid(furniture)  # that it goes, and is furniture
        others = likely.sum() - likely
        alone = np.clip(1 - others / COMPANY, 0, 1)
        alone *= sigmoid(furniture) * sigmoid(SURE - furniture) * sigmoid(CERTAIN - prose)
        return np.asarray(rarity + self.lone * alone)

    def decided(
        self, log_odds: Floats, prose: Floats, furniture: Floats | None, *, weight: float
    ) -> Floats:
        """Log-odds of trees and networks together, shape (n,), from the trees' `log_odds`."""
        boost, penalty = self.adjustments(log_odds, prose, furniture, weight=weight)
        return log_odds + boost - penalty

    def adjustments(
        self, log_odds: Floats, prose: Floats, furniture: Floats | None, *, weight: float
    ) -> tuple[Floats, Floats]:
        """By how much the network for `prose` raises `log_odds`, and rarity then lowers them."""
        boost = raised(log_odds, prose, weight)
        return boost, self.rarer(log_odds + boost, prose, furniture)


def raised(log_odds: Floats, prose: Floats, weight: float) -> Floats:
    """How far the network's `prose` raises the trees' `log_odds` where it is surer: by `weight`."""
    return np.asarray(weight * np.maximum(prose - log_odds, 0.0))


def network_weight(log_odds: Floats, prose: Floats, lines: npt.NDArray[np.int64]) -> float:
    """How far a document's fragments are raised towards the network for foreign prose, 0 to 1.

    Both trees and network are certain of a family's members; of furniture the network is not. The
    sentences of one paragraph are alike because they belong together: a family stands on several
    `lines`, or on one that holds most of the document's fragments and so is no paragraph.

    Parameters
    ----------
    log_odds, prose
        Log-odds of the trees, and of the network for foreign prose, shape (n,).
    lines
        Number of the line that each fragment stands on, shape (n,).
    """
    certain = (log_odds >= CERTAIN) & (prose >= CERTAIN)
    if np.count_nonzero(certain) < FAMILY:
        return 0.0
    own = lines[certain]
    paragraph = (own == own[0]).all() and 2 * np.count_nonzero(lines == own[0]) <= len(lines)
    return 0.0 if paragraph else NETWORK_WEIGHT


def drawn(log_odds: Floats, prose: Floats, furniture: Floats) -> Floats:
    """The trees' `log_odds` drawn towards those of the networks of two encoders, shape (n,).

    The trees know one of the two networks, and trust it less than both deserve. But networks for
    foreign prose have learned from articles: of furniture, and in documents full of it, they say
    little.

    Parameters
    ----------
    log_odds, prose
        Log-odds of the trees, and of the networks for foreign prose, shape (n,).
    furniture
        Log-odds of the network for furniture, shape (n,).
    """
    least = np.where(prose > log_odds, 0.0, RULED_OUT)
    pull = sigmoid(least - furniture) * np.exp(-sigmoid(furniture).mean() / FURNISHED)
    return np.asarray(log_odds + pull * (prose - log_odds))


def of_one_piece(scores: Floats, segments: Segments) -> Floats:
    """Raise a sentence to what its line as a whole scores: a foreign line goes whole.

    The line's score is the mean log-odds of its sentences, weighted by their length. A foreign
    sentence in a line that belongs does not take its neighbours along.
    """
    _, line = np.unique(segments.lines, return_inverse=True)
    lengths = (segments.ends - segments.starts).astype(np.float64)
    bounded = np.clip(scores, 1e-6, 1 - 1e-6)
    log_odds = np.log(bounded / (1 - bounded))
    mean = np.bincount(line, log_odds * lengths) / np.bincount(line, lengths)
    return np.asarray(np.maximum(scores, sigmoid(mean[line]) * (scores > 0)))


def sigmoid(log_odds: Floats) -> Floats:
    """Probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -60, 60))))
