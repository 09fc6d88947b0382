"""Named evidence for each fragment of a document, as one matrix.

Computed for several documents at once, and yet a function of each document alone: the same document
gives the same numbers whatever is processed beside it.
"""

# ruff: noqa: RUF001  # the characters are meant as they stand

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cleaner import words as vocabulary
from cleaner.layout import Layout
from cleaner.topic import Floats, TopicModel
from cleaner.words import Lexicon, Terms, Words

if TYPE_CHECKING:
    from cleaner.encoders import Vectors
    from cleaner.segment import Segments

Columns = dict[str, Floats]
_COUNTED = 8_192  # fragments whose characters are counted at once
_ROWS = 8_192  # fragments at once: bounds the memory
_LANDMARKS = 512  # fragments that graph evidence compares with: keeps cost linear in length
_NEAREST = {"nearest_1": 1, "nearest_3": 3, "nearest_8": 8}  # name: fragments compared with
_WEIGHTY = 12  # words from which a fragment has full weight in the topic
LEAST_WEIGHT = 0.02  # in the topic, of a fragment without words
_SHORT = 8  # words below which a fragment is no full sentence
_TRUSTED, _TRUSTED_WEIGHT = 0.2, 0.6  # first-pass probability below, and weight above
_POSSIBLE, _SUSPECTED = 0.3, 0.8  # first-pass probabilities above
_MOST_SUSPECTS = 64  # that a fragment is compared with: keeps cost linear in length
_FULL_LINE = 12  # words from which a fragment with a full stop counts as running text

_CLASSES = (
    "upper", "lower", "letter", "digit", "space", "stop", "comma", "colon", "quote", "bracket",
    "bar", "dash", "symbol", "point",
)  # fmt: skip
_CODE = {name: index for index, name in enumerate(_CLASSES, start=1)}
_MEMBERS = {
    "stop": ".!?…。！？؟।",
    "comma": ",;，、؛،",
    "colon": ":：",
    "quote": "\"'“”‘’„«»「」『』",
    "bracket": "()[]{}（）【】",
    "bar": "|›>‹<•·←→↑↓/\\_~*#+=▶►■●",
    "dash": "-–—‐",
    "symbol": "©®™$€£%&@",
}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What evidence needs beside the document: everything learned, nothing of other documents.

    Attributes
    ----------
    topic
        The two-covariance model of the encoder.
    frequency
        float32, shape (BUCKETS,): inverse document frequency of hashed words.
    wording
        float32, shape (BUCKETS,): weight of each hashed term, higher: more like furniture.
    wording_bias
        Intercept of the wording model.
    wording_vector
        float32, shape (dimensions + 1,): the same from the fragment's vector, bias last.
    """

    topic: TopicModel
    frequency: npt.NDArray[np.float32]
    wording: npt.NDArray[np.float32]
    wording_bias: float
    wording_vector: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A document with at least one fragment, cut and encoded.

    Attributes
    ----------
    segments
        The fragments, n of them.
    vectors
        Shape (n, dimensions).
    title
        The title's text, for the words it shares with fragments; empty without one.
    title_vector
        Shape (dimensions,), or None without a title.
    """

    segments: Segments
    vectors: Vectors
    title: str = ""
    title_vector: Vectors | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """The fragments of one or several documents as the first pass saw them.

    The second pass builds on it.

    Attributes
    ----------
    columns
        Evidence by name, each of shape (n,).
    points
        Projected vectors, shape (n, k).
    vectors
        Unit vectors, shape (n, dimensions).
    weights
        Weight of each fragment by its length, 0 to 1, shape (n,).
    layout
        Which fragments are of which document.
    terms
        Their words and pairs of words.
    """

    columns: Columns
    points: Floats
    vectors: Vectors
    weights: Floats
    layout: Layout
    terms: Terms

    def matrix(self) -> npt.NDArray[np.float64]:
        """All columns side by side, shape (n, number of names), rounded to 9 digits.

        Rounding takes away what differs between two orders of the same sum.
        """
        return self._rows(slice(None))

    def blocks(self) -> Iterator[npt.NDArray[np.float64]]:
        """`matrix` in blocks of rows, which bounds the memory that a long document takes."""
        for at in range(0, len(self.weights), _ROWS):
            yield self._rows(slice(at, at + _ROWS))

    def _rows(self, rows: slice) -> npt.NDArray[np.float64]:
        matrix = np.stack([values[rows] for values in self.columns.values()], axis=1)
        return np.round(matrix, 9, out=matrix)

    def __iter__(self) -> Iterator[Observed]:
        """Each document by itself; its arrays are views of these."""
        for extent in self.layout:
            yield Observed(
                {name: values[extent] for name, values in self.columns.items()},
                self.points[extent],
                self.vectors[extent],
                self.weights[extent],
                Layout.of([self.layout.lines[extent]]),
                self.terms.part(extent),
            )


