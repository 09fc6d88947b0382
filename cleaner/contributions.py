"""What each piece of evidence adds to a score: Shapley values of the detector's two passes.

Of trees the values are those of TreeSHAP in its path-dependent form (Lundberg et al., "From local
explanations to global understanding with explainable AI for trees", Nature Machine Intelligence
2, 2020): a piece of evidence that is left out is averaged over, each branch weighing what it
weighed in training. They are the only ones that add up to the score, treat like evidence alike, and
give nothing to evidence that changes nothing.

Each is computed as the integral of the multilinear extension (Owen, "Multilinear extensions of
games", Management Science 18, 1972), a polynomial, by a quadrature that is exact for its degree:
plain array arithmetic in place of TreeSHAP's recursion.

Of a network, which is no sum over leaves, they are estimated, for whole kinds of evidence, by the
orders in which these can become known (Castro, Gomez and Tejada, "Polynomial calculation of the
Shapley value based on sampling", Computers and Operations Research 36, 2009).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleaner.network import Fragments, Network
    from cleaner.topic import Floats

OWN = "own verdict"  # what the pass before said of the fragment itself
TOPIC, FORM, WORDING, TITLE = "topic", "form", "wording", "title"
FAMILY, FURNITURE = "family", "furniture of pages"  # the second one as its network knows it
SHARED_WORDS, REPETITION, PLACE = "shared words", "repetition", "place"
NEIGHBOURS, DOCUMENT = "neighbours", "document"
REST = "rest of its line"
LIKENESS = "likeness"  # the fragments' own vectors: what each is like, and like which others
_CELLS = 1 << 21  # numbers held at once for a block of fragments
_PAIRS = 16  # orders, each with its reverse, in which a network's pass is taken apart at most
_WORK = 2_000  # fragments times such pairs of orders: bounds the time where there are many


# --- kinds of evidence ---------------------------------------------------------------------------

# The first pattern that matches a piece of evidence whole says its kind.
_KINDS = (
    (OWN, r"first"),
    ("suspects around it", r"first_(previous|next|two_.*|within_.*)|suspected_(before|after)"),
    ("trusted around it", r"trusted_(before|after)|outside_trusted"),
    ("suspects in the document", r"first_document(_words)?"),
    (FAMILY, r"suspected_ratio|families_ratio|closest_suspect|trusted_ratio"),
    (FURNITURE, r"furniture(_.*)?"),
    (REST, r"line_(topic_ratio|rare_shared|wording)|first_line(_odds)?"),
    (TITLE, r"title_.*|rare_in_title"),
    (NEIGHBOURS, r"(previous|next)_.*|.*_within_\d+|running_text_.*"),
    (TOPIC, r"topic_.*|nearest_\d+"),
    (SHARED_WORDS, r"rare_.*"),
    (WORDING, r"wording(_vector)?"),
    (REPETITION, r"repeated|same_opening"),
    (PLACE, r"position|from_start|from_end|words_before|blank_.*|in_line|line_(size|words)"),
    (DOCUMENT, r"document_.*"),
)
# What evidence on the rest of the line tells of a fragment that has the line to itself.
_ALONE = {
    "line_topic_ratio": TOPIC,
    "line_rare_shared": SHARED_WORDS,
    "line_wording": WORDING,
    "first_line": OWN,
    "first_line_odds": OWN,
}


@cache
def kind_of(name: str, *, alone: bool = False) -> str:
    """The kind of a piece of evidence.

    Parameters
    ----------
    name
        Its name.
    alone
        Whether the fragment has its line to itself: what is then said of its line is said of it.
    """
    if alone and name in _ALONE:
        return _ALONE[name]
    for kind, pattern in _KINDS:
        if re.fullmatch(pattern, name):
            return kind
    return FORM


# --- what is handed on ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FirstPass:
    """A pass over the fragments of a document before anything was suspected, as sums.

    Attributes
    ----------
    base
        Log-odds before any evidence is known.
    values
        Log-odds, shape (n, k): a row and `base` add up to the verdict. Of trees k pieces of
        evidence, in their order; of a network the k `kinds`.
    kinds
        The kinds of evidence that a network was told; None where trees looked.
    """

    base: float
    values: Floats
    kinds: tuple[str, ...] | None = None

    def mixed(self, other: FirstPass, share: float) -> FirstPass:
        """The pass of two networks told the same kinds of evidence; `other` has this share, 0 to 1.

        Raises
        ------
        ValueError
            If they were told other kinds.
        """
        if self.kinds is None or self.kinds != other.kinds:
            raise ValueError(f"of other evidence: {self.kinds} and {other.kinds}")
        base = (1 - share) * self.base + share * other.base
        return FirstPass(base, (1 - share) * self.values + share * other.values, self.kinds)


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each piece of evidence adds to the scores of a document's n fragments, in log-odds.

    Attributes
    ----------
    names
        Names of the evidence, m of them; those before "first" are what the first pass has.
    first
        The first pass.
    base, last
        The last pass, which sees the verdicts of the one before, calibrated: log-odds before any
        evidence, and shape (n, m).
    line
        Shape (n,), 0 upward: how far the line as a whole raises the fragment. `base`, `last`
        and `line` together are the log-odds of the score.
    """

    names: tuple[str, ...]
    first: FirstPass
    base: float
    last: Floats
    line: Floats


