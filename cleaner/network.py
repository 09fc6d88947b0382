"""The first pass: a small transformer that reads all fragments of a document at once.

Trees see a fragment and a summary of what surrounds it; the network sees every fragment beside
every other one, so it can tell a family of intruders from the article that they lie in. Attention
has no notion of order: what two fragments have to do with each other (cosine, common topic, one
line, neighbours) enters as a bias of their attention (as in "Self-Attention with Relative Position
Representations", Shaw, Uszkoreit and Vaswani, 2018).

It is trained with torch (`cleaner.training.network`) and runs on numpy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cleaner.evidence import Observed
    from cleaner.words import Terms

Array = npt.NDArray[np.float32]
LANDMARKS = 256  # fragments that the others attend to: keeps the cost linear in length
CLIPPED = 4.0  # standard deviations
VECTOR_SCALE = 8.0  # unit vectors have small entries
TITLE_SCALE = 4.0
APART = -4.0  # bias of a fragment's attention to itself
REACH = 3.0  # fragments over which nearness fades by a factor of e
PAIR_FEATURES = 8
_BLOCK = 512  # fragments at once: bounds the memory
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
            evidence=evidence.astype(np.float32),
            vectors=vectors,
            points=(points / np.maximum(lengths, 1e-6)).astype(np.float32),
            weights=observed.weights.astype(np.float32),
            lines=observed.layout.lines,
            title=np.zeros(vectors.shape[1], np.float32) if title is None else title,
            terms=observed.terms,
        )

    def __len__(self) -> int:
        return len(self.weights)

    def pairs(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Array:
        """What each of `rows` has to do with each of `columns`.

        Returns
        -------
        float32, shape (PAIR_FEATURES, len(rows), len(columns))
            Cosine, what of it lies above .2 and above .4, common topic (cosine of the points), one
            line, neighbours, nearness, and how much the column has to say.
        """
        features = np.empty((PAIR_FEATURES, len(rows), len(columns)), dtype=np.float32)
        cosine = self.vectors[rows] @ self.vectors[columns].T
        steps = np.abs(rows[:, None] - columns)
        features[0] = cosine
        features[1] = np.maximum(cosine - 0.2, 0)
        features[2] = np.maximum(cosine - 0.4, 0)
        features[3] = self.points[rows] @ self.points[columns].T
        features[4] = self.lines[rows][:, None] == self.lines[columns]
        features[5] = steps == 1
        features[6] = np.exp(-np.minimum(steps, 60) / REACH)
        features[7] = self.weights[columns]
        return features


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: attention with a bias for each pair, then two dense steps; both add to the state.

    Attributes
    ----------
    norm_attention, norm_dense
        Shape (2, d): scale and shift after normalisation.
    query_key_value, attended, dense_in, dense_out
        Shape (inputs + 1, outputs): weights, bias in the last row.
    pair
        Shape (PAIR_FEATURES + 1, heads): bias of the attention from what a pair has in common.
    """

    norm_attention: Array
    query_key_value: Array
    attended: Array
    pair: Array
    norm_dense: Array
    dense_in: Array
    dense_out: Array

    def keys_and_values(self, states: Array) -> tuple[Array, Array, Array]:
        """Queries, keys and values, shape (heads, n, d / heads) each."""
        heads = self.pair.shape[1]
        mixed = _dense(_normed(states, self.norm_attention), self.query_key_value)
        parts = mixed.reshape(len(states), 3, heads, -1).transpose(1, 2, 0, 3)
        return parts[0], parts[1], parts[2]

    def forward(
        self, states: Array, queries: Array, seen: tuple[Array, Array], bias: Array
    ) -> Array:
        """The next states, from what each attends to in `seen` (keys and values)."""
        keys, values = seen
        logits = (queries * np.float32(1 / np.sqrt(queries.shape[2]))) @ keys.transpose(0, 2, 1)
        logits += bias
        logits -= logits.max(axis=2, keepdims=True)
        np.exp(logits, out=logits)
        mixed = (logits @ values) / logits.sum(axis=2, keepdims=True)
        joined = mixed.transpose(1, 0, 2).reshape(len(states), -1)
        states = states + _dense(joined, self.attended)
        inner = np.maximum(_dense(_normed(states, self.norm_dense), self.dense_in), 0)
        return states + _dense(inner, self.dense_out)


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the wording of a fragment says: a vector for each known term, added up.

    Attributes
    ----------
    known
        uint32, shape (t,): hashes of the known terms, ascending.
    vectors
        Shape (t + 1, p): a vector each; the last one, of all other terms, is zero.
    """

    known: npt.NDArray[np.uint32]
    vectors: Array

    def rows(self, hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Which vector each term has."""
        found = np.searchsorted(self.known, hashes)
        inside = np.flatnonzero(found < len(self.known))
        found[inside[self.known[found[inside]] != hashes[inside]]] = len(self.known)
        return found

    def of(self, terms: Terms) -> Array:
        """The sum over each fragment's terms by the root of their number, shape (n, p)."""
        count = len(terms.counts)
        blocks = (slice(at, min(at + _BLOCK, count)) for at in range(0, count, _BLOCK))
        return np.concatenate([self._of(terms.part(block)) for block in blocks])

    def _of(self, terms: Terms) -> Array:
        starts = np.cumsum(terms.counts) - terms.counts
        pairs = starts + np.arange(len(starts))
        total = np.add.reduceat(self.vectors[self.rows(terms.pairs)], pairs, axis=0)
        filled = np.flatnonzero(terms.counts)
        if len(filled):
            words = self.vectors[self.rows(terms.words)]
            total[filled] += np.add.reduceat(words, starts[filled], axis=0)
        return np.asarray(total / np.sqrt(2 * terms.counts + 1, dtype=np.float32)[:, None])


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
    norm
        Shape (2, d).
    out
        Shape (d + 1, 1).
    """

    phrases: Phrases
    mean: Array
    deviation: Array
    entry: Array
    layers: tuple[Layer, ...]
    norm: Array
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
        phrases = Phrases(known, arrays.get(_OF_PHRASES[1], np.zeros((1, 0))).astype(np.float32))
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

    def odds(self, fragments: Fragments) -> npt.NDArray[np.float64]:
        """Log-odds that a fragment does not belong, shape (n,)."""
        count = len(fragments)
        chosen = np.linspace(0, count - 1, min(count, LANDMARKS)).astype(np.int64)
        phrases = self.phrases.of(fragments.terms)
        states, seen = self._landmarks(fragments, phrases, chosen)
        if len(chosen) < count:
            rows = np.arange(count)
            blocks = (rows[at : at + _BLOCK] for at in range(0, count, _BLOCK))
            states = np.concatenate(
                [self._others(fragments, phrases, b, chosen, seen) for b in blocks]
            )
        odds = _dense(_normed(states, self.norm), self.out)
        return odds[:, 0].astype(np.float64)

    def _landmarks(
        self, fragments: Fragments, phrases: Array, chosen: npt.NDArray[np.int64]
    ) -> tuple[Array, list[tuple[Array, Array]]]:
        """States of the landmarks, which attend to each other, and what others see of them."""
        states = self._enter(fragments, phrases, chosen)
        biases = self._biases(fragments, chosen, chosen)
        seen = []
        for layer, bias in zip(self.layers, biases, strict=True):
            queries, keys, values = layer.keys_and_values(states)
            seen.append((keys, values))
            states = layer.forward(states, queries, seen[-1], bias)
        return states, seen

    def _others(
        self,
        fragments: Fragments,
        phrases: Array,
        rows: npt.NDArray[np.int64],
        chosen: npt.NDArray[np.int64],
        seen: list[tuple[Array, Array]],
    ) -> Array:
        """States of `rows`, which attend to the landmarks."""
        states = self._enter(fragments, phrases, rows)
        biases = self._biases(fragments, rows, chosen)
        for layer, known, bias in zip(self.layers, seen, biases, strict=True):
            queries, _, _ = layer.keys_and_values(states)
            states = layer.forward(states, queries, known, bias)
        return states

    def _biases(
        self,
        fragments: Fragments,
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
    ) -> list[Array]:
        """For each layer the bias of each head's attention, shape (heads, rows, columns)."""
        pairs = fragments.pairs(rows, columns)
        weights = np.concatenate([layer.pair for layer in self.layers], axis=1)
        flat = weights[:-1].T @ pairs.reshape(len(pairs), -1)
        flat += weights[-1][:, None]
        bias = flat.reshape(-1, len(rows), len(columns))
        own, same = np.nonzero(rows[:, None] == columns)
        bias[:, own, same] += np.float32(APART)
        return np.split(bias, len(self.layers))

    def _enter(self, fragments: Fragments, phrases: Array, rows: npt.NDArray[np.int64]) -> Array:
        standard = (fragments.evidence[rows] - self.mean) / self.deviation
        vectors = fragments.vectors[rows]
        titled = (vectors @ fragments.title)[:, None] * np.float32(TITLE_SCALE)
        scaled = vectors * np.float32(VECTOR_SCALE)
        clipped = np.clip(standard, -CLIPPED, CLIPPED)
        return _dense(np.concatenate([clipped, scaled, phrases[rows], titled], axis=1), self.entry)


def _dense(values: Array, weights: Array) -> Array:
    return np.asarray(values @ weights[:-1] + weights[-1])


def _normed(values: Array, scale_and_shift: Array) -> Array:
    centred = values - values.mean(axis=1, keepdims=True)
    variance = np.mean(centred * centred, axis=1, keepdims=True)
    return np.asarray(
        centred / np.sqrt(variance + np.float32(1e-5)) * scale_and_shift[0] + scale_and_shift[1]
    )
