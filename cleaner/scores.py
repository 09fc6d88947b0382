"""From what trees and networks say of a document's fragments to their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from cleaner.segment import Segments
    from cleaner.topic import Floats

# Where so many fragments are all but certain, a family of intruders is there. Trees that look a few
# more times find its quieter members; without a family, more looks would only feed on their own
# suspicions. A network has seen the family already: what the trees doubt is raised this far towards
# its own verdict, for they learned from networks of some of the sites, and trust the shipped one
# less than it deserves.
FAMILY = 3
CERTAIN = math.log(0.85 / 0.15)  # log-odds
NETWORK_WEIGHT = 0.75
# The same towards the network for furniture, for what it takes for some.
FURNITURE_WEIGHT = 0.5


class ByNetworks(NamedTuple):
    """What the networks add to the trees' log-odds by themselves, each of shape (n,)."""

    first: Floats
    furniture: Floats


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
    """

    slope: float
    intercept: float
    rarity: float = 0.0

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> Self:
        """From a detector's manifest."""
        return cls(**{name: float(figures[name]) for name in cls.__slots__ if name in figures})

    def odds(self, trees: Floats) -> Floats:
        """Log-odds as they hold in the training, from those of the trees."""
        return self.slope * trees + self.intercept

    def by_networks(
        self, odds: Floats, first: Floats, furniture: Floats | None, *, weight: float
    ) -> ByNetworks:
        """What the networks add to the trees' log-odds `odds`.

        Each raises what it is surer of than the trees: the one for foreign prose by `weight` of the
        way, the one for furniture what it takes for some. What is furniture is not rare.
        """
        raised = np.asarray(weight * np.maximum(first - odds, 0.0))
        if furniture is None:
            return ByNetworks(raised, np.full(len(odds), self.rarity))
        surer = FURNITURE_WEIGHT * np.maximum(furniture - odds - raised, 0.0)
        return ByNetworks(
            raised, np.where(furniture > 0, surer, 0.0) + self.rarity * sigmoid(furniture)
        )

    def decided(
        self, odds: Floats, first: Floats, furniture: Floats | None, *, weight: float
    ) -> Floats:
        """Log-odds of trees and networks together, shape (n,)."""
        return np.asarray(
            odds + sum(self.by_networks(odds, first, furniture, weight=weight)) - self.rarity
        )


def network_weight(odds: Floats, first: Floats) -> float:
    """How far a document's fragments are raised towards the network for foreign prose, 0 to 1.

    Both trees and network are certain of a family's members; of furniture the network is not.
    """
    certain = (odds >= CERTAIN) & (first >= CERTAIN)
    return NETWORK_WEIGHT if np.count_nonzero(certain) >= FAMILY else 0.0


def of_one_piece(scores: Floats, segments: Segments) -> Floats:
    """Raise a sentence to what its line as a whole scores: a foreign line goes whole.

    The line's score is the mean log-odds of its sentences, weighted by their length. A foreign
    sentence in a line that belongs leaves its neighbours where they are.
    """
    _, line = np.unique(segments.lines, return_inverse=True)
    lengths = (segments.ends - segments.starts).astype(np.float64)
    bounded = np.clip(scores, 1e-6, 1 - 1e-6)
    odds = np.log(bounded / (1 - bounded))
    mean = np.bincount(line, odds * lengths) / np.bincount(line, lengths)
    return np.asarray(np.maximum(scores, sigmoid(mean[line]) * (scores > 0)))


def sigmoid(odds: Floats) -> Floats:
    """Probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -60, 60))))