def observe(documents: Sequence[Encoded], *, knowledge: Knowledge, lexicon: Lexicon) -> Observed:
    """First-pass evidence of documents, at least one."""
    layout = Layout.of([document.segments.lines for document in documents])
    texts = [text for document in documents for text in document.segments.texts]
    found = lexicon.words([*texts, *(document.title for document in documents)])
    body = _first(found, len(texts))
    weights = np.minimum(body.counts / _WEIGHTY, 1.0)
    vectors = np.concatenate([document.vectors for document in documents])
    points = np.concatenate([knowledge.topic.project(d.vectors) for d in documents])
    columns: Columns = {}
    columns |= _form(documents, layout, texts, body)
    columns |= _topic(documents, layout, points, weights, knowledge.topic)
    columns |= _lexical(found, layout, knowledge.frequency)
    terms = body.terms()
    columns |= _wording(documents, terms, knowledge)
    columns |= _repetition(texts, body, layout)
    columns |= _position(documents, body, layout)
    columns |= _line(layout, columns)
    columns |= _neighbours(columns, layout)
    columns |= _whole(documents, columns, layout)
    return Observed(columns, points, vectors, weights, layout, terms)


def review(
    observed: Observed, first: Floats, furniture: Floats | None = None, *, knowledge: Knowledge
) -> Observed:
    """Second-pass evidence: the first, and what its verdicts say about the neighbourhood.

    Parameters
    ----------
    first
        Probabilities of the first pass, 0 to 1, shape (n,).
    furniture
        Log-odds of the network for furniture, shape (n,); None in a detector without one.
    """
    columns = dict(observed.columns)
    columns |= _verdicts(first, observed.weights, observed.layout)
    columns |= _line_verdicts(first, observed)
    columns |= _families(observed, first, knowledge.topic)
    if furniture is not None:
        columns |= _furniture(furniture, observed.layout)
    return replace(observed, columns=columns)


def _first(found: Words, count: int) -> Words:
    """The words of the first `count` texts."""
    total = int(found.counts[:count].sum())
    return Words(found.keys[:total], found.flags[:total], found.owner[:total], found.counts[:count])


# Form


@cache
def _class_of() -> npt.NDArray[np.uint8]:
    """Character class of every code point of the basic plane; 0 for none of them."""
    table = np.zeros(0x10000, dtype=np.uint8)
    by_category = {"Lu": "upper", "Ll": "lower", "Lo": "letter", "Nd": "digit", "Zs": "space"}
    for code in range(0x10000):
        category = unicodedata.category(chr(code))
        name = by_category.get(category, "point" if category[0] in "PS" else "")
        table[code] = _CODE.get(name, 0)
    for name, members in _MEMBERS.items():
        for member in members:
            table[ord(member)] = _CODE[name]
    return table


def _form(documents: Sequence[Encoded], layout: Layout, texts: list[str], body: Words) -> Columns:
    text = "".join(document.segments.text for document in documents)
    offsets = np.cumsum([0, *(len(document.segments.text) for document in documents)])
    base = offsets[layout.owner]
    starts = np.concatenate([document.segments.starts for document in documents]) + base
    ends = np.concatenate([document.segments.ends for document in documents]) + base
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    classes = _class_of()[np.minimum(codes, 0xFFFF)]
    lengths = (ends - starts).astype(np.float64)
    columns: Columns = {"length": np.log1p(lengths), "words": np.log1p(body.counts)}
    counts = _class_counts(classes, starts, ends)
    for name, code in _CODE.items():
        columns[name] = counts[:, code] / lengths
    opening = classes[starts]
    closing = classes[ends - 1]
    before = classes[np.maximum(ends - 2, starts)]
    wrapped = np.isin(closing, (_CODE["quote"], _CODE["bracket"]))
    stop = _CODE["stop"]
    columns["full_stop"] = ((closing == stop) | (wrapped & (before == stop))).astype(np.float64)
    for name in ("lower", "upper", "digit", "quote", "bracket", "bar", "dash"):
        columns[f"opens_{name}"] = (opening == _CODE[name]).astype(np.float64)
    for name in ("colon", "bracket", "bar", "quote"):
        columns[f"closes_{name}"] = (closing == _CODE[name]).astype(np.float64)
    last = codes[ends - 1]
    columns["question"] = _any_of(last, "?？")
    columns["exclamation"] = _any_of(last, "!！")
    columns["ellipsis"] = np.array([t.endswith(("...", "…")) for t in texts], dtype=np.float64)
    columns["address"] = np.array(
        ["http" in t or "www." in t or ".com" in t for t in texts], dtype=np.float64
    )
    columns["stop_words"] = body.share(vocabulary.STOP)
    columns["capitals"] = body.share(vocabulary.CAPITAL)
    columns["upper_words"] = body.share(vocabulary.UPPER)
    columns["numbers"] = body.share(vocabulary.NUMBER)
    columns["word_length"] = lengths / np.maximum(body.counts, 1)
    return columns


