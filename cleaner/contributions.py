"""What each piece of evidence adds to a score: Shapley values of the detector's trees.

The values are those of TreeSHAP in its path-dependent form (Lundberg et al., "From local
explanations to global understanding with explainable AI for trees", Nature Machine Intelligence
2, 2020): a piece of evidence that is left out is averaged over, each branch weighing what it
weighed in training. They are the only ones that add up to the score, treat like evidence alike, and
give nothing to evidence that changes nothing.

Each is computed as the integral of the multilinear extension (Owen, "Multilinear extensions of
games", Management Science 18, 1972), a polynomial, by a quadrature that is exact for its degree:
plain array arithmetic in place of TreeSHAP's recursion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleaner.topic import Floats

_CELLS = 1 << 21  # numbers held at once for a block of fragments


@dataclass(frozen=True, slots=True)
class _Paths:
    """The ways from the root to the leaves, of at most `D` pieces of evidence each, L of them.

    A way that asks for one piece of evidence several times holds it once: the value must lie above
    `low` and not above `high`. A slot that is not needed lets every value through and has share 1.

    Attributes
    ----------
    value
        Shape (L,): log-odds of the leaf.
    feature, low, high
        Shape (L, D): which evidence, and between which values the way stays open.
    share
        Shape (L, D): share of the training samples for which this evidence leaves the way open.
    """

    value: Floats
    feature: npt.NDArray[np.int64]
    low: Floats
    high: Floats
    share: Floats


@dataclass(frozen=True, slots=True)
class Trees:
    """A tree ensemble that tells what each piece of evidence contributes.

    Attributes
    ----------
    base
        Log-odds before any evidence is seen: the mean over the training samples.
    names
        How many pieces of evidence the trees were fitted on.
    """

    base: float
    names: int
    _groups: tuple[_Paths, ...]

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]], names: int) -> Self:
        """Take the trees from the arrays that `cleaner.training.trees.tree_arrays` makes.

        How many training samples went which way is not stored. It follows from the mean values,
        for a node's is its children's weighted mean; where both children have one value, both
        count the same.
        """
        starts = arrays["starts"].tolist()
        ways: list[_Way] = []
        base = float(arrays["baseline"][0])
        for start, end in pairwise(starts):
            tree = {name: arrays[name][start:end].tolist() for name in _NODE}
            base += float(tree["value"][0])
            ways += _ways(tree)
        # Ways of like length together: long ones are few, and would make all others wide.
        sizes = sorted({_round_up(len(way.share)) for way in ways})
        groups = tuple(
            _paths([way for way in ways if _round_up(len(way.share)) == size], size)
            for size in sizes
        )
        return cls(base, names, groups)

    def contributions(self, matrix: npt.NDArray[np.float64]) -> Floats:
        """Shapley values of every piece of evidence for every row.

        Parameters
        ----------
        matrix
            Evidence, shape (n, names).

        Returns
        -------
        ndarray
            Log-odds, shape (n, names); positive: speaks for removal. A row and `base` add up to
            what the trees give for the row.
        """
        total = np.zeros((len(matrix), self.names))
        for paths in self._groups:
            rows = max(1, _CELLS // paths.feature.size)
            for at in range(0, len(matrix), rows):
                block = matrix[at : at + rows]
                values = _shapley(paths, block)
                for row, own in enumerate(values):
                    sums = np.bincount(paths.feature.ravel(), own.ravel(), minlength=self.names)
                    total[at + row] += sums
        return total


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each piece of evidence adds to the scores of a document's n fragments, in log-odds.

    Attributes
    ----------
    names
        Names of the evidence, m of them; the first look has the first k.
    first_base, first
        The first look, at each fragment by itself: log-odds before any evidence, and shape (n, k).
        Together they are the log-odds of its verdict. Nought and None where a network looked: its
        verdict is no sum over evidence.
    network
        Shape (n,): log-odds of the network's verdict; None where trees looked first.
    base, last
        The last look, which sees the verdicts of the one before, calibrated: log-odds before any
        evidence, and shape (n, m).
    line
        Shape (n,), 0 upward: how far the line as a whole raises the fragment. `base`, `last` and
        `line` together are the log-odds of the score.
    """

    names: tuple[str, ...]
    first_base: float
    first: Floats | None
    network: Floats | None
    base: float
    last: Floats
    line: Floats


_NODE = ("feature", "threshold", "left", "right", "value")


@dataclass(frozen=True, slots=True)
class _Way:
    """From the root to one leaf: for each evidence asked, the open interval and the share."""

    value: float
    share: dict[int, float]
    low: dict[int, float]
    high: dict[int, float]


def _ways(tree: dict[str, list[Any]]) -> Iterator[_Way]:
    waiting = [(0, _Way(0.0, {}, {}, {}))]
    while waiting:
        node, way = waiting.pop()
        feature = tree["feature"][node]
        if feature < 0:
            yield _Way(tree["value"][node], way.share, way.low, way.high)
            continue
        left, right, threshold = (tree[name][node] for name in ("left", "right", "threshold"))
        share = _left_share(*(tree["value"][at] for at in (node, left, right)))
        high = min(way.high.get(feature, np.inf), threshold)
        low = max(way.low.get(feature, -np.inf), threshold)
        before = way.share.get(feature, 1.0)
        go_left = {**way.share, feature: before * share}
        go_right = {**way.share, feature: before * (1 - share)}
        waiting.append((left, _Way(0.0, go_left, way.low, {**way.high, feature: high})))
        waiting.append((right, _Way(0.0, go_right, {**way.low, feature: low}, way.high)))


def _left_share(value: float, left: float, right: float) -> float:
    """Share of a node's samples that go left, 0 to 1, from the mean values."""
    if left == right:
        return 0.5
    return min(max((value - right) / (left - right), 1e-9), 1 - 1e-9)


def _round_up(length: int) -> int:
    return -(-max(length, 1) // 3) * 3


def _paths(ways: list[_Way], size: int) -> _Paths:
    shape = (len(ways), size)
    feature = np.zeros(shape, dtype=np.int64)
    low, high, share = np.full(shape, -np.inf), np.full(shape, np.inf), np.ones(shape)
    for row, way in enumerate(ways):
        for slot, (name, part) in enumerate(way.share.items()):
            feature[row, slot], share[row, slot] = name, part
            low[row, slot] = way.low.get(name, -np.inf)
            high[row, slot] = way.high.get(name, np.inf)
    return _Paths(np.array([way.value for way in ways]), feature, low, high, share)


def _shapley(paths: _Paths, block: npt.NDArray[np.float64]) -> Floats:
    """Each slot's part in each way's leaf, shape (rows, L, D).

    With t the probability that any other piece of evidence is known, a way is worth its leaf times
    the product of (1 - t) * share + t * (1 if the value keeps it open, else 0). The Shapley value
    is the mean over t, 0 to 1, of what knowing this piece as well changes.
    """
    values = block[:, paths.feature]
    change = ((values > paths.low) & (values <= paths.high)) - paths.share
    points, weights = np.polynomial.legendre.leggauss((paths.feature.shape[1] + 1) // 2)
    total = np.zeros_like(change)
    for known, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factors = paths.share + known * change
        whole = factors.prod(axis=2, keepdims=True) * weight
        total += whole / factors
    return np.asarray(total * change * paths.value[:, None])