# --- trees ---------------------------------------------------------------------------------------


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
        """Take the trees from the arrays that `cleaner.training.trees.BoostedTrees` gives.

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


# --- a network -----------------------------------------------------------------------------------


def shapley_by_kind(
    network: Network, fragments: Fragments, names: Sequence[str], verdicts: Floats
) -> FirstPass:
    """Shapley values of a network's verdicts, for whole kinds of evidence.

    The values are the mean over some orders, drawn with a fixed seed, in which the kinds become
    known for all fragments at once. Each order comes with its reverse: what comes early in the one
    comes late in the other. The changes along an order add up to the verdict, so the values do,
    whatever the orders. There are 32 orders, fewer from 126 fragments on, and two from 1,001 on.

    What is not known is as it is on average in training: evidence is its mean, vectors and
    phrases are nought, and a line holds one fragment. That the fragments have an order, and how
    much each has to say, is always known.

    Parameters
    ----------
    network
        The network.
    fragments
        What it is told of a document, n fragments.
    names
        Names of the evidence.
    verdicts
        Its log-odds, shape (n,).
    """
    game = _Game.of(network, fragments, names)
    nothing = float(game.log_odds(frozenset()).mean())  # of like fragments: all say the same
    values = np.zeros((len(fragments), len(game.kinds)))
    orders = _orders(len(game.kinds), max(1, min(_PAIRS, _WORK // len(fragments))))
    for order in orders:
        before = np.full(len(fragments), nothing)
        for number, last in enumerate(order, 1):
            whole = number == len(order)
            after = verdicts if whole else game.log_odds(frozenset(order[:number]))
            values[:, last] += (after - before) / len(orders)
            before = after
    return FirstPass(nothing, values, game.kinds)


def _orders(count: int, pairs: int) -> list[list[int]]:
    """Orders of `count` things, each followed by its reverse; always the same ones."""
    generator = np.random.default_rng(0)
    drawn = [generator.permutation(count).tolist() for _ in range(pairs)]
    return [order for one in drawn for order in (one, one[::-1])]


@dataclass(frozen=True, slots=True)
class _Game:
    """What a network says where only some kinds of evidence are known.

    Attributes
    ----------
    kinds
        All kinds.
    owners
        Shape (inputs,): the kind, by its number, of each number that enters of a fragment.
    """

    network: Network
    fragments: Fragments
    kinds: tuple[str, ...]
    owners: npt.NDArray[np.int64]

    @classmethod
    def of(cls, network: Network, fragments: Fragments, names: Sequence[str]) -> Self:
        """The game of a document; `names` are those of the evidence."""
        inputs = [kind_of(name) for name in names]
        inputs += [LIKENESS] * fragments.vectors.shape[1]
        inputs += [WORDING] * network.phrases.vectors.shape[1]
        inputs += [TITLE] * (len(network.entry) - 1 - len(inputs))
        kinds = tuple(dict.fromkeys(inputs))
        return cls(network, fragments, kinds, np.array([kinds.index(kind) for kind in inputs]))

    def log_odds(self, known: frozenset[int]) -> Floats:
        """The verdicts where the kinds of these numbers are known, shape (n,)."""
        # Zeroing an input's weight is zeroing the input: the mean of what is standardised.
        entry = self.network.entry.copy()
        entry[:-1] *= np.isin(self.owners, list(known))[:, None]
        return replace(self.network, entry=entry).log_odds(
            self._masked({self.kinds[k] for k in known})
        )

    def _masked(self, known: set[str]) -> Fragments:
        """What a pair of fragments has in common, as far as it is known."""
        told = self.fragments
        if LIKENESS not in known:
            told = replace(told, vectors=np.zeros_like(told.vectors))
        if TOPIC not in known:
            told = replace(told, points=np.zeros_like(told.points))
        if REST not in known:
            told = replace(told, lines=np.arange(len(told)))
        return told
