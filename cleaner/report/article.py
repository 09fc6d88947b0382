"""What the page needs to know of one article."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleaner.document import find_header
from cleaner.evidence import LEAST_WEIGHT
from cleaner.explanation import KINDS, Explanation, Pass, Term, explain
from cleaner.reasons import REASONS

if TYPE_CHECKING:
    from cleaner.cleaning import Cleaner, Inspected
    from cleaner.reading import Read
    from cleaner.topic import Floats

_DIGITS = 4
_ONE_UNIT = 0xFFFF  # code points above take two UTF-16 units


def article_data(
    read: Read, inspected: Inspected, cleaner: Cleaner, *, explained: float
) -> dict[str, Any]:
    """An article as JSON types: text, fragments with scores and evidence, map.

    Offsets are given twice: in UTF-16 units, as scripts count, and in code points, as the
    labelled records that the page exports do.

    Parameters
    ----------
    read
        The document.
    inspected
        Its result and what it rests on.
    cleaner
        Which judged it.
    explained
        Score from which a fragment is explained.
    """
    result = inspected.result
    segments = inspected.segments
    units = _units(result.source)
    strings = _Strings()
    settled = cleaner.settled(result)
    fragments = [f.as_reported(dropped=d) for f, d in zip(result.fragments, settled, strict=True)]
    explanations = [
        # The evidence on what a pattern drops was not asked.
        None if dropped or fragment.score < explained else _explanation(found, strings)
        # What is out among the closest ones the page tells: it changes with the threshold.
        for fragment, dropped, found in zip(fragments, settled, explain(inspected), strict=False)
    ]
    lines = np.unique(segments.lines)
    cuts = _line_cuts(inspected)
    return {
        "name": read.place,
        "heading": _heading(read),
        "id": result.identity or read.place,
        "source": read.source,
        "title": read.document.title,
        "text": result.source,
        "judged": result.judged,
        "why": result.why,
        "score": [fragment.score for fragment in fragments],
        "reason": [REASONS.index(fragment.reason) for fragment in fragments],
        "settled": settled,
        "start": segments.starts.tolist(),
        "end": segments.ends.tolist(),
        "from": units[segments.starts].tolist(),
        "to": units[segments.ends].tolist(),
        "line": np.searchsorted(lines, segments.lines).tolist(),
        "lines": [
            [int(units[at]) for at in (*segments.line_spans[line], cuts[line])]
            for line in lines.tolist()
        ],
        "strings": strings.items,
        "explanations": explanations,
        "map": _map(inspected),
    }


def _heading(read: Read) -> str:
    """The title, given or found in the text; else the place."""
    document = read.document
    found = find_header(document.text, title=document.title).title
    return document.title or (document.text[found.start : found.end] if found else read.place)


def _units(text: str) -> npt.NDArray[np.int64]:
    """Offset in UTF-16 units of every code point of `text`, and of its end."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.concatenate([[0], np.cumsum(1 + (codes > _ONE_UNIT), dtype=np.int64)])


def _line_cuts(inspected: Inspected) -> dict[int, int]:
    """For each line, how far its deletion reaches where it goes whole."""
    segments = inspected.segments
    # Asked of all at once: what a deletion takes along does not depend on the others.
    spans = segments.deletions(np.ones(len(segments), dtype=np.bool_))
    cuts: dict[int, int] = {}
    for index, span in spans.items():
        line = int(segments.lines[index])
        cuts[line] = max(cuts.get(line, 0), span.end)
    return cuts


class _Strings:
    """Each string once; the same words are said of many fragments."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self.items)
            self.items.append(text)
        return self._numbers[text]


def _explanation(found: Explanation, strings: _Strings) -> dict[str, Any]:
    return {
        "deciding": {
            name: [_term(term, strings) for term in found.deciding(goes=goes)]
            for name, goes in (("kept", False), ("gone", True))
        },
        "nearest": found.nearest,
        "first": _pass(found.first, strings),
        "last": _pass(found.last, strings),
    }


def _pass(one: Pass, strings: _Strings) -> list[Any]:
    return [round(one.base, _DIGITS), [_term(term, strings) for term in one.terms]]


def _term(term: Term, strings: _Strings) -> list[Any]:
    return [KINDS.index(term.kind), round(term.log_odds, _DIGITS), strings.number(term.words)]


def _map(inspected: Inspected) -> dict[str, Any] | None:
    """Where the fragments lie: along the two axes on which their topics differ most.

    A fragment's point is the topic that the two-covariance model expects behind it, so that what
    says little about any topic lies in the middle. The axes are the principal ones of those points;
    they know nothing of scores. Their signs are chosen so that what is suspected lies to the right
    and above.
    """
    observed, contributions = inspected.observed, inspected.contributions
    if observed is None or contributions is None or inspected.shrinkage is None:
        return None
    points = observed.points * inspected.shrinkage
    weights = observed.weights + LEAST_WEIGHT
    centre = np.average(points, axis=0, weights=weights)
    _, sizes, axes = np.linalg.svd(
        (points - centre) * np.sqrt(weights)[:, None], full_matrices=False
    )
    places = _plane(points - centre, axes)
    scores = np.array([fragment.score for fragment in inspected.result.fragments])
    signs = np.where(scores @ places >= scores.sum() * places.mean(axis=0), 1.0, -1.0)
    title = None
    if inspected.title is not None:
        offset = (inspected.title * inspected.shrinkage - centre)[None]
        title = _rounded(_plane(offset, axes)[0] * signs)
    variance = float((sizes[:2] ** 2).sum() / max((sizes**2).sum(), 1e-12))
    return {
        "places": [_rounded(place) for place in places * signs],
        "title": title,
        "size": np.round(observed.weights, 2).tolist(),
        "variance": round(variance, 3),
    }


def _plane(points: Floats, axes: Floats) -> Floats:
    flat = points @ axes[:2].T
    return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))


def _rounded(values: Sequence[float] | Floats) -> list[float]:
    return [round(float(value), 3) for value in values]
