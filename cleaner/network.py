"""The first pass: a small transformer that reads all fragments of a document at once.

Trees see a fragment and a summary of what surrounds it; the network sees every fragment beside
every other one, so it can tell a family of intruders from the article that they lie in. Attention
has no notion of order: what two fragments have to do with each other (cosine, common topic, one
line, neighbours) enters as a bias of their attention (as in "Self-Attention with Relative Position
Representations", Shaw, Uszkoreit and Vaswani, 2018).

It is trained with torch (`cleaner.training.network`) and runs on numpy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cleaner.evidence import Observed
    from cleaner.words import Terms

Array = npt.NDArray[np.float32]
LANDMARKS = 256  # fragments that the others attend to: keeps the cost linear in length
CLIP = 4.0  # standard deviations
VECTOR_SCALE = 8.0  # unit vectors have small entries
TITLE_SCALE = 4.0
SELF_BIAS = -4.0  # bias of a fragment's attention to itself
REACH = 3.0  # fragments over which nearness fades by a factor of e
FARTHEST = 60  # fragments from which on nearness is the same
PAIR_FEATURES = 8
LOGIT_LIMIT = 60.0  # of attention, both ways: a float32 holds the exponential of it
_NEARNESS = np.exp(-np.arange(FARTHEST + 1) / REACH).astype(np.float32)
NORM_EPSILON = 1e-5
_BLOCK = 512  # fragments at once
_OF_PHRASES = ("known_terms", "term_vectors")


@dataclass(frozen=True, slots=True)
class Fragments:
    """What the network is told of the fragments of one document, n of them.

    Attributes
    ----------
    evidence
        Shape (n, number of names): first-pass evidence.
    vectors
        Shape (n, dimensions): unit length or zero.
    points
        Shape (n, k): projected by the topic model, scaled to unit length.
    weights
        Shape (n,): weight by length, 0 to 1.
    lines
        Shape (n,): number of the line.
    title
        Shape (dimensions,): the title's vector; zero without one.
    terms
        Words and pairs of words.
    """

    evidence: Array
    vectors: Array
    points: Array
    weights: Array
    lines: npt.NDArray[np.int64]
    title: Array
    terms: Terms

    @classmethod
    def of(cls, observed: Observed, evidence: npt.NDArray[np.floating], title: Any) -> Self:
        """From the first-pass evidence of one document and its title's vector or None."""
        points = observed.points
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        vectors = observed.vectors.astype(np.float32, copy=False)
        return cls(
            evidence=evidence.astype(np.float32, copy=False),
            vectors=vectors,
            points=(points / np.maximum(lengths, 1e-6)).astype(np.float32),
            weights=observed.weights.astype(np.float32),
            lines=observed.layout.lines,
            title=np.zeros(vectors.shape[1], np.float32) if title is None else title,
            terms=observed.terms,
        )

    def __len__(self) -> int:
        return len(self.weights)

    def pair_features(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Array:
        """What each of `rows` has to do with each of `columns`.

        Returns
        -------
        float32, shape (PAIR_FEATURES + 2, len(rows), len(columns))
            Cosine, what of it lies above .2 and above .4, common topic (cosine of the points), one
            line, neighbours, nearness, and how much the column has to say; then 1 for every pair,
            and whether it is a fragment with itself.
        """
        features = np.empty((PAIR_FEATURES + 2, len(rows), len(columns)), dtype=np.float32)
        steps = np.abs(rows[:, None] - columns)
        np.matmul(self.vectors[rows], self.vectors[columns].T, out=features[0])
        for feature, least in ((1, 0.2), (2, 0.4)):
            np.subtract(features[0], np.float32(least), out=features[feature])
            np.maximum(features[feature], 0, out=features[feature])
        np.matmul(self.points[rows], self.points[columns].T, out=features[3])
        features[4] = self.lines[rows][:, None] == self.lines[columns]
        features[5] = steps == 1
        np.take(_NEARNESS, steps, mode="clip", out=features[6])
        features[7] = self.weights[columns]
        features[8] = 1.0
        features[9] = steps == 0
        return features


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: attention with a bias for each pair, then two dense steps; both add to the state.

    What enters either is normalised; scale and shift of that are part of the weights behind it.

    Attributes
    ----------
    query_key_value, attended, dense_in, dense_out
        Shape (inputs + 1, outputs): weights, bias in the last row.
    pair
        Shape (PAIR_FEATURES + 1, heads): bias of the attention from what a pair has in common.
    """

    query_key_value: Array
    attended: Array
    pair: Array
    dense_in: Array
    dense_out: Array

    def queries_keys_and_values(self, states: Array) -> tuple[Array, Array, Array]:
        """Shape (heads, n, d / heads) each; behind the values a column of ones."""
        heads = self.pair.shape[1]
        mixed = _dense(_layer_normed(states), self.query_key_value)
        queries, keys, own = mixed.reshape(len(states), 3, heads, -1).transpose(1, 2, 0, 3)
        size = queries.shape[2]
        values = np.ones((heads, len(states), size + 1), dtype=np.float32)
        values[:, :, :-1] = own
        return queries * np.float32(1 / np.sqrt(size)), keys, values

    def forward(
        self, states: Array, queries: Array, seen: tuple[Array, Array], bias: Array
    ) -> Array:
        """The next states, from what each attends to in `seen` (keys and values)."""
        keys, values = seen
        logits: Array = queries @ keys.transpose(0, 2, 1)
        logits += bias
        np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT, out=logits)
        np.exp(logits, out=logits)
        mixed: Array = logits @ values  # the column of ones gives the sum of the exponentials
        means = np.asarray(mixed[:, :, :-1] / mixed[:, :, -1:], dtype=np.float32)
        states = states + _dense(means.transpose(1, 0, 2).reshape(len(states), -1), self.attended)
        inner = _dense(_layer_normed(states), self.dense_in)
        np.maximum(inner, 0, out=inner)
        return states + _dense(inner, self.dense_out)


@dataclass(frozen=True, slots=True)
class TermEmbeddings:
    """What the wording of a fragment says: a vector for each known term, added up.

    Attributes
    ----------
    known
        uint32, shape (t,): hashes of the known terms, ascending.
    vectors
        Shape (t + 1, p): a vector each; the last one, of all other terms, is zero.
    prefixes
        bool, shape (65536,): whether a known term's hash begins with these two bytes.
    """

    known: npt.NDArray[np.uint32]
    vectors: Array
    prefixes: npt.NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        prefixes = np.zeros(1 << 16, dtype=np.bool_)
        prefixes[self.known >> np.uint32(16)] = True
        object.__setattr__(self, "prefixes", prefixes)  # frozen: known only now

    def rows(self, hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Which vector each term has."""
        rows = np.full(len(hashes), len(self.known))
        # Few terms are known; most of the others are seen not to be by half of their hash.
        likely = np.flatnonzero(self.prefixes[hashes >> np.uint32(16)])
        found = np.searchsorted(self.known, hashes[likely])
        right = self.known[np.minimum(found, len(self.known) - 1)] == hashes[likely]
        rows[likely[right]] = found[right]
        return rows

    def of(self, terms: Terms) -> Array:
        """The sum over each fragment's terms by the root of their number, shape (n, p)."""
        count = len(terms.counts)
        total = np.zeros((count, self.vectors.shape[1]), dtype=np.float32)
        if len(self.known):
            for hashes, counts in ((terms.words, terms.counts), (terms.pairs, terms.counts + 1)):
                self._add(hashes, np.repeat(np.arange(count), counts), total)
        return np.asarray(total / np.sqrt(2 * terms.counts + 1, dtype=np.float32)[:, None])

    def _add(
        self, hashes: npt.NDArray[np.uint32], owner: npt.NDArray[np.int64], total: Array
    ) -> None:
        rows = self.rows(hashes)
        known = np.flatnonzero(rows < len(self.known))
        owner = owner[known]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        if len(starts):
            total[owner[starts]] += np.add.reduceat(self.vectors[rows[known]], starts, axis=0)


@dataclass(frozen=True, slots=True)
class Network:
    """A trained network.

    Attributes
    ----------
    phrases
        What it knows of wording.
    mean, deviation
        Shape (number of names,): of each kind of evidence in training.
    entry
        Shape (number of names + dimensions + p + 2, d): weights, bias in the last row.
    layers
        The layers, in order.
    out
        Shape (d + 1, 1), of the normalised states.
    """

    phrases: TermEmbeddings
    mean: Array
    deviation: Array
    entry: Array
    layers: tuple[Layer, ...]
    out: Array

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """From the arrays that `to_arrays` gave; a name of a layer begins with its number."""
        own = {n: np.asarray(arrays[n], np.float32) for n in arrays if n not in _OF_PHRASES}
        numbers = sorted({int(name.split("_")[0]) for name in own if name[0].isdigit()})
        layers = tuple(
            Layer(**{name: own[f"{number}_{name}"] for name in Layer.__slots__})
            for number in numbers
        )
        # One that was trained without phrases knows nothing of wording.
        known = arrays.get(_OF_PHRASES[0], np.zeros(0, np.uint32))
        phrases = TermEmbeddings(
            known, arrays.get(_OF_PHRASES[1], np.zeros((1, 0))).astype(np.float32)
        )
        single = {name: own[name] for name in cls.__slots__ if name not in ("phrases", "layers")}
        return cls(phrases=phrases, layers=layers, **single)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All weights by name."""
        names = [name for name in self.__slots__ if name not in ("phrases", "layers")]
        arrays: dict[str, npt.NDArray[Any]] = {name: getattr(self, name) for name in names}
        for number, layer in enumerate(self.layers):
            arrays |= {f"{number}_{name}": getattr(layer, name) for name in Layer.__slots__}
        known, vectors = _OF_PHRASES
        half = self.phrases.vectors.astype(np.float16)  # as which they were rounded in training
        return {**arrays, known: self.phrases.known, vectors: half}

    def log_odds(self, fragments: Fragments) -> npt.NDArray[np.float64]:
        """Log-odds that a fragment does not belong, shape (n,)."""
        return log_odds_of([self], fragments)[0]

    def embedded(self, fragments: Fragments, phrases: Array, rows: npt.NDArray[np.int64]) -> Array:
        """The states of `rows` before the first layer, shape (len(rows), d)."""
        evidence, vectors = fragments.evidence[rows], fragments.vectors[rows]
        inputs = np.empty((len(rows), len(self.entry) - 1), dtype=np.float32)
        names, wide = evidence.shape[1], evidence.shape[1] + vectors.shape[1]
        standard = inputs[:, :names]
        np.subtract(evidence, self.mean, out=standard)
        standard /= self.deviation
        np.clip(standard, -CLIP, CLIP, out=standard)
        np.multiply(vectors, np.float32(VECTOR_SCALE), out=inputs[:, names:wide])
        inputs[:, wide:-1] = phrases[rows]
        inputs[:, -1] = (vectors @ fragments.title) * np.float32(TITLE_SCALE)
        return _dense(inputs, self.entry)

    def self_attended(
        self, states: Array, biases: Sequence[Array]
    ) -> tuple[Array, list[tuple[Array, Array]]]:
        """The last states of fragments that attend to each other, and what others see of them."""
        seen = []
        for layer, bias in zip(self.layers, biases, strict=True):
            queries, *known = layer.queries_keys_and_values(states)
            seen.append((known[0], known[1]))
            states = layer.forward(states, queries, seen[-1], bias)
        return states, seen

    def attended_to(
        self, states: Array, seen: Sequence[tuple[Array, Array]], biases: Sequence[Array]
    ) -> Array:
        """The last states of fragments that attend to others."""
        for layer, known, bias in zip(self.layers, seen, biases, strict=True):
            queries, _, _ = layer.queries_keys_and_values(states)
            states = layer.forward(states, queries, known, bias)
        return states

    def log_odds_from(self, states: Array) -> npt.NDArray[np.float64]:
        """Log-odds from the last states."""
        return _dense(_layer_normed(states), self.out)[:, 0].astype(np.float64)


def log_odds_of(networks: Sequence[Network], fragments: Fragments) -> list[npt.NDArray[np.float64]]:
    """Log-odds of each network that a fragment does not belong, shape (n,) each.

    All fragments attend to the landmarks. What two of them have in common is found once for all
    networks.
    """
    count = len(fragments)
    landmarks = np.linspace(0, count - 1, min(count, LANDMARKS)).astype(np.int64)
    phrases = [network.phrases.of(fragments.terms) for network in networks]
    log_odds = [np.empty(count) for _ in networks]
    biases = _biases(networks, fragments.pair_features(landmarks, landmarks))
    seen = []
    for network, worded, own, bias in zip(networks, phrases, log_odds, biases, strict=True):
        states = network.embedded(fragments, worded, landmarks)
        states, known = network.self_attended(states, bias)
        own[landmarks] = network.log_odds_from(states)
        seen.append(known)
    others = np.setdiff1d(np.arange(count), landmarks, assume_unique=True)
    for at in range(0, len(others), _BLOCK):  # bounds the memory
        rows = others[at : at + _BLOCK]
        biases = _biases(networks, fragments.pair_features(rows, landmarks))
        parts = zip(networks, phrases, log_odds, seen, biases, strict=True)
        for network, worded, own, known, bias in parts:
            states = network.embedded(fragments, worded, rows)
            own[rows] = network.log_odds_from(network.attended_to(states, known, bias))
    return log_odds


def _biases(networks: Sequence[Network], pairs: Array) -> list[list[Array]]:
    """For each layer of each network the bias of each head's attention: (heads, rows, columns)."""
    layers = [layer for network in networks for layer in network.layers]
    weights = np.concatenate([layer.pair for layer in layers], axis=1)
    apart = np.full((1, weights.shape[1]), SELF_BIAS, dtype=np.float32)
    flat = np.concatenate([weights, apart]).T @ pairs.reshape(len(pairs), -1)
    ends = np.cumsum([layer.pair.shape[1] for layer in layers])[:-1]
    each = iter(np.split(flat.reshape(-1, *pairs.shape[1:]), ends))
    return [[next(each) for _ in network.layers] for network in networks]


def _dense(values: Array, weights: Array) -> Array:
    result: Array = values @ weights[:-1]
    result += weights[-1]
    return result


def _layer_normed(values: Array) -> Array:
    """Rows less their mean, over their standard deviation."""
    centred = values - values.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred) / np.float32(values.shape[1])
    return np.asarray(centred / np.sqrt(variance + np.float32(NORM_EPSILON))[:, None])
