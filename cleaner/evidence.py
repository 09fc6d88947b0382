"""Named evidence for each fragment of a document, as one matrix.

Everything here is a function of one document alone: the same document gives the same numbers
whatever is processed beside it.
"""

# ruff: noqa: RUF001  # the characters are meant as they stand

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cleaner import words as vocabulary
from cleaner.topic import Floats, TopicModel
from cleaner.words import Lexicon, Words

if TYPE_CHECKING:
    from cleaner.encoders import Vectors
    from cleaner.segment import Segments

Columns = dict[str, Floats]
_LANDMARKS = 512  # fragments that graph evidence compares with: keeps cost linear in length
_WEIGHTY = 12  # words from which a fragment has full weight in the topic
_SHORT = 8  # words below which a fragment is no full sentence
_TRUSTED, _TRUSTED_WEIGHT = 0.2, 0.6  # first-pass probability below, and weight above
_POSSIBLE, _SUSPECTED = 0.3, 0.8  # first-pass probabilities above
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
class Observed:
    """A document's fragments as the first pass saw them; the second pass builds on it.

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
    lines
        Number of the line of each fragment, 0 upward without gaps, shape (n,).
    """

    columns: Columns
    points: Floats
    vectors: Vectors
    weights: Floats
    lines: npt.NDArray[np.int64]

    def matrix(self) -> npt.NDArray[np.float64]:
        """All columns side by side, shape (n, number of names), rounded to 9 digits.

        Rounding takes away what differs between two orders of the same sum.
        """
        matrix: npt.NDArray[np.float64] = np.stack(list(self.columns.values()), axis=1)
        return np.round(matrix, 9)


def observe(
    segments: Segments,
    vectors: Vectors,
    title_vector: Vectors | None,
    *,
    knowledge: Knowledge,
    lexicon: Lexicon,
    title: str = "",
) -> Observed:
    """First-pass evidence of a document with at least one fragment.

    Parameters
    ----------
    segments
        The fragments, n of them.
    vectors
        Shape (n, dimensions).
    title_vector
        Shape (dimensions,), or None without a title.
    title
        The title's text, for the words it shares with fragments.
    """
    texts = segments.texts
    found = lexicon.words([*texts, title])
    count = len(texts)
    body = _first(found, count)
    weights = np.minimum(body.counts / _WEIGHTY, 1.0)
    points = knowledge.topic.project(vectors)
    title_point = None if title_vector is None else knowledge.topic.project(title_vector[None])[0]
    columns: Columns = {}
    columns |= _form(segments, texts, body)
    columns |= _topic(points, vectors, weights, title_point, title_vector, knowledge.topic)
    columns |= _lexical(found, count, knowledge.frequency)
    columns |= _wording(body, vectors, knowledge)
    columns |= _repetition(texts, body)
    columns |= _position(segments, body)
    columns |= _line(segments, columns)
    columns |= _neighbours(columns)
    columns |= _whole(columns, title_vector is not None)
    lines = np.cumsum(np.diff(segments.lines, prepend=segments.lines[:1]) != 0)
    return Observed(columns, points, vectors, weights, lines)


def review(observed: Observed, first: Floats, *, knowledge: Knowledge) -> Observed:
    """Second-pass evidence: the first, and what its verdicts say about the neighbourhood.

    Parameters
    ----------
    first
        Probabilities of the first pass, 0 to 1, shape (n,).
    """
    columns = dict(observed.columns)
    columns |= _verdicts(first, observed.weights)
    columns |= _line_verdicts(first, observed)
    columns |= _families(observed, first, knowledge.topic)
    return Observed(columns, observed.points, observed.vectors, observed.weights, observed.lines)


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


