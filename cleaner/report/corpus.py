"""What the page needs to know of a corpus: aggregates, gathered in one pass."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cleaner.reasons import REASONS
from cleaner.report.sketches import Frequent, Sample, Smallest

if TYPE_CHECKING:
    from cleaner.reading import Read
    from cleaner.results import CleanResult

_STEPS = tuple(step / 100 for step in range(101))  # thresholds that the page can be set to
_SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of a document's text that is removed
_SOURCES = 1_000  # told apart; later ones are counted together
_SHOWN_SOURCES = 50
_FRAGMENTS = 20_000  # counters of removed fragments
_SHOWN_FRAGMENTS = 40
_UNCERTAIN = 60
_UNCERTAIN_OF_ONE = 3  # of one document: a page full of one document's doubts helps nobody
_LONGEST_KEY = 300  # code points by which removed fragments are told apart
_LONGEST_PAGE = 200_000  # code points of a document up to which it can get a page
_OTHERS = "(others)"  # what later sources are called together


@dataclass(slots=True)
class _Source:
    documents: int = 0
    changed: int = 0
    characters: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A fragment whose score is close to the threshold."""

    read: Read
    index: int
    text: str
    score: float
    reason: int


@dataclass(slots=True)
class Corpus:
    """Aggregates over the documents of a corpus.

    Attributes
    ----------
    threshold
        At which documents and sources are counted as changed.
    pages
        How many documents are kept for pages of their own.
    explained
        Score from which the pages explain a fragment.
    documents, judged, changed, characters, removed, fragments
        Documents read, judged, and with something removed; code points read and removed; fragments
        judged, or dropped by a pattern unjudged.
    too_long
        Documents that are too long for a page.
    steps
        Thresholds at which fragments are counted, ascending: the page's, and `threshold`.
    """

    threshold: float
    pages: int
    explained: float = 0.0
    documents: int = 0
    judged: int = 0
    changed: int = 0
    characters: int = 0
    removed: int = 0
    fragments: int = 0
    too_long: int = 0
    steps: tuple[float, ...] = field(init=False)
    _why: Counter[str] = field(default_factory=Counter)
    _sources: dict[str, _Source] = field(default_factory=dict)
    _others: _Source = field(default_factory=_Source)
    _shares: list[int] = field(default_factory=lambda: [0] * len(_SHARES))
    # By reason and by the highest threshold that still removes: fragments, and their code points.
    _scores: npt.NDArray[np.int64] = field(init=False)
    _settled: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((2, len(REASONS)), dtype=np.int64)
    )
    _frequent: Frequent = field(default_factory=lambda: Frequent(_FRAGMENTS))
    _doubts: Smallest[_Doubt] = field(default_factory=lambda: Smallest(_UNCERTAIN))
    _changed: Sample[Read] = field(init=False)
    _unchanged: Sample[Read] = field(init=False)
    _long: Read | None = None  # a first document that is too long: it may be the only one

    def __post_init__(self) -> None:
        self.steps = tuple(sorted({*_STEPS, self.threshold}))
        self._scores = np.zeros((2, len(REASONS), len(self.steps) + 1), dtype=np.int64)
        self._changed, self._unchanged = Sample(self.pages), Sample(self.pages)

    def add(self, read: Read, result: CleanResult, settled: Sequence[bool | None]) -> None:
        """Count one document.

        Parameters
        ----------
        read
            The document.
        result
            Its result at the threshold.
        settled
            For each fragment, whether a pattern or its reason settles it; None: its score does.
        """
        gone = sum(finding.end - finding.start for finding in result.findings)
        self.documents += 1
        self.judged += result.judged
        self.changed += result.changed
        self.characters += len(result.source)
        self.removed += gone
        if not result.judged:
            self._why[result.why.split(":")[0]] += 1
        share = gone / max(len(result.source), 1)
        self._shares[int(np.searchsorted(_SHARES, share, side="left"))] += 1
        self._count_source(read, result, gone)
        self._count_fragments(result, settled)
        for finding in result.findings:
            shown = " ".join(finding.text.split())[:_LONGEST_KEY]
            self._frequent.add(shown.casefold(), shown)
        if len(result.source) > _LONGEST_PAGE:
            self.too_long += 1
            self._long = read if self.documents == 1 else None
            return
        self._doubt(read, result, settled)
        (self._changed if result.changed else self._unchanged).add(read)

    def _count_source(self, read: Read, result: CleanResult, gone: int) -> None:
        if read.source in self._sources or len(self._sources) < _SOURCES:
            source = self._sources.setdefault(read.source, _Source())
        else:
            source = self._others
        source.documents += 1
        source.changed += result.changed
        source.characters += len(result.source)
        source.removed += gone

    def _count_fragments(self, result: CleanResult, settled: Sequence[bool | None]) -> None:
        sizes = _sizes(result)
        for fragment, fixed, size in zip(result.fragments, settled, sizes, strict=True):
            if not (result.judged or fixed):
                continue
            self.fragments += 1
            reason = REASONS.index(fragment.as_reported(dropped=fixed).reason)
            if fixed:
                self._settled[:, reason] += (1, size)
            elif fixed is None:
                step = bisect_right(self.steps, fragment.score)
                self._scores[:, reason, step] += (1, size)

    def _doubt(self, read: Read, result: CleanResult, settled: Sequence[bool | None]) -> None:
        if not result.judged:
            return
        near = sorted(
            (abs(fragment.score - self.threshold), index)
            for index, (fragment, fixed) in enumerate(zip(result.fragments, settled, strict=True))
            if fixed is None
        )
        for distance, index in near[:_UNCERTAIN_OF_ONE]:
            fragment = result.fragments[index]
            text = " ".join(result.source[fragment.start : fragment.end].split())[:_LONGEST_KEY]
            reason = REASONS.index(fragment.reason)
            self._doubts.add(distance, _Doubt(read, index, text, fragment.score, reason))

    def chosen(self) -> list[Read]:
        """Documents to make pages of: half of them those in doubt, then a sample of the rest.

        Documents with something removed come before those without.
        """
        if self._long is not None and self.documents == 1:
            return [self._long]
        doubtful = list({id(doubt.read): doubt.read for doubt in self._doubts.items()}.values())
        pool = [*doubtful[: self.pages // 2], *self._changed.items]
        pool += [*doubtful, *self._unchanged.items]
        return list({id(read): read for read in pool}.values())[: self.pages]

    def data(self, chosen: Sequence[Read]) -> dict[str, Any]:
        """The aggregates as JSON types; `chosen` are the documents that have pages."""
        numbers = {id(read): number for number, read in enumerate(chosen)}
        return {
            "documents": self.documents,
            "judged": self.judged,
            "changed": self.changed,
            "characters": self.characters,
            "removed": self.removed,
            "fragments": self.fragments,
            "why": self._why.most_common(),
            "shares": [[limit, count] for limit, count in zip(_SHARES, self._shares, strict=True)],
            "steps": self.steps,
            "scores": self._scores.tolist(),
            "settled": self._settled.tolist(),
            "sources": [
                [name, source.documents, source.changed, source.characters, source.removed]
                for name, source in self._shown_sources()
            ],
            "frequent": [
                [count.example, count.count, count.error]
                for count in self._frequent.top(_SHOWN_FRAGMENTS)
            ],
            "doubts": [
                {
                    "page": numbers[id(doubt.read)],
                    "name": doubt.read.place,
                    "index": doubt.index,
                    "text": doubt.text,
                    "score": doubt.score,
                    "reason": doubt.reason,
                }
                for doubt in self._doubts.items()
                if id(doubt.read) in numbers  # elsewhere no verdict could be given
            ],
            "left_out": self._left_out(numbers),
        }

    def _shown_sources(self) -> list[tuple[str, _Source]]:
        """The sources with most documents; last, as no source of its own, what came too late."""
        ranked = sorted(self._sources.items(), key=lambda entry: (-entry[1].documents, entry[0]))
        others = [(_OTHERS, self._others)] if self._others.documents else []
        return ranked[:_SHOWN_SOURCES] + others

    def _left_out(self, chosen: Mapping[int, int]) -> list[str]:
        """What the page does not show, in words; `chosen` are the documents that have pages."""
        said = []
        pages = len(chosen)
        if self.documents > pages:
            said.append(
                f"{self.documents - pages:,} of {self.documents:,} documents have no page of their"
                f" own: {pages} have, those with the least certain fragments first, then a random"
                " sample of those with something removed"
            )
        if any(id(doubt.read) not in chosen for doubt in self._doubts.items()):
            said.append("of the least certain fragments, those of documents without a page")
        if pages and self.explained:
            said.append(f"the evidence on fragments with a score below {self.explained:g}")
        if self.too_long and self.documents > 1:
            said.append(
                f"{self.too_long:,} documents of more than {_LONGEST_PAGE:,} characters are"
                " counted, but were not considered for a page or for review"
            )
        if len(self._sources) > _SHOWN_SOURCES:
            told = f"the {_SHOWN_SOURCES} sources with most documents are listed, of"
            if self._others.documents:
                said.append(f"{told} more than {_SOURCES:,}; later ones are counted as {_OTHERS}")
            else:
                said.append(f"{told} {len(self._sources):,}")
        if self._frequent.floor:
            said.append(
                f"fragments that were removed {self._frequent.floor:,} times or less may be"
                " missing from the most frequent ones, and be counted as often too much"
            )
        return said


def _sizes(result: CleanResult) -> list[int]:
    """Code points that go with each fragment: what was cut with it, else its own."""
    starts = [finding.start for finding in result.findings]
    sizes = []
    for fragment in result.fragments:
        at = bisect_right(starts, fragment.start) - 1
        finding = result.findings[at] if at >= 0 else fragment
        is_cut = finding.start <= fragment.start and fragment.end <= finding.end
        cut = finding if is_cut else fragment
        sizes.append(cut.end - cut.start)
    return sizes