def _class_counts(
    classes: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """How many characters of each class a fragment holds, shape (n, number of classes + 1)."""
    width = len(_CLASSES) + 1
    counts = np.empty((len(starts), width), dtype=np.int64)
    for at in range(0, len(starts), _COUNTED):  # bounds the memory
        block = slice(at, at + _COUNTED)
        first = starts[at]
        # Fragments and the gaps before them in turn; what stands behind the last one is left out.
        edges = np.stack([starts[block], ends[block]], axis=1).ravel() - first
        piece = np.repeat(np.arange(len(edges)) * width, np.diff(edges, prepend=0))
        piece += classes[first : first + len(piece)]
        counted = np.bincount(piece, minlength=len(edges) * width)
        counts[block] = counted.reshape(-1, 2, width)[:, 1]
    return counts


def _any_of(codes: npt.NDArray[np.uint32], characters: str) -> Floats:
    return np.isin(codes, [ord(character) for character in characters]).astype(np.float64)


# Topic


def _topic(
    documents: Sequence[Encoded],
    layout: Layout,
    points: Floats,
    weights: Floats,
    model: TopicModel,
) -> Columns:
    names = ("topic_ratio", "topic_ratio_naive", "topic_cosine", "title_cosine", "title_ratio")
    columns: Columns = {name: np.zeros(len(layout)) for name in (*names, *_NEAREST)}
    trust = np.empty(len(layout))
    # Matrix products a document: their last bits depend on the shape of the matrices.
    for document, extent in zip(documents, layout, strict=True):
        found, trust[extent] = _topic_of(document, points[extent], weights[extent], model)
        for name, values in found.items():
            columns[name][extent] = values
    ratios = columns["topic_ratio"]
    deviations = (ratios - layout.mean(ratios)[layout.owner]) ** 2
    spread = np.sqrt(layout.mean(deviations)) + 1.0
    mass = trust + 1e-6
    middle = (layout.total(ratios * mass) / layout.total(mass))[layout.owner]
    return {
        "topic_ratio": ratios,
        "topic_ratio_naive": columns["topic_ratio_naive"],
        "topic_ratio_relative": (ratios - middle) / spread[layout.owner],
        "topic_cosine": columns["topic_cosine"],
        "topic_trust": trust / (weights + LEAST_WEIGHT),
        "topic_document": middle,
        "topic_norm": np.log1p(np.einsum("ij,ij->i", points, points)),
        "title_cosine": columns["title_cosine"],
        "title_ratio": columns["title_ratio"],
        **{name: columns[name] for name in _NEAREST},
    }


def _topic_of(
    document: Encoded, points: Floats, weights: Floats, model: TopicModel
) -> tuple[Columns, Floats]:
    """How the fragments of one document fit its topic, and the trust that each ended up with."""
    vectors, title = document.vectors, document.title_vector
    title_point = None if title is None else model.project(title[None])[0]
    ratios, naive, trust = model.ratios(points, weights + LEAST_WEIGHT, title=title_point)
    found: Columns = {
        "topic_ratio": ratios,
        "topic_ratio_naive": naive,
        "topic_cosine": _cosine_to_the_rest(vectors, trust),
        **_graph(vectors, weights),
    }
    if title is not None and title_point is not None:
        found["title_cosine"] = (vectors @ title).astype(np.float64)
        found["title_ratio"] = model.log_likelihood_ratio(points, title_point[None], np.ones(1))
    return found, trust


def untitled_ratios(observed: Observed, model: TopicModel) -> Floats:
    """The ``topic_ratio`` of one document's fragments as it is without its title, shape (n,)."""
    return model.ratios(observed.points, observed.weights + LEAST_WEIGHT)[0]


def _cosine_to_the_rest(vectors: Vectors, trust: Floats) -> Floats:
    """Cosine of each fragment to the sum of all others, each with its trust."""
    centre = trust @ vectors
    found = np.empty(len(vectors))
    for at in range(0, len(vectors), _ROWS):
        rows = slice(at, at + _ROWS)
        others = centre - trust[rows, None] * vectors[rows]
        norms = np.maximum(np.linalg.norm(others, axis=1), 1e-12)
        found[rows] = np.einsum("ij,ij->i", others, vectors[rows]) / norms
    return found


def _graph(vectors: Vectors, weights: Floats) -> Columns:
    """Mean cosine to the closest fragments, short fragments counted less."""
    count = len(vectors)
    landmarks = np.unique(np.linspace(0, count - 1, min(count, _LANDMARKS)).astype(np.int64))
    nearest = np.zeros((count, len(_NEAREST)))
    weighty = weights[landmarks].astype(np.float32)
    for at in range(0, count, 1024):  # blocks bound the memory
        similar = vectors[at : at + 1024] @ vectors[landmarks].T * weighty
        inside = (landmarks >= at) & (landmarks < at + 1024)
        similar[landmarks[inside] - at, np.flatnonzero(inside)] = -1.0
        closest = -np.partition(-similar, min(8, len(landmarks) - 1), axis=1)[:, :8]
        closest = -np.sort(-closest, axis=1)
        for column, size in enumerate(_NEAREST.values()):
            nearest[at : at + 1024, column] = closest[:, :size].mean(axis=1)
    return {name: nearest[:, column] for column, name in enumerate(_NEAREST)}


# Words


def _lexical(found: Words, layout: Layout, frequency: npt.NDArray[np.float32]) -> Columns:
    """How much of a fragment's rare vocabulary the rest of the document shares.

    `found` are the words of all fragments, and behind them those of each document's title.
    """
    count = len(layout)
    document = np.concatenate([layout.owner, np.arange(len(layout.sizes))])
    carries = (found.flags & vocabulary.CONTENT) > 0
    owner = found.owner[carries]
    # A word is another one in each document.
    keys = found.keys[carries].astype(np.int64) + (document[owner] << 32)
    distinct, inverse = np.unique(keys, return_inverse=True)
    # One entry for a word in a fragment, however often it stands there.
    entries = np.unique(owner * max(len(distinct), 1) + inverse)
    fragment, word = np.divmod(entries, max(len(distinct), 1))
    spread = np.bincount(word, minlength=len(distinct))
    rarity = frequency[distinct % vocabulary.BUCKETS].astype(np.float64)
    in_title = np.zeros(len(distinct), dtype=bool)
    in_title[word[fragment >= count]] = True
    inside = fragment < count
    fragment, word = fragment[inside], word[inside]
    others = spread[word] - 1

    def total(values: Floats) -> Floats:
        return np.bincount(fragment, values, minlength=count).astype(np.float64)

    weight = rarity[word]
    everything = total(weight)
    safe = np.maximum(everything, 1e-9)
    strongest = np.zeros(count)
    np.maximum.at(strongest, fragment, weight * (others > 0))
    return {
        "rare_words": everything,
        "rare_shared": total(weight * (others > 0)) / safe,
        "rare_shared_often": total(weight * np.minimum(others, 4) / 4) / safe,
        "rare_strongest": strongest,
        "rare_alone": total(weight * (others == 0)),
        "rare_in_title": total(weight * in_title[word]) / safe,
    }


def _wording(documents: Sequence[Encoded], terms: Terms, knowledge: Knowledge) -> Columns:
    """Log-odds that the wording is furniture's, from hashed terms and from the vector."""
    buckets, owner = terms.buckets()
    sums = np.bincount(owner, knowledge.wording[buckets], minlength=len(terms.counts))
    weights = knowledge.wording_vector.astype(np.float64)
    by_vector = [document.vectors @ weights[:-1] + weights[-1] for document in documents]
    return {
        "wording": sums / np.sqrt(2 * terms.counts + 1) + knowledge.wording_bias,
        "wording_vector": np.concatenate(by_vector),
    }


def _repetition(texts: list[str], body: Words, layout: Layout) -> Columns:
    folded = [text.casefold() for text in texts]
    repeated: list[int] = []
    for extent in layout:
        own = folded[extent]
        repeated += map(Counter(own).__getitem__, own)
    openings = np.zeros(len(texts), dtype=np.int64)
    starts = np.cumsum(body.counts) - body.counts
    filled = body.counts > 0
    openings[filled] = body.keys[starts[filled]]
    openings += layout.owner << 32  # a word is another one in each document
    _, inverse, counts = np.unique(openings, return_inverse=True, return_counts=True)
    return {
        "repeated": np.log(repeated),
        "same_opening": counts[inverse] / layout.sizes[layout.owner],
    }


# Place


def _position(documents: Sequence[Encoded], body: Words, layout: Layout) -> Columns:
    sizes = layout.sizes[layout.owner]
    place = layout.place.astype(np.float64)
    words = np.concatenate([[0], np.cumsum(body.counts)])  # whole numbers: exact in any order
    first, last = layout.bounds[layout.owner], layout.bounds[layout.owner + 1]
    through, all_words = words[:-1] - words[first], words[last] - words[first]
    line_sizes = np.bincount(layout.lines)
    begins = np.cumsum(line_sizes) - line_sizes
    lines = [document.segments.lines for document in documents]
    gaps = np.concatenate([np.diff(numbers, prepend=numbers[:1]) for numbers in lines])
    before = np.array(gaps > 1, dtype=np.float64)
    after = np.append(before[1:], 0.0)
    after[layout.bounds[1:] - 1] = 0.0
    return {
        "position": (place + 0.5) / sizes,
        "from_start": np.log1p(place),
        "from_end": np.log1p(sizes - 1 - place),
        "words_before": through / np.maximum(all_words, 1),
        "line_size": np.log(line_sizes[layout.lines]),
        "in_line": (np.arange(len(layout)) - begins[layout.lines]).astype(np.float64),
        "blank_before": before,
        "blank_after": after,
    }


def _line(layout: Layout, columns: Columns) -> Columns:
    """The line that a fragment stands in, and the rest of it: a line is mostly of one piece."""
    mass = np.expm1(columns["words"]) + 0.1
    found: Columns = {"line_words": np.log(np.bincount(layout.lines, mass)[layout.lines])}
    for name in ("topic_ratio", "rare_shared", "wording"):
        found[f"line_{name}"] = layout.rest_of_line(columns[name], mass)
    return found


def _line_verdicts(first: Floats, observed: Observed) -> Columns:
    """The first pass's verdict on the rest of the line."""
    mass = np.expm1(observed.columns["words"]) + 0.1
    return {
        "first_line": observed.layout.rest_of_line(first, mass),
        "first_line_odds": observed.layout.rest_of_line(_log_odds(first), mass),
    }


_LOOKED_AROUND = (
    "words", "full_stop", "topic_ratio", "wording", "wording_vector", "rare_shared", "capitals",
    "stop_words",
)  # fmt: skip
_RADII = (2, 6, 16)


def _neighbours(columns: Columns, layout: Layout) -> Columns:
    own = np.stack([columns[name] for name in _LOOKED_AROUND], axis=1)
    previous, following = layout.shifted(own, 1), layout.shifted(own, -1)
    windows = layout.windows(own, _RADII)
    around: Columns = {}
    for column, name in enumerate(_LOOKED_AROUND):
        around[f"previous_{name}"] = previous[:, column]
        around[f"next_{name}"] = following[:, column]
        for radius, means in zip(_RADII, windows, strict=True):
            around[f"{name}_within_{radius}"] = means[:, column]
    running = (columns["full_stop"] > 0) & (np.expm1(columns["words"]) >= _FULL_LINE - 0.5)
    return around | _distances(running, "running_text", layout)


def _distances(mark: npt.NDArray[np.bool_], name: str, layout: Layout) -> Columns:
    before, after = layout.distances(mark)
    return {f"{name}_before": before, f"{name}_after": after}


def _whole(documents: Sequence[Encoded], columns: Columns, layout: Layout) -> Columns:
    """What kind of document it is: the same for all its fragments."""
    words = np.expm1(columns["words"])
    full = columns["full_stop"] > 0
    titled = [document.title_vector is not None for document in documents]
    values = {
        "document_size": np.log(layout.sizes),
        "document_words": layout.mean(words),
        "document_short": layout.mean(words < _SHORT),
        "document_stops": layout.mean(full),
        "document_running": layout.total(words * full) / np.maximum(layout.total(words), 1.0),
        "document_wording": layout.mean(columns["wording"]),
        "document_titled": np.array(titled, dtype=np.float64),
    }
    return {name: value[layout.owner] for name, value in values.items()}


# Second pass


def _log_odds(probabilities: Floats) -> Floats:
    bounded = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(bounded / np.clip(1 - probabilities, 1e-6, 1 - 1e-6)))


