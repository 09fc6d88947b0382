"""From labelled documents and their results to scored units: a unit is a labelled span."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from cleaner.evaluation.figures import removed_characters

if TYPE_CHECKING:
    from cleaner.document import Document
    from cleaner.evaluation.labelled import Labelled
    from cleaner.results import CleanResult, Fragment

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class CanClean(Protocol):
    """What is measured: `cleaner.Cleaner`, or anything that gives the same results."""

    @property
    def threshold(self) -> float:
        """Probability from which a fragment is removed."""

    def clean_many(self, documents: Iterable[Document | str]) -> Iterator[CleanResult]:
        """Results in the order of `documents`."""

    def apply(self, result: CleanResult, *, threshold: float) -> CleanResult:
        """`result` at another threshold."""


@dataclass(frozen=True, slots=True)
class Units:
    """The scored spans of all documents, n of them, and what was made of each.

    Attributes
    ----------
    document
        Shape (n,): number of the document each lies in.
    bad
        Shape (n,): whether it is to be removed.
    lengths
        Shape (n,): code points.
    scores
        Shape (n,): the highest threshold at which half of it would go, 0 to 1.
    scored
        Shape (n,): whether it was judged at all; header lines and the lines of documents that
        were not judged are not.
    removed
        Shape (n, thresholds): code points of it that are removed at each threshold.
    reasons
        Why it would go, empty where nothing was judged; n of them.
    kinds
        What it is by its label, empty where the label does not say; n of them.
    """

    document: Ints
    bad: Flags
    lengths: Ints
    scores: Floats
    scored: Flags
    removed: Ints
    reasons: npt.NDArray[np.str_]
    kinds: npt.NDArray[np.str_]

    def gone(self, column: int = 0) -> Flags:
        """Whether each counts as removed at the threshold of `column`, shape (n,).

        It does when at least half of its characters are removed.
        """
        return np.asarray(2 * self.removed[:, column] >= self.lengths)


def at_thresholds(
    cleaner: CanClean, result: CleanResult, thresholds: Sequence[float]
) -> list[CleanResult]:
    """`result`, which is at the first of `thresholds`, at each of them."""
    scores = np.sort([fragment.score for fragment in result.fragments])
    known = {_above(scores, thresholds[0]): result}
    found = [result]
    for threshold in thresholds[1:]:
        count = _above(scores, threshold)
        if count not in known:  # else the same fragments go
            known[count] = cleaner.apply(result, threshold=threshold)
        found.append(known[count])
    return found


def _above(scores: Floats, threshold: float) -> int:
    return len(scores) - int(np.searchsorted(scores, threshold, side="left"))


def units_of(
    document: Labelled,
    at_each: Sequence[CleanResult],
    allowed: frozenset[str],
    number: int,
) -> Units:
    """The scored spans of `document`, which has `number`.

    Parameters
    ----------
    at_each
        Its results at each threshold, the one that is measured first.
    allowed
        Reasons that count; a fragment of another scores nothing.
    """
    result = at_each[0]
    labels = np.array(document.labels, dtype=np.int64)
    lengths = np.array([s.end - s.start for s in document.spans], dtype=np.int64)
    use = np.flatnonzero((labels >= 0) & (lengths > 0))
    spans = [document.spans[i] for i in use]
    distinct = {id(one): removed_characters(one, spans) for one in at_each}
    found = [_judgement(result.fragments, span.start, span.end, allowed) for span in spans]
    kinds = document.kinds or [""] * len(document.spans)
    count = len(use)
    return Units(
        document=np.full(count, number, dtype=np.int64),
        bad=labels[use] == 1,
        lengths=lengths[use],
        scores=np.array([score for score, _, _ in found], dtype=np.float64),
        scored=np.array([there and result.judged for _, _, there in found], dtype=np.bool_),
        removed=np.stack([distinct[id(one)] for one in at_each], axis=1),
        reasons=np.array([reason for _, reason, _ in found], dtype=np.str_),
        kinds=np.array([kinds[i] for i in use], dtype=np.str_),
    )


def _judgement(
    fragments: Sequence[Fragment], start: int, end: int, allowed: frozenset[str]
) -> tuple[float, str, bool]:
    """Score and reason of the span, and whether any fragment lies in it.

    The score is the highest threshold at which fragments that make up half of the span's judged
    text reach it.
    """
    inside = _overlapping(fragments, start, end)
    if not inside:
        return 0.0, "", False
    sizes = [min(f.end, end) - max(f.start, start) for f in inside]
    order = sorted(range(len(inside)), key=lambda i: -_score(inside[i], allowed))
    half, covered = sum(sizes) / 2, 0
    for index in order:
        covered += sizes[index]
        if covered >= half:
            return _score(inside[index], allowed), inside[order[0]].reason, True
    return 0.0, "", True


def _score(fragment: Fragment, allowed: frozenset[str]) -> float:
    return fragment.score if fragment.reason in allowed else 0.0


def _overlapping(fragments: Sequence[Fragment], start: int, end: int) -> list[Fragment]:
    first = bisect_right(fragments, start, key=lambda fragment: fragment.end)
    found = []
    for fragment in fragments[first:]:
        if fragment.start >= end:
            break
        found.append(fragment)
    return found


def joined(parts: Sequence[Units], columns: int) -> Units:
    """All `parts` as one; `columns` thresholds where there are none."""
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        words = np.zeros(0, dtype="U1")
        flags, shares = np.zeros(0, dtype=np.bool_), np.zeros(0)
        empty = np.zeros((0, columns), dtype=np.int64)
        return Units(nothing, flags, nothing, shares, flags, empty, words, words)
    names = Units.__slots__
    return Units(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