def _form(segments: Segments, texts: list[str], body: Words) -> Columns:
    codes = np.frombuffer(segments.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    classes = _class_of()[np.minimum(codes, 0xFFFF)]
    lengths = (segments.ends - segments.starts).astype(np.float64)
    bounds = np.stack([segments.starts, segments.ends], axis=1).ravel()
    padded = np.append(classes, np.uint8(0))  # so that the last end is a valid index
    columns: Columns = {"length": np.log1p(lengths), "words": np.log1p(body.counts)}
    for name, code in _CODE.items():
        inside = np.add.reduceat(padded == code, bounds, dtype=np.int64)[::2]
        columns[name] = inside / lengths
    opening = padded[segments.starts]
    closing = padded[segments.ends - 1]
    before = padded[np.maximum(segments.ends - 2, segments.starts)]
    wrapped = np.isin(closing, (_CODE["quote"], _CODE["bracket"]))
    stop = _CODE["stop"]
    columns["full_stop"] = ((closing == stop) | (wrapped & (before == stop))).astype(np.float64)
    for name in ("lower", "upper", "digit", "quote", "bracket", "bar", "dash"):
        columns[f"opens_{name}"] = (opening == _CODE[name]).astype(np.float64)
    for name in ("colon", "bracket", "bar", "quote"):
        columns[f"closes_{name}"] = (closing == _CODE[name]).astype(np.float64)
    questions = [text[-1] for text in texts]
    columns["question"] = np.array([c in "?？" for c in questions], dtype=np.float64)
    columns["exclamation"] = np.array([c in "!！" for c in questions], dtype=np.float64)
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


# Topic


def _topic(
    points: Floats,
    vectors: Vectors,
    weights: Floats,
    title_point: Floats | None,
    title_vector: Vectors | None,
    model: TopicModel,
) -> Columns:
    ratios, trust = model.ratios(points, weights + 0.02, title=title_point)
    naive = model.against(points, points, weights + 0.02, title=title_point, leave_out=True)
    centre = trust @ vectors
    own = centre - trust[:, None] * vectors
    norms = np.linalg.norm(own, axis=1)
    cosines = np.einsum("ij,ij->i", own, vectors) / np.maximum(norms, 1e-12)
    spread = float(np.sqrt(np.average((ratios - ratios.mean()) ** 2))) + 1.0
    middle = float(np.average(ratios, weights=trust + 1e-6))
    columns: Columns = {
        "topic_ratio": ratios,
        "topic_ratio_naive": naive,
        "topic_ratio_relative": (ratios - middle) / spread,
        "topic_cosine": cosines,
        "topic_trust": trust / (weights + 0.02),
        "topic_document": np.full(len(points), middle),
        "topic_norm": np.log1p(np.einsum("ij,ij->i", points, points)),
    }
    if title_vector is None or title_point is None:
        columns["title_cosine"] = np.zeros(len(points))
        columns["title_ratio"] = np.zeros(len(points))
    else:
        columns["title_cosine"] = (vectors @ title_vector).astype(np.float64)
        columns["title_ratio"] = model.against(points, title_point[None], np.ones(1))
    columns |= _graph(vectors, weights)
    return columns


def _graph(vectors: Vectors, weights: Floats) -> Columns:
    """Mean cosine to the closest fragments, short fragments counted less."""
    count = len(vectors)
    landmarks = np.unique(np.linspace(0, count - 1, min(count, _LANDMARKS)).astype(np.int64))
    nearest = np.zeros((count, 3))
    sizes = (1, 3, 8)
    weighty = weights[landmarks].astype(np.float32)
    for at in range(0, count, 1024):  # blocks bound the memory
        similar = vectors[at : at + 1024] @ vectors[landmarks].T * weighty
        inside = (landmarks >= at) & (landmarks < at + 1024)
        similar[landmarks[inside] - at, np.flatnonzero(inside)] = -1.0
        closest = -np.partition(-similar, min(8, len(landmarks) - 1), axis=1)[:, :8]
        closest = -np.sort(-closest, axis=1)
        for column, size in enumerate(sizes):
            nearest[at : at + 1024, column] = closest[:, :size].mean(axis=1)
    return {f"nearest_{size}": nearest[:, i] for i, size in enumerate(sizes)}


# Words


def _lexical(found: Words, count: int, frequency: npt.NDArray[np.float32]) -> Columns:
    """How much of a fragment's rare vocabulary the rest of the document shares."""
    carries = (found.flags & vocabulary.CONTENT) > 0
    keys, owner = found.keys[carries].astype(np.int64), found.owner[carries]
    distinct, inverse = np.unique(keys, return_inverse=True)
    # One entry for a word in a fragment, however often it stands there.
    entries = np.unique(owner * max(len(distinct), 1) + inverse)
    fragment, word = np.divmod(entries, max(len(distinct), 1))
    spread = np.bincount(word, minlength=len(distinct))
    rarity = frequency[distinct % vocabulary.BUCKETS].astype(np.float64)
    in_title = np.zeros(len(distinct), dtype=bool)
    in_title[word[fragment == count]] = True
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


def _wording(body: Words, vectors: Vectors, knowledge: Knowledge) -> Columns:
    """Log-odds that the wording is furniture's, from hashed terms and from the vector."""
    count = len(body.counts)
    buckets, owner = body.terms()
    sums = np.bincount(owner, knowledge.wording[buckets], minlength=count)
    terms = 2 * body.counts + 1
    weights = knowledge.wording_vector.astype(np.float64)
    return {
        "wording": sums / np.sqrt(terms) + knowledge.wording_bias,
        "wording_vector": vectors @ weights[:-1] + weights[-1],
    }


def _repetition(texts: list[str], body: Words) -> Columns:
    folded = [text.casefold() for text in texts]
    seen = Counter(folded)
    openings = np.zeros(len(texts), dtype=np.int64)
    starts = np.cumsum(body.counts) - body.counts
    filled = body.counts > 0
    openings[filled] = body.keys[starts[filled]]
    _, inverse, counts = np.unique(openings, return_inverse=True, return_counts=True)
    return {
        "repeated": np.log([seen[text] for text in folded]),
        "same_opening": counts[inverse] / len(texts),
    }


# Place


def _position(segments: Segments, body: Words) -> Columns:
    count = len(segments)
    index = np.arange(count, dtype=np.float64)
    through = np.cumsum(body.counts, dtype=np.float64)
    change = np.flatnonzero(np.diff(segments.lines, prepend=-1, append=-1))
    sizes = np.diff(change)
    in_line = index - np.repeat(change[:-1], sizes)
    gaps = np.diff(segments.lines, prepend=segments.lines[:1])
    before = np.array(gaps > 1, dtype=np.float64)
    return {
        "position": (index + 0.5) / count,
        "from_start": np.log1p(index),
        "from_end": np.log1p(count - 1 - index),
        "words_before": (through - body.counts) / max(through[-1], 1.0),
        "line_size": np.log(np.repeat(sizes, sizes)),
        "in_line": in_line,
        "blank_before": before,
        "blank_after": np.append(before[1:], 0.0),
    }


def _line(segments: Segments, columns: Columns) -> Columns:
    """The line that a fragment stands in, and the rest of it: a line is mostly of one piece."""
    lines = np.cumsum(np.diff(segments.lines, prepend=segments.lines[:1]) != 0)
    mass = np.expm1(columns["words"]) + 0.1
    found: Columns = {"line_words": np.log(np.bincount(lines, mass)[lines])}
    for name in ("topic_ratio", "rare_shared", "wording"):
        found[f"line_{name}"] = _rest_of_line(columns[name], mass, lines)
    return found


def _rest_of_line(values: Floats, mass: Floats, lines: npt.NDArray[np.int64]) -> Floats:
    """Weighted mean over the other fragments of the line; a fragment's own where it is alone."""
    totals = np.bincount(lines, values * mass)[lines] - values * mass
    masses = np.bincount(lines, mass)[lines] - mass
    alone = np.bincount(lines)[lines] == 1
    return np.where(alone, values, totals / np.maximum(masses, 1e-9))


def _line_verdicts(first: Floats, observed: Observed) -> Columns:
    """The first pass's verdict on the rest of the line."""
    odds = np.log(np.clip(first, 1e-6, 1 - 1e-6) / np.clip(1 - first, 1e-6, 1 - 1e-6))
    mass = np.expm1(observed.columns["words"]) + 0.1
    return {
        "first_line": _rest_of_line(first, mass, observed.lines),
        "first_line_odds": _rest_of_line(odds, mass, observed.lines),
    }


_LOOKED_AROUND = (
    "words", "full_stop", "topic_ratio", "wording", "wording_vector", "rare_shared", "capitals",
    "stop_words",
)  # fmt: skip
_RADII = (2, 6, 16)


def _neighbours(columns: Columns) -> Columns:
    around: Columns = {}
    for name in _LOOKED_AROUND:
        values = columns[name]
        around[f"previous_{name}"] = _shifted(values, 1)
        around[f"next_{name}"] = _shifted(values, -1)
        for radius in _RADII:
            around[f"{name}_within_{radius}"] = _window(values, radius)
    running = (columns["full_stop"] > 0) & (np.expm1(columns["words"]) >= _FULL_LINE - 0.5)
    around |= _distances(running, "running_text")
    return around


def _shifted(values: Floats, by: int) -> Floats:
    """`values` of the neighbour `by` places before; its own at the edges."""
    moved = np.roll(values, by)
    if by > 0:
        moved[:by] = values[:by]
    else:
        moved[by:] = values[by:]
    return moved


def _window(values: Floats, radius: int) -> Floats:
    """Mean over the neighbours within `radius`, the fragment itself left out."""
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    low = np.maximum(np.arange(count) - radius, 0)
    high = np.minimum(np.arange(count) + radius + 1, count)
    return np.asarray((sums[high] - sums[low] - values) / np.maximum(high - low - 1, 1))


def _distances(mark: npt.NDArray[np.bool_], name: str) -> Columns:
    """Logarithm of the steps to the nearest marked fragment before and after."""
    count = len(mark)
    index = np.arange(count)
    last = np.maximum.accumulate(np.where(mark, index, -1))
    previous = np.concatenate([[-1], last[:-1]])
    reverse = np.minimum.accumulate(np.where(mark, index, 4 * count)[::-1])[::-1]
    following = np.concatenate([reverse[1:], [4 * count]])
    far = 6.0
    back = np.where(previous < 0, far, np.log(np.maximum(index - previous, 1)))
    ahead = np.where(following >= 4 * count, far, np.log(np.maximum(following - index, 1)))
    return {f"{name}_before": np.minimum(back, far), f"{name}_after": np.minimum(ahead, far)}


def _whole(columns: Columns, titled: bool) -> Columns:
    """What kind of document it is: the same for all its fragments."""
    words = np.expm1(columns["words"])
    count = len(words)
    values: Mapping[str, float] = {
        "document_size": float(np.log(count)),
        "document_words": float(words.mean()),
        "document_short": float((words < _SHORT).mean()),
        "document_stops": float(columns["full_stop"].mean()),
        "document_running": float(words[columns["full_stop"] > 0].sum() / max(words.sum(), 1)),
        "document_wording": float(columns["wording"].mean()),
        "document_titled": float(titled),
    }
    return {name: np.full(count, value) for name, value in values.items()}


# Second pass


def _verdicts(first: Floats, weights: Floats) -> Columns:
    odds = np.log(np.clip(first, 1e-6, 1 - 1e-6) / np.clip(1 - first, 1e-6, 1 - 1e-6))
    mass = weights + 0.05
    found: Columns = {
        "first": odds,
        "first_previous": _shifted(odds, 1),
        "first_next": _shifted(odds, -1),
        "first_two_before": _shifted(odds, 2),
        "first_two_after": _shifted(odds, -2),
        "first_document": np.full(len(first), float(np.average(first))),
        "first_document_words": np.full(len(first), float(np.average(first, weights=mass))),
    }
    for radius in (1, 3, 8, 20):
        found[f"first_within_{radius}"] = _window(first, radius)
    trusted = (first < _TRUSTED) & (weights > _TRUSTED_WEIGHT)
    found |= _distances(trusted, "trusted")
    found |= _distances(first > _SUSPECTED, "suspected")
    index = np.flatnonzero(trusted)
    edges = (index[0], index[-1]) if len(index) else (0, len(first) - 1)
    place = np.arange(len(first))
    found["outside_trusted"] = ((place < edges[0]) | (place > edges[1])).astype(np.float64)
    return found


def _families(observed: Observed, first: Floats, model: TopicModel) -> Columns:
    """Fit to what the first pass trusts, and to what it suspects: intruders come in families."""
    points, vectors = observed.points, observed.vectors
    mass = observed.weights + 0.02
    trusted = model.against(points, points, mass * (1 - first) ** 2, leave_out=True)
    suspected = model.against(points, points, mass * first**2, leave_out=True)
    suspects = np.argsort(-first, kind="stable")[:64]
    suspects = suspects[first[suspects] > _POSSIBLE]
    closest = np.zeros(len(first))
    if len(suspects):
        similar = (vectors @ vectors[suspects].T).astype(np.float64) * first[suspects]
        similar[suspects, np.arange(len(suspects))] = 0.0
        closest = similar.max(axis=1)
    return {
        "trusted_ratio": trusted,
        "suspected_ratio": suspected,
        "families_ratio": trusted - suspected,
        "closest_suspect": closest,
    }