def _verdicts(first: Floats, weights: Floats, layout: Layout) -> Columns:
    log_odds = _log_odds(first)
    mass = weights + 0.05
    weighted = layout.total(first * mass) / layout.total(mass)
    found: Columns = {
        "first": log_odds,
        "first_previous": layout.shifted(log_odds, 1),
        "first_next": layout.shifted(log_odds, -1),
        "first_two_before": layout.shifted(log_odds, 2),
        "first_two_after": layout.shifted(log_odds, -2),
        "first_document": layout.mean(first)[layout.owner],
        "first_document_words": weighted[layout.owner],
    }
    radii = (1, 3, 8, 20)
    for radius, means in zip(radii, layout.windows(first, radii), strict=True):
        found[f"first_within_{radius}"] = means
    trusted = (first < _TRUSTED) & (weights > _TRUSTED_WEIGHT)
    found |= _distances(trusted, "trusted", layout)
    found |= _distances(first > _SUSPECTED, "suspected", layout)
    found["outside_trusted"] = _outside(trusted, layout)
    return found


def _furniture(log_odds: Floats, layout: Layout) -> Columns:
    """What the network for furniture says of a fragment, of those around it, and of them all."""
    probabilities = 1 / (1 + np.exp(-log_odds))
    return {
        "furniture": log_odds,
        "furniture_previous": layout.shifted(log_odds, 1),
        "furniture_next": layout.shifted(log_odds, -1),
        "furniture_document": layout.mean(probabilities)[layout.owner],
    }


def _outside(mark: npt.NDArray[np.bool_], layout: Layout) -> Floats:
    """1 before the first and behind the last marked fragment, 0 where none is marked."""
    sizes = layout.sizes
    low = np.minimum.reduceat(np.where(mark, layout.place, len(layout)), layout.bounds[:-1])
    high = np.maximum.reduceat(np.where(mark, layout.place, -1), layout.bounds[:-1])
    low, high = np.where(high < 0, 0, low), np.where(high < 0, sizes - 1, high)
    outside = (layout.place < low[layout.owner]) | (layout.place > high[layout.owner])
    return outside.astype(np.float64)


def _families(observed: Observed, first: Floats, model: TopicModel) -> Columns:
    """Fit to what the first pass trusts, and to what it suspects: intruders come in families."""
    mass = observed.weights + LEAST_WEIGHT
    trusting, suspecting = mass * (1 - first) ** 2, mass * first**2
    trusted, suspected, closest = (np.zeros(len(first)) for _ in range(3))
    for extent in observed.layout:  # matrix products a document, as in `_topic`
        points = observed.points[extent]
        trusted[extent] = model.log_likelihood_ratio(
            points, points, trusting[extent], leave_out=True
        )
        suspected[extent] = model.log_likelihood_ratio(
            points, points, suspecting[extent], leave_out=True
        )
        closest[extent] = _closest_suspect(observed.vectors[extent], first[extent])
    return {
        "trusted_ratio": trusted,
        "suspected_ratio": suspected,
        "families_ratio": trusted - suspected,
        "closest_suspect": closest,
    }


def _closest_suspect(vectors: Vectors, first: Floats) -> Floats:
    """Highest cosine to a suspect, times the suspicion: 0 to 1, shape (n,)."""
    suspects = np.argsort(-first, kind="stable")[:_MOST_SUSPECTS]
    suspects = suspects[first[suspects] > _POSSIBLE]
    if not len(suspects):
        return np.zeros(len(first))
    similar = (vectors @ vectors[suspects].T).astype(np.float64) * first[suspects]
    similar[suspects, np.arange(len(suspects))] = 0.0
    return np.asarray(similar.max(axis=1))
